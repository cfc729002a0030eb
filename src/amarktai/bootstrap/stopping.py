"""The emergency stop from the machine itself: first the file, which needs nothing else, then the database."""

from __future__ import annotations

from pathlib import Path

from amarktai.bootstrap.foundation import (
    MARK_MAX_AGE_S,
    build_bots,
    build_emergency,
    build_fx,
    lay_foundation,
    real_time,
)
from amarktai.config import Settings
from amarktai.domain.stop import StopSource
from amarktai.system.stop_file import DiskStopFile


def change_file(settings: Settings, reason: str | None, *, release: bool) -> Path:
    """Make or remove the file; return its path. Raises: Unavailable."""
    file = DiskStopFile(settings.home)
    if release:
        file.remove()
    else:
        file.write(reason or "stopped from the command line")
    return file.path


async def change_stop(settings: Settings, app_url: str, reason: str | None, *, release: bool) -> None:
    """Engage or release everybody's stop in the database."""
    base = lay_foundation(settings, app_url, *real_time())
    try:
        bots = build_bots(base, build_fx(MARK_MAX_AGE_S), settings.bot_caps)
        emergency = build_emergency(base, bots)
        if release:
            await emergency.release_for_all()
        else:
            await emergency.engage_for_all(reason, StopSource.COMMAND)
    finally:
        await base.close()
