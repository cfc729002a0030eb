"""How much to order: sizes from budgets and from what is held; and how to leave. Pure, decimals only."""

from __future__ import annotations

from decimal import Decimal

from amarktai.domain.fill_model import affordable_quantity, exact, refusal, round_quantity_down
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import ZERO, floor_to_step
from amarktai.domain.order import OrderType, Side
from amarktai.domain.risk import EXIT_HAIRCUT
from amarktai.strategies.contract import Account, Cancel, Exits, Place


def held_quantity(account: Account) -> Decimal:
    """Return what is held and can be ordered: the account's quantity rounded down to the lot."""
    return floor_to_step(account.quantity, account.instrument.lot_size)


def cancel_all(account: Account, reason: str, *, but: str | None = None) -> tuple[Cancel, ...]:
    """Return what cancels every working order, save the one tagged ``but``."""
    return tuple(Cancel(tag, reason) for tag in sorted(account.working) if tag != but)


def sell_all(account: Account, tag: str, reason: str) -> Place:
    """Return the market order, tagged ``tag``, that sells everything which can be ordered."""
    quantity = held_quantity(account)
    return Place(tag, Side.SELL, OrderType.MARKET, quantity, reduce_only=True, reason=reason)


def entry_refusal(
    quantity: Decimal, price: Decimal, instrument: Instrument, fall: Decimal = EXIT_HAIRCUT
) -> str | None:
    """Return why a buy at ``price`` must not be made, or None.

    Either the venue would not take it, or what is left after a fee in the base asset could not be
    sold again once the price has fallen by the share ``fall``.
    """
    refused = refusal(quantity, price, instrument)
    if refused:
        return refused
    left = round_quantity_down(quantity * (1 - instrument.fees.taker), instrument.lot_size)
    refused = refusal(left, price * (1 - fall), instrument)
    return f"it could not be sold again after a fall of {fall:.0%}: {refused}" if refused else None


def exit_fall(exits: Exits) -> Decimal:
    """Return the fall that a position with these exits must stay sellable through.

    Its stop's distance, but at least what the order path asks of every entry.
    """
    falls = [exact(ratio) for ratio in (exits.stop, exits.trailing) if ratio is not None]
    return max(EXIT_HAIRCUT, min(falls)) if falls else EXIT_HAIRCUT


def entry_quantity(account: Account, price: Decimal, exits: Exits) -> tuple[Decimal, str | None]:
    """Return (quantity, None), or (quantity, why it is refused) for a market buy decided at ``price``."""
    budget = min(account.stake, account.cash)
    quantity = affordable_quantity(budget, price, account.instrument)
    return quantity, entry_refusal(quantity, price, account.instrument, exit_fall(exits))


def limit_quantity(budget: Decimal, price: Decimal, instrument: Instrument) -> Decimal:
    """Return the largest limit buy, in base, that ``budget`` pays at ``price`` with taker fee."""
    if budget <= ZERO:
        return ZERO
    return round_quantity_down(budget / (price * (1 + instrument.fees.taker)), instrument.lot_size)
