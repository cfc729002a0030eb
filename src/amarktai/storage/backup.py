"""Backups of the database: one file with the dump and what it must hold, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from amarktai.domain.errors import InvalidInput, Unavailable
from amarktai.storage.embedded import binaries

FORMAT: Final = 1
SUFFIX: Final = ".backup"
CODE: Final = "BACKUP"
_DUMP, _MANIFEST = "database.dump", "manifest.json"
#: What is counted before and after: whoever restores sees that all of it came back.
COUNTED: Final = ("users", "bots", "orders", "fills", "ledger_entries", "round_trips", "audit_log")
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of. ``made_at`` is ISO 8601; ``kek_ids`` name the encryption keys, not in it."""

    format: int
    version: str
    revision: str
    server: str
    made_at: str
    size: int
    sha256: str
    counts: Mapping[str, int]
    kek_ids: Sequence[str]


def write_backup(url: str, folder: Path, at: datetime, version: str) -> tuple[Path, Manifest]:
    """Dump the database as one moment saw it, while it is used, and return the file.

    ``url`` is of a role that sees every row. Raises: Unavailable when PostgreSQL refuses or the disk is full.
    """
    target = folder / f"amarktai-{at:%Y%m%dT%H%M%SZ}{SUFFIX}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as scratch:
            dump = Path(scratch) / _DUMP
            facts = _dump(url, dump)
            manifest = Manifest(
                FORMAT, version, facts["revision"], facts["server"], at.isoformat(), dump.stat().st_size,
                _sha256(dump), facts["counts"], facts["kek_ids"],
            )  # fmt: skip
            packed = Path(scratch) / target.name
            _pack(packed, dump, manifest)
            read_manifest(packed)  # what was written is read once more before it counts
            packed.chmod(0o600)
            packed.rename(target)
        _sync(folder)
    except OSError as error:
        raise Unavailable(
            CODE, f"The backup cannot be written to {folder}: {error.strerror}.", "Choose another --to."
        ) from error
    return target, manifest


def read_manifest(path: Path) -> Manifest:
    """Return what a backup holds, after its checksum was found to be right.

    Raises: InvalidInput for what is no backup, or not whole, or of a newer program.
    """
    try:
        with tarfile.open(path) as packed:
            manifest = Manifest(**json.loads(_member(packed, _MANIFEST).read()))
            digest = _digest(_member(packed, _DUMP))
    except (OSError, EOFError, tarfile.TarError, KeyError, TypeError, ValueError) as error:
        raise _broken(path, "it is no backup, or not a whole one") from error
    if manifest.format != FORMAT:
        raise _broken(path, f"its format is {manifest.format}, this program reads {FORMAT}")
    if digest != manifest.sha256:
        raise _broken(path, "its checksum is not that of its dump")
    return manifest


def load_backup(path: Path, url: str) -> None:
    """Load a backup into an empty database, all of it or nothing, as the role that shall own it.

    Raises: Unavailable.
    """
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(path) as packed:
        packed.extract(_DUMP, scratch, filter="data")
        _program(
            "pg_restore",
            ["--exit-on-error", "--single-transaction", "--no-owner", str(Path(scratch) / _DUMP)],
            url,
        )


def count_rows(url: str) -> dict[str, int]:
    """Return how many rows the counted tables have."""
    with psycopg.connect(url) as connection:
        return _counts(connection)


def backups_in(folder: Path) -> list[Path]:
    """Return the backups of a folder, the newest last."""
    return sorted(folder.glob(f"amarktai-*{SUFFIX}"))


def remove_old(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest ``keep`` backups of a folder and return what went."""
    found = backups_in(folder)
    old = found[: len(found) - keep]
    for path in old:
        path.unlink()
    return old


def _dump(url: str, target: Path) -> dict[str, Any]:
    """Dump one moment: pg_dump reads the snapshot in which the rows are counted."""
    try:
        with psycopg.connect(url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            snapshot = _one(connection, "SELECT pg_export_snapshot()")
            facts = {
                "revision": _one(connection, "SELECT version_num FROM alembic_version"),
                "server": _one(connection, "SELECT current_setting('server_version')"),
                "counts": _counts(connection),
                "kek_ids": _kek_ids(connection),
            }
            arguments = ["--format=custom", f"--snapshot={snapshot}", f"--file={target}"]
            _program("pg_dump", arguments, url)
    except psycopg.Error as error:
        raise Unavailable(
            CODE,
            f"The database cannot be read: {error}",
            "Check that it runs, as a role that sees every row.",
        ) from error
    return facts


def _counts(connection: psycopg.Connection[Any]) -> dict[str, int]:
    return {name: int(_one(connection, f"SELECT count(*) FROM {name}")) for name in COUNTED}


def _kek_ids(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute(
        "SELECT kek_id FROM api_keys UNION SELECT kek_id FROM totp_factors ORDER BY 1"
    ).fetchall()
    return [str(row[0]) for row in rows]


def _one(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def _program(name: str, arguments: Sequence[str], url: str) -> None:
    """Run one of PostgreSQL's programs on a database. Raises: Unavailable with its own words."""
    told = conninfo_to_dict(url)
    # Not on the command line, where others of this machine could read it.
    secret = {"PGPASSWORD": str(told.pop("password"))} if "password" in told else {}
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC", **secret}
    command = [str(binaries() / name), f"--dbname={make_conninfo('', **told)}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()
        raise Unavailable(
            CODE, f"{name} stopped: {words[0] if words else done.returncode}", "Nothing counts; try again."
        )


def _pack(path: Path, dump: Path, manifest: Manifest) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        facts = Path(scratch) / _MANIFEST
        facts.write_text(json.dumps(asdict(manifest), indent=2), encoding="utf-8")
        with tarfile.open(path, "w") as packed:
            packed.add(facts, _MANIFEST)
            packed.add(dump, _DUMP)
    _sync(path)


def _member(packed: tarfile.TarFile, name: str) -> IO[bytes]:
    found = packed.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return _digest(file)


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    """Make a file or a folder's names last, whatever happens to the machine next."""
    with _descriptor(path) as number:
        os.fsync(number)


@contextmanager
def _descriptor(path: Path) -> Iterator[int]:
    number = os.open(path, os.O_RDONLY)
    try:
        yield number
    finally:
        os.close(number)


def _broken(path: Path, why: str) -> InvalidInput:
    return InvalidInput(CODE, f"{path} cannot be restored: {why}", "Take another backup.")
