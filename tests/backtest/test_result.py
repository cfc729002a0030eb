from __future__ import annotations

from decimal import Decimal

from amarktai.backtest.result import SimulatedFill, round_trips
from amarktai.domain.fill import Liquidity
from amarktai.domain.order import Side

D = Decimal


def fill(ts: int, side: Side, price: str, quantity: str, fee: str, reason: str = "x") -> SimulatedFill:
    return SimulatedFill(ts, "tag", side, D(price), D(quantity), D(fee), Liquidity.TAKER, reason)


def test_a_round_trip_runs_from_flat_to_flat_at_average_prices_net_of_fees() -> None:
    trips = round_trips(
        [
            fill(1, Side.BUY, "100", "1", "0.1"),
            fill(2, Side.BUY, "80", "3", "0.24"),
            fill(3, Side.SELL, "90", "2", "0.18", "half"),
            fill(4, Side.SELL, "100", "2", "0.2", "rest"),
            fill(5, Side.BUY, "100", "1", "0.1"),
        ]
    )
    (trip,) = trips
    assert (trip.opened_ts, trip.closed_ts, trip.exit_reason) == (1, 4, "rest")
    assert (trip.quantity, trip.entry_price, trip.exit_price) == (D(4), D(85), D(95))
    assert trip.fees == D("0.72")
    assert trip.profit == D(40) - D("0.72")


def test_no_fills_make_no_round_trips() -> None:
    assert round_trips([]) == ()
