"""An account as the engine's venue: reports wait for the next row, gaps make it ask for everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple, cast
from uuid import UUID

import pytest

from amarktai.domain.errors import Unavailable
from amarktai.domain.fill import Fill, Liquidity
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.market import EventKind
from amarktai.domain.money import ZERO
from amarktai.domain.order import Order, OrderType, Side
from amarktai.ports.clock import to_datetime
from amarktai.ports.exchange import AccountEvent, ExchangeAccount, OrderChanged, StreamGap
from amarktai.ports.venue import OrderReport, OrderRequest, OutcomeUnknown, VenueStatus
from amarktai.venues.account_venue import AccountVenue
from tests.fakes import HandClock, SeededIds

MARKET = "luno:BTC/ZAR"


class Known(NamedTuple):
    """The two fields of an order that restoring reads."""

    id: UUID
    instrument_id: str


class Account:
    """An account whose records a test writes. It stands at the port."""

    platform = Platform.LUNO
    account = "main"

    def __init__(self) -> None:
        self.records: dict[UUID, OrderReport] = {}
        self.told: asyncio.Queue[AccountEvent] = asyncio.Queue()
        self.is_away = False

    async def create_order(self, request: OrderRequest) -> OrderReport:
        report = OrderReport(request.order_id, "v1", VenueStatus.OPEN, ZERO, (), to_datetime(0))
        self.records[request.order_id] = report
        return report

    async def fetch_order(self, order_id: UUID, instrument_id: str) -> OrderReport | None:
        if self.is_away:
            raise Unavailable("VENUE_UNREACHABLE", "Luno does not answer.")
        return self.records.get(order_id)

    async def events(self) -> AsyncIterator[AccountEvent]:
        while True:
            yield await self.told.get()
            self.told.task_done()


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
async def venue(account: Account) -> AsyncIterator[AccountVenue]:
    venue = AccountVenue(cast(ExchangeAccount, account), Origin.SYNTHETIC)
    listening = asyncio.create_task(venue.listen())
    yield venue
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening


async def place(venue: AccountVenue) -> UUID:
    order_id = SeededIds(HandClock()).new()
    await venue.create_order(
        OrderRequest(
            order_id,
            MARKET,
            Side.BUY,
            OrderType.LIMIT,
            Decimal(2),
            Decimal(10),
            None,
            False,
            False,
            None,
            0,
            1,
        )
    )
    return order_id


def fill(account: Account, order_id: UUID, quantity: int) -> None:
    """Let the exchange record an execution."""
    before = account.records[order_id]
    done = Fill(
        order_id, f"t{len(before.fills)}", Side.BUY, Decimal(quantity), Decimal(10), ZERO, "ZAR",
        Liquidity.MAKER, to_datetime(0), Origin.LIVE,
    )  # fmt: skip
    fills = (*before.fills, done)
    total = sum((item.quantity for item in fills), ZERO)
    status = VenueStatus.FILLED if total == 2 else VenueStatus.OPEN
    account.records[order_id] = replace(before, status=status, filled_quantity=total, fills=fills)


async def tell(account: Account, event: AccountEvent) -> None:
    account.told.put_nowait(event)
    await account.told.join()
    await asyncio.sleep(0)


def row(venue: AccountVenue, market: str = MARKET) -> Sequence[OrderReport]:
    return venue.on_event(market, EventKind.QUOTE, 0, 9.0, 10.0, 0.0, 0.0, 0.0)


async def test_what_the_stream_tells_comes_from_the_records_with_the_next_row(
    account: Account, venue: AccountVenue
) -> None:
    order_id = await place(venue)
    fill(account, order_id, 1)
    await tell(account, OrderChanged("v1", order_id.hex, None))
    await tell(account, OrderChanged("x", "a manual order", None))
    assert row(venue, "luno:ETH/ZAR") == []
    (report,) = row(venue)
    assert report.filled_quantity == 1
    assert [item.origin for item in report.fills] == [Origin.SYNTHETIC]
    assert row(venue) == []


async def test_after_a_gap_every_open_order_is_asked_for(account: Account, venue: AccountVenue) -> None:
    order_id = await place(venue)
    fill(account, order_id, 2)
    await tell(account, StreamGap("the connection broke"))
    assert [report.status for report in row(venue)] == [VenueStatus.FILLED]
    await tell(account, StreamGap("again"))
    assert row(venue) == [], "an order that is over is not asked for any more"
    assert venue.gaps == 2


async def test_an_exchange_that_is_away_leaves_the_outcome_unknown(
    account: Account, venue: AccountVenue
) -> None:
    order_id = await place(venue)
    account.is_away = True
    await tell(account, OrderChanged("v1", order_id.hex, None))
    assert row(venue) == []
    with pytest.raises(OutcomeUnknown):
        await venue.fetch_order(order_id, MARKET)


async def test_orders_of_an_earlier_process_are_heard_of(account: Account, venue: AccountVenue) -> None:
    order_id = await place(venue)
    later = AccountVenue(cast(ExchangeAccount, account), Origin.LIVE)
    later.restore([cast(Order, Known(order_id, MARKET))])
    listening = asyncio.create_task(later.listen())
    fill(account, order_id, 1)
    await tell(account, StreamGap("a start"))
    await asyncio.sleep(0.01)
    assert len([*row(venue), *row(later)]) == 1
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
