"""Planted secrets, through every way that works and every way that fails, and then looked for everywhere.

Logs, errors, answers, events, the audit log, the whole database and the text of a crash: none may
hold a secret, as it is or encoded as it travels.
"""

from __future__ import annotations

import base64
import io
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pyotp
import pytest
import structlog

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.provider import Credentials, ProviderId
from amarktai.storage.embedded import DatabaseUrls
from amarktai.system.logs import configure_logs
from tests.api.conftest import ENCRYPTION_KEY, PASSWORD, World, open_world
from tests.api.test_keys import body_of
from tests.providers.conftest import running_stand, stand
from tests.providers.stand import KEYS, Stand

__all__ = ["running_stand", "stand"]  # fixtures
SHORTEST = 12


@dataclass
class Seen:
    """Everything that left the platform in words."""

    texts: list[str] = field(default_factory=list)

    def take(self, answer: httpx.Response) -> httpx.Response:
        self.texts.append(f"{answer.headers} {answer.text}")
        return answer


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Log as the platform does, at its most talkative, with every library's own log as well."""
    sink, root = io.StringIO(), logging.getLogger()
    before, level, handler = structlog.get_config(), root.level, logging.StreamHandler(sink)
    configure_logs("debug", "json", "api")
    # Not cached, because each test has a log of its own.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sink), cache_logger_on_first_use=False)
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield sink
    root.removeHandler(handler)
    root.setLevel(level)
    structlog.configure(**before)


@pytest.fixture
async def world(database_urls: DatabaseUrls, tmp_path: Path, stand: Stand) -> AsyncIterator[World]:
    async with open_world(database_urls, tmp_path, stand.base_urls()) as opened:
        yield opened


def forms_of(secret: str) -> set[str]:
    """Return a secret as it may be written down on its way."""
    raw = secret.encode()
    return {secret, quote(secret), base64.b64encode(raw).decode(), raw.hex(), secret.upper(), secret[:-1]}


def planted() -> set[str]:
    parts = {part for key in KEYS.values() for part in (key.api_key, key.api_secret, key.passphrase)}
    return {part for part in parts if len(part) >= SHORTEST} | {PASSWORD, ENCRYPTION_KEY}


async def use_everything(world: World, stand: Stand, seen: Seen) -> set[str]:
    """Go through keys and factors in every way, right and wrong; return secrets made on the way."""
    client, take = await world.set_up(), seen.take
    for provider in ProviderId:
        body = body_of(provider)
        wrong = body | {"api_key": body["api_key"][:-1] + ("1" if body["api_key"][-1] != "1" else "2")}
        first = next(iter(path for name, path in _asked(stand, provider)))
        take(await client.post("/api/keys/save", json=body, headers={"Idempotency-Key": f"s-{provider}"}))
        take(await client.post("/api/keys/save", json=body, headers={"Idempotency-Key": f"s-{provider}"}))
        take(await client.post("/api/keys/test", json={"provider": provider}))
        take(await client.post("/api/keys/test", json=wrong))
        take(await client.post("/api/keys/save", json=body | {"api_key": body["api_key"] + " and more"}))
        take(await client.post("/api/keys/save", json=body | {"surplus": body["api_key"]}))
        take(
            await client.post(
                "/api/keys/save", json={"provider": body["api_key"], "api_key": body["api_key"]}
            )
        )
        echo = {"error": body["api_key"], "msg": body["api_key"], "message": body["api_key"], "code": -1}
        for status in (400, 401, 500):
            stand.answers[(provider, first)] = (status, echo)
            take(await client.post("/api/keys/test", json={"provider": provider}))
            world.clock.advance(2000)  # past the patience for many tests
            take(await client.post("/api/auth/step-up", json={"password": PASSWORD}))
        stand.answers.clear()
    begun = (await client.post("/api/auth/factors/totp")).json()
    code = pyotp.TOTP(begun["secret"]).at(world.clock.now_ns() // 1_000_000_000)
    confirmed = await client.post("/api/auth/factors/totp/confirm", json={"code": code})
    codes = confirmed.json()["recovery_codes"]
    login = {"email": "ada@example.org", "password": PASSWORD}
    for extra in ({}, {"code": "000000"}, {"code": codes[0]}, {"code": codes[0]}):
        take(await world.client().post("/api/auth/login", json=login | extra))
    for path in ("/api/keys/list", "/api/events", "/api/alerts", "/api/auth/factors", "/api/auth/me"):
        take(await client.get(path))
    take(await client.delete("/api/keys/luno"))
    return {begun["secret"], *codes, *(one.replace("-", "") for one in codes)}


def _asked(stand: Stand, provider: ProviderId) -> list[tuple[str, str]]:
    from tests.contract.test_key_testers import CALLS

    return CALLS[provider]


def dump_of(superuser_url: str) -> str:
    """Return every row of every table, as text and as bytes in hex."""
    with psycopg.connect(superuser_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = [
            str(row)
            for (table,) in tables
            for row in connection.execute(f"SELECT t::text, to_jsonb(t)::text FROM {table} t")
        ]
    return "\n".join(rows)


async def test_no_planted_secret_is_found_anywhere(
    world: World, stand: Stand, superuser_url: str, logged: io.StringIO
) -> None:
    seen = Seen()
    made = await use_everything(world, stand, seen)
    places = {"logs": logged.getvalue(), "answers": "\n".join(seen.texts), "database": dump_of(superuser_url)}
    assert len(seen.texts) > 80 and "key.tested" in places["database"]
    assert KEYS[ProviderId.VALR].api_key[-4:] in places["database"]  # what may be seen is there
    for where, text in places.items():
        for secret in planted() | made:
            for form in forms_of(secret):
                assert form not in text, f"{form[:4]}… of a secret is in the {where}"


class Crash(Exception):
    """Something that nobody foresaw."""


async def test_a_crash_says_nothing_of_the_key_that_was_at_hand(
    world: World, stand: Stand, logged: io.StringIO
) -> None:
    client = await world.set_up()

    class Exploding:
        async def test(self, credentials: Credentials) -> Any:
            raise Crash(f"with {credentials} and {credentials!r} at hand")

    object.__setattr__(world.services.keys._registry[ProviderId.VALR], "tester", Exploding())
    answer = await client.post("/api/keys/test", json=body_of(ProviderId.VALR))
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert "Crash" in logged.getvalue()
    for secret in planted():
        assert secret not in logged.getvalue() + answer.text


async def test_a_row_that_was_tampered_with_tells_no_key(
    world: World, superuser_url: str, logged: io.StringIO
) -> None:
    client = await world.set_up()
    await client.post("/api/keys/save", json=body_of(ProviderId.VALR))
    with psycopg.connect(superuser_url) as connection:
        connection.execute("UPDATE api_keys SET ciphertext = overlay(ciphertext PLACING '\\x00' FROM 20)")
    answer = await client.post("/api/keys/test", json={"provider": "valr"})
    assert (answer.status_code, answer.json()["code"]) == (503, "SECRET_UNREADABLE")
    for secret in planted():
        assert secret not in logged.getvalue() + answer.text


async def test_a_traceback_with_its_variables_shows_no_key(world: World) -> None:
    key = KEYS[ProviderId.VALR]
    try:
        raise BrokenInvariant(f"with {key} at hand")
    except BrokenInvariant as error:
        caught = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert not any(secret in "".join(caught.format()) for secret in (key.api_key, key.api_secret))
