"""What every trading venue must do, whatever is behind it. Adapters join by subclassing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.ports.venue import (
    OrderRequest,
    OutcomeUnknown,
    TradingVenue,
    VenueRejected,
    VenueStatus,
)
from tests.fakes import HandClock, SeededIds


class VenueContract:
    """Subclass it, and give the fixtures ``venue`` and ``clock`` and the method ``trade_through``."""

    instrument_id = "luno:BTC/ZAR"
    #: Of the resting order; the market is above it.
    limit_price = Decimal(900_000)
    quantity = Decimal("0.001000")

    def trade_through(self, venue: TradingVenue, price: Decimal) -> None:
        """Let the market trade well beyond a resting limit order at ``price``."""
        raise NotImplementedError

    def request(self, clock: HandClock, seed: str = "a") -> OrderRequest:
        """Return a limit buy that rests."""
        return OrderRequest(
            order_id=SeededIds(clock, seed).new(),
            instrument_id=self.instrument_id,
            side=Side.BUY,
            type=OrderType.LIMIT,
            quantity=self.quantity,
            price=self.limit_price,
            stop_price=None,
            post_only=False,
            reduce_only=False,
            oco_group=None,
            sent_ts=clock.now_ns(),
            deadline_ts=clock.now_ns() + 10_000_000_000,
        )

    async def test_an_accepted_order_is_found_by_its_client_id(
        self, venue: TradingVenue, clock: HandClock
    ) -> None:
        request = self.request(clock)
        created = await venue.create_order(request)
        assert created.order_id == request.order_id
        assert created.status is VenueStatus.OPEN
        found = await venue.fetch_order(request.order_id, request.instrument_id)
        assert found is not None
        assert found.venue_order_id == created.venue_order_id
        assert [report.order_id for report in await venue.fetch_open_orders()] == [request.order_id]

    async def test_an_order_that_never_arrived_is_absent(self, venue: TradingVenue, clock: HandClock) -> None:
        assert await venue.fetch_order(SeededIds(clock, "none").new(), self.instrument_id) is None

    async def test_a_client_id_serves_once(self, venue: TradingVenue, clock: HandClock) -> None:
        request = self.request(clock)
        await venue.create_order(request)
        with pytest.raises(VenueRejected):
            await venue.create_order(request)
        assert len(await venue.fetch_open_orders()) == 1

    async def test_a_request_after_its_deadline_is_refused_and_leaves_nothing(
        self, venue: TradingVenue, clock: HandClock
    ) -> None:
        request = self.request(clock)
        clock.advance(11)
        with pytest.raises(VenueRejected):
            await venue.create_order(request)
        assert await venue.fetch_order(request.order_id, request.instrument_id) is None

    @pytest.mark.parametrize(
        "change",
        [
            {"price": Decimal("0.123456789012345")},
            {"quantity": Decimal("1.000000000000005")},
            {"quantity": ZERO},
            {"price": None},
            {"instrument_id": "luno:DOGE/ZAR"},
        ],
        ids=["off the tick", "off the lot", "nothing", "no price", "unknown instrument"],
    )
    async def test_a_malformed_order_is_refused_and_leaves_nothing(
        self, venue: TradingVenue, clock: HandClock, change: dict[str, Decimal | str | None]
    ) -> None:
        request = replace(self.request(clock), **change)  # type: ignore[arg-type]
        with pytest.raises(VenueRejected) as refused:
            await venue.create_order(request)
        assert refused.value.code
        assert refused.value.detail
        assert await venue.fetch_order(request.order_id, self.instrument_id) is None

    async def test_a_cancel_ends_the_order_once(self, venue: TradingVenue, clock: HandClock) -> None:
        request = self.request(clock)
        await venue.create_order(request)
        first = await venue.cancel_order(request.order_id, request.instrument_id)
        second = await venue.cancel_order(request.order_id, request.instrument_id)
        assert first.status is second.status is VenueStatus.CANCELED
        assert first.filled_quantity == ZERO
        assert list(await venue.fetch_open_orders()) == []

    async def test_cancelling_an_unknown_order_proves_nothing(
        self, venue: TradingVenue, clock: HandClock
    ) -> None:
        with pytest.raises(OutcomeUnknown):
            await venue.cancel_order(SeededIds(clock, "none").new(), self.instrument_id)

    async def test_fills_add_up_to_what_the_order_says(self, venue: TradingVenue, clock: HandClock) -> None:
        request = self.request(clock)
        await venue.create_order(request)
        clock.advance(1)
        self.trade_through(venue, self.limit_price)
        report = await venue.fetch_order(request.order_id, request.instrument_id)
        assert report is not None
        assert report.status is VenueStatus.FILLED
        assert report.filled_quantity == request.quantity
        assert sum((fill.quantity for fill in report.fills), ZERO) == request.quantity
        assert len({fill.venue_trade_id for fill in report.fills}) == len(report.fills)
        assert all(fill.order_id == request.order_id for fill in report.fills)
        assert all(fill.price <= self.limit_price for fill in report.fills)

    async def test_a_filled_order_can_no_longer_be_canceled(
        self, venue: TradingVenue, clock: HandClock
    ) -> None:
        request = self.request(clock)
        await venue.create_order(request)
        clock.advance(1)
        self.trade_through(venue, self.limit_price)
        report = await venue.cancel_order(request.order_id, request.instrument_id)
        assert report.status is VenueStatus.FILLED
