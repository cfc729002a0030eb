"""Backups made and brought back: onto an empty folder, with everything that adds risk stopped."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psycopg

from amarktai.bootstrap.data import audit
from amarktai.bootstrap.foundation import lay_foundation, real_time, restoring_mark
from amarktai.bootstrap.stopping import change_file, change_stop
from amarktai.config import Settings
from amarktai.domain.errors import BrokenInvariant, Conflict, InvalidInput
from amarktai.ports.clock import to_datetime
from amarktai.ports.readiness import AUDIT_NOTE, BACKUP_NOTE, REHEARSAL_NOTE
from amarktai.storage import backup
from amarktai.storage.embedded import DATABASE, EmbeddedPostgres
from amarktai.storage.migrate import knows, migrate, self_test
from amarktai.storage.readiness import PgReadiness
from amarktai.system.clock import SystemClock
from amarktai.system.rng import SystemRng

#: In the data folder.
BACKUPS_FOLDER: Final = "backups"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made, and the older ones that went."""

    path: Path
    manifest: backup.Manifest
    removed: list[Path]


def make_backup(settings: Settings, app_url: str, folder: Path | None, keep: int | None) -> Backup:
    """Back the database up while the platform runs or not, and note it for the live gate.

    Raises: Unavailable; InvalidInput for a named database without a role that may read all of it.
    """
    folder = folder or settings.home / BACKUPS_FOLDER
    at = to_datetime(SystemClock().now_ns())
    path, manifest = backup.write_backup(_reader_url(settings), folder, at, version("amarktai"))
    removed = backup.remove_old(folder, keep) if keep is not None else []
    _note(settings, app_url, path, manifest)
    return Backup(path, manifest, removed)


def _reader_url(settings: Settings) -> str:
    if settings.database_url is None:
        return EmbeddedPostgres(settings.home, SystemRng()).superuser_url(DATABASE)
    if settings.database_backup_url is None:
        raise InvalidInput(
            "BACKUP",
            "The roles of a named database see one user's rows at a time, so they cannot back it up",
            "Set AMARKTAI_DATABASE_BACKUP_URL to a role that may read everything (BYPASSRLS).",
        )
    return settings.database_backup_url.get_secret_value()


def _note(settings: Settings, app_url: str, path: Path, manifest: backup.Manifest) -> None:
    async def put() -> None:
        base = lay_foundation(settings, app_url, *real_time())
        facts = {
            "made_at": manifest.made_at, "file": str(path), "size": manifest.size, "sha256": manifest.sha256
        }  # fmt: skip
        try:
            now = to_datetime(base.clock.now_ns())
            await PgReadiness(base.database).put_note(BACKUP_NOTE, facts, now)
        finally:
            await base.close()

    asyncio.run(put())


def restore_backup(settings: Settings, path: Path) -> backup.Manifest:
    """Bring a backup back into an empty data folder, check it, and stop everybody in it.

    Raises: InvalidInput for a broken file; Conflict for a folder that holds anything; Unavailable;
    BrokenInvariant when what came back is not what was backed up.
    """
    if settings.database_url is not None:
        raise Conflict(
            "DATABASE_IN_USE",
            "A restore makes a database of its own",
            "Take AMARKTAI_DATABASE_URL out of its environment; for a named server use its own tools.",
        )
    manifest = backup.read_manifest(path)
    if not knows(manifest.revision):
        raise InvalidInput(
            "BACKUP",
            f"{path} is of a newer Amarktai, {manifest.version} with the schema {manifest.revision}",
            "Update Amarktai first.",
        )
    home = settings.home
    if home.exists() and any(home.iterdir()):
        raise Conflict(
            "DATABASE_IN_USE",
            f"The folder {home} is not empty",
            "Choose an empty one with --home; after a restore that was interrupted, remove it first.",
        )
    home.mkdir(parents=True, exist_ok=True)
    mark = restoring_mark(home)
    mark.write_text(f"{path}\n", encoding="utf-8")
    reason = f"restored from a backup of {manifest.made_at[:19]}"
    change_file(settings, reason, release=False)  # it is there before the first row is
    server = EmbeddedPostgres(home, SystemRng())
    urls = server.start()
    try:
        backup.load_backup(path, urls.owner)
        _make_harmless(server.superuser_url(DATABASE), path, manifest)
        migrate(urls.owner)
        self_test(urls.app)
        _audit(urls.app)
        asyncio.run(change_stop(settings, urls.app, reason, release=False))
    finally:
        server.stop()
    mark.unlink()
    return manifest


def _make_harmless(url: str, path: Path, manifest: backup.Manifest) -> None:
    """Compare the counts; then nothing in it is live any more, or true of the other machine."""
    counts = backup.count_rows(url)
    if counts != dict(manifest.counts):
        raise BrokenInvariant(f"{path} holds {dict(manifest.counts)}, {counts} came back")
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE system_mode SET mode = 'paper'" + _base_too(connection))
        # Over, not gone: the next engine's token must be greater than any before (O2 f).
        connection.execute("UPDATE leases SET expires_at = '2000-01-01T00:00:00Z'")
        connection.execute("DELETE FROM worker_heartbeats")
        connection.execute(
            "DELETE FROM platform_settings WHERE name = ANY(%s)", [[BACKUP_NOTE, REHEARSAL_NOTE, AUDIT_NOTE]]
        )


def _base_too(connection: psycopg.Connection[tuple[object, ...]]) -> str:
    """Return what sets the base, which a backup of an older version has not."""
    query = (
        "SELECT 1 FROM information_schema.columns WHERE table_name = 'system_mode' AND column_name = 'base'"
    )
    return ", base = 'paper'" if connection.execute(query).fetchone() else ""


def _audit(app_url: str) -> None:
    report = asyncio.run(audit(app_url))
    if not report.ok:
        raise BrokenInvariant(
            f"the books that came back are not what their fills say: {report.first_difference}"
        )
