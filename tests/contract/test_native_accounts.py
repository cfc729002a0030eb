"""The accounts at VALR and OVEX against their twins.

VALR keeps the contract of exchange accounts. OVEX is a desk where nothing can rest: what holds of every
account is tested here in its own words.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from decimal import Decimal

import pytest

from amarktai.domain.errors import Forbidden, Unavailable
from amarktai.domain.order import OrderType, Side
from amarktai.ports.clock import to_ns
from amarktai.ports.exchange import AccountEvent, FillReported, StreamGap
from amarktai.ports.venue import OrderRequest, OutcomeUnknown, VenueRejected, VenueStatus
from amarktai.venues.exchanges.ovex import account as ovex
from amarktai.venues.exchanges.ovex import market as ovex_market
from amarktai.venues.exchanges.valr import account as valr
from amarktai.venues.exchanges.valr import market as valr_market
from tests.contract.exchange_contract import ExchangeContract, Rig
from tests.contract.rigs import KEY, rig_at
from tests.fakes import HandClock, SeededIds


class TestValrAccount(ExchangeContract):
    instrument_id = "valr:BTC/ZAR"

    @staticmethod
    def open_rig(clock: HandClock) -> AbstractAsyncContextManager[Rig]:
        return rig_at(
            "valr",
            clock,
            ("BTCZAR", "BTC", "ZAR"),
            "BTC/ZAR",
            lambda budget, url: valr_market.open_market(budget, budget, clock, base_url=url),
            lambda twin, parts: valr.open_account(KEY, parts, base_url=twin.url, stream_url=twin.ws_url),
        )


class TestOvexAccount:
    @staticmethod
    def open_rig(clock: HandClock) -> AbstractAsyncContextManager[Rig]:
        return rig_at(
            "ovex",
            clock,
            ("btczar", "btc", "zar"),
            "BTC/ZAR",
            lambda budget, url: ovex_market.open_market(budget, clock, base_url=url),
            lambda twin, parts: ovex.open_account(KEY.api_key, parts, base_url=twin.url),
        )

    def request(self, clock: HandClock, side: Side = Side.BUY, seed: str = "a") -> OrderRequest:
        return OrderRequest(
            order_id=SeededIds(clock, seed).new(), instrument_id="ovex:BTC/ZAR", side=side,
            type=OrderType.MARKET, quantity=Decimal("0.00123"), price=None, stop_price=None,
            post_only=False, reduce_only=False, oco_group=None, sent_ts=clock.now_ns(),
            deadline_ts=clock.now_ns() + 10_000_000_000,
        )  # fmt: skip

    @pytest.mark.parametrize("side", Side)
    async def test_an_order_is_filled_and_explains_the_balances(
        self, rig: Rig, clock: HandClock, side: Side
    ) -> None:
        before = {asset: rig.balance(asset)[0] for asset in ("btc", "zar")}
        order = self.request(clock, side)
        report = await rig.account.create_order(order)
        assert report.status is VenueStatus.FILLED
        (fill,) = report.fills
        sign = 1 if side is Side.BUY else -1
        assert rig.balance("btc")[0] == before["btc"] + sign * order.quantity
        assert rig.balance("zar")[0] == before["zar"] - sign * fill.notional - fill.fee_amount
        again = await rig.account.fetch_order(order.order_id, order.instrument_id)
        assert again == report

    @pytest.mark.parametrize("fault", ["drop_reply", "done_but_error", "refuse_after"])
    async def test_an_acceptance_whose_answer_is_lost_is_unknown_and_then_found(
        self, rig: Rig, clock: HandClock, fault: str
    ) -> None:
        rig.twin.control.arm(fault, "accept")
        order = self.request(clock)
        with pytest.raises(OutcomeUnknown):
            await rig.account.create_order(order)
        found = await rig.account.fetch_order(order.order_id, order.instrument_id)
        assert found is not None
        assert found.status is VenueStatus.FILLED

    @pytest.mark.parametrize("fault", ["drop_request", "server_error", "refuse", "rate_limit"])
    async def test_an_acceptance_that_got_lost_is_unknown_and_then_absent(
        self, rig: Rig, clock: HandClock, fault: str
    ) -> None:
        rig.twin.control.arm(fault, "accept")
        order = self.request(clock)
        with pytest.raises(OutcomeUnknown):
            await rig.account.create_order(order)
        clock.advance(300)
        assert await rig.account.fetch_order(order.order_id, order.instrument_id) is None

    async def test_an_acceptance_that_arrives_twice_trades_once(self, rig: Rig, clock: HandClock) -> None:
        rig.twin.control.arm("duplicate", "accept")
        order = self.request(clock)
        with pytest.raises(OutcomeUnknown):
            await rig.account.create_order(order)
        found = await rig.account.fetch_order(order.order_id, order.instrument_id)
        assert found is not None
        assert len(await rig.account.fetch_fills_since(0)) == 1

    async def test_a_quote_that_does_not_come_is_a_refusal(self, rig: Rig, clock: HandClock) -> None:
        rig.twin.control.arm("drop_reply", "quote")
        with pytest.raises(VenueRejected):
            await rig.account.create_order(self.request(clock))
        assert await rig.account.fetch_fills_since(0) == []

    async def test_trades_are_complete_over_many_pages(self, rig: Rig, clock: HandClock) -> None:
        for count in range(60):
            clock.advance(1)
            await rig.account.create_order(self.request(clock, seed=str(count)))
        fills = await rig.account.fetch_fills_since(0)
        assert len({fill.venue_trade_id for fill in fills}) == 60
        assert [fill.executed_at for fill in fills] == sorted(fill.executed_at for fill in fills)
        records = await rig.account.fetch_records_since(to_ns(fills[30].executed_at))
        assert len(records) == 30

    async def test_reads_fail_loudly(self, rig: Rig) -> None:
        for operation, read in (
            ("balances", rig.account.fetch_balances),
            ("fills", lambda: rig.account.fetch_fills_since(0)),
        ):
            rig.twin.control.arm("server_error", operation)
            with pytest.raises(Unavailable):
                await read()
        balances = await rig.account.fetch_balances()
        assert (balances["ZAR"].total, balances["ZAR"].reserved) == rig.balance("zar")
        rig.twin.control.set_rights(rig.key, is_revoked=True)
        with pytest.raises(Forbidden):
            await rig.account.fetch_balances()

    async def test_what_happens_by_hand_is_seen(self, rig: Rig, clock: HandClock) -> None:
        events = rig.account.events()
        assert isinstance(await anext(events), StreamGap)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.05)
        await rig.account.create_order(self.request(clock))
        heard: list[AccountEvent] = []
        async with asyncio.timeout(10):
            while not any(isinstance(event, FillReported) for event in heard):
                clock.advance(1)
                await asyncio.sleep(0.01)
                if waiting.done():
                    heard.append(waiting.result())
                    waiting = asyncio.ensure_future(anext(events))
        waiting.cancel()
