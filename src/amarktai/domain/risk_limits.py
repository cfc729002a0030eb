"""Limits of loss, exposure and pace, in ZAR and over all exchanges, outside any strategy.

A limit binds everybody together, one user, or one bot; the narrowest is not above the others: each that
applies must hold. What reduces risk is never limited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import DISPLAY_NAMES, Platform
from amarktai.domain.money import ZERO


class LimitKind(StrEnum):
    """What is limited. Amounts are ZAR, per cent, or counts, as the name says."""

    DAILY_LOSS = "daily_loss_zar"
    DRAWDOWN = "drawdown_pct"
    EXPOSURE = "exposure_zar"
    ASSET_EXPOSURE = "asset_exposure_zar"
    EXCHANGE_EXPOSURE = "exchange_exposure_zar"
    ORDER_VALUE = "order_value_zar"
    ORDERS_PER_MINUTE = "orders_per_minute"
    ORDERS_PER_DAY = "orders_per_day"
    CONSECUTIVE_LOSSES = "consecutive_losses"
    ALLOWED_PAIRS = "allowed_pairs"


#: Without these of everybody together no real money trades.
NEEDED_FOR_LIVE: Final = (LimitKind.DAILY_LOSS, LimitKind.DRAWDOWN, LimitKind.EXPOSURE)
_COUNTS: Final = frozenset(
    {LimitKind.ORDERS_PER_MINUTE, LimitKind.ORDERS_PER_DAY, LimitKind.CONSECUTIVE_LOSSES}
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a limit binds: everybody together, one user, or one of their bots."""

    user_id: UUID | None = None
    bot_id: UUID | None = None


EVERYBODY: Final = Scope()


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: an ``amount``, or for the pairs that may be traded their ``names``."""

    kind: LimitKind
    scope: Scope
    amount: Decimal | None = None
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if (self.kind is LimitKind.ALLOWED_PAIRS) != (self.names is not None) or (
            (self.amount is None) == (self.names is None)
        ):
            raise _invalid(self.kind, "needs an amount" if self.names is None else "has no names")
        if self.amount is not None and not self.amount > 0:
            raise _invalid(self.kind, "must be above zero")
        if self.kind in _COUNTS and self.amount is not None and self.amount != int(self.amount):
            raise _invalid(self.kind, "must be a whole number")
        if self.kind is LimitKind.DRAWDOWN and self.amount is not None and self.amount > 100:
            raise _invalid(self.kind, "is at most 100 per cent")


def _invalid(kind: LimitKind, why: str) -> InvalidInput:
    return InvalidInput("LIMIT_INVALID", f"The limit {kind} {why}", "Correct the limit.")


@dataclass(frozen=True, slots=True)
class BotFigures:
    """What a limit is held against, of one bot in one book. Money in ZAR, None where it is not known.

    ``exposure`` is what it holds at the last price and what its working entries may still buy;
    ``profit_today`` what it realised today, and what it holds above or below cost; ``profit`` the same of
    all days, ``peak`` the highest that was noted, ``capital`` what it was given.
    """

    bot_id: UUID
    user_id: UUID
    platform: Platform
    base: str
    exposure: Decimal | None
    profit_today: Decimal | None
    profit: Decimal | None
    peak: Decimal
    capital: Decimal
    orders_minute: int
    orders_day: int
    losses_in_a_row: int

    def with_order(self, value: Decimal) -> BotFigures:
        """Return the figures with one more entry under way."""
        exposure = None if self.exposure is None else self.exposure + value
        return replace(
            self, exposure=exposure, orders_minute=self.orders_minute + 1, orders_day=self.orders_day + 1
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """An order that adds risk. ``value`` in ZAR, None where no rate is known."""

    bot_id: UUID
    user_id: UUID
    platform: Platform
    base: str
    pair: str
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a limit is used: None where that is not known."""

    limit: Limit
    used: Decimal | None

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be added: at the limit, or unknown."""
        amount = self.limit.amount
        return amount is not None and (self.used is None or self.used >= amount)


def use_of(limit: Limit, figures: Iterable[BotFigures], entry: Entry | None = None) -> Use:
    """Return how much of a limit is used by those whom it binds, with ``entry`` where that adds to it."""
    bound = [each for each in figures if binds(limit.scope, each.user_id, each.bot_id)]
    measure = _MEASURES.get(limit.kind)
    return Use(limit, measure(bound, entry) if measure else None)


def binds(scope: Scope, user_id: UUID, bot_id: UUID) -> bool:
    """Return whether a limit of that scope binds this bot."""
    return scope.user_id in (None, user_id) and scope.bot_id in (None, bot_id)


def first_breach(
    limits: Sequence[Limit], figures: Sequence[BotFigures], entry: Entry
) -> tuple[LimitKind, str] | None:
    """Return the first limit that an entry would break, with its figures in words; None when none.

    A figure that is not known breaks its limit.
    """
    for limit in limits:
        if not binds(limit.scope, entry.user_id, entry.bot_id):
            continue
        words = _breach(limit, figures, entry)
        if words is not None:
            return limit.kind, f"{_WHOSE[_level(limit.scope)]} {words}"
    return None


def _breach(limit: Limit, figures: Sequence[BotFigures], entry: Entry) -> str | None:
    if limit.names is not None:
        if entry.pair in limit.names:
            return None
        return f"pairs do not include {entry.pair}"
    amount = limit.amount
    assert amount is not None  # it has no names
    name, subject = TITLES[limit.kind], _subject(limit.kind, entry)
    used = use_of(limit, figures, entry).used
    if used is None:
        return f"{name}{subject} is not known now, the limit is {_shown(limit.kind, amount)}"
    # Money that an entry adds may reach its limit; a loss, a drawdown or a count that is there may not.
    is_within = used <= amount if limit.kind in _ADDED else used < amount
    if is_within:
        return None
    return f"{name}{subject} is {_shown(limit.kind, used)}, the limit is {_shown(limit.kind, amount)}"


def _level(scope: Scope) -> int:
    return (scope.user_id is not None) + (scope.bot_id is not None)


def _subject(kind: LimitKind, entry: Entry) -> str:
    if kind is LimitKind.ASSET_EXPOSURE:
        return f" in {entry.base}"
    if kind is LimitKind.EXCHANGE_EXPOSURE:
        return f" at {DISPLAY_NAMES[entry.platform]}"
    return ""


def _shown(kind: LimitKind, amount: Decimal) -> str:
    if kind is LimitKind.DRAWDOWN:
        return f"{amount:.2f} %"
    if kind in _COUNTS:
        return f"{amount:.0f}"
    return f"R {amount:.2f}"


Measure = Callable[[Sequence[BotFigures], Entry | None], Decimal | None]


def _total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum, or None when a part of it is not known."""
    known = list(amounts)
    if any(amount is None for amount in known):
        return None
    return sum((amount for amount in known if amount is not None), ZERO)


def _daily_loss(figures: Sequence[BotFigures], _: Entry | None) -> Decimal | None:
    profit = _total(each.profit_today for each in figures)
    return None if profit is None else max(ZERO, -profit)


def _drawdown(figures: Sequence[BotFigures], _: Entry | None) -> Decimal | None:
    """Return the fall from the highest profit, in per cent of what there was then."""
    profit = _total(each.profit for each in figures)
    if profit is None:
        return None
    # Of several bots the peaks need not fall together: their sum is the careful reading.
    peak = max(sum((each.peak for each in figures), ZERO), profit, ZERO)
    there = sum((each.capital for each in figures), ZERO) + peak
    if there <= 0:
        return ZERO if peak == profit else None
    return (peak - profit) / there * 100


def _exposure(figures: Sequence[BotFigures], entry: Entry | None) -> Decimal | None:
    return _total([*(each.exposure for each in figures), *_added(entry)])


def _asset_exposure(figures: Sequence[BotFigures], entry: Entry | None) -> Decimal | None:
    if entry is not None:
        return _exposure([each for each in figures if each.base == entry.base], entry)
    shares = ([each for each in figures if each.base == base] for base in {each.base for each in figures})
    return _largest(_exposure(share, None) for share in shares)


def _exchange_exposure(figures: Sequence[BotFigures], entry: Entry | None) -> Decimal | None:
    if entry is not None:
        return _exposure([each for each in figures if each.platform is entry.platform], entry)
    names = {each.platform for each in figures}
    return _largest(_exposure([each for each in figures if each.platform is name], None) for name in names)


def _largest(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = list(amounts)
    if any(amount is None for amount in known):
        return None
    return max((amount for amount in known if amount is not None), default=ZERO)


def _added(entry: Entry | None) -> list[Decimal | None]:
    return [] if entry is None else [entry.value]


def _order_value(_: Sequence[BotFigures], entry: Entry | None) -> Decimal | None:
    return ZERO if entry is None else entry.value


def _orders_minute(figures: Sequence[BotFigures], _: Entry | None) -> Decimal:
    return Decimal(sum(each.orders_minute for each in figures))


def _orders_day(figures: Sequence[BotFigures], _: Entry | None) -> Decimal:
    return Decimal(sum(each.orders_day for each in figures))


def _losses(figures: Sequence[BotFigures], entry: Entry | None) -> Decimal:
    """Return the streak of the bot that wants in; of all of them, the longest."""
    mine = [each.losses_in_a_row for each in figures if entry is None or each.bot_id == entry.bot_id]
    return Decimal(max(mine, default=0))


_MEASURES: Final[Mapping[LimitKind, Measure]] = {
    LimitKind.DAILY_LOSS: _daily_loss,
    LimitKind.DRAWDOWN: _drawdown,
    LimitKind.EXPOSURE: _exposure,
    LimitKind.ASSET_EXPOSURE: _asset_exposure,
    LimitKind.EXCHANGE_EXPOSURE: _exchange_exposure,
    LimitKind.ORDER_VALUE: _order_value,
    LimitKind.ORDERS_PER_MINUTE: _orders_minute,
    LimitKind.ORDERS_PER_DAY: _orders_day,
    LimitKind.CONSECUTIVE_LOSSES: _losses,
}
_ADDED: Final = frozenset(
    {LimitKind.EXPOSURE, LimitKind.ASSET_EXPOSURE, LimitKind.EXCHANGE_EXPOSURE, LimitKind.ORDER_VALUE}
)
TITLES: Final[Mapping[LimitKind, str]] = {
    LimitKind.DAILY_LOSS: "loss of today",
    LimitKind.DRAWDOWN: "fall from the peak",
    LimitKind.EXPOSURE: "exposure",
    LimitKind.ASSET_EXPOSURE: "exposure",
    LimitKind.EXCHANGE_EXPOSURE: "exposure",
    LimitKind.ORDER_VALUE: "order's value",
    LimitKind.ORDERS_PER_MINUTE: "orders of the last minute",
    LimitKind.ORDERS_PER_DAY: "orders of today",
    LimitKind.CONSECUTIVE_LOSSES: "losses in a row",
    LimitKind.ALLOWED_PAIRS: "pairs",
}
_WHOSE: Final = ("everybody's", "the user's", "the bot's")
