"""The gates between a bot's wish and an order, in their fixed order. Doubt means no trade (O10).

    1 stop          no emergency stop is on (O20)
    2 mode          the system's mode lets this book trade
    3 bot           the bot is active
    4 account       the account at the exchange is not held back, and it is reconciled
    5 freshness     the data behind an entry is not stale
    6 size          tick, lot, minimum quantity and minimum notional
    7 exitability   an entry can be sold again later, at a much worse price too (O17)
    8 self-crossing no order would trade against another of the same account
    9 balance       the bot's own free money or coins cover it, fees included
   10 limits        no circuit breaker is tripped, and no limit of loss, exposure or pace is broken by it
                    (``domain.risk_limits``, ``domain.circuit_breaker``)

Orders that only reduce a position pass 1 to 5, 7 and 10: exits stay possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from amarktai.domain.bot import BotStatus, TradingMode
from amarktai.domain.fill_model import buy_reservation
from amarktai.domain.instrument import DISPLAY_NAMES, Instrument
from amarktai.domain.order import OrderIntent, OrderType, Side

#: An entry must still be sellable after losing this share of its value.
EXIT_HAIRCUT: Final = Decimal("0.25")


@dataclass(frozen=True, slots=True)
class Denial:
    """Which gate refused, with the value and the threshold in words."""

    gate: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class GateContext:
    """What the gates look at. Cash in quote, coins in base, ages in seconds.

    ``stop`` says why the user's bots, or everybody's, are stopped, None where they are not; ``base``
    which entries the system lets leave: paper ones only, or live ones too;
    ``halt`` says why the user's account at the exchange is halted, None where it is not; ``held_back``
    why nothing that adds risk may go there for the moment: it is being reconciled, or does not answer;
    ``opposing`` are the limit prices of the account's working orders on the other side.
    """

    stop: str | None
    base: TradingMode
    trading_mode: TradingMode
    bot_status: BotStatus
    halt: str | None
    account_active: bool
    held_back: str | None
    data_age_s: float
    max_data_age_s: float
    free_cash: Decimal
    free_coins: Decimal
    opposing: Sequence[Decimal]


def is_exit(intent: OrderIntent) -> bool:
    """Return whether the order can only reduce risk: on spot, every sale of what the bot holds."""
    return intent.side is Side.SELL


def first_denial(intent: OrderIntent, instrument: Instrument, context: GateContext) -> Denial | None:
    """Return the first gate that refuses, or None when the order may leave."""
    for gate in (_stop, _mode, _bot, _account, _freshness, _size, _exitability, _self_crossing, _balance):
        denial = gate(intent, instrument, context)
        if denial is not None:
            return denial
    return None


def reservation(intent: OrderIntent, instrument: Instrument) -> tuple[str, Decimal]:
    """Return (asset, amount) that the order locks until it ends: quote for buys, coins for sells."""
    if intent.side is Side.SELL:
        return instrument.base, intent.quantity
    amount = buy_reservation(intent.quantity, intent.price, intent.reference_price, instrument.fees)
    return instrument.quote, amount


def _stop(intent: OrderIntent, _: Instrument, c: GateContext) -> Denial | None:
    if is_exit(intent) or c.stop is None:
        return None
    return Denial("stop", "EMERGENCY_STOP_ACTIVE", f"an emergency stop is on: {c.stop}")


def _mode(intent: OrderIntent, _: Instrument, c: GateContext) -> Denial | None:
    if is_exit(intent) or c.trading_mode is TradingMode.PAPER:
        return None
    if c.base is TradingMode.PAPER:
        return Denial("mode", "MODE_DISABLED", "the system trades on paper, live orders do not leave")
    return None


def _bot(intent: OrderIntent, _: Instrument, c: GateContext) -> Denial | None:
    if is_exit(intent) or c.bot_status is BotStatus.ACTIVE:
        return None
    return Denial("bot", "BOT_NOT_ACTIVE", f"the bot is {c.bot_status}, entries need it active")


def _account(intent: OrderIntent, instrument: Instrument, c: GateContext) -> Denial | None:
    if is_exit(intent):
        return None
    if c.halt is not None and c.trading_mode is TradingMode.LIVE:
        return Denial(
            "account",
            "ACCOUNT_HALTED",
            f"the account at {DISPLAY_NAMES[instrument.venue]} is halted: {c.halt}"
            " Save a key that may view and trade and nothing else, and test it.",
        )
    if c.held_back is not None:
        return Denial("account", "ACCOUNT_NOT_ACTIVE", c.held_back)
    if not c.account_active:
        return Denial("account", "ACCOUNT_NOT_ACTIVE", "an earlier order's outcome is not known yet")
    return None


def _freshness(intent: OrderIntent, _: Instrument, c: GateContext) -> Denial | None:
    if is_exit(intent) or 0 <= c.data_age_s <= c.max_data_age_s:
        return None
    return Denial(
        "freshness", "STALE_DATA", f"the data is {c.data_age_s:.0f} s old, at most {c.max_data_age_s:.0f} s"
    )


def _size(intent: OrderIntent, instrument: Instrument, _: GateContext) -> Denial | None:
    if intent.quantity < instrument.min_quantity or intent.quantity <= 0:
        return Denial(
            "size",
            "MINIMUM_ORDER_SIZE",
            f"{intent.quantity:f} {instrument.base} is under the minimum of {instrument.min_quantity:f}",
        )
    for price in (intent.price, intent.stop_price):
        if price is not None and (price <= 0 or price % instrument.tick_size != 0):
            return Denial("size", "TICK_SIZE", f"{price:f} is not on the tick of {instrument.tick_size:f}")
    if intent.quantity % instrument.lot_size != 0:
        return Denial("size", "LOT_SIZE", f"{intent.quantity:f} is not on the lot of {instrument.lot_size:f}")
    notional = intent.quantity * (intent.price or intent.reference_price)
    if intent.type is not OrderType.STOP_MARKET and notional < instrument.min_notional:
        return Denial(
            "size",
            "MINIMUM_ORDER_SIZE",
            f"{notional:.2f} {instrument.quote} is under the minimum of {instrument.min_notional:f}",
        )
    return None


def _exitability(intent: OrderIntent, instrument: Instrument, _: GateContext) -> Denial | None:
    if is_exit(intent):
        return None
    worst = intent.quantity * (intent.price or intent.reference_price) * (1 - EXIT_HAIRCUT)
    if worst >= instrument.min_notional:
        return None
    return Denial(
        "exitability",
        "NOT_EXITABLE",
        f"after a fall of {EXIT_HAIRCUT:.0%} the position would be under the minimum of"
        f" {instrument.min_notional:f} {instrument.quote} and could not be sold",
    )


def _self_crossing(intent: OrderIntent, _: Instrument, c: GateContext) -> Denial | None:
    if intent.price is None or not c.opposing:
        return None
    crosses = intent.price >= min(c.opposing) if intent.side is Side.BUY else intent.price <= max(c.opposing)
    if not crosses:
        return None
    return Denial("self-crossing", "SELF_CROSSING", "it would trade against an order of the same account")


def _balance(intent: OrderIntent, instrument: Instrument, c: GateContext) -> Denial | None:
    asset, amount = reservation(intent, instrument)
    free = c.free_coins if intent.side is Side.SELL else c.free_cash
    if amount <= free:
        return None
    return Denial("balance", "INSUFFICIENT_FUNDS", f"{amount:f} {asset} is needed, {free:f} is free")
