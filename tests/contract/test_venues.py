"""The paper venue, and the paper venue behind a line without faults, keep the venue contract."""

from __future__ import annotations

from decimal import Decimal

import pytest

from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.market import EventKind
from amarktai.ports.venue import TradingVenue
from amarktai.venues.exchanges.luno import VENUE
from amarktai.venues.paper import PaperVenue
from tests.contract.venue_contract import VenueContract
from tests.fakes import HandClock, SeededRng
from tests.venues.faulty import FaultyVenue


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def _paper(clock: HandClock) -> PaperVenue:
    return PaperVenue(
        platform=Platform.LUNO,
        account="paper",
        instruments=VENUE.instruments,
        origin=Origin.SYNTHETIC,
        clock=clock,
    )


class TestPaperVenue(VenueContract):
    @pytest.fixture
    def venue(self, clock: HandClock) -> TradingVenue:
        self.clock = clock
        return _paper(clock)

    def trade_through(self, venue: TradingVenue, price: Decimal) -> None:
        assert isinstance(venue, PaperVenue | FaultyVenue)
        for bid in (float(price) + 100, float(price) - 100):
            venue.on_event(
                self.instrument_id, EventKind.QUOTE, self.clock.now_ns(), bid, bid + 1, 0.0, 0.0, 0.0
            )


class TestFaultyVenueWithoutFaults(TestPaperVenue):
    @pytest.fixture
    def venue(self, clock: HandClock) -> TradingVenue:
        self.clock = clock
        return FaultyVenue(_paper(clock), SeededRng())
