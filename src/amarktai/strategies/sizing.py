"""How much to order: sizes from budgets and from what is held. Pure, decimals only."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from amarktai.domain.fill_model import affordable_quantity, exact, refusal, round_quantity_down
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import ZERO, floor_to_step
from amarktai.strategies.contract import Account, Exits

#: A position without a stop must still be sellable after a fall by this share.
UNPROTECTED_FALL: Final = Decimal("0.25")


def held_quantity(account: Account) -> Decimal:
    """Return what is held and can be ordered: the account's quantity rounded down to the lot."""
    return floor_to_step(account.quantity, account.instrument.lot_size)


def entry_quantity(account: Account, price: Decimal, exits: Exits) -> tuple[Decimal, str | None]:
    """Return (quantity, None), or (quantity, why it is refused) for a market buy decided at ``price``."""
    instrument = account.instrument
    quantity = affordable_quantity(min(account.stake, account.cash), price, instrument)
    refused = refusal(quantity, price, instrument)
    if refused:
        return quantity, refused
    fall = _initial_fall(exits)
    if fall is None:
        fall = UNPROTECTED_FALL
    left = round_quantity_down(quantity * (1 - instrument.fees.taker), instrument.lot_size)
    refused = refusal(left, price * (1 - fall), instrument)
    return quantity, f"it could not be sold again at its stop: {refused}" if refused else None


def _initial_fall(exits: Exits) -> Decimal | None:
    falls = [exact(ratio) for ratio in (exits.stop, exits.trailing) if ratio is not None]
    return min(falls) if falls else None


def limit_quantity(budget: Decimal, price: Decimal, instrument: Instrument) -> Decimal:
    """Return the largest limit buy, in base, that ``budget`` pays at ``price`` with taker fee."""
    if budget <= ZERO:
        return ZERO
    return round_quantity_down(budget / (price * (1 + instrument.fees.taker)), instrument.lot_size)
