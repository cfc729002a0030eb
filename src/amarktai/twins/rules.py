"""In what exchanges differ: fees, client ids, and what happens to doubtful orders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Clamped, Context, Decimal, Inexact
from enum import StrEnum
from typing import Final

from amarktai.domain.fill import Liquidity
from amarktai.domain.order import Side
from amarktai.twins.orders import Market, Order

#: A result that does not fit is an error of ours, never a silent rounding.
EXACT: Final = Context(prec=80, traps=[Inexact, Clamped])
_ROUNDING: Final = Context(prec=80)


def arithmetic() -> Context:
    """Return the context in which a twin computes what it shows: averages, percentages, the crowd's prices.

    Named, because a library in the same process may have changed the one that is in force.
    """
    return Context(prec=60)


class Reason(StrEnum):
    """Why an order or a cancel was refused."""

    INSUFFICIENT_FUNDS = "insufficient funds"
    DUPLICATE_CLIENT_ID = "duplicate client id"
    WOULD_MATCH = "post-only would match"
    NOT_ENOUGH_LIQUIDITY = "not enough liquidity"
    SELF_TRADE = "would match own order"
    STOP_WOULD_FIRE = "stop would fire at once"
    NOT_LIVE = "order is not live"


class Refused(Exception):
    """The exchange says no; the twin of each exchange has its code for it."""

    def __init__(self, reason: Reason, order: Order | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.order = order


class ClientIds(StrEnum):
    """How long a client id is taken."""

    FOR_EVER = "for ever"
    WHILE_OPEN = "while open"


@dataclass(frozen=True, slots=True)
class FeeQuestion:
    """What a fee depends on: price in quote per base, quantity in base."""

    market: Market
    account: str
    side: Side
    liquidity: Liquidity
    price: Decimal
    quantity: Decimal


#: Answers (fee asset, exact fee); a negative fee is a rebate.
FeeRule = Callable[[FeeQuestion], tuple[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Rules:
    """In what exchanges differ.

    ``holds_fee``: a buy order reserves the taker fee on top. ``counts_levels``: a book's sequence rises
    by one for each level that changed, not for each change.
    """

    client_ids: ClientIds
    fee: FeeRule
    holds_fee: bool = False
    refuses_self_trade: bool = False
    keeps_failed: bool = False
    market_fills_or_fails: bool = False
    post_only_fails_as_cancelled: bool = False
    counts_levels: bool = False


def rounded(amount: Decimal, places: int, rounding: str) -> Decimal:
    """Return the amount on the exchange's grid of fee places."""
    return amount.quantize(Decimal(1).scaleb(-places), rounding=rounding, context=_ROUNDING)


def ratio(amount: Decimal, divisor: Decimal, places: int, rounding: str) -> Decimal:
    """Return amount / divisor on the exchange's grid of fee places."""
    return rounded(_ROUNDING.divide(amount, divisor), places, rounding)


def fee_in_received_asset(places: int, rounding: str) -> FeeRule:
    """Return the rule of Luno, Binance and VALR: who buys pays in base, who sells in quote."""

    def fee(asked: FeeQuestion) -> tuple[str, Decimal]:
        rate = asked.market.maker_rate if asked.liquidity is Liquidity.MAKER else asked.market.taker_rate
        if asked.side is Side.BUY:
            return asked.market.base, rounded(asked.quantity * rate, places, rounding)
        return asked.market.quote, rounded(asked.quantity * asked.price * rate, places, rounding)

    return fee


def fee_in_quote(places: int, rounding: str) -> FeeRule:
    """Return KuCoin's rule: both sides pay in the quote currency.

    Where a fee is held on top (``holds_fee``) it has to be rounded down, or it could cost more than was held.
    """

    def fee(asked: FeeQuestion) -> tuple[str, Decimal]:
        rate = asked.market.maker_rate if asked.liquidity is Liquidity.MAKER else asked.market.taker_rate
        return asked.market.quote, rounded(asked.quantity * asked.price * rate, places, rounding)

    return fee
