"""Secrets at rest: what a dump tells, what a rotation does while others write, and after a kill."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from amarktai.domain.errors import InvalidInput, Unavailable
from amarktai.domain.provider import ProviderId
from amarktai.domain.user import Identity
from amarktai.services.envelope import SecretUnreadable
from amarktai.storage.embedded import DatabaseUrls
from amarktai.system.key_ring import FileKeyRing, VariableKeyRing
from tests.fakes import SeededRng
from tests.key_rings import key_text
from tests.providers.stand import KEYS
from tests.services.secret_desk import SecretDesk, secret_desk

ROOT = Path(__file__).parents[2]
PROVIDERS = list(ProviderId)


@pytest.fixture
def ring(tmp_path: Path) -> FileKeyRing:
    return FileKeyRing(tmp_path / "data.key", tmp_path / "data", SeededRng("ring"))


@pytest.fixture
async def desk(database_urls: DatabaseUrls, ring: FileKeyRing) -> AsyncIterator[SecretDesk]:
    async with secret_desk(database_urls, ring) as opened:
        await opened.accounts.vault.prepare()
        yield opened


def _lose(ring: FileKeyRing) -> None:
    Path(ring.place).unlink()


def _open_to_others(ring: FileKeyRing) -> None:
    Path(ring.place).chmod(0o644)


async def _all_open(desk: SecretDesk, who: Identity) -> bool:
    async with desk.store.unit(who.user_id) as unit:
        stored = await unit.keys.list()
    return all(desk.keys.open(who.user_id, key) == KEYS[key.provider] for key in stored)


async def test_a_dump_without_the_key_file_tells_nothing(
    desk: SecretDesk, database_urls: DatabaseUrls, superuser_url: str
) -> None:
    who = await desk.join("ada@example.org")
    for provider in PROVIDERS:
        await desk.save(who, provider)
    enrolment = await desk.accounts.factors.begin(who)
    with psycopg.connect(superuser_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        dump = "".join(
            str(row) for (table,) in tables for row in connection.execute(f"SELECT t::text FROM {table} t")
        )
        blobs = connection.execute("SELECT ciphertext, wrapped_key FROM api_keys").fetchall()
    planted = [enrolment.secret, *(part for key in KEYS.values() for part in (key.api_key, key.api_secret))]
    for secret in filter(None, planted):
        assert secret not in dump and secret.encode().hex() not in dump
    assert len(blobs) == 8
    async with secret_desk(database_urls, VariableKeyRing(key_text("not the one"))) as thief:
        async with thief.store.unit(who.user_id) as unit:
            stored = await unit.keys.list()
        assert len(stored) == 8
        for key in stored:
            with pytest.raises(SecretUnreadable):
                thief.keys.open(who.user_id, key)


async def test_one_users_row_does_not_open_as_anothers(desk: SecretDesk, superuser_url: str) -> None:
    ada, bo = await desk.join("ada@example.org"), await desk.join("bo@example.org")
    await desk.save(ada, ProviderId.VALR)
    with psycopg.connect(superuser_url) as connection:
        connection.execute("UPDATE api_keys SET user_id = %s", [bo.user_id])
    async with desk.store.unit(bo.user_id) as unit:
        stored = await unit.keys.get(ProviderId.VALR)
    assert stored is not None
    with pytest.raises(SecretUnreadable):
        desk.keys.open(bo.user_id, stored)


async def test_starting_without_the_right_key_is_refused_once_something_is_stored(
    desk: SecretDesk, ring: FileKeyRing, database_urls: DatabaseUrls
) -> None:
    who = await desk.join("ada@example.org")
    await desk.save(who)
    await desk.accounts.vault.prepare()  # the right one
    async with secret_desk(database_urls, VariableKeyRing(key_text("wrong"))) as other:
        with pytest.raises(Unavailable, match="Saved keys are encrypted"):
            await other.accounts.vault.prepare()
    _lose(ring)
    with pytest.raises(Unavailable, match="Saved keys are encrypted"):
        await desk.accounts.vault.prepare()
    assert not ring.exists(), "a new key must not hide that the old one is lost"


async def test_a_first_start_makes_the_key(database_urls: DatabaseUrls, ring: FileKeyRing) -> None:
    async with secret_desk(database_urls, ring) as desk:
        assert not ring.exists()
        await desk.accounts.vault.prepare()
        assert ring.exists()
        _open_to_others(ring)
        with pytest.raises(InvalidInput, match="open to others"):
            await desk.accounts.vault.prepare()


async def test_rotation_wraps_everything_anew_and_forgets_the_old_key(
    desk: SecretDesk, ring: FileKeyRing
) -> None:
    people = [await desk.join(f"p{n}@example.org") for n in range(3)]
    for who in people:
        for provider in PROVIDERS:
            await desk.save(who, provider)
        await desk.accounts.factors.begin(who)
    before = ring.read()
    report = await desk.accounts.vault.rotate()
    after = ring.read()
    assert report.rewrapped == 27 and len(after.keys) == 1
    assert report.kek_id == after.current.id != before.current.id
    for who in people:
        assert await _all_open(desk, who)
        async with desk.store.unit(who.user_id) as unit:
            assert await unit.sealed.kek_ids() == {after.current.id}
    assert (await desk.accounts.audit.verify()).ok
    again = await desk.accounts.vault.rotate()
    assert again.rewrapped == 27 and again.kek_id != report.kek_id


async def test_keys_saved_while_a_rotation_runs_are_never_lost(desk: SecretDesk, ring: FileKeyRing) -> None:
    people = [await desk.join(f"p{n}@example.org") for n in range(4)]

    async def keep_saving(number: int) -> None:
        for turn in range(12):
            await desk.save(people[number], PROVIDERS[turn % len(PROVIDERS)])

    for _ in range(2):
        await asyncio.gather(desk.accounts.vault.rotate(), *(keep_saving(n) for n in range(4)))
    needed: set[str] = set()
    for who in people:
        assert await _all_open(desk, who)
        async with desk.store.unit(who.user_id) as unit:
            needed |= await unit.sealed.kek_ids()
    assert needed == {ring.read().current.id}


async def test_a_rotation_that_is_killed_anywhere_loses_nothing_and_goes_on(
    desk: SecretDesk, ring: FileKeyRing, database_urls: DatabaseUrls
) -> None:
    people = [await desk.join(f"p{n}@example.org") for n in range(6)]
    for who in people:
        for provider in PROVIDERS:
            await desk.save(who, provider)
    script = str(ROOT / "tests" / "services" / "rotate_and_die.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    died = 0
    for step in range(0, 64, 9):
        command = [sys.executable, script, database_urls.app, ring.place, str(step)]
        done = await asyncio.to_thread(subprocess.run, command, env=environment, check=False)
        died += done.returncode == -signal.SIGKILL
        await desk.accounts.vault.prepare()
        for who in people:
            assert await _all_open(desk, who), f"killed at step {step}"
        if done.returncode == 0:
            break
    assert died >= 5
    await desk.accounts.vault.rotate()
    assert len(ring.read().keys) == 1
    for who in people:
        assert await _all_open(desk, who)
