"""One way into live trading: every check, the words, an admin with fresh proof. The way back is free."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

import amarktai
from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.errors import Conflict, Forbidden, InvalidInput
from amarktai.domain.mode import SystemMode
from amarktai.domain.readiness import Name
from amarktai.domain.user import Identity, Role
from amarktai.ports.live_accounts import Condition
from amarktai.services.modes import CONFIRMATION, Gate, Modes
from amarktai.services.readiness import Readiness, report_view
from amarktai.services.system import LIVE, System
from amarktai.storage.database import Database
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.readiness import PgReadiness
from amarktai.storage.system import PgSystem
from tests.services.gate_desk import GateDesk, gate_desk
from tests.trading import BTC_ZAR

Spoil = Callable[[GateDesk], Awaitable[None]]
DAY = timedelta(days=1, seconds=1)


@pytest.fixture
async def desk(database_urls: DatabaseUrls) -> AsyncIterator[GateDesk]:
    async with gate_desk(database_urls) as opened:
        yield opened


async def base(desk: GateDesk) -> TradingMode:
    async with desk.world.store.unit_of_work(desk.admin.user_id) as unit:
        return (await unit.modes.current()).base


async def go_live(desk: GateDesk) -> dict[str, object]:
    return await desk.modes.switch(SystemMode.LIVE, CONFIRMATION, by=desk.admin)


def events(desk: GateDesk, who: Identity) -> list[tuple[str, str]]:
    with psycopg.connect(desk.world.urls.app) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, false)", [str(who.user_id)])
        rows = connection.execute("SELECT payload->>'mode', payload->>'base' FROM outbox ORDER BY seq")
        return [(str(mode), str(base)) for mode, base in rows]


class TestTheWayIn:
    async def test_with_every_check_met_an_admin_switches_and_everybody_is_told(self, desk: GateDesk) -> None:
        other = desk.world.add_user(2)
        view = await go_live(desk)
        assert (view["mode"], view["base"], view["liveTrading"], view["paperTrading"]) == (
            "live", "live", True, False
        )  # fmt: skip
        assert desk.proofs == [desk.admin]
        assert events(desk, desk.admin) == events(desk, other) == [("live", "live")]
        async with desk.world.store.unit_of_work(desk.admin.user_id) as unit:
            row = await unit.modes.current()
        assert (row.base, row.updated_by) == (TradingMode.LIVE, f"user:{desk.admin.user_id}")
        with psycopg.connect(desk.world.urls.app) as connection:
            action, after = connection.execute("SELECT action, after FROM audit_log").fetchone() or ("", {})
        assert action == "mode.switched" and after["base"] == "live" and after["readiness"]

    async def test_that_it_is_live_already_writes_nothing(self, desk: GateDesk) -> None:
        await go_live(desk)
        again = await go_live(desk)
        assert again["success"] and "already" in str(again["message"])
        assert events(desk, desk.admin) == [("live", "live")]

    @pytest.mark.parametrize("words", [None, "", "confirm_live_trading", "CONFIRM_LIVE_TRADING "])
    async def test_other_words_are_no_confirmation(self, desk: GateDesk, words: str | None) -> None:
        with pytest.raises(InvalidInput, match="needs its confirmation"):
            await desk.modes.switch(SystemMode.LIVE, words, by=desk.admin)
        assert await base(desk) is TradingMode.PAPER

    async def test_nobody_but_an_admin_at_a_browser(self, desk: GateDesk) -> None:
        trader = replace(desk.admin, user=replace(desk.admin.user, role=Role.TRADER))
        program = replace(desk.admin, session_id=None)
        for who in (trader, program):
            for mode in (SystemMode.LIVE, SystemMode.AUTOPILOT):
                with pytest.raises(Forbidden, match="Only admins"):
                    await desk.modes.switch(mode, CONFIRMATION, by=who)
        assert await base(desk) is TradingMode.PAPER and desk.proofs == []

    async def test_without_fresh_proof_nothing_is_even_checked(self, desk: GateDesk) -> None:
        def refuse(_: Identity) -> None:
            raise Forbidden("STEP_UP_NEEDED", "Prove it.", "Prove it.")

        modes = Modes(
            desk.world.store, Gate(desk.readiness, desk.reports, refuse), desk.world.clock, desk.world.ids
        )
        with pytest.raises(Forbidden, match="Prove it"):
            await modes.switch(SystemMode.LIVE, CONFIRMATION, by=desk.admin)
        assert await base(desk) is TradingMode.PAPER


async def _no_beat(desk: GateDesk) -> None:
    await desk.beat("engine", ago=timedelta(minutes=2))


async def _errors(desk: GateDesk) -> None:
    await desk.beat("api", errors=5)


async def _faults(desk: GateDesk) -> None:
    await desk.beat("engine", errors=1, faults=1)


async def _untested_key(desk: GateDesk) -> None:
    desk.key(None)


async def _refused_key(desk: GateDesk) -> None:
    desk.key("refused", "valr")


async def _unsafe_key(desk: GateDesk) -> None:
    desk.key("unsafe")


async def _viewing_key(desk: GateDesk) -> None:
    desk.key("works", verdict='{"rights": ["view"], "rights_complete": true}')


async def _old_reconcile(desk: GateDesk) -> None:
    await desk.status(ago=301)


async def _unexplained(desk: GateDesk) -> None:
    await desk.status(Condition.UNEXPLAINED)


async def _closed(desk: GateDesk) -> None:
    await desk.status(Condition.CLOSED)


async def _difference(desk: GateDesk) -> None:
    await desk.audited("bot 1: 5 is not 4")


async def _old_audit(desk: GateDesk) -> None:
    await desk.audited(ago=timedelta(hours=1, seconds=1))


async def _other_build(desk: GateDesk) -> None:
    await desk.rehearsed("abc124")


async def _short_rehearsal(desk: GateDesk) -> None:
    await desk.rehearsed(hours=2)


async def _changed_build(desk: GateDesk) -> None:
    desk.machine.build = "abc123+"
    await desk.rehearsed("abc123+")


async def _no_server(desk: GateDesk) -> None:
    desk.machine.server = "it is gone"


async def _no_realtime(desk: GateDesk) -> None:
    desk.machine.realtime = "it is gone"


async def _full_disk(desk: GateDesk) -> None:
    desk.machine.free = 1024**3


async def _stop_file(desk: GateDesk) -> None:
    desk.machine.stop = "smoke"


async def _clock(desk: GateDesk) -> None:
    desk.reports.ahead = timedelta(seconds=2)


async def _sandbox(desk: GateDesk) -> None:
    await desk.reports.put_note("market", {}, desk.world.now)
    with psycopg.connect(desk.world.urls.app) as connection:
        connection.execute("UPDATE platform_settings SET value = '\"sandbox\"' WHERE name = 'market'")


async def _in_doubt(desk: GateDesk) -> None:
    bot = await _live_bot(desk)
    await desk.world.add_doubtful_order(bot)
    desk.world.clock.advance(61)
    await desk.make_ready()


async def _live_bot(desk: GateDesk) -> Bot:
    await desk.world.fund(desk.admin, Decimal(1_000), TradingMode.LIVE)
    return await desk.world.add_bot(desk.admin, BTC_ZAR, Decimal(1_000), mode=TradingMode.LIVE)


SPOILERS: list[tuple[Name, Spoil]] = [
    (Name.SERVER, _no_server),
    (Name.REALTIME, _no_realtime),
    (Name.PROCESSES, _no_beat),
    (Name.ERRORS, _errors),
    (Name.FAULTS, _faults),
    (Name.DISK, _full_disk),
    (Name.CLOCK, _clock),
    (Name.MARKET, _sandbox),
    (Name.KEYS, _untested_key),
    (Name.KEYS, _refused_key),
    (Name.KEYS, _unsafe_key),
    (Name.KEYS, _viewing_key),
    (Name.ACCOUNTS, _old_reconcile),
    (Name.ACCOUNTS, _unexplained),
    (Name.ACCOUNTS, _closed),
    (Name.ORDERS, _in_doubt),
    (Name.PROFIT, _difference),
    (Name.PROFIT, _old_audit),
    (Name.STOP, GateDesk.stop_all),
    (Name.STOP, _stop_file),
    (Name.LIMITS, GateDesk.lift_a_limit),
    (Name.BACKUP, lambda desk: desk.backed_up(ago=DAY)),
    (Name.REHEARSAL, _other_build),
    (Name.REHEARSAL, _short_rehearsal),
    (Name.REHEARSAL, _changed_build),
]


class TestTheChecks:
    @pytest.mark.parametrize(
        ("name", "spoil"), SPOILERS, ids=[f"{name}-{number}" for number, (name, _) in enumerate(SPOILERS)]
    )
    async def test_one_that_is_not_met_keeps_real_money_out_and_says_how_it_is_met(
        self, desk: GateDesk, name: Name, spoil: Spoil
    ) -> None:
        await spoil(desk)
        view = report_view(await desk.report())
        assert [check["name"] for check in view["checks"] if check["status"] != "ok"] == [name]
        assert len(view["errors"]) == 1 and not view["ready"] and not view["checks_passed"]
        with pytest.raises(Conflict) as refused:
            await go_live(desk)
        assert refused.value.code == "LIVE_NOT_READY" and view["errors"][0] in refused.value.detail
        assert await base(desk) is TradingMode.PAPER and events(desk, desk.admin) == []

    def test_every_check_but_the_databases_own_has_something_that_spoils_it(self) -> None:
        assert {name for name, _ in SPOILERS} == set(Name) - {Name.DATABASE}

    async def test_a_platform_with_nothing_says_what_it_lacks(self, database_urls: DatabaseUrls) -> None:
        async with gate_desk(database_urls) as desk:
            with psycopg.connect(database_urls.app) as connection:
                connection.execute("DELETE FROM platform_settings")
                connection.execute("DELETE FROM worker_heartbeats")
            report = await desk.report()
        missing = {check.name for check in report.open}
        assert missing == {Name.PROCESSES, Name.PROFIT, Name.BACKUP, Name.REHEARSAL}
        assert all(check.remedy for check in report.checks)

    async def test_a_dead_database_fails_every_check_that_asks_it(self, desk: GateDesk) -> None:
        dead = Database("postgresql://app:none@127.0.0.1:9/none", pool_size=1)
        store = PgSystem(dead)
        system = System(store, clock=desk.world.clock, market=LIVE)
        readiness = Readiness(PgReadiness(dead), store, system, desk.machine, desk.world.clock)
        report = await readiness.report()
        await dead.close()
        assert {check.name for check in report.checks if check.is_met} == {
            Name.SERVER, Name.REALTIME, Name.DISK
        }  # fmt: skip
        assert len(report.checks) == len(Name)


class TestAutopilot:
    async def test_without_the_words_it_trades_on_paper_and_says_so(self, desk: GateDesk) -> None:
        view = await desk.modes.switch(SystemMode.AUTOPILOT, None, by=desk.admin)
        assert (view["mode"], view["base"], view["autopilot"]) == ("autopilot", "paper", True)
        assert "on paper" in view["message"] and desk.proofs == []

    async def test_with_them_it_goes_through_the_same_gate(self, desk: GateDesk) -> None:
        desk.machine.stop = "smoke"
        with pytest.raises(Conflict):
            await desk.modes.switch(SystemMode.AUTOPILOT, CONFIRMATION, by=desk.admin)
        desk.machine.stop = None
        view = await desk.modes.switch(SystemMode.AUTOPILOT, CONFIRMATION, by=desk.admin)
        assert (view["mode"], view["base"]) == ("autopilot", "live") and desk.proofs == [desk.admin] * 2

    async def test_from_live_without_the_words_real_money_ends(self, desk: GateDesk) -> None:
        await go_live(desk)
        await desk.modes.switch(SystemMode.AUTOPILOT, None, by=desk.admin)
        assert await base(desk) is TradingMode.PAPER
        with pytest.raises(InvalidInput):
            await desk.modes.switch(SystemMode.LIVE, None, by=desk.admin)


class TestTheWayBack:
    async def test_a_trader_goes_back_to_paper_at_once_whatever_is_broken(self, desk: GateDesk) -> None:
        await go_live(desk)
        await _no_beat(desk)
        desk.machine.server = "it is gone"
        trader = replace(desk.admin, user=replace(desk.admin.user, role=Role.TRADER), session_id=None)
        view = await desk.modes.switch(SystemMode.PAPER, None, by=trader)
        assert view["paperTrading"] and await base(desk) is TradingMode.PAPER
        assert events(desk, desk.admin) == [("live", "live"), ("paper", "paper")]

    async def test_the_report_of_the_way_in_does_not_open_it_again(self, desk: GateDesk) -> None:
        await go_live(desk)
        await desk.modes.switch(SystemMode.PAPER, None, by=desk.admin)
        desk.machine.server = "it is gone"
        with pytest.raises(Conflict):
            await go_live(desk)


def test_only_the_switch_writes_the_mode() -> None:
    """No other code of ours touches the row: the database would refuse it, this names the place."""
    source = Path(inspect.getfile(amarktai)).parent
    writers = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if "migrations" not in path.parts
        for text in [path.read_text(encoding="utf-8")]
        if "update(t.system_mode)" in text or "UPDATE system_mode" in text or "modes.switch(" in text
    }
    assert writers <= {
        "storage/modes.py",
        "services/modes.py",
        "api/routes/system.py",
        "services/rehearsal.py",
        "bootstrap/backups.py",  # to paper, after a restore
    }
