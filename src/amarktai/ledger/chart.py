"""The chart of accounts. An account name says what it is; each account holds any assets.

holding:wallet        a user's free money (never negative, L8)
holding:bot:<id>      what a bot holds: its reserved capital, as cash and coins (never negative)
funding               the outside: deposits and withdrawals, flows and never profit
market:<instrument>   the other side of each trade on that instrument
conversion            the other side of each currency conversion
fees:<platform>       fees paid, in the asset in which they were charged
venue:<platform>      what a real account at an exchange holds beside its bots; below zero, the bots have
                      more in the books than there is, and the account is held back
outside               the other side of what came into a real account beside its bots, or left it: neither
                      a deposit of theirs nor their profit
by_hand               the other side of what a real account's owner trades by hand
adjustments           what an exchange charged or credited without a trade, by its owner's word
unexplained           differences that the venue's records do not explain yet (L13)
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

WALLET: Final = "holding:wallet"
FUNDING: Final = "funding"
CONVERSION: Final = "conversion"
UNEXPLAINED: Final = "unexplained"
OUTSIDE: Final = "outside"
BY_HAND: Final = "by_hand"
ADJUSTMENTS: Final = "adjustments"


def bot_holding(bot_id: UUID) -> str:
    return f"holding:bot:{bot_id.hex}"


def market(instrument_id: str) -> str:
    return f"market:{instrument_id}"


def venue(platform: str) -> str:
    return f"venue:{platform}"


def fees(platform: str) -> str:
    return f"fees:{platform}"


def is_holding(account: str) -> bool:
    """Return whether the account holds a person's or bot's own assets."""
    return account.startswith("holding:")
