"""Places orders on an exchange item by item, for an owner who wants to see its adapter work for real.

``rest`` places the smallest orders far from the market, looks for them in every list, and cancels them.
``fill`` buys the least that can be traded at the market, and sells it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import Forbidden, InvalidInput, Unavailable
from amarktai.domain.fill import Fill
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import ZERO, ceil_to_step, floor_to_step
from amarktai.domain.order import OrderType, Side
from amarktai.ports.clock import Clock
from amarktai.ports.exchange import AccountEvent, Balance, ExchangeAccount, ExchangeMarket, OrderChanged
from amarktai.ports.ids import Ids
from amarktai.ports.venue import OrderReport, OrderRequest, OutcomeUnknown, VenueRejected, VenueStatus
from amarktai.services.venue_check import LACKING, STREAM_S, CheckItem, Outcome, Unexpected, checked

#: How far an exchange's clock may be from ours when records are looked through by time.
_MARGIN_NS: Final = 60 * NS_PER_S
_DEADLINE_S: Final = 10
_STEP_S: Final = 0.1
#: Streams that are polled take their first look in this time; what comes later is news to them.
_FIRST_LOOK_S: Final = 1.0
#: How long an order at the market may take until it is over and all of its executions are told.
_SETTLE_S: Final = 30
#: Longer than a desk's quote lives.
_QUOTE_LIFE_S: Final = 30.0
#: What is bought is so much more than the least, so that it can be sold again after a fee and a fall.
_ROOM: Final = Decimal("1.1")
#: What a buy at the market may cost more than the best price says.
_SLIPPAGE: Final = Decimal("1.05")


@dataclass(slots=True)
class OrderCheck:
    """Checks one exchange's orders. ``distance`` is how far from the market an order of ``rest`` lies (0.3).

    ``least_worth`` (quote) is what ``fill`` buys where the exchange states no minimum.
    """

    market: ExchangeMarket
    clock: Clock
    ids: Ids
    instrument: Instrument
    distance: Decimal = Decimal("0.3")
    least_worth: Decimal = ZERO
    _heard: list[AccountEvent] = field(default_factory=list)

    # -- one order -----------------------------------------------------------------------------------------

    async def rest(self, account: ExchangeAccount) -> AsyncIterator[CheckItem]:
        """Place the smallest order far from the market, find it everywhere, cancel it."""
        if OrderType.LIMIT not in account.capabilities.order_types:
            yield CheckItem("an order", Outcome.ABSENT, "Nothing can rest there, so nothing is placed.")
            return
        async with self._listening(account):
            async for item in self._place_and_cancel(account):
                yield item

    @asynccontextmanager
    async def _listening(self, account: ExchangeAccount) -> AsyncIterator[None]:
        """Keep what the account's stream says while the block runs, once it stands."""
        self._heard.clear()
        task = asyncio.create_task(self._collect(account))
        try:
            for _ in range(round(STREAM_S / _STEP_S)):
                if self._heard:  # the first is the gap that its opening leaves
                    break
                await self.clock.sleep(_STEP_S)
            await self.clock.sleep(_FIRST_LOOK_S)
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _collect(self, account: ExchangeAccount) -> None:
        async for event in account.events():
            self._heard.append(event)

    async def _place_and_cancel(self, account: ExchangeAccount) -> AsyncIterator[CheckItem]:
        try:
            request = await self._request()
            created = await account.create_order(request)
        except (VenueRejected, OutcomeUnknown, Unavailable, Forbidden, InvalidInput) as error:
            yield CheckItem("placing an order", Outcome.FAILED, f"{error.detail} {error.action}".strip())
            return
        worth = request.quantity * (request.price or ZERO)
        yield CheckItem(
            "placing an order",
            Outcome.PASSED,
            f"{_plain(request.quantity)} {self.instrument.base} at {request.price:f}, worth {_plain(worth)} "
            f"{self.instrument.quote}: {created.venue_order_id}.",
        )
        for name, step in (
            ("found by our id", lambda: self._found(account, request)),
            ("found by its own id", lambda: self._found_by_venue_id(account, created)),
            ("listed as open", lambda: self._listed(account, request)),
            ("placing it again", lambda: self._again(account, request)),
            ("cancelling it", lambda: self._cancel(account, request)),
            ("cancelling it again", lambda: self._cancel(account, request)),
            ("kept in the history", lambda: self._kept(account, request, created, VenueStatus.CANCELED)),
            ("told by the stream", lambda: self._told(request)),
            ("a stop order", lambda: self._stop(account)),
        ):
            yield await checked(name, step)

    async def _again(self, account: ExchangeAccount, request: OrderRequest) -> str:
        """Send the same order once more, as nothing of the platform does: one may stand, never two."""
        now = self.clock.now_ns()
        try:
            await account.create_order(
                replace(request, sent_ts=now, deadline_ts=now + _DEADLINE_S * NS_PER_S)
            )
            said = "accepted"
        except VenueRejected as refusal:
            said = f"refused ({refusal.detail.rstrip('.')})"
        except OutcomeUnknown as silence:
            said = f"unclear, so it is looked up ({silence.detail.rstrip('.')})"
        records = await account.fetch_open_records()
        open_now = sum(record.order_id == request.order_id for record in records)
        if open_now != 1:
            raise Unexpected(f"It was {said}, and {open_now} orders are open: cancel them at the exchange.")
        return f"It was {said}; one order is open."

    async def _stop(self, account: ExchangeAccount) -> str:
        """Place the smallest stop far from the market and cancel it: what protects a bot's position."""
        if OrderType.STOP_MARKET not in account.capabilities.order_types:
            raise InvalidInput(LACKING, "It has no stop orders.", "Bots there have no stop on the exchange.")
        request = await self._stop_request(await account.fetch_balances())
        try:
            created = await account.create_order(request)
        except (VenueRejected, OutcomeUnknown) as error:
            raise Unexpected(f"{error.detail} {error.action}".strip()) from error
        said = await self._found(account, request)
        await self._cancel(account, request)
        return (
            f"{request.side} {_plain(request.quantity)} at {request.stop_price:f}: {said} Then canceled: "
            f"{created.venue_order_id}."
        )

    async def _stop_request(self, balances: Mapping[str, Balance]) -> OrderRequest:
        """Return a stop that sells what there is, or one that buys where there is nothing to sell."""
        request, item = await self._request(), self.instrument
        # Where a stop has a limit beyond it, that is what has to be worth the minimum.
        request = replace(request, quantity=ceil_to_step(request.quantity * _ROOM, item.lot_size))
        held = balances.get(item.base)
        if held is not None and held.available >= request.quantity:
            side, price = Side.SELL, request.price
        else:
            (quote,) = await self.market.fetch_quotes([item])
            side, price = Side.BUY, ceil_to_step(quote.ask * (1 + self.distance), item.tick_size)
        return replace(
            request, side=side, type=OrderType.STOP_MARKET, price=None, stop_price=price,
            post_only=False, reduce_only=side is Side.SELL,
        )  # fmt: skip

    async def _request(self) -> OrderRequest:
        (quote,) = await self.market.fetch_quotes([self.instrument])
        item, now = self.instrument, self.clock.now_ns()
        price = floor_to_step(quote.bid * (1 - self.distance), item.tick_size)
        worth_it = ceil_to_step(item.min_notional * Decimal("1.05") / price, item.lot_size)
        return OrderRequest(
            order_id=self.ids.new(), instrument_id=item.id, side=Side.BUY, type=OrderType.LIMIT,
            quantity=max(item.min_quantity, worth_it), price=price, stop_price=None, post_only=True,
            reduce_only=False, oco_group=None, sent_ts=now, deadline_ts=now + _DEADLINE_S * NS_PER_S,
        )  # fmt: skip

    async def _found(self, account: ExchangeAccount, request: OrderRequest) -> str:
        report = await account.fetch_order(request.order_id, request.instrument_id)
        if report is None or report.status is not VenueStatus.OPEN:
            raise Unexpected(f"It is {'absent' if report is None else report.status}.")
        return "Open."

    async def _found_by_venue_id(self, account: ExchangeAccount, created: OrderReport) -> str:
        record = await account.fetch_record(created.venue_order_id, self.instrument.id)
        if record is None or record.order_id != created.order_id:
            raise Unexpected("It is absent, or not told to be ours.")
        return f"Ours, {record.status}, {record.quantity:f} at {record.price:f}."

    async def _listed(self, account: ExchangeAccount, request: OrderRequest) -> str:
        if request.order_id not in {record.order_id for record in await account.fetch_open_records()}:
            raise Unexpected("The list of open orders lacks it.")
        return "In the list of open orders."

    async def _cancel(self, account: ExchangeAccount, request: OrderRequest) -> str:
        report = await account.cancel_order(request.order_id, request.instrument_id)
        if report.status is not VenueStatus.CANCELED:
            raise Unexpected(f"It is {report.status}: look at the exchange and cancel it there.")
        return f"Canceled, {report.filled_quantity:f} filled."

    async def _kept(
        self, account: ExchangeAccount, request: OrderRequest, told: OrderReport, status: VenueStatus
    ) -> str:
        records = await account.fetch_records_since(request.sent_ts - _MARGIN_NS)
        found = [record.status for record in records if record.venue_order_id == told.venue_order_id]
        if found != [status]:
            raise Unexpected(f"The list of orders has it {len(found)} times: {', '.join(found)}.")
        return f"Once, as {status}."

    async def _told(self, request: OrderRequest) -> str:
        await self.clock.sleep(STREAM_S)
        told = [
            event
            for event in self._heard
            if isinstance(event, OrderChanged) and event.client_order_id in (None, request.client_order_id)
        ]
        if not told:
            raise Unexpected("The account's stream said nothing of it.")
        return f"{len(told)} messages."

    # -- at the market -------------------------------------------------------------------------------------

    async def fill(self, account: ExchangeAccount) -> AsyncIterator[CheckItem]:
        """Buy the least that can be traded, find it everywhere, sell it again, and compare the balances."""
        yield await checked("an order past its deadline", lambda: self._late(account))
        if OrderType.LIMIT not in account.capabilities.order_types:
            yield await checked("a quote left to expire", lambda: self._unaccepted(account))
        async with self._listening(account):
            async for item in self._buy_and_sell(account):
                yield item

    async def _late(self, account: ExchangeAccount) -> str:
        now = self.clock.now_ns()
        request = replace(await self._at_market(Side.BUY), deadline_ts=now)
        try:
            created = await account.create_order(request)
        except VenueRejected as refusal:
            if refusal.code != "DEADLINE_PASSED":
                raise Unexpected(f"It is refused for another reason: {refusal.detail}") from refusal
        else:
            raise Unexpected(f"It was sent: {created.venue_order_id}. Look at the exchange.")
        if await account.fetch_order(request.order_id, request.instrument_id) is not None:
            raise Unexpected("It was not sent, and yet the exchange has an order that could be it.")
        return "Not sent, and not there."

    async def _unaccepted(self, account: ExchangeAccount) -> str:
        """Ask for quotes, accept none, and see that nothing is traded."""
        before = await account.fetch_balances()
        (quote,) = await self.market.fetch_quotes([self.instrument])
        asked_ts = self.clock.now_ns()
        await self.clock.sleep(_QUOTE_LIFE_S)
        trades = await account.fetch_fills_since(asked_ts)
        if trades or await account.fetch_balances() != before:
            raise Unexpected("Something was traded meanwhile: by hand, or by asking.")
        return f"Asked {quote.bid:f} and {quote.ask:f}; {_QUOTE_LIFE_S:.0f} s later nothing was traded."

    async def _buy_and_sell(self, account: ExchangeAccount) -> AsyncIterator[CheckItem]:
        before = await account.fetch_balances()
        fills: list[Fill] = []
        async for item in self._trade_at_market(account, await self._at_market(Side.BUY), fills):
            yield item
        if not fills:
            return
        held = floor_to_step(
            _moved(fills, self.instrument).get(self.instrument.base, ZERO), self.instrument.lot_size
        )
        if held < self.instrument.min_quantity:
            yield CheckItem("selling it again", Outcome.FAILED, f"{held:f} is too little: it stays there.")
        else:
            sale = replace(await self._at_market(Side.SELL), quantity=held)
            async for item in self._trade_at_market(account, sale, fills):
                yield item
        yield await checked("the balances agree", lambda: self._agreed(account, before, fills))

    async def _at_market(self, side: Side) -> OrderRequest:
        (quote,) = await self.market.fetch_quotes([self.instrument])
        item, now = self.instrument, self.clock.now_ns()
        worth = max(item.min_notional, self.least_worth) * _ROOM
        quantity = ceil_to_step(max(item.min_quantity * _ROOM, worth / quote.bid), item.lot_size)
        return OrderRequest(
            order_id=self.ids.new(), instrument_id=item.id, side=side, type=OrderType.MARKET,
            quantity=quantity, price=None, stop_price=None, post_only=False, reduce_only=side is Side.SELL,
            oco_group=None, sent_ts=now, deadline_ts=now + _DEADLINE_S * NS_PER_S,
            budget=quantity * quote.ask * _SLIPPAGE if side is Side.BUY else None,
        )  # fmt: skip

    async def _trade_at_market(
        self, account: ExchangeAccount, request: OrderRequest, fills: list[Fill]
    ) -> AsyncIterator[CheckItem]:
        """Send one order at the market; its executions come into ``fills``."""
        name = "buying at the market" if request.side is Side.BUY else "selling it again"
        self._heard.clear()
        doubt = ""
        try:
            await account.create_order(request)
        except OutcomeUnknown as silence:
            doubt = f"{silence.detail} "  # the order may be there: it is looked up like any other
        except (VenueRejected, Unavailable, Forbidden, InvalidInput) as error:
            yield CheckItem(name, Outcome.FAILED, f"{error.detail} {error.action}".strip())
            return
        try:
            report = await self._settled(account, request)
        except (OutcomeUnknown, Unexpected) as error:
            yield CheckItem(name, Outcome.FAILED, f"{doubt}{error} Look at the exchange.")
            return
        fills.extend(report.fills)
        yield CheckItem(name, Outcome.FAILED if doubt else Outcome.PASSED, doubt + self._told_of(report))
        for step_name, step in (
            ("kept in the history", lambda: self._kept(account, request, report, report.status)),
            ("its executions listed", lambda: self._executions_listed(account, request, report)),
            ("told by the stream", lambda: self._told(request)),
        ):
            yield await checked(step_name, step)

    async def _settled(self, account: ExchangeAccount, request: OrderRequest) -> OrderReport:
        """Return the order once it is over and its executions add up. Raises: OutcomeUnknown, Unexpected."""
        report = None
        for _ in range(_SETTLE_S):
            report = await account.fetch_order(request.order_id, request.instrument_id)
            if report is not None and report.status is not VenueStatus.OPEN and _adds_up(report):
                break
            await self.clock.sleep(1.0)
        if report is None or report.status is VenueStatus.OPEN or not _adds_up(report):
            state = "absent" if report is None else report.status
            raise Unexpected(f"After {_SETTLE_S} s it is {state}, its executions not complete.")
        if not report.fills:
            raise Unexpected(f"It is {report.status} and nothing was traded.")
        return report

    def _told_of(self, report: OrderReport) -> str:
        quantity = sum((fill.quantity for fill in report.fills), ZERO)
        worth = sum((fill.notional for fill in report.fills), ZERO)
        fees = ", ".join(f"{_plain(fill.fee_amount)} {fill.fee_asset}" for fill in report.fills)
        return (
            f"{report.status}: {_plain(quantity)} {self.instrument.base} for {_plain(worth)} "
            f"{self.instrument.quote} in {len(report.fills)} executions, fees {fees}: "
            f"{report.venue_order_id}."
        )

    async def _executions_listed(
        self, account: ExchangeAccount, request: OrderRequest, report: OrderReport
    ) -> str:
        listed = await account.fetch_fills_since(request.sent_ts - _MARGIN_NS)
        told = {fill.venue_trade_id: (fill.quantity, fill.price, fill.fee_amount) for fill in report.fills}
        found = [fill for fill in listed if fill.venue_trade_id in told]
        if len(found) != len(told):
            raise Unexpected(f"The list has {len(found)} of its {len(told)} executions.")
        if any(told[fill.venue_trade_id] != (fill.quantity, fill.price, fill.fee_amount) for fill in found):
            raise Unexpected("The list tells other amounts than the order.")
        return "Each once, with the same amounts."

    async def _agreed(
        self, account: ExchangeAccount, before: Mapping[str, Balance], fills: Sequence[Fill]
    ) -> str:
        expected = {asset: amount for asset, amount in _moved(fills, self.instrument).items() if amount}
        moved: dict[str, Decimal] = {}
        for _ in range(_SETTLE_S):
            moved = _differences(before, await account.fetch_balances())
            if moved == expected:
                return ", ".join(f"{amount.normalize():+f} {asset}" for asset, amount in moved.items()) + "."
            await self.clock.sleep(1.0)
        wrong = [
            f"{asset} moved by {_plain(moved.get(asset, ZERO))}, the executions say "
            f"{_plain(expected.get(asset, ZERO))}"
            for asset in sorted({*moved, *expected})
            if moved.get(asset) != expected.get(asset)
        ]
        raise Unexpected(f"{'; '.join(wrong)}: somebody else's trade, or a fee that is not told.")


def _plain(amount: Decimal) -> str:
    """Return an amount without the zeros that say nothing."""
    return f"{amount.normalize():f}"


def _adds_up(report: OrderReport) -> bool:
    return sum((fill.quantity for fill in report.fills), ZERO) == report.filled_quantity


def _differences(before: Mapping[str, Balance], after: Mapping[str, Balance]) -> dict[str, Decimal]:
    """Return by how much each asset's total has changed, where it has."""
    none = Balance("", ZERO, ZERO)
    moved = {
        asset: after.get(asset, none).total - before.get(asset, none).total
        for asset in sorted({*before, *after})
    }
    return {asset: amount for asset, amount in moved.items() if amount}


def _moved(fills: Sequence[Fill], instrument: Instrument) -> dict[str, Decimal]:
    """Return by how much executions change each asset of the account."""
    moved: dict[str, Decimal] = {}
    for fill in fills:
        sign = 1 if fill.side is Side.BUY else -1
        for asset, amount in (
            (instrument.base, sign * fill.quantity),
            (instrument.quote, -sign * fill.notional),
            (fill.fee_asset, -fill.fee_amount),
        ):
            moved[asset] = moved.get(asset, ZERO) + amount
    return moved
