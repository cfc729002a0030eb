"""The one fill model: when an order fills on market data, at what price, at which fee.

Written over plain numbers, so that the backtest kernel (float64, compiled) and the paper venue
(Decimal) run the same lines; a property test keeps them equal.

Rules of the profile ``honest`` (the only one that paper trading uses):
- A market order decided on a closed bar fills at the next bar's open, worsened by the slippage
  ratio, rounded against us to the tick; taker fee.
- A resting limit order fills only when the price trades *through* it (a touch is not enough), at
  its own price; maker fee. A limit order that crosses on arrival is a taker.
- A stop fills when the price reaches it, at the worse of the stop and the bar's open, worsened by
  the slippage ratio; taker fee.
- Inside one bar the path is pessimistic: the open first, then stops, then targets.
- On quotes, takers pay the ask and receive the bid (no slippage ratio on top), after the latency.
- On books, takers walk the visible levels; what the book does not show is not filled.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from amarktai.domain.money import ceil_to_step, floor_to_step
from amarktai.domain.order import Side

#: Numbers this close to a whole step count as whole: absorbs float64 noise in recorded prices.
STEP_GUARD: Final = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class ExecutionProfile:
    """Assumptions of a simulated execution. Ratios of price; latency in milliseconds."""

    name: str = "honest"
    slippage_ratio: Decimal = Decimal("0.0005")
    latency_ms: int = 250


HONEST: Final = ExecutionProfile()


def round_price_against(side: Side, price: Decimal, tick_size: Decimal) -> Decimal:
    """Return the price on the tick grid that is worse for us: up for buys, down for sells."""
    guard = STEP_GUARD * tick_size
    if side is Side.BUY:
        return ceil_to_step(price - guard, tick_size)
    return floor_to_step(price + guard, tick_size)


def round_quantity_down(quantity: Decimal, lot_size: Decimal) -> Decimal:
    """Return the largest tradable quantity not above ``quantity``."""
    return floor_to_step(quantity + STEP_GUARD * lot_size, lot_size)


def taker_price(side: Side, price: Decimal, slippage_ratio: Decimal, tick_size: Decimal) -> Decimal:
    """Return what a taker gets when the market's next price is ``price``."""
    factor = 1 + slippage_ratio if side is Side.BUY else 1 - slippage_ratio
    return round_price_against(side, price * factor, tick_size)


def stop_is_hit(side: Side, stop_price: Decimal, low: Decimal, high: Decimal) -> bool:
    """Return whether the bar's range reaches the stop (a sell stop below, a buy stop above)."""
    return low <= stop_price if side is Side.SELL else high >= stop_price


def stop_base_price(side: Side, stop_price: Decimal, bar_open: Decimal) -> Decimal:
    """Return the worse of the stop and the open, which is where a gap would have filled us."""
    return min(stop_price, bar_open) if side is Side.SELL else max(stop_price, bar_open)


def limit_is_traded_through(side: Side, limit_price: Decimal, low: Decimal, high: Decimal) -> bool:
    """Return whether the price went strictly beyond the limit."""
    return low < limit_price if side is Side.BUY else high > limit_price
