"""What every process stands on: settings, time, ids, the database, and the services that several use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from amarktai.config import Settings
from amarktai.domain.errors import Conflict, NotFound, Unavailable
from amarktai.domain.instrument import Platform
from amarktai.ports.clock import SettableClock
from amarktai.ports.ids import Ids
from amarktai.services.alerts import Notices
from amarktai.services.bot_views import BotViews
from amarktai.services.bots import BotService
from amarktai.services.emergency import Emergency
from amarktai.services.fx import FxRates
from amarktai.services.risk_figures import FigureReader
from amarktai.services.secrets import new_secret
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.catalog import PgCatalog
from amarktai.storage.database import Database
from amarktai.storage.embedded import DatabaseUrls, EmbeddedPostgres
from amarktai.storage.migrate import check_version, migrate, self_test
from amarktai.storage.reports import PgReporting
from amarktai.storage.unit_of_work import PgStore
from amarktai.system.clock import SteadyClock, SystemClock
from amarktai.system.ids import TimeIds
from amarktai.system.logs import configure_logs
from amarktai.system.rng import SystemRng
from amarktai.system.stop_file import DiskStopFile
from amarktai.venues.ecb import EcbFixings

#: A price older than this values nothing: the figure is unknown, with a reason.
MARK_MAX_AGE_S = 900.0


@dataclass(frozen=True, slots=True)
class Foundation:
    """What every role of the platform stands on: time, ids and the database."""

    settings: Settings
    clock: SettableClock
    ids: Ids
    database: Database
    store: PgStore
    catalog: PgCatalog

    async def close(self) -> None:
        await self.database.close()


def start_logs(settings: Settings, role: str) -> None:
    """Set up logging for one process, to standard error."""
    configure_logs(settings.log_level, settings.log_format, role)


def start_database(settings: Settings) -> tuple[EmbeddedPostgres | None, DatabaseUrls]:
    """Start the embedded server (or use the one that is named), bring its schema up to date, test it.

    Raises: Unavailable and BrokenInvariant with what to do.
    """
    _refuse_unfinished(settings)
    if settings.database_url is not None:
        app = settings.database_url.get_secret_value()
        owner = settings.database_owner_url.get_secret_value() if settings.database_owner_url else ""
        urls = DatabaseUrls(owner=owner, app=app, auditor="")
        server = None
    else:
        server = EmbeddedPostgres(settings.home, SystemRng())
        urls = server.start()
    if urls.owner:
        migrate(urls.owner)
    else:
        check_version(urls.app)
    self_test(urls.app)
    return server, urls


def _refuse_unfinished(settings: Settings) -> None:
    """Raises: Unavailable while a restore into the data folder runs, or after it was interrupted."""
    if settings.database_url is None and restoring_mark(settings.home).exists():
        raise Unavailable(
            "BACKUP",
            f"A restore into {settings.home} has not finished",
            "When none runs any more, remove the folder and restore again.",
        )


def restoring_mark(home: Path) -> Path:
    """Return the file that is there while a restore has not finished."""
    return home / "RESTORING"


def lay_foundation(settings: Settings, app_url: str, clock: SettableClock, ids: Ids) -> Foundation:
    """Open the database for one process."""
    database = Database(app_url, pool_size=settings.database_pool_size)
    return Foundation(settings, clock, ids, database, PgStore(database, ids, clock), PgCatalog(database))


def steady_time() -> tuple[SteadyClock, TimeIds]:
    """Return the clock and ids of the engine's process, whose time must not jump."""
    clock = SteadyClock()
    return clock, TimeIds(clock, SystemRng())


def real_time() -> tuple[SystemClock, TimeIds]:
    """Return the clock and ids of a process that lives in real time."""
    clock = SystemClock()
    return clock, TimeIds(clock, SystemRng())


@cache
def _fixings() -> EcbFixings:
    """Return the one history of fixings: reading it takes a quarter of a second."""
    return EcbFixings()


def build_fx(max_age_s: float) -> FxRates:
    """Return the rates with the ECB's fixings as their last resort."""
    return FxRates([_fixings()], max_age_s=max_age_s)


def build_bots(base: Foundation, fx: FxRates, caps: Mapping[Platform, int]) -> BotService:
    """Return the write side of bots."""
    return BotService(
        base.store,
        base.clock,
        base.ids,
        catalog=base.catalog,
        fx=fx,
        caps=caps,
        view=build_bot_views(base).in_unit,
    )


def build_bot_views(base: Foundation) -> BotViews:
    """Return the read side of bots."""
    return BotViews(PgReporting(base.database), base.clock, lambda: build_fx(MARK_MAX_AGE_S))


def build_notices(base: Foundation) -> Notices:
    """Return what tells people of alerts and of feeds' health."""
    return Notices(PgAlerting(base.database), clock=base.clock, ids=base.ids)


def build_figures(base: Foundation) -> FigureReader:
    """Return what reads the figures of risk limits with the stored prices."""
    return FigureReader(base.store, lambda: build_fx(MARK_MAX_AGE_S))


def new_password() -> str:
    """Return a password that nobody can guess."""
    return new_secret(SystemRng())[:20]


def attach_database(settings: Settings) -> str:
    """Return the URL of the running database for one role.

    Raises: Unavailable when the embedded server does not run and no other one is named.
    """
    url = running_database(settings)
    if url is None:
        raise Unavailable(
            "DATABASE_UNAVAILABLE",
            f"No database runs in {settings.home}",
            "Start everything with amarktai up, or name a PostgreSQL server in AMARKTAI_DATABASE_URL.",
        )
    return url


@contextmanager
def borrowed_database(settings: Settings) -> Iterator[DatabaseUrls]:
    """Lend the database to one command; a server that had to be started for it stops again."""
    server = None if settings.database_url is not None else EmbeddedPostgres(settings.home, SystemRng())
    if server is not None and server.is_running():
        yield server.urls()
        return
    started, urls = start_database(settings)
    try:
        yield urls
    finally:
        if started is not None:
            started.stop()


@contextmanager
def untouched_database(settings: Settings) -> Iterator[str]:
    """Lend the address of the database as it is, for a backup: an update's comes before its migrations.

    Raises: NotFound for a folder without a database.
    """
    server = None if settings.database_url is not None else EmbeddedPostgres(settings.home, SystemRng())
    if server is None:
        url = running_database(settings)
        assert url is not None  # it is named
        yield url
        return
    if not (server.data_folder / "PG_VERSION").exists():
        raise NotFound(
            "DATABASE_UNAVAILABLE",
            f"There is no database in {settings.home}",
            "Name the data folder with --home or AMARKTAI_HOME.",
        )
    was_running = server.is_running()
    urls = server.urls() if was_running else server.start()
    try:
        yield urls.app
    finally:
        if not was_running:
            server.stop()


@contextmanager
def new_database(settings: Settings, purpose: str) -> Iterator[DatabaseUrls]:
    """Lend a database that was made for this run and holds nothing else.

    Raises: Conflict DATABASE_IN_USE when a server is named: that may be the platform's own, whose books
    no replay and no rehearsal may write to.
    """
    if settings.database_url is not None:
        raise Conflict(
            "DATABASE_IN_USE",
            f"A {purpose} makes a database of its own and writes to no other one",
            "Take AMARKTAI_DATABASE_URL out of its environment.",
        )
    with borrowed_database(settings) as urls:
        yield urls


def running_database(settings: Settings) -> str | None:
    """Return the address of the database if it is named or runs in the data folder.

    Raises: Unavailable while a restore is bringing it back.
    """
    _refuse_unfinished(settings)
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    server = EmbeddedPostgres(settings.home, SystemRng())
    return server.urls().app if server.is_running() else None


def stop_database(home: Path) -> None:
    """Stop the embedded server of a data folder, when one runs there."""
    EmbeddedPostgres(home, SystemRng()).stop()


def build_emergency(base: Foundation, bots: BotService) -> Emergency:
    """Return the emergency stop, with the file that everybody on this machine can make."""
    return Emergency(base.store, base.clock, base.ids, bots=bots, file=DiskStopFile(base.settings.home))


def database_keeper(database: EmbeddedPostgres | None) -> Callable[[], None]:
    """Return what brings the embedded server back when it was killed."""

    def keep() -> None:
        if database is not None and not database.is_running():
            database.start()

    return keep
