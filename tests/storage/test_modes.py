"""The database itself keeps real money behind a complete, fresh report: whoever writes, and how."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import psycopg
import pytest

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import Forbidden
from amarktai.domain.mode import SystemMode
from amarktai.domain.readiness import Name
from amarktai.ports.modes import ModeRow
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.modes import PgModes
from tests.trading import trading

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
_numbers = count(1)
ALL = tuple(name.value for name in Name)
_SWITCH = "UPDATE system_mode SET mode = %s, base = %s, readiness_id = %s, updated_at = %s"


def report(url: str, met: Sequence[str] = ALL, *, failed: Sequence[str] = (), at: datetime = AT) -> UUID:
    """Keep a report as the program's own role."""
    checks = [{"name": name, "status": "failed" if name in failed else "ok"} for name in met]
    report_id = UUID(int=next(_numbers))
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO readiness_reports (id, made_at, build, checks, asked_by)"
            " VALUES (%s, %s, 'test', %s, 'ada')",
            [report_id, at, json.dumps(checks)],
        )
    return report_id


def switch(url: str, mode: str, base: str, report_id: UUID | None, at: datetime = AT) -> str:
    """Write the row and return the base that it has then."""
    with psycopg.connect(url) as connection:
        connection.execute(_SWITCH, [mode, base, report_id, at])
        row = connection.execute("SELECT base FROM system_mode").fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("mode", ["live", "autopilot"])
def test_a_complete_report_of_this_minute_lets_real_money_trade(
    database_urls: DatabaseUrls, mode: str
) -> None:
    url = database_urls.app
    assert switch(url, mode, "live", report(url)) == "live"
    assert switch(url, "paper", "paper", None) == "paper"
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="report of the last minute"):
        switch(url, mode, "live", None)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("is_there", [True, False], ids=["failed", "missing"])
def test_each_check_of_the_program_is_one_that_the_database_asks_for(
    database_urls: DatabaseUrls, name: str, is_there: bool
) -> None:
    url = database_urls.app
    one = report(url, failed=[name]) if is_there else report(url, [each for each in ALL if each != name])
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=f"readiness check {name}"):
        switch(url, "live", "live", one)


@pytest.mark.parametrize("age", [timedelta(minutes=1, seconds=1), timedelta(seconds=-1)])
def test_an_old_report_and_one_of_the_future_open_nothing(
    database_urls: DatabaseUrls, age: timedelta
) -> None:
    url = database_urls.app
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="of the last minute"):
        switch(url, "live", "live", report(url, at=AT - age))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="of the last minute"):
        switch(url, "live", "live", UUID(int=next(_numbers)))


@pytest.mark.parametrize(("mode", "base"), [("paper", "live"), ("live", "paper"), ("both", "paper")])
def test_the_system_has_one_mode_and_a_base_that_agrees_with_it(
    database_urls: DatabaseUrls, mode: str, base: str
) -> None:
    url = database_urls.app
    with pytest.raises(psycopg.errors.CheckViolation):
        switch(url, mode, base, report(url))


@pytest.mark.parametrize("role", ["app", "owner"])
def test_there_is_one_row_that_nobody_adds_to_removes_or_gets_around(
    database_urls: DatabaseUrls, role: str
) -> None:
    url = getattr(database_urls, role)
    refused = (
        psycopg.errors.InsufficientPrivilege, psycopg.IntegrityError, psycopg.errors.FeatureNotSupported
    )  # fmt: skip
    for statement in (
        "INSERT INTO system_mode (mode, base, updated_at, updated_by) VALUES ('live', 'live', now(), 'x')",
        "UPDATE system_mode SET mode = 'live', base = 'live'",
        "UPDATE readiness_reports SET checks = '[]'",
        "DELETE FROM readiness_reports",
        "TRUNCATE readiness_reports",
    ):
        report(database_urls.app)
        with (
            psycopg.connect(url) as connection,
            pytest.raises(refused),
        ):
            connection.execute(statement)
    for statement in ("DELETE FROM system_mode", "ALTER TABLE system_mode DISABLE TRIGGER live_gate"):
        with (
            psycopg.connect(database_urls.app) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)


async def test_the_refusal_has_a_code_and_the_transaction_is_lost(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        row = ModeRow(SystemMode.LIVE, TradingMode.LIVE, world.now, "test")
        with pytest.raises(Forbidden, match="of the last minute") as refused:
            async with world.database.transaction(None) as connection:
                await PgModes(connection).switch(row, None)
        assert refused.value.code == "LIVE_GATE"
        async with world.database.transaction(None) as connection:
            assert (await PgModes(connection).current()).base is TradingMode.PAPER
