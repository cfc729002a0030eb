"""A user's account at an exchange as the order path sends to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.instrument import Origin
from amarktai.domain.market import NO_TS
from amarktai.ports.clock import Clock
from amarktai.ports.exchange import ExchangeAccount
from amarktai.ports.venue import OrderReport, OrderRequest, OutcomeUnknown
from amarktai.services.reconcile import labelled

#: Between a hint that something moved and the look at the account: what moves together is seen together.
SETTLE_S: Final = 1.0


class LiveVenue:
    """An account as the order path sends to it. Implements ports.venue.TradingVenue."""

    def __init__(
        self, account: ExchangeAccount, origin: Origin, clock: Clock, doubt: Callable[[], None]
    ) -> None:
        self.platform = account.platform
        self.account = account.account
        self._inner = account
        self._origin = origin
        self._clock = clock
        self._doubt = doubt
        self._fresh: dict[UUID, int] = {}

    def is_fresh(self, order_id: UUID) -> bool:
        """Whether its create has no answer yet, or has had one only just now: the books may not know it."""
        until = self._fresh.get(order_id)
        return until is not None and self._clock.now_ns() < until

    async def create_order(self, request: OrderRequest) -> OrderReport:
        now = self._clock.now_ns()
        self._fresh = {order_id: until for order_id, until in self._fresh.items() if now < until}
        self._fresh[request.order_id] = NO_TS
        try:
            return await self._labelled(self._inner.create_order(request))
        finally:
            self._fresh[request.order_id] = self._clock.now_ns() + round(SETTLE_S * NS_PER_S)

    async def cancel_order(self, order_id: UUID, instrument_id: str) -> OrderReport:
        return await self._labelled(self._inner.cancel_order(order_id, instrument_id))

    async def fetch_order(self, order_id: UUID, instrument_id: str) -> OrderReport | None:
        report = await self._inner.fetch_order(order_id, instrument_id)
        return None if report is None else labelled(report, self._origin)

    async def fetch_open_orders(self) -> Sequence[OrderReport]:
        return [labelled(report, self._origin) for report in await self._inner.fetch_open_orders()]

    async def _labelled(self, call: Awaitable[OrderReport]) -> OrderReport:
        try:
            return labelled(await call, self._origin)
        except OutcomeUnknown:
            self._doubt()
            raise
