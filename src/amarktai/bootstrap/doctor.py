"""The doctor: looks at everything that the platform needs, changes nothing, and says what to do."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from amarktai.api.app import UI_FOLDER
from amarktai.api.build import read_build
from amarktai.api.dashboard import BUILD_COMMAND
from amarktai.api.serve import bind
from amarktai.bootstrap.backups import BACKUPS_FOLDER
from amarktai.bootstrap.foundation import (
    Foundation,
    lay_foundation,
    real_time,
    restoring_mark,
    running_database,
    start_logs,
)
from amarktai.bootstrap.people import build_accounts, key_ring
from amarktai.config import CONFIG_VARIABLE, PREFIX, Settings, is_loopback, load
from amarktai.domain.errors import AmarktaiError, InvalidInput, Unavailable
from amarktai.domain.readiness import BACKUP_WITHIN, BEAT_LIMIT, ROLES
from amarktai.ports.accounts import Heartbeat
from amarktai.ports.clock import to_datetime
from amarktai.ports.readiness import BACKUP_NOTE
from amarktai.storage.backup import backups_in
from amarktai.storage.embedded import binaries
from amarktai.storage.migrate import check_version, self_test
from amarktai.storage.readiness import PgReadiness
from amarktai.storage.system import PgSystem
from amarktai.system.stop_file import DiskStopFile

_OLDEST_PYTHON: Final = (3, 11)
#: Less than this keeps the embedded server from starting; less than that is worth a thought.
_NEEDED_MB: Final = 200
_WANTED_MB: Final = 2_000
_CLOCK_NOTED: Final = timedelta(seconds=1)
_CLOCK_WRONG: Final = timedelta(seconds=10)
_DOWN: Final = "unknown: the database does not answer"


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. ``action`` is empty when there is nothing to do."""

    name: str
    status: Status
    value: str
    action: str = ""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the database says. ``skew`` is its clock minus ours."""

    version: str
    size_bytes: int
    beats: list[Heartbeat]
    backup: Mapping[str, Any] | None
    skew: timedelta
    now: datetime

    @property
    def live_roles(self) -> set[str]:
        return {beat.role for beat in self.beats if self.now - beat.beat_at <= BEAT_LIMIT}


def examine(environ: Mapping[str, str], *, home: Path | None) -> list[Check]:
    """Look at everything once. Nothing is started, made or changed, and nothing is raised."""
    settings, checks = _read_settings(environ, home)
    start_logs(settings, "doctor")
    url, database = _database(settings)
    seen: _Seen | None = None
    if url is not None:
        seen, database = _ask(settings, url, database)
    asked = url if seen is not None else None
    checks += [
        _guarded("python", _python),
        _guarded("data folder", lambda: _home(settings)),
        _guarded("free disk", lambda: _disk(settings)),
        _guarded("encryption key", lambda: _key(settings)),
        database,
        _of_database("schema", asked, _schema),
        _of_database("tenants apart", asked, _apart),
        _of_database("saved secrets", asked, lambda url: _secrets(settings, url)),
        _processes(seen),
        _clock(seen),
        _guarded("last backup", lambda: _backup(settings, seen)),
        _guarded("port", lambda: _port(settings, seen)),
        _guarded("dashboard", lambda: _dashboard(settings)),
        _guarded("emergency stop", lambda: _stop(settings)),
    ]
    return checks


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    """Turn what goes wrong into a failed check: one broken part must not hide the others."""
    try:
        return look()
    except AmarktaiError as error:
        return Check(name, Status.FAIL, error.detail, error.action)
    except (OSError, psycopg.Error, SQLAlchemyError) as error:
        return Check(name, Status.FAIL, f"{error}".strip().splitlines()[0], "Correct that, then look again.")


def _read_settings(environ: Mapping[str, str], home: Path | None) -> tuple[Settings, list[Check]]:
    """Return the settings, or those without what is wrong in them, so that the rest can be looked at."""
    try:
        settings = load(environ, home=home)
    except InvalidInput as error:
        checks = [Check("settings", Status.FAIL, error.detail, error.action)]
        return _without_the_wrong(environ, home), checks
    odd = _odd(settings)
    if odd:
        return settings, [
            Check("settings", Status.WARN, "; ".join(odd), "Change them if they are not meant.")
        ]
    count = sum(name.startswith(PREFIX) for name in environ)
    return settings, [Check("settings", Status.OK, f"{count} of them from the environment")]


def _without_the_wrong(environ: Mapping[str, str], home: Path | None) -> Settings:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {CONFIG_VARIABLE}
    right = {name: value for name, value in environ.items() if name in known or not name.startswith(PREFIX)}
    try:
        return load(right, home=home)
    except InvalidInput:  # told already; with the folder alone most can still be looked at
        folder = home or Path(environ.get(f"{PREFIX}HOME") or "var")
        return Settings(home=folder)


def _odd(settings: Settings) -> list[str]:
    """Return what is allowed but rarely meant."""
    odd = []
    if settings.admin_password is not None:
        odd.append("admin_password is still set, though only the first start needs it")
    if settings.provider_urls:
        odd.append(f"provider_urls replaces {', '.join(settings.provider_urls)}")
    if settings.database_url is not None and settings.database_owner_url is None:
        odd.append("database_owner_url is missing, so nothing can be migrated")
    if settings.behind_tls_proxy and is_loopback(settings.host) and not settings.public_origins:
        odd.append("behind_tls_proxy is on, but public_origins names no address")
    return odd


def _python() -> Check:
    found = platform.python_version()
    if tuple(map(int, platform.python_version_tuple()[:2])) < _OLDEST_PYTHON:
        return Check("python", Status.FAIL, found, "Use Python 3.11 or newer.")
    return Check("python", Status.OK, found)


def _home(settings: Settings) -> Check:
    name, home = "data folder", settings.home.absolute()
    if restoring_mark(home).exists():
        return Check(
            name, Status.FAIL, f"a restore into {home} was interrupted", "Remove it and restore again."
        )
    if not home.exists():
        return Check(name, Status.WARN, f"{home} is not there yet", "amarktai up makes it.")
    found = home.stat()
    if not stat.S_ISDIR(found.st_mode) or not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return Check(name, Status.FAIL, f"{home} cannot be written", "Give this user the right to it.")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Check(name, Status.FAIL, f"{home} can be written by others", f"chmod go-w {home}")
    passwords = home / "postgres-passwords.json"
    if passwords.exists() and passwords.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Check(name, Status.FAIL, f"{passwords} is open to others", f"chmod 600 {passwords}")
    if found.st_uid != os.geteuid():
        return Check(name, Status.WARN, f"{home} belongs to another user", "Run as that user.")
    return Check(name, Status.OK, f"{home}, mode {stat.S_IMODE(found.st_mode):04o}")


def _disk(settings: Settings) -> Check:
    home = settings.home.absolute()
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free_mb = shutil.disk_usage(there).free // 1_000_000
    if free_mb >= _WANTED_MB:
        return Check("free disk", Status.OK, f"{free_mb:,} MB")
    status = Status.WARN if free_mb >= _NEEDED_MB else Status.FAIL
    return Check("free disk", status, f"{free_mb:,} MB", "Free some space on that disk.")


def _key(settings: Settings) -> Check:
    name, source = "encryption key", key_ring(settings)
    if not source.exists():
        if (settings.home / "postgres").exists():
            action = "Put it back from your backup. A platform that never started makes one at its start."
            return Check(name, Status.FAIL, f"{source.place} is missing", action)
        return Check(name, Status.WARN, f"{source.place} is not there yet", "amarktai up makes it.")
    return Check(name, Status.OK, f"{source.read().current.id} in {source.place}")


def _database(settings: Settings) -> tuple[str | None, Check]:
    """Return the address of a database that runs, and what is known before it is asked."""
    name = "database"
    try:
        url = running_database(settings)
        if url is not None:
            return url, Check(name, Status.OK, "runs")
        programs = binaries()
    except AmarktaiError as error:
        return None, Check(name, Status.FAIL, error.detail, error.action)
    files = settings.home / "postgres" / "PG_VERSION"
    if not files.exists():
        return None, Check(name, Status.WARN, "not made yet", "amarktai up makes and starts it.")
    written_by = files.read_text(encoding="ascii").strip()
    if f"pginstall{written_by}" != programs.parent.name:
        return None, Check(
            name, Status.FAIL, f"its files are of PostgreSQL {written_by}, {programs} is another version",
            "Restore a backup with this version, or go back to the one that wrote them.",
        )  # fmt: skip
    return None, Check(name, Status.WARN, "does not run, and is not started here", "amarktai up starts it.")


def _ask(settings: Settings, url: str, database: Check) -> tuple[_Seen | None, Check]:
    """Ask the database what it knows; return that with the check of the database itself."""
    seen: list[_Seen] = []

    def look() -> Check:
        found = asyncio.run(_look(settings, url))
        seen.append(found)
        where = "external" if settings.database_url is not None else "embedded"
        value = f"PostgreSQL {found.version}, {where}, {found.size_bytes / 1_000_000:,.1f} MB"
        return Check(database.name, Status.OK, value)

    check = _guarded(database.name, look)
    return (seen[0] if seen else None), check


async def _look(settings: Settings, url: str) -> _Seen:
    base = lay_foundation(settings, url, *real_time())
    try:
        system = PgSystem(base.database)
        version, size_bytes = await system.database()
        notes = PgReadiness(base.database)
        before = base.clock.now_ns()
        theirs = await notes.clock()
        middle = to_datetime((before + base.clock.now_ns()) // 2)
        backup = await notes.note(BACKUP_NOTE)
        return _Seen(version, size_bytes, await system.heartbeats(), backup, theirs - middle, middle)
    finally:
        await base.close()


def _of_database(name: str, url: str | None, look: Callable[[str], Check]) -> Check:
    if url is None:
        return Check(name, Status.WARN, _DOWN)
    return _guarded(name, lambda: look(url))


def _schema(url: str) -> Check:
    check_version(url)
    return Check("schema", Status.OK, "as this program needs it")


def _apart(url: str) -> Check:
    self_test(url)
    return Check("tenants apart", Status.OK, "row-level security binds the platform's role")


def _secrets(settings: Settings, url: str) -> Check:
    if not key_ring(settings).exists():
        return Check("saved secrets", Status.WARN, "unknown: there is no encryption key")
    asyncio.run(_prove(lay_foundation(settings, url, *real_time())))
    return Check("saved secrets", Status.OK, "the encryption key opens them")


async def _prove(base: Foundation) -> None:
    try:
        await build_accounts(base).vault.prepare()  # makes nothing: there is a key
    finally:
        await base.close()


def _processes(seen: _Seen | None) -> Check:
    name = "processes"
    if seen is None:
        return Check(name, Status.WARN, _DOWN, "amarktai up starts everything.")
    newest = {role: max((b.beat_at for b in seen.beats if b.role == role), default=None) for role in ROLES}
    value = ", ".join(
        f"{role} {_ago(seen.now - at)}" if at is not None else f"{role} never" for role, at in newest.items()
    )
    silent = [role for role in ROLES if role not in seen.live_roles]
    if not silent:
        return Check(name, Status.OK, value)
    if len(silent) == len(ROLES):
        return Check(name, Status.WARN, f"stopped: {value}", "amarktai up starts everything.")
    return Check(name, Status.FAIL, value, f"Start what is silent: amarktai {silent[0]}; read its log.")


def _clock(seen: _Seen | None) -> Check:
    if seen is None:
        return Check("clock", Status.WARN, _DOWN)
    value = f"{seen.skew.total_seconds():+.3f} s on the database's"
    if abs(seen.skew) <= _CLOCK_NOTED:
        return Check("clock", Status.OK, value)
    status = Status.WARN if abs(seen.skew) <= _CLOCK_WRONG else Status.FAIL
    return Check("clock", status, value, "Let both machines set their clocks by NTP.")


def _backup(settings: Settings, seen: _Seen | None) -> Check:
    name, action = "last backup", "amarktai backup makes one; let the machine call it every day."
    if seen is None:
        files = backups_in(settings.home / BACKUPS_FOLDER)
        value = f"{files[-1]} by its name; more is unknown" if files else _DOWN
        return Check(name, Status.WARN, value, action)
    if seen.backup is None:
        return Check(name, Status.WARN, "none", action)
    age = seen.now - datetime.fromisoformat(str(seen.backup["made_at"]))
    value = f"{_ago(age)}, {seen.backup['file']}"
    if not Path(str(seen.backup["file"])).exists():
        return Check(name, Status.WARN, f"{value}, which is not there", "See that it is kept elsewhere.")
    if age > BACKUP_WITHIN:
        return Check(name, Status.WARN, value, action)
    return Check(name, Status.OK, value)


def _port(settings: Settings, seen: _Seen | None) -> Check:
    name, address = "port", f"{settings.host}:{settings.port}"
    is_up = seen is not None and "api" in seen.live_roles
    try:
        bind(settings).close()
    except Unavailable as error:
        if error.code == "PORT_IN_USE" and is_up:
            return Check(name, Status.OK, f"{address} is in use, and the API runs")
        raise
    if is_up:
        return Check(
            name,
            Status.WARN,
            f"{address} is free, though the API runs",
            "It listens on another port: --port.",
        )
    return Check(name, Status.OK, f"{address} is free")


def _dashboard(settings: Settings) -> Check:
    build = read_build(os.environ, environment=settings.environment, host="", ui_folder=UI_FOLDER)
    if not (UI_FOLDER / "index.html").exists():
        return Check("dashboard", Status.WARN, "not built", f"{BUILD_COMMAND} builds it.")
    return Check("dashboard", Status.OK, f"built from {build.dashboard_sha or 'an unknown commit'}")


def _stop(settings: Settings) -> Check:
    file = DiskStopFile(settings.home)
    reason = file.reason()
    if reason is None:
        return Check("emergency stop", Status.OK, "no file stops everybody")
    return Check(
        "emergency stop", Status.WARN, f"on: {reason}", "amarktai emergency-stop --release, once all is well."
    )


def _ago(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
