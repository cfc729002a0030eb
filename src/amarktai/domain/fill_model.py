"""The one fill model: when an order fills on market data, at what price, at which fee.

Plain pure functions. The paper venue and the backtest's event loop call them with decimals; the
kernel (float64, compiled) repeats their arithmetic, and property tests keep the two equal.

Rules of the profile ``honest`` (the only one that paper trading uses):
- A market order decided on a closed bar fills at the next bar's open, worsened by the slippage
  ratio, rounded against us to the tick; taker fee.
- A resting limit order fills only when the price trades *through* it (a touch is not enough), at
  its own price; maker fee. A limit order that crosses on arrival is a taker.
- A stop fills when the price reaches it, at the worse of the stop and the bar's open, worsened by
  the slippage ratio; taker fee.
- Inside one bar the path is pessimistic: the open first, then the low with the stops, then the
  high with the targets.
- On quotes, takers pay the ask and receive the bid (no slippage ratio on top), after the latency.
- On books, takers walk the visible levels; what the book does not show is not filled.

The order of things on bars, for the event loop and the paper venue alike:

1. **Open** (``open_outcome``, at ts_open, in the order of placement): every order that arrived since
   the last open. Market orders fill. A limit order whose taker price is at or better than its
   limit fills as a taker; with post_only it is rejected instead. All others now rest. Each fill is
   delivered before the next order is looked at; what the strategy places in answer is active at
   once (``Placed.AT_OPEN``), except that a market order waits for the next open.
   An order that was placed in answer to a fill inside the last bar arrives here too.
2. **Inside the bar** (``next_bar_fill``, at ts_close, again and again until it returns None): the
   price falls to the low, meeting sell stops and buy limits from the highest down; then it rises to
   the high, meeting sell limits and buy stops from the lowest up; at one price stops come first.
   Each fill is delivered before the next is looked for. Orders placed now (``Placed.INSIDE``) take
   part if they are stops, since the adverse extreme may still come; limit orders wait for the next
   bar, since the good extreme may have passed.
3. **Close** (at ts_close): the strategy decides. Its cancels act at once, before its places; what it
   places (``Placed.AT_CLOSE``) arrives at the next open.

A fill of one order of an OCO group cancels the others of that group before anything else happens.

A buy never costs more than was reserved for it (``within_budget``): where the price ran past that, it
fills for what the reservation pays, and the rest is canceled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Final

from amarktai.domain.fill import Liquidity
from amarktai.domain.instrument import Fees, Instrument
from amarktai.domain.money import ZERO, ceil_to_step, floor_to_step, to_ledger
from amarktai.domain.order import OrderType, Side

#: Numbers this close to a whole step count as whole, in steps: absorbs the float64 noise of recorded
#: prices (a relative 1e-15 on up to 1e8 steps). Not a round number, so that no product of prices and
#: ratios with up to six digits lands on the border itself.
STEP_GUARD: Final = Decimal("5e-7")

#: Relative slack of the minimum notional, for the same reason.
NOTIONAL_GUARD: Final = Decimal("1e-9")

#: Why the rest of a buy was canceled that its reservation did not pay for.
BUDGET_SPENT: Final = "the price ran past what was reserved for it"


@dataclass(frozen=True, slots=True)
class ExecutionProfile:
    """Assumptions of a simulated execution. Ratios of price; latency in milliseconds."""

    name: str = "honest"
    slippage_ratio: Decimal = Decimal("0.0005")
    latency_ms: int = 250


HONEST: Final = ExecutionProfile()


class Placed(IntEnum):
    """When an order reached the market, as far as its first bar is concerned."""

    AT_CLOSE = 0  # after a bar's close: arrives at the next open
    AT_OPEN = 1  # in answer to a fill at the open: rests from there on
    INSIDE = 2  # in answer to a fill inside the bar
    EARLIER = 3  # has rested since an earlier bar


@dataclass(frozen=True, slots=True)
class SimulatedOrder:
    """What the fill model needs to know of a working order.

    ``sequence`` is the order of placement. Units: quantity base (what is still open), prices quote
    per base. ``price`` is set for limits, ``stop_price`` for stops.
    """

    sequence: int
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    post_only: bool = False
    placed: Placed = Placed.EARLIER


class OpenVerdict(StrEnum):
    FILL = "fill"
    REST = "rest"
    REJECT = "reject"  # post_only would have crossed


@dataclass(frozen=True, slots=True)
class OpenOutcome:
    """What becomes of an arriving order at the open. ``price`` is set when it fills, as a taker."""

    verdict: OpenVerdict
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BarFill:
    """One fill inside a bar: all of the order's open quantity at ``price``."""

    order: SimulatedOrder
    price: Decimal
    liquidity: Liquidity


@dataclass(frozen=True, slots=True)
class PriceRange:
    """The part of a bar that fills depend on, quote per base."""

    open: Decimal
    high: Decimal
    low: Decimal


def exact(price: float) -> Decimal:
    """Return the decimal that a recorded float64 price was written as (its shortest form)."""
    return Decimal(repr(float(price)))


def round_price_against(side: Side, price: Decimal, tick_size: Decimal) -> Decimal:
    """Return the price on the tick grid that is worse for us: up for buys, down for sells."""
    guard = STEP_GUARD * tick_size
    if side is Side.BUY:
        return ceil_to_step(price - guard, tick_size)
    return floor_to_step(price + guard, tick_size)


def round_quantity_down(quantity: Decimal, lot_size: Decimal) -> Decimal:
    """Return the largest tradable quantity not above ``quantity`` (up to the guard).

    For sizes computed from prices. What is held is exact: use ``floor_to_step`` there.
    """
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


def limit_crosses(side: Side, limit_price: Decimal, price: Decimal) -> bool:
    """Return whether a taker at ``price`` respects the limit."""
    return price <= limit_price if side is Side.BUY else price >= limit_price


def open_outcome(
    order: SimulatedOrder, bar_open: Decimal, instrument: Instrument, profile: ExecutionProfile
) -> OpenOutcome:
    """Return what becomes of an arriving order at the open (rule 1)."""
    if order.type is OrderType.STOP_MARKET:
        return OpenOutcome(OpenVerdict.REST)
    price = taker_price(order.side, bar_open, profile.slippage_ratio, instrument.tick_size)
    if order.type is OrderType.MARKET:
        return OpenOutcome(OpenVerdict.FILL, price)
    assert order.price is not None
    if not limit_crosses(order.side, order.price, price):
        return OpenOutcome(OpenVerdict.REST)
    if order.post_only:
        return OpenOutcome(OpenVerdict.REJECT)
    return OpenOutcome(OpenVerdict.FILL, price)


def next_bar_fill(
    orders: Iterable[SimulatedOrder],
    bar: PriceRange,
    instrument: Instrument,
    profile: ExecutionProfile,
) -> BarFill | None:
    """Return the next fill inside the bar, or None when no working order fills any more (rule 2)."""
    best: BarFill | None = None
    best_rank: tuple[int, Decimal, int, int] | None = None
    for order in orders:
        fill = _bar_fill(order, bar, instrument, profile)
        if fill is None:
            continue
        rank = _rank(order)
        if best_rank is None or rank < best_rank:
            best, best_rank = fill, rank
    return best


def _bar_fill(
    order: SimulatedOrder, bar: PriceRange, instrument: Instrument, profile: ExecutionProfile
) -> BarFill | None:
    if order.type is OrderType.MARKET:
        return None
    if order.type is OrderType.STOP_MARKET:
        assert order.stop_price is not None
        if not stop_is_hit(order.side, order.stop_price, bar.low, bar.high):
            return None
        base = stop_base_price(order.side, order.stop_price, bar.open)
        price = taker_price(order.side, base, profile.slippage_ratio, instrument.tick_size)
        return BarFill(order, price, Liquidity.TAKER)
    assert order.price is not None
    if order.placed is Placed.INSIDE:
        return None
    if not limit_is_traded_through(order.side, order.price, bar.low, bar.high):
        return None
    return BarFill(order, order.price, Liquidity.MAKER)


def _rank(order: SimulatedOrder) -> tuple[int, Decimal, int, int]:
    """Return the place on the path open → low → high: smaller comes first."""
    is_stop = order.type is OrderType.STOP_MARKET
    level = order.stop_price if is_stop else order.price
    assert level is not None
    if (order.side is Side.SELL) is is_stop:
        return 0, -level, 0 if is_stop else 1, order.sequence
    return 1, level, 0 if is_stop else 1, order.sequence


def notional(quantity: Decimal, price: Decimal) -> Decimal:
    """Return quantity × price in quote, at the ledger's scale."""
    return to_ledger(quantity * price)


def fee(fill_notional: Decimal, liquidity: Liquidity, fees: Fees) -> Decimal:
    """Return the fee in quote, at the ledger's scale. Simulated venues take fees in quote."""
    ratio = fees.maker if liquidity is Liquidity.MAKER else fees.taker
    return to_ledger(fill_notional * ratio)


def buy_reservation(
    quantity: Decimal, limit_price: Decimal | None, market_price: Decimal, fees: Fees
) -> Decimal:
    """Return the quote to reserve for a buy, taker fee included; market buys add the cushion.

    ``limit_price`` None means a market or stop order, priced from ``market_price``.
    """
    if limit_price is not None:
        return to_ledger(quantity * limit_price * (1 + fees.taker))
    return to_ledger(quantity * market_price * (1 + fees.taker + fees.cushion))


def within_budget(
    quantity: Decimal, price: Decimal, liquidity: Liquidity, budget: Decimal | None, instrument: Instrument
) -> Decimal:
    """Return the part of a fill of ``quantity`` at ``price`` that ``budget`` pays, fee included.

    Units: base, quote per base, quote. None is no limit: sales have none. Less than everything is rounded
    down to the lot.
    """

    def cost(part: Decimal) -> Decimal:
        value = notional(part, price)
        return value + fee(value, liquidity, instrument.fees)

    if budget is None or cost(quantity) <= budget:
        return quantity
    ratio = instrument.fees.maker if liquidity is Liquidity.MAKER else instrument.fees.taker
    part = min(quantity, round_quantity_down(max(budget, ZERO) / (price * (1 + ratio)), instrument.lot_size))
    # The guard of the rounding, and the ledger's own rounding, may be a lot too generous.
    while part > 0 and cost(part) > budget:
        part -= instrument.lot_size
    return max(part, ZERO)


def affordable_quantity(budget: Decimal, price: Decimal, instrument: Instrument) -> Decimal:
    """Return the largest market buy, in base, that ``budget`` pays at ``price`` with fee and cushion."""
    if budget <= 0:
        return Decimal(0)
    unit_cost = price * (1 + instrument.fees.taker + instrument.fees.cushion)
    return round_quantity_down(budget / unit_cost, instrument.lot_size)


def refusal(quantity: Decimal, price: Decimal, instrument: Instrument) -> str | None:
    """Return why an order of this size would not be accepted by the venue, or None."""
    if quantity <= 0 or quantity < instrument.min_quantity:
        return (
            f"the size of {quantity} {instrument.base} is below the minimum of "
            f"{instrument.min_quantity} {instrument.base}"
        )
    if quantity * price < instrument.min_notional * (1 - NOTIONAL_GUARD):
        return (
            f"the value of {quantity * price} {instrument.quote} is below the minimum of "
            f"{instrument.min_notional} {instrument.quote}"
        )
    return None
