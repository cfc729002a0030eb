"""A backup holds one moment of a database in use, is whole or refused, and comes back as it was."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from amarktai.domain.errors import InvalidInput, Unavailable
from amarktai.domain.order import Side
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.storage.backup import (
    count_rows,
    load_backup,
    read_manifest,
    remove_old,
    write_backup,
)
from amarktai.storage.database import Database
from amarktai.storage.embedded import DatabaseUrls, EmbeddedPostgres
from amarktai.storage.migrate import self_test
from amarktai.storage.reports import PgReporting
from tests.trading import BTC_ZAR, trading

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
D = Decimal


async def fill_with_trades(urls: DatabaseUrls) -> None:
    async with trading(urls) as world:
        who = world.add_user()
        await world.fund(who, D(10_000))
        bot = await world.add_bot(who, BTC_ZAR, D(5_000))
        await world.trade(bot, Side.BUY, D("0.002"), D(1_000_000))
        await world.trade(bot, Side.SELL, D("0.001"), D(1_100_000))


def superuser(postgres: EmbeddedPostgres, urls: DatabaseUrls) -> str:
    name = psycopg.conninfo.conninfo_to_dict(urls.app)["dbname"]
    return postgres.superuser_url(str(name))


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def test_what_was_backed_up_comes_back_and_follows_from_its_fills(
    postgres: EmbeddedPostgres, database_urls: DatabaseUrls, blank_database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    await fill_with_trades(database_urls)
    url = superuser(postgres, database_urls)
    path, manifest = write_backup(url, tmp_path, AT, "0.1.0")
    assert path.name == "amarktai-20260102T030405Z.backup" and path.stat().st_mode & 0o777 == 0o600
    assert manifest.counts == count_rows(url) and manifest.counts["fills"] == 2
    assert read_manifest(path) == manifest and names_in(tmp_path) == [path.name]
    load_backup(path, blank_database_urls.owner)
    assert count_rows(superuser(postgres, blank_database_urls)) == manifest.counts
    self_test(blank_database_urls.app)
    database = Database(blank_database_urls.app, pool_size=2)
    report = await LedgerAudit(PgReporting(database)).audit()
    await database.close()
    assert report.ok and report.fills == 2
    with (
        psycopg.connect(blank_database_urls.app) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("DELETE FROM fills")


async def test_it_is_one_moment_of_a_database_that_is_written_to(
    postgres: EmbeddedPostgres, database_urls: DatabaseUrls, blank_database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    await fill_with_trades(database_urls)
    url, done = superuser(postgres, database_urls), threading.Event()

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not done.is_set():
                connection.execute(
                    "INSERT INTO audit_log SELECT * FROM audit_log WHERE false;"
                    "INSERT INTO platform_settings VALUES (gen_random_uuid()::text, '1', now())"
                )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        path, manifest = write_backup(url, tmp_path, AT, "0.1.0")
    finally:
        done.set()
        writer.join()
    load_backup(path, blank_database_urls.owner)
    assert count_rows(superuser(postgres, blank_database_urls)) == manifest.counts


@pytest.mark.parametrize("damage", ["cut", "flipped", "other", "absent"])
async def test_what_is_not_whole_is_refused_before_anything_is_touched(
    postgres: EmbeddedPostgres, database_urls: DatabaseUrls, tmp_path: Path, damage: str
) -> None:
    path, manifest = write_backup(superuser(postgres, database_urls), tmp_path, AT, "0.1.0")
    whole = path.read_bytes()
    place = whole.index(b"PGDMP") + manifest.size // 2
    damaged = {
        "cut": whole[: len(whole) // 2],
        "flipped": whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :],
        "other": b"no backup",
    }
    if damage == "absent":
        path.unlink()
    else:
        path.write_bytes(damaged[damage])
    with pytest.raises(InvalidInput, match="cannot be restored"):
        read_manifest(path)


def test_a_dump_that_fails_leaves_no_file(
    postgres: EmbeddedPostgres, database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    with pytest.raises(Unavailable, match="pg_dump stopped"):
        write_backup(database_urls.app, tmp_path, AT, "0.1.0")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        write_backup(superuser(postgres, database_urls), tmp_path / "file", AT, "0.1.0")


def test_the_newest_are_kept(tmp_path: Path) -> None:
    for day in range(1, 6):
        (tmp_path / f"amarktai-2026010{day}T000000Z.backup").write_text("")
    (tmp_path / "notes.txt").write_text("")
    assert len(remove_old(tmp_path, 2)) == 3 and remove_old(tmp_path, 5) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "amarktai-20260104T000000Z.backup", "amarktai-20260105T000000Z.backup", "notes.txt"
    ]  # fmt: skip
