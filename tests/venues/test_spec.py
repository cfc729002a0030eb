"""The five exchanges as data."""

from __future__ import annotations

from decimal import Decimal

import pytest

from amarktai.domain.bar import TIMEFRAME_S
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Platform, split_instrument_id
from amarktai.venues.spec import FeedKind, VenueSpec, load_specs

SPECS = load_specs()


def test_there_is_one_spec_per_platform_in_display_order() -> None:
    assert list(SPECS) == list(Platform)


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.platform.value)
def test_a_spec_is_complete(spec: VenueSpec) -> None:
    assert spec.instruments
    assert len({item.id for item in spec.instruments}) == len(spec.instruments)
    assert spec.note.endswith(".")
    assert spec.requests_per_minute > 0
    assert set(spec.timeframes) <= set(TIMEFRAME_S)
    assert {FeedKind.LIVE, FeedKind.SANDBOX} <= spec.feeds
    assert spec.parse_market is not None
    for item in spec.instruments:
        assert split_instrument_id(item.id) == (spec.platform, item.symbol)
        assert item.tick_size > 0
        assert item.lot_size > 0
        assert item.min_quantity > 0
        assert item.min_quantity % item.lot_size == 0
        assert item.fees.source
        assert abs(item.fees.taker) < Decimal("0.01")


def test_luno_calls_bitcoin_xbt() -> None:
    luno = SPECS[Platform.LUNO]
    assert luno.venue_symbol("BTC", "ZAR") == "XBTZAR"
    found = luno.instrument_of_venue_symbol("XBTZAR")
    assert found is not None
    assert found.symbol == "BTC/ZAR"
    assert luno.instrument_of_venue_symbol("BTCZAR") is None
    assert SPECS[Platform.KUCOIN].venue_symbol("BTC", "USDT") == "BTC-USDT"


def test_an_unknown_symbol_names_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as refused:
        SPECS[Platform.BINANCE].instrument("DOGE/USDT")
    assert "BTC/USDT" in refused.value.action
