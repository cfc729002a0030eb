"""Round trips: what fills add up to, in quote and in rand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.fill import Fill, Liquidity
from amarktai.domain.instrument import Origin
from amarktai.domain.money import ZERO, to_ledger
from amarktai.domain.order import Side
from amarktai.domain.position import Realised
from amarktai.domain.round_trip import RoundTrip, RoundTripStatus, ZarRate, add_fill

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TRIP = RoundTrip(UUID(int=1), UUID(int=2), "luno:BTC/ZAR", "grid", Origin.RECORDED, "ZAR", NOW)
RATE = ZarRate(Decimal(18), "test", NOW)
NO_RATE = ZarRate(None, None, None, "no ZAR rate")


def fill(side: Side, quantity: str, price: str, minutes: int = 0) -> Fill:
    at = NOW + timedelta(minutes=minutes)
    return Fill(
        UUID(int=3), f"t{minutes}", side, Decimal(quantity), Decimal(price), ZERO, "ZAR",
        Liquidity.TAKER, at, Origin.RECORDED,
    )  # fmt: skip


def test_buys_make_the_entry_and_realise_nothing() -> None:
    trip = add_fill(
        TRIP, fill(Side.BUY, "2", "10"), Realised(ZERO, ZERO), RATE, is_flat=False, exit_reason=""
    )
    trip = add_fill(
        trip, fill(Side.BUY, "2", "20"), Realised(ZERO, ZERO), RATE, is_flat=False, exit_reason=""
    )
    assert trip.entry_price == Decimal(15)
    assert trip.status is RoundTripStatus.OPEN and trip.profit_zar == ZERO and trip.exit_price is None


@given(gains=st.lists(st.decimals("-999", "999", places=8), min_size=1, max_size=6))
def test_sales_add_up_and_the_last_one_closes(gains: list[Decimal]) -> None:
    trip = TRIP
    for minute, gain in enumerate(gains):
        realised = Realised(gross=gain, fees=Decimal("0.5"))
        is_last = minute == len(gains) - 1
        sale = fill(Side.SELL, "1", "10", minute)
        trip = add_fill(trip, sale, realised, RATE, is_flat=is_last, exit_reason="stop loss")
    assert trip.profit_quote == sum(gains, ZERO) - Decimal("0.5") * len(gains)
    assert trip.profit_zar == sum((to_ledger((gain - Decimal("0.5")) * 18) for gain in gains), ZERO)
    assert trip.gross_zar is not None and trip.fees_zar is not None
    assert trip.gross_zar - trip.fees_zar == trip.profit_zar
    assert trip.status is RoundTripStatus.CLOSED and trip.exit_reason == "stop loss"
    assert trip.closed_at == NOW + timedelta(minutes=len(gains) - 1)


def test_one_sale_without_a_rate_makes_the_rand_figures_unknown_for_good() -> None:
    realised = Realised(Decimal(1), ZERO)
    trip = add_fill(TRIP, fill(Side.SELL, "1", "1"), realised, NO_RATE, is_flat=False, exit_reason="exit")
    trip = add_fill(trip, fill(Side.SELL, "1", "1", 1), realised, RATE, is_flat=True, exit_reason="exit")
    assert trip.profit_zar is None and trip.zar_reason == "no ZAR rate"
    assert trip.profit_quote == Decimal(2)
