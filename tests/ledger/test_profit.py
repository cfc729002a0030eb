"""Rollups: the same fills give the same figures, however they are cut into days and scopes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.money import ZERO
from amarktai.ledger.profit import ALL_DAYS, EVERYTHING, BookedFill, EquityBridge, RollupKey, roll_up

money = st.decimals("-1000", "1000", places=8, allow_nan=False)
fills = st.builds(
    lambda bot, platform, day, realized, fees, closes, profit: BookedFill(
        bot_id=UUID(int=bot),
        platform=platform,
        pair="BTC/ZAR",
        day=date(2026, 1, day),
        realized_zar=realized,
        realized_quote=realized if realized is not None else ZERO,
        fees_zar=fees,
        closes_trip=closes,
        closed_profit_zar=profit if closes else None,
    ),
    st.integers(1, 3),
    st.sampled_from(["luno", "binance"]),
    st.integers(1, 28),
    st.none() | money,
    st.none() | money,
    st.booleans(),
    st.none() | money,
)


@given(st.lists(fills, max_size=20))
def test_days_and_scopes_add_up_to_the_user(booked: list[BookedFill]) -> None:
    deltas = roll_up(booked)
    total = deltas.get(RollupKey("user", EVERYTHING, ALL_DAYS))
    assert (total.profit_zar if total else ZERO) == sum((f.realized_zar or ZERO for f in booked), ZERO)
    for scope in ("user", "bot", "platform", "pair"):
        rows = {key: delta for key, delta in deltas.items() if key.scope == scope}
        for is_total in (True, False):
            part = [delta for key, delta in rows.items() if (key.day == ALL_DAYS) is is_total]
            assert sum((delta.profit_zar for delta in part), ZERO) == (total.profit_zar if total else ZERO)
            assert sum(delta.fills for delta in part) == len(booked)


@given(st.lists(fills, max_size=20))
def test_a_trip_without_profit_or_loss_is_neither_win_nor_loss(booked: list[BookedFill]) -> None:
    total = roll_up(booked).get(RollupKey("user", EVERYTHING, ALL_DAYS))
    closed = [fill for fill in booked if fill.closes_trip]
    known = [fill.closed_profit_zar for fill in closed if fill.closed_profit_zar]
    if total is not None:
        assert total.trades == len(closed)
        assert total.wins == sum(profit > 0 for profit in known)
        assert total.losses == sum(profit < 0 for profit in known)


def test_the_bridge_names_what_does_not_add_up() -> None:
    bridge = EquityBridge(Decimal(100), Decimal(5), Decimal(-2), Decimal(1), equity=Decimal("104.01"))
    assert bridge.rounding == Decimal("0.01")
