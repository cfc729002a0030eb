"""One engine's way to a model exchange: calls that take time, get lost, and come back wrong.

Implements ports.exchange.ExchangeAccount. It belongs to one engine and dies with it; the exchange stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Fees, Instrument
from amarktai.domain.order import OrderType
from amarktai.ports.clock import to_datetime, to_ns
from amarktai.ports.exchange import (
    AccountEvent,
    AccountFill,
    Balance,
    ClientIdScope,
    OrderRecord,
    OrderTerms,
    Recall,
    StreamGap,
)
from amarktai.ports.venue import OrderReport, OrderRequest, OutcomeUnknown, VenueRejected, VenueStatus
from amarktai.storm.exchange import ModelExchange
from amarktai.storm.weather import Fault

_QUICK_S: Final = (0.01, 0.4)
_PATIENCE_S: Final = 3.0
#: How much later than its deadline a create may still arrive; less than the order path waits for it.
_LATEST_S: Final = 10.0
#: How old what a stale read shows may be, and a fill that is told of late.
_STALE_NS: Final = 8 * NS_PER_S
#: What a complete look at an account reads.
_PARTS: Final = {"open orders", "orders", "executions", "balances"}
_LATE_FILL_S: Final = (1.0, 20.0)

#: Called when a create leaves and when a call comes back: the storm kills there, and checks.
Departure = Callable[["ModelAccount", OrderRequest], Awaitable[None]]
Return = Callable[[], Awaitable[None]]


def _silence(what: str) -> OutcomeUnknown:
    return OutcomeUnknown("OUTCOME_UNKNOWN", f"The exchange did not answer ({what}).")


class ModelAccount:
    """The account of one engine's life. ``departing`` sees every create before it leaves."""

    def __init__(
        self, exchange: ModelExchange, recall: Recall, departing: Departure, returning: Return
    ) -> None:
        self.platform = exchange.platform
        self.account = "main"
        self.capabilities = exchange.manners.capabilities
        self._exchange = exchange
        self._weather = exchange.weather
        self._clock = exchange.clock
        self._recall = recall
        self._departing = departing
        self._returning = returning
        self._names: dict[UUID, str] = {}
        self._looks: set[str] = set()
        self.gap_ns = 0
        self._told: asyncio.Queue[AccountEvent] = asyncio.Queue()
        self._later: set[asyncio.Task[None]] = set()
        exchange.listeners.append(self)

    # -- writes --------------------------------------------------------------------------------------

    async def create_order(self, request: OrderRequest) -> OrderReport:
        weather, exchange = self._weather, self._exchange
        await self._departing(self, request)
        if self._clock.now_ns() > request.deadline_ts:
            raise VenueRejected("DEADLINE_PASSED", "It is past its deadline and was not sent.")
        if exchange.is_away or weather.strikes(Fault.LOST_REQUEST):
            await self._wait(_PATIENCE_S)
            raise _silence("create")
        if weather.strikes(Fault.LATE_REQUEST):
            wait_s = (request.deadline_ts - self._clock.now_ns()) / NS_PER_S + weather.between(-2, _LATEST_S)
            self._do_later(max(wait_s, 0.1), lambda: self._arrive_late(request))
            await self._wait(_PATIENCE_S)
            raise _silence("create")
        await self._pause()
        if weather.strikes(Fault.REFUSED):
            raise VenueRejected("REFUSED", "The exchange does not take it.")
        record = exchange.place(request)
        self._names[request.order_id] = record.venue_order_id
        if exchange.manners.settles_later and self._refuse_later(record):
            return self._report(request.order_id, record)
        if weather.strikes(Fault.DONE_BUT_ERROR):
            raise _silence("create, error 500")
        if weather.strikes(Fault.LOST_REPLY):
            await self._wait(_PATIENCE_S)
            raise _silence("create")
        if weather.strikes(Fault.FILL_BEFORE_ANSWER):
            await self._wait(weather.between(0.5, 4.0))
        await self._pause()
        await self._returning()
        return self._report(request.order_id, exchange.orders[record.venue_order_id])

    def _arrive_late(self, request: OrderRequest) -> None:
        try:
            self._exchange.place(request)
        except VenueRejected:
            return  # nobody listens to the answer any more

    def _refuse_later(self, record: OrderRecord) -> bool:
        """Let an exchange that answers before it has looked find that it does not want the order."""
        if record.status is not VenueStatus.OPEN or record.filled_quantity:
            return False
        if not self._weather.strikes(Fault.LATE_REFUSAL):
            return False
        self._do_later(1.0, lambda: self._exchange.cancel(record.venue_order_id))
        return True

    async def cancel_order(self, order_id: UUID, instrument_id: str) -> OrderReport:
        weather, exchange = self._weather, self._exchange
        if exchange.is_away or weather.strikes(Fault.LOST_CANCEL):
            await self._wait(_PATIENCE_S)
            raise _silence("cancel")
        await self._pause()
        name = await self._name_of(order_id)
        if name is None or weather.strikes(Fault.UNKNOWN_ON_CANCEL):
            raise _silence("cancel: unknown order")
        record = exchange.orders[name]
        if record.status is VenueStatus.OPEN and weather.strikes(Fault.CANCEL_OF_FILLED):
            exchange.complete(name)
        late = record.type is not OrderType.MARKET and weather.strikes(Fault.LATE_FILL)
        record = exchange.cancel(name)
        if late:
            self._do_later(weather.between(*_LATE_FILL_S), lambda: exchange.fill_late(name))
        if weather.strikes(Fault.LOST_CANCEL_REPLY):
            await self._wait(_PATIENCE_S)
            raise _silence("cancel")
        await self._returning()
        return self._report(order_id, record)

    # -- reads ---------------------------------------------------------------------------------------

    async def fetch_order(self, order_id: UUID, instrument_id: str) -> OrderReport | None:
        if self._exchange.is_away or self._weather.strikes(Fault.SILENT_READ):
            await self._wait(_PATIENCE_S)
            raise _silence("order")
        await self._pause()
        name = await self._name_of(order_id)
        if name is None or self._is_hidden(self._exchange.orders[name]):
            return None
        report = self._report(order_id, self._exchange.orders[name])
        if report.fills and self._weather.strikes(Fault.WITHHELD_TRADE):
            report = _without_last_fill(report)
        await self._returning()
        return report

    async def fetch_open_orders(self) -> Sequence[OrderReport]:
        return [
            self._report(record.order_id, record)
            for record in await self.fetch_open_records()
            if record.order_id is not None
        ]

    async def fetch_record(self, venue_order_id: str, instrument_id: str) -> OrderRecord | None:
        await self._read("one order")
        return self._exchange.orders.get(venue_order_id)

    async def fetch_open_records(self) -> Sequence[OrderRecord]:
        await self._read("open orders")
        return [record for record in self._visible() if record.status is VenueStatus.OPEN]

    async def fetch_records_since(self, ts: int) -> Sequence[OrderRecord]:
        await self._read("orders")
        return [record for record in self._visible() if to_ns(record.updated_at or record.created_at) >= ts]

    async def fetch_fills_since(self, ts: int) -> Sequence[AccountFill]:
        await self._read("executions")
        since = to_datetime(ts)
        return [fill for fill in self._exchange.fills if fill.executed_at >= since]

    async def fetch_balances(self) -> Mapping[str, Balance]:
        await self._read("balances")
        return self._exchange.balances()

    async def fetch_fees(self, instrument: Instrument) -> Fees:
        return self._exchange.fees()

    async def events(self) -> AsyncIterator[AccountEvent]:
        yield StreamGap("it has just been opened")
        while True:
            event = await self._told.get()
            if isinstance(event, StreamGap):
                self._looks.clear()
                self.gap_ns = self._clock.now_ns()
            yield event

    @property
    def was_seen_whole(self) -> bool:
        """Whether every part of the account has been read since its stream last broke."""
        return self._looks == _PARTS

    def hear(self, event: AccountEvent) -> None:
        self._told.put_nowait(event)

    def break_stream(self) -> None:
        """Lose what the stream had to say and has not been heard."""
        while not self._told.empty():
            self._told.get_nowait()
        self._told.put_nowait(StreamGap("it was interrupted"))

    async def close(self) -> None:
        if self in self._exchange.listeners:
            self._exchange.listeners.remove(self)

    # -- parts ---------------------------------------------------------------------------------------

    async def _read(self, what: str) -> None:
        if self._exchange.is_away or self._weather.strikes(Fault.SILENT_READ):
            await self._wait(_PATIENCE_S)
            raise Unavailable("VENUE_UNREACHABLE", f"The exchange did not answer ({what}).")
        await self._pause()
        await self._returning()
        self._looks.add(what)

    def _visible(self) -> list[OrderRecord]:
        records = list(self._exchange.orders.values())
        if not self._weather.strikes(Fault.STALE_READ):
            return records
        return [record for record in records if not self._is_young(record)]

    def _is_hidden(self, record: OrderRecord) -> bool:
        return self._is_young(record) and self._weather.strikes(Fault.STALE_READ)

    def _is_young(self, record: OrderRecord) -> bool:
        return self._clock.now_ns() - to_ns(record.created_at) < _STALE_NS

    async def _name_of(self, order_id: UUID) -> str | None:
        """Return the exchange's name of an order, as far as it can be found by what the exchange keeps.

        Raises: OutcomeUnknown where it keeps no ids of ours and several trades may be this order.
        """
        exchange = self._exchange
        if exchange.manners.scope is not ClientIdScope.NONE:
            return exchange.ours.get(order_id)
        if order_id in self._names:
            return self._names[order_id]
        terms = await self._recall(order_id)
        if terms is None:
            return None
        if terms.venue_order_id is not None:
            return terms.venue_order_id
        alike = self._alike(terms)
        if len(alike) > 1:
            raise _silence("several trades are like this one")
        return alike[0] if alike else None

    def _alike(self, terms: OrderTerms) -> list[str]:
        taken = set(self._names.values()) | self._exchange.hand_trades
        return [
            name
            for name, record in self._exchange.orders.items()
            if name not in taken and (record.side, record.quantity) == (terms.side, terms.quantity)
        ]

    def _report(self, order_id: UUID, record: OrderRecord) -> OrderReport:
        fills = [fill for fill in self._exchange.fills if fill.venue_order_id == record.venue_order_id]
        return record.report(order_id, fills)

    def _do_later(self, seconds: float, action: Callable[[], object]) -> None:
        async def act() -> None:
            await self._clock.sleep(seconds)
            action()

        task = asyncio.get_running_loop().create_task(act())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _pause(self) -> None:
        await self._clock.sleep(self._weather.between(*_QUICK_S))

    async def _wait(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


def _without_last_fill(report: OrderReport) -> OrderReport:
    return replace(report, fills=report.fills[:-1])
