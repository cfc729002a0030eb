"""What must hold before real money trades: each check judged from its facts, with its threshold and remedy.

A fact that cannot be had fails its check: doubt means no trade. The database's own guard on the system's
mode asks for every name in ``Name``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

#: The window in which errors are counted.
ERROR_WINDOW: Final = timedelta(minutes=10)
#: So many errors of one component in the window are a spike.
ERROR_LIMIT: Final = 5
#: So many starts of one process in the window are a crash loop.
START_LIMIT: Final = 3
#: A process that has not reported for so long is not there.
BEAT_LIMIT: Final = timedelta(seconds=30)
ROLES: Final = ("api", "engine", "jobs")
FREE_SHARE: Final = 0.05
FREE_BYTES: Final = 2 * 1024**3
DATABASE_LIMIT_MS: Final = 250.0
CLOCK_LIMIT_S: Final = 1.0
RECONCILED_WITHIN: Final = timedelta(minutes=5)
DOUBT_LIMIT: Final = timedelta(minutes=1)
BACKUP_WITHIN: Final = timedelta(hours=24)
PROFIT_WITHIN: Final = timedelta(hours=1)
REHEARSED_WITHIN: Final = timedelta(days=30)
#: Of the simulated day; shorter ones do not reach all that a day has.
REHEARSED_HOURS: Final = 24.0


class Name(StrEnum):
    """The checks, in the order in which they are shown."""

    SERVER = "server"
    REALTIME = "realtime"
    DATABASE = "database"
    PROCESSES = "processes"
    ERRORS = "errors"
    FAULTS = "faults"
    DISK = "disk"
    CLOCK = "clock"
    MARKET = "market"
    KEYS = "keys"
    ACCOUNTS = "accounts"
    ORDERS = "orders"
    PROFIT = "profit"
    STOP = "stop"
    LIMITS = "limits"
    BACKUP = "backup"
    REHEARSAL = "rehearsal"


TITLES: Final[Mapping[Name, str]] = {
    Name.SERVER: "The server answers",
    Name.REALTIME: "The realtime channel answers",
    Name.DATABASE: "The database answers",
    Name.PROCESSES: "Every process runs",
    Name.ERRORS: "No component has an error spike",
    Name.FAULTS: "No fault of the program itself",
    Name.DISK: "The disk has room",
    Name.CLOCK: "The clock is right",
    Name.MARKET: "Bots see the real market",
    Name.KEYS: "An exchange key is tested and permitted",
    Name.ACCOUNTS: "Every account agrees with the books",
    Name.ORDERS: "No order is in doubt",
    Name.PROFIT: "Every profit follows from the fills",
    Name.STOP: "No emergency stop is on",
    Name.LIMITS: "Limits of loss and exposure are set",
    Name.BACKUP: "A recent backup exists",
    Name.REHEARSAL: "A rehearsal of this build has passed",
}


class Status(StrEnum):
    OK = "ok"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. ``remedy`` says how it turns green; ``age_s`` how old its fact is where that matters."""

    name: Name
    status: Status
    value: str
    threshold: str
    remedy: str
    age_s: float | None = None

    @property
    def title(self) -> str:
        return TITLES[self.name]

    @property
    def is_met(self) -> bool:
        return self.status is Status.OK


@dataclass(frozen=True, slots=True)
class Report:
    """All checks at one moment, of one build."""

    made_at: datetime
    build: str
    checks: Sequence[Check]

    @property
    def is_ready(self) -> bool:
        """Whether every check there is was made and is met."""
        return {check.name for check in self.checks if check.is_met} == set(Name)

    @property
    def open(self) -> list[Check]:
        return [check for check in self.checks if not check.is_met]


@dataclass(frozen=True, slots=True)
class ProcessFact:
    """A process as it reported itself. ``errors`` counts each component's in the window; ``faults`` are
    the errors that only a mistake in the program makes."""

    role: str
    started_at: datetime
    beat_at: datetime
    errors: Mapping[str, int]
    faults: int


@dataclass(frozen=True, slots=True)
class AccountFact:
    """A real account. ``reconciled_at`` is None before its first complete reconcile."""

    name: str
    is_active: bool
    detail: str
    reconciled_at: datetime | None


def _check(
    name: Name, ok: bool, value: str, threshold: str, remedy: str, age: timedelta | None = None
) -> Check:
    status = Status.OK if ok else Status.FAILED
    return Check(name, status, value, threshold, remedy, None if age is None else age.total_seconds())


def unread(name: Name, why: str, remedy: str) -> Check:
    """Return the check of a fact that cannot be had."""
    return Check(name, Status.FAILED, f"not known: {why}", "must be known", remedy)


def judge_answer(name: Name, took_ms: float) -> Check:
    """Judge a channel of the server that has answered."""
    return _check(name, True, f"answered in {took_ms:.0f} ms", "answers", "Start the platform: amarktai up.")


def judge_database(took_ms: float, version: str) -> Check:
    return _check(
        Name.DATABASE,
        took_ms <= DATABASE_LIMIT_MS,
        f"PostgreSQL {version}, {took_ms:.0f} ms",
        f"at most {DATABASE_LIMIT_MS:.0f} ms",
        "Look at the machine's load and its disk.",
    )


def judge_processes(processes: Sequence[ProcessFact], now: datetime) -> Check:
    """Judge that each role reports, and that none starts again and again."""
    alive = {each.role for each in processes if now - each.beat_at <= BEAT_LIMIT}
    missing = [role for role in ROLES if role not in alive]
    starts = {
        role: sum(each.role == role and now - each.started_at <= ERROR_WINDOW for each in processes)
        for role in ROLES
    }
    looping = [f"{role} started {count} times" for role, count in starts.items() if count > START_LIMIT]
    words = [*(f"{role} does not report" for role in missing), *looping]
    return _check(
        Name.PROCESSES,
        not words,
        "; ".join(words) or f"{', '.join(ROLES)} report",
        f"each within {BEAT_LIMIT.total_seconds():.0f} s, at most {START_LIMIT} starts in 10 min",
        "Start the platform with amarktai up, and read its log.",
    )


def judge_errors(processes: Sequence[ProcessFact], now: datetime) -> Check:
    """Judge the worst component's errors in the window."""
    rates = [
        (count, f"{each.role} {component}")
        for each in processes
        if now - each.beat_at <= ERROR_WINDOW
        for component, count in each.errors.items()
    ]
    count, where = max(rates, default=(0, ""))
    return _check(
        Name.ERRORS,
        count < ERROR_LIMIT,
        f"{count} in {where}" if count else "none",
        f"fewer than {ERROR_LIMIT} in 10 min for each component",
        "Read the log of that component; ten quiet minutes turn this green.",
    )


def judge_faults(processes: Sequence[ProcessFact], now: datetime) -> Check:
    """Judge errors that only a mistake in the program makes, such as a name that does not exist."""
    found = [
        (each.role, each.faults) for each in processes if each.faults and now - each.beat_at <= ERROR_WINDOW
    ]
    return _check(
        Name.FAULTS,
        not found,
        ", ".join(f"{count} in {role}" for role, count in found) or "none",
        "none in 10 min",
        "Report it with the log's traceback, and do not trade with this build.",
    )


def judge_disk(free: int, total: int) -> Check:
    """Judge free and total bytes of the disk that holds the data folder."""
    is_enough = free >= FREE_BYTES and free >= FREE_SHARE * total
    return _check(
        Name.DISK,
        is_enough,
        f"{free / 1024**3:.1f} GiB free ({free / total if total else 0:.0%})",
        f"at least {FREE_BYTES / 1024**3:.0f} GiB and {FREE_SHARE:.0%}",
        "Free disk space, or move the data folder to a larger disk.",
    )


def judge_clock(differences_s: Mapping[str, float]) -> Check:
    """Judge how far this machine's clock is from others: the database's, the exchanges'."""
    where, worst = max(differences_s.items(), key=lambda item: abs(item[1]), default=("", 0.0))
    return _check(
        Name.CLOCK,
        bool(differences_s) and abs(worst) <= CLOCK_LIMIT_S,
        f"{worst:+.2f} s from {where}" if where else "nothing to compare with",
        f"at most {CLOCK_LIMIT_S:.0f} s",
        "Let this machine set its clock by NTP.",
    )


def judge_market(*, is_sandbox: bool, stand_ins: Sequence[str] = ()) -> Check:
    """Judge what bots see. ``stand_ins`` are servers that the settings put in exchanges' places: nothing real
    is traded there, and it is said."""
    real = f"servers in the place of {', '.join(stand_ins)}" if stand_ins else "the exchanges' own data"
    return _check(
        Name.MARKET,
        not is_sandbox,
        "the sandbox" if is_sandbox else real,
        "the exchanges' own data",
        "Switch the market to live on the Settings screen.",
    )


def judge_keys(working: Sequence[str], viewing: Sequence[str], refused: Sequence[str]) -> Check:
    """Judge exchange keys: ``working`` may trade and not withdraw, as far as their exchanges tell;
    ``viewing`` may only look; ``refused`` have failed a test."""
    words = f"{len(working)} tested: {', '.join(working)}" if working else "none is tested"
    if viewing:
        words += f"; may only look: {', '.join(viewing)}"
    if refused:
        words += f"; failed: {', '.join(refused)}"
    return _check(
        Name.KEYS,
        bool(working) and not refused,
        words,
        "at least one, and none that failed its test",
        "Save a key that may view and trade on the API keys screen, test it, and delete what fails.",
    )


def judge_accounts(accounts: Sequence[AccountFact], now: datetime) -> Check:
    """Judge that every account was reconciled lately and holds what the books say."""
    never = [each for each in accounts if each.reconciled_at is None]
    ages = [now - each.reconciled_at for each in accounts if each.reconciled_at is not None]
    oldest = max(ages, default=None)
    troubled = [each for each in accounts if not each.is_active]
    is_ok = (
        bool(accounts) and not never and not troubled and oldest is not None and oldest <= RECONCILED_WITHIN
    )
    if troubled:
        value = "; ".join(f"{each.name}: {each.detail}" for each in troubled)
    elif never:
        value = f"{', '.join(each.name for each in never)}: not reconciled yet"
    elif accounts:
        value = f"{', '.join(each.name for each in accounts)}"
    else:
        value = "no account is open"
    return _check(
        Name.ACCOUNTS,
        is_ok,
        value,
        f"each agrees, reconciled within {RECONCILED_WITHIN.total_seconds() / 60:.0f} min",
        "Look at the Accounts screen; each account says what it waits for.",
        oldest,
    )


def judge_orders(count: int, oldest_at: datetime | None, now: datetime) -> Check:
    """Judge the orders whose outcome is not known."""
    age = None if oldest_at is None else now - oldest_at
    return _check(
        Name.ORDERS,
        count == 0 or (age is not None and age <= DOUBT_LIMIT),
        f"{count} in doubt" if count else "none",
        f"none for longer than {DOUBT_LIMIT.total_seconds():.0f} s",
        "Wait for the next reconcile, or settle it with its evidence on the Orders screen.",
        age,
    )


def judge_profit(checked_at: datetime | None, first_difference: str | None, now: datetime) -> Check:
    """Judge the last audit: everything that is shown, computed again from the fills."""
    age = None if checked_at is None else now - checked_at
    if age is None:
        value = "no audit yet"
    elif first_difference is not None:
        value = first_difference
    else:
        value = "every figure follows from the fills"
    return _check(
        Name.PROFIT,
        age is not None and first_difference is None and age <= PROFIT_WITHIN,
        value,
        f"an audit without a difference within {PROFIT_WITHIN.total_seconds() / 60:.0f} min",
        "The jobs process audits by itself; amarktai audit names the first difference.",
        age,
    )


def judge_stop(reason: str | None) -> Check:
    return _check(
        Name.STOP,
        reason is None,
        "none" if reason is None else f"on: {reason}",
        "none for everybody, no stop file",
        "Release it in the dashboard, or with amarktai emergency-stop --release.",
    )


def judge_limits(kinds: Sequence[str], needed: Sequence[str]) -> Check:
    """Judge that everybody's limits of the ``needed`` kinds are set."""
    missing = [kind for kind in needed if kind not in kinds]
    return _check(
        Name.LIMITS,
        not missing,
        f"missing: {', '.join(missing)}" if missing else ", ".join(needed),
        f"{', '.join(needed)} for everybody",
        "Set them on the Risk screen.",
    )


def judge_backup(made_at: datetime | None, now: datetime) -> Check:
    age = None if made_at is None else now - made_at
    return _check(
        Name.BACKUP,
        age is not None and age <= BACKUP_WITHIN,
        "none" if made_at is None else f"made {made_at:%Y-%m-%d %H:%M} UTC",
        f"within {BACKUP_WITHIN.total_seconds() / 3600:.0f} h",
        "Make one: amarktai backup.",
        age,
    )


def judge_rehearsal(
    passed_at: datetime | None, of_build: str | None, hours: float, build: str, now: datetime
) -> Check:
    """Judge the last rehearsal that passed: of this build, long enough, and not too long ago."""
    age = None if passed_at is None else now - passed_at
    is_ok = (
        age is not None
        and age <= REHEARSED_WITHIN
        and of_build == build
        and not is_changed(build)
        and hours >= REHEARSED_HOURS
    )
    value = "none has passed" if passed_at is None else f"{hours:g} h of build {of_build} passed"
    if is_changed(build):
        value += "; this build has changes that no commit has"
    return _check(
        Name.REHEARSAL,
        is_ok,
        value,
        f"{REHEARSED_HOURS:g} h of build {build}, within {REHEARSED_WITHIN.days} days",
        "Let it run, it takes some minutes: amarktai rehearse.",
        age,
    )


def is_changed(build: str) -> bool:
    """Return whether the build's name says that it differs from its commit."""
    return build.endswith("+")
