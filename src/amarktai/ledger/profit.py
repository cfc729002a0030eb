"""Profit: what fills realise, summed per scope and day, and the identity that ties it to equity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from amarktai.domain.money import ZERO

#: The rollup row that holds the total of all days.
ALL_DAYS: Final = date(1, 1, 1)
#: The scope id of a user's own totals.
EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True)
class RollupKey:
    scope: str
    scope_id: str
    day: date


@dataclass(slots=True)
class RollupDelta:
    """What a set of fills adds to one rollup row. ZAR; counts. ``unvalued_fills`` had no ZAR rate.

    ``profit_quote`` is the profit in the quote asset; None where a row spans several of them.
    """

    profit_zar: Decimal = ZERO
    profit_quote: Decimal | None = None
    fees_zar: Decimal = ZERO
    fills: int = 0
    trades: int = 0
    wins: int = 0
    losses: int = 0
    unvalued_fills: int = 0

    def add(self, other: RollupDelta) -> None:
        self.profit_zar += other.profit_zar
        if other.profit_quote is not None:
            self.profit_quote = (self.profit_quote or ZERO) + other.profit_quote
        self.fees_zar += other.fees_zar
        self.fills += other.fills
        self.trades += other.trades
        self.wins += other.wins
        self.losses += other.losses
        self.unvalued_fills += other.unvalued_fills


@dataclass(frozen=True, slots=True)
class BookedFill:
    """The figures of one fill that rollups are made of.

    ``closed_profit_zar`` is the whole round trip's net profit when this fill closed it, else None.
    """

    bot_id: UUID
    platform: str
    pair: str
    day: date
    realized_quote: Decimal
    realized_zar: Decimal | None
    fees_zar: Decimal | None
    closes_trip: bool
    closed_profit_zar: Decimal | None


def delta_of(fill: BookedFill) -> RollupDelta:
    """Return what one fill adds. A round trip without profit or loss is neither win nor loss."""
    won = fill.closed_profit_zar is not None and fill.closed_profit_zar > 0
    lost = fill.closed_profit_zar is not None and fill.closed_profit_zar < 0
    return RollupDelta(
        profit_zar=fill.realized_zar or ZERO,
        fees_zar=fill.fees_zar or ZERO,
        fills=1,
        trades=int(fill.closes_trip),
        wins=int(won),
        losses=int(lost),
        unvalued_fills=int(fill.realized_zar is None or fill.fees_zar is None),
    )


def roll_up(fills: Iterable[BookedFill]) -> dict[RollupKey, RollupDelta]:
    """Return the deltas per user, bot, platform and pair, for the day and for all days."""
    deltas: dict[RollupKey, RollupDelta] = defaultdict(RollupDelta)
    for fill in fills:
        delta = delta_of(fill)
        in_quote = replace(delta, profit_quote=fill.realized_quote)
        scopes = (
            ("user", EVERYTHING, delta),
            ("bot", fill.bot_id.hex, in_quote),
            ("platform", fill.platform, delta),
            ("pair", f"{fill.platform}:{fill.pair}", in_quote),
        )
        for scope, scope_id, figures in scopes:
            for day in (fill.day, ALL_DAYS):
                deltas[RollupKey(scope, scope_id, day)].add(figures)
    return deltas


@dataclass(frozen=True, slots=True)
class EquityBridge:
    """From deposits to equity, in ZAR: the parts are separate and must add up.

    ``fx`` is what changing rates did to money held in other currencies than the rand. It is computed
    from quantities and rates, not as the remainder, so the identity can fail; ``rounding`` is what is
    left and is bounded by the ledger's scale.
    """

    deposits: Decimal
    realized: Decimal
    unrealized: Decimal
    fx: Decimal
    equity: Decimal

    @property
    def rounding(self) -> Decimal:
        return self.equity - self.deposits - self.realized - self.unrealized - self.fx
