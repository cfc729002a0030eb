"""The live gate put together, for the API, for the command line and for a rehearsal."""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from amarktai.api.app import UI_FOLDER
from amarktai.api.build import BuildInfo, read_build
from amarktai.bootstrap.foundation import Foundation, lay_foundation, real_time, running_database
from amarktai.config import Settings
from amarktai.domain.errors import Unavailable
from amarktai.ports.clock import to_datetime
from amarktai.ports.readiness import REHEARSAL_NOTE
from amarktai.services.readiness import Readiness, report_view
from amarktai.services.system import System
from amarktai.storage.readiness import PgReadiness
from amarktai.storage.system import PgSystem
from amarktai.system.machine import LocalMachine
from amarktai.system.stop_file import DiskStopFile


def build_info(settings: Settings) -> BuildInfo:
    """Return which build runs here."""
    return read_build(
        os.environ, environment=settings.environment, host=socket.gethostname(), ui_folder=UI_FOLDER
    )


def build_name(build: BuildInfo) -> str:
    """Return the build's commit; an installed package without one is named by its version."""
    return build.sha or f"version {version('amarktai')}"


def build_readiness(
    base: Foundation, system: System, build: str, address: Callable[[], Awaitable[str | None]]
) -> Readiness:
    """Return the checks of the live gate of that build; ``address`` tells where the server listens."""
    machine = build_machine(base, build, address)
    return Readiness(PgReadiness(base.database), PgSystem(base.database), system, machine, base.clock)


def build_machine(base: Foundation, build: str, address: Callable[[], Awaitable[str | None]]) -> LocalMachine:
    """Return what this machine says of itself."""
    home = base.settings.home
    stand_ins = tuple(sorted(name for name in base.settings.provider_urls if name.platform is not None))
    return LocalMachine(build, home, address, DiskStopFile(home), stand_ins)


def reported_address(base: Foundation) -> Callable[[], Awaitable[str | None]]:
    """Return what finds the server's address in its last sign of life."""

    async def find() -> str | None:
        return await _reported(base, "url")

    return find


async def _reported(base: Foundation, field: str) -> str | None:
    """Return what the server said of itself in its last sign of life."""
    beats = await PgSystem(base.database).heartbeats()
    told = [beat for beat in beats if beat.role == "api" and field in beat.detail]
    return str(max(told, key=lambda beat: beat.beat_at).detail[field]) if told else None


async def _running_build(base: Foundation) -> str:
    """Return the build that runs, which need not be the one on disk any more; that one when none runs."""
    try:
        running = await _reported(base, "build")
    except Unavailable:
        running = None
    return running or build_name(build_info(base.settings))


async def check_readiness(settings: Settings) -> dict[str, Any]:
    """Make every check from outside the platform, also while it is down, and return the report."""
    clock, ids = real_time()
    # Where no database runs, one is asked for where it would be: that it is silent is the finding.
    nowhere = f"postgresql://app@/amarktai?host={quote(str(settings.home.absolute()), safe='')}"
    base = lay_foundation(settings, running_database(settings) or nowhere, clock, ids)
    try:
        system = System(PgSystem(base.database), clock=clock, market=settings.feeds)
        readiness = build_readiness(base, system, await _running_build(base), reported_address(base))
        return report_view(await readiness.report())
    finally:
        await base.close()


async def note_rehearsal(settings: Settings, app_url: str, build: str, hours: float) -> None:
    """Tell a platform's live gate that a build passed a rehearsal."""
    clock, ids = real_time()
    base = lay_foundation(settings, app_url, clock, ids)
    now = to_datetime(clock.now_ns())
    try:
        facts = {"passed_at": now.isoformat(), "build": build, "hours": hours}
        await PgReadiness(base.database).put_note(REHEARSAL_NOTE, facts, now)
    finally:
        await base.close()
