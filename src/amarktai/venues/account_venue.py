"""An exchange account as the engine sees its venues: what the exchange reports comes with the next row.

The account's stream says that something happened; what happened is read from the exchange's records,
with all fills, and waits here until the engine shows the venue a market row of that instrument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Origin
from amarktai.domain.market import EventKind, OrderBook
from amarktai.domain.money import ZERO
from amarktai.domain.order import Order
from amarktai.ports.exchange import ExchangeAccount, FillReported, OrderChanged, StreamGap
from amarktai.ports.venue import OrderReport, OrderRequest, OutcomeUnknown, VenueStatus, WakeConditions
from amarktai.venues.account_records import order_id_of


class AccountVenue:
    """Implements ports.venue.SimulatedVenue over an account. ``origin`` labels its fills."""

    def __init__(self, account: ExchangeAccount, origin: Origin) -> None:
        self.platform = account.platform
        self.account = account.account
        self.gaps = 0
        self._inner = account
        self._origin = origin
        self._instruments: dict[UUID, str] = {}
        self._pending: dict[str, list[OrderReport]] = {}

    async def create_order(self, request: OrderRequest) -> OrderReport:
        self._instruments[request.order_id] = request.instrument_id
        return self._label(await self._inner.create_order(request))

    async def cancel_order(self, order_id: UUID, instrument_id: str) -> OrderReport:
        return self._label(await self._inner.cancel_order(order_id, instrument_id))

    async def fetch_order(self, order_id: UUID, instrument_id: str) -> OrderReport | None:
        """As the port says; an exchange that cannot be asked leaves the outcome unknown."""
        try:
            report = await self._inner.fetch_order(order_id, instrument_id)
        except Unavailable as silence:
            raise OutcomeUnknown(silence.code, silence.detail, silence.action) from silence
        return None if report is None else self._label(report)

    async def fetch_open_orders(self) -> Sequence[OrderReport]:
        return [self._label(report) for report in await self._inner.fetch_open_orders()]

    async def listen(self) -> None:
        """Take in what the account's stream says, until cancelled."""
        async for event in self._inner.events():
            if isinstance(event, StreamGap):
                self.gaps += 1
                for order_id in list(self._instruments):
                    await self._look_up(order_id)
            elif isinstance(event, OrderChanged):
                await self._hear(event.client_order_id)
            elif isinstance(event, FillReported):
                await self._hear(event.fill.client_order_id)

    async def _hear(self, client_order_id: str | None) -> None:
        order_id = order_id_of(client_order_id)
        if order_id is not None and order_id in self._instruments:
            await self._look_up(order_id)

    async def _look_up(self, order_id: UUID) -> None:
        instrument_id = self._instruments.get(order_id)
        if instrument_id is None:
            return
        try:
            report = await self.fetch_order(order_id, instrument_id)
        except OutcomeUnknown:
            return  # the engine's own reconcile asks again
        if report is not None:
            self._pending.setdefault(instrument_id, []).append(report)

    def on_event(  # noqa: PLR0913 - the columns of a batch's row
        self,
        instrument_id: str,
        kind: EventKind,
        ts: int,
        a: float,
        b: float,
        c: float,
        d: float,
        e: float,
        book: OrderBook | None = None,
    ) -> list[OrderReport]:
        """Return what was reported since the last row of the instrument."""
        return self._pending.pop(instrument_id, [])

    def wake_conditions(self, instrument_id: str) -> WakeConditions:
        """Every row matters: reports do not wait for prices."""
        return WakeConditions(at_ts=0)

    def restore(self, orders: Sequence[Order]) -> None:
        """Know the orders of an earlier process again; the exchange has kept them itself."""
        self._instruments.update({order.id: order.instrument_id for order in orders})

    def _label(self, report: OrderReport) -> OrderReport:
        """Return the report with its fills' origin; an order that is over is not listened for any more."""
        booked = sum((fill.quantity for fill in report.fills), ZERO)
        if report.status is not VenueStatus.OPEN and booked == report.filled_quantity:
            self._instruments.pop(report.order_id, None)
        fills = tuple(replace(fill, origin=self._origin) for fill in report.fills)
        return replace(report, fills=fills)
