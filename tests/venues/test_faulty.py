"""The faulty venue does what it says: a test that relies on a fault must know that it happens."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.market import NO_TS, EventKind
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType, Side
from amarktai.ports.venue import OrderReport, OrderRequest, OutcomeUnknown, VenueStatus
from amarktai.venues.exchanges.luno import VENUE
from amarktai.venues.paper import PaperVenue
from tests.fakes import HandClock, SeededIds, SeededRng
from tests.venues.faulty import Faults, FaultyVenue

ID = "luno:BTC/ZAR"


class Line:
    """A venue behind a line with these faults, and one resting buy."""

    def __init__(self, faults: Faults) -> None:
        self.clock = HandClock()
        self.ids = SeededIds(self.clock)
        paper = PaperVenue(
            platform=Platform.LUNO,
            account="paper",
            instruments=VENUE.instruments,
            origin=Origin.SYNTHETIC,
            clock=self.clock,
        )
        self.venue = FaultyVenue(paper, SeededRng(), faults)

    def request(self) -> OrderRequest:
        return OrderRequest(
            order_id=self.ids.new(),
            instrument_id=ID,
            side=Side.BUY,
            type=OrderType.LIMIT,
            quantity=Decimal("0.001"),
            price=Decimal(900_000),
            stop_price=None,
            post_only=False,
            reduce_only=False,
            oco_group=None,
            sent_ts=self.clock.now_ns(),
            deadline_ts=NO_TS,
        )

    def quote(self, bid: float) -> list[OrderReport]:
        self.clock.advance(1)
        return self.venue.on_event(ID, EventKind.QUOTE, self.clock.now_ns(), bid, bid + 1, 0, 0, 0)


async def test_a_lost_request_never_arrives() -> None:
    line = Line(Faults(lost_requests=1))
    request = line.request()
    with pytest.raises(OutcomeUnknown):
        await line.venue.create_order(request)
    assert await line.venue.fetch_order(request.order_id, ID) is None
    assert line.venue.received == {}


async def test_a_lost_reply_hides_an_order_that_lives() -> None:
    line = Line(Faults(lost_replies=1, lost_cancel_replies=1))
    request = line.request()
    with pytest.raises(OutcomeUnknown):
        await line.venue.create_order(request)
    assert line.venue.received == {request.order_id: 1}
    with pytest.raises(OutcomeUnknown):
        await line.venue.cancel_order(request.order_id, ID)
    report = await line.venue.fetch_order(request.order_id, ID)
    assert report is not None
    assert report.status is VenueStatus.CANCELED


async def test_a_lost_cancel_leaves_the_order_working() -> None:
    line = Line(Faults(lost_cancels=1))
    request = line.request()
    await line.venue.create_order(request)
    with pytest.raises(OutcomeUnknown):
        await line.venue.cancel_order(request.order_id, ID)
    assert len(await line.venue.fetch_open_orders()) == 1
    line.venue.faults = Faults(lost_queries=1)
    with pytest.raises(OutcomeUnknown):
        await line.venue.fetch_open_orders()
    with pytest.raises(OutcomeUnknown):
        await line.venue.fetch_order(request.order_id, ID)


async def test_fills_are_split_doubled_and_reordered_without_being_changed() -> None:
    line = Line(Faults(split_lot=Decimal("0.000001"), doubled=1, reordered=1))
    request = line.request()
    await line.venue.create_order(request)
    line.quote(900_100)
    reports = line.quote(899_000)
    assert [report.status for report in reports] == [VenueStatus.FILLED] * 2 + [VenueStatus.OPEN] * 2
    assert [report.filled_quantity for report in reports] == [Decimal("0.001")] * 2 + [Decimal("0.0005")] * 2
    whole = await line.venue.inner.fetch_order(request.order_id, ID)
    assert whole is not None
    (fill,) = whole.fills
    parts = reports[0].fills
    assert len({part.venue_trade_id for part in parts}) == 2
    assert sum((part.quantity for part in parts), ZERO) == fill.quantity
    assert sum((part.fee_amount for part in parts), ZERO) == fill.fee_amount
    assert replace(parts[0], venue_trade_id="", quantity=ZERO, fee_amount=ZERO) == replace(
        fill, venue_trade_id="", quantity=ZERO, fee_amount=ZERO
    )


async def test_a_delayed_report_comes_with_a_later_row() -> None:
    line = Line(Faults(delayed=1))
    await line.venue.create_order(line.request())
    line.quote(900_100)
    assert line.quote(899_000) == []
    assert line.venue.wake_conditions(ID).at_ts == 0
    line.venue.faults = Faults()
    (late,) = line.quote(899_000)
    assert late.status is VenueStatus.FILLED
