"""Limits of loss, exposure and pace, in ZAR and over all exchanges, outside any strategy.

A limit binds everybody together, one user, or one bot; the narrowest is not above the others: each that
applies must hold. What reduces risk is never limited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import DISPLAY_NAMES, Platform
from amarktai.domain.money import STABLECOINS, ZERO


class LimitKind(StrEnum):
    """What is limited. Amounts are ZAR, per cent, or counts, as the name says."""

    DAILY_LOSS = "daily_loss_zar"
    DRAWDOWN = "drawdown_pct"
    EXPOSURE = "exposure_zar"
    ASSET_EXPOSURE = "asset_exposure_zar"
    EXCHANGE_EXPOSURE = "exchange_exposure_zar"
    STABLECOIN_EXPOSURE = "stablecoin_exposure_zar"
    ORDER_VALUE = "order_value_zar"
    DEPTH_SHARE = "depth_share_pct"
    ORDERS_PER_MINUTE = "orders_per_minute"
    ORDERS_PER_DAY = "orders_per_day"
    CONSECUTIVE_LOSSES = "consecutive_losses"
    ERRORS_PER_HOUR = "errors_per_hour"
    ALLOWED_PAIRS = "allowed_pairs"


#: Without these of everybody together no real money trades.
NEEDED_FOR_LIVE: Final = (LimitKind.DAILY_LOSS, LimitKind.DRAWDOWN, LimitKind.EXPOSURE)
_COUNTS: Final = frozenset(
    {
        LimitKind.ORDERS_PER_MINUTE,
        LimitKind.ORDERS_PER_DAY,
        LimitKind.CONSECUTIVE_LOSSES,
        LimitKind.ERRORS_PER_HOUR,
    }
)
_PER_CENTS: Final = frozenset({LimitKind.DRAWDOWN, LimitKind.DEPTH_SHARE})


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
        if self.kind in _PER_CENTS and self.amount is not None and self.amount > 100:
            raise _invalid(self.kind, "is at most 100 per cent")


def _invalid(kind: LimitKind, why: str) -> InvalidInput:
    return InvalidInput("LIMIT_INVALID", f"The limit {kind} {why}", "Correct the limit.")


@dataclass(frozen=True, slots=True)
class BotFigures:
    """What a limit is held against, of one bot in one book. Money in ZAR, None where it is not known.

    ``exposure`` is what it holds at the last price and what its working entries may still buy, ``cash``
    what it has of its quote asset besides; ``profit_today`` what it realised today, and what it holds above
    or below cost; ``profit`` the same of all days, ``peak`` the highest that was noted (a bot begins at
    zero), ``capital`` what it was given. ``losses`` are when the trades since its last winner were closed,
    ``errors`` when orders of the last hour were refused by an exchange or were in doubt.
    """

    bot_id: UUID
    user_id: UUID
    platform: Platform
    base: str
    quote: str
    exposure: Decimal | None
    cash: Decimal | None
    profit_today: Decimal | None
    profit: Decimal | None
    peak: Decimal
    capital: Decimal
    orders_minute: int
    orders_day: int
    losses: tuple[datetime, ...] = ()
    errors: tuple[datetime, ...] = ()

    def with_order(self, value: Decimal) -> BotFigures:
        """Return the figures with one more entry under way."""
        exposure = None if self.exposure is None else self.exposure + value
        return replace(
            self, exposure=exposure, orders_minute=self.orders_minute + 1, orders_day=self.orders_day + 1
        )

    def measured_from(self, start: Start) -> BotFigures:
        """Return the figures as if the bot had begun to fall, lose and fail no earlier."""
        return replace(
            self,
            peak=start.peaks.get(self.bot_id, ZERO),
            losses=tuple(at for at in self.losses if at > start.at),
            errors=tuple(at for at in self.errors if at > start.at),
        )


@dataclass(frozen=True, slots=True)
class Start:
    """From when a limit is measured: a person has reset its circuit breaker then.

    ``peaks`` are each bot's highest profits (ZAR) noted since, or just before; of a deleted bot none.
    """

    at: datetime
    peaks: Mapping[UUID, Decimal]


@dataclass(frozen=True, slots=True)
class Entry:
    """An order that adds risk. ``value`` in ZAR, None where no rate is known.

    ``depth_share`` is its quantity in per cent of what the book shows close to the best price of the side
    that it takes, None where no book is known.
    """

    bot_id: UUID
    user_id: UUID
    platform: Platform
    base: str
    quote: str
    pair: str
    value: Decimal | None
    depth_share: Decimal | None = None


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


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that an entry would break. ``used`` is None where that is not known."""

    limit: Limit
    used: Decimal | None
    words: str


#: Where limits have such a start, by scope and kind.
Starts = Mapping[tuple[Scope, LimitKind], Start]
NO_STARTS: Final[Starts] = {}


def use_of(
    limit: Limit, figures: Iterable[BotFigures], entry: Entry | None = None, start: Start | None = None
) -> Use:
    """Return how much of a limit is used by those whom it binds, with ``entry`` where that adds to it."""
    bound = [each for each in figures if binds(limit.scope, each.user_id, each.bot_id)]
    if start is not None:
        bound = [each.measured_from(start) for each in bound]
    measure = _MEASURES.get(limit.kind)
    return Use(limit, measure(bound, entry) if measure else None)


def binds(scope: Scope, user_id: UUID, bot_id: UUID) -> bool:
    """Return whether a limit of that scope binds this bot."""
    return scope.user_id in (None, user_id) and scope.bot_id in (None, bot_id)


def first_breach(
    limits: Sequence[Limit], figures: Sequence[BotFigures], entry: Entry, starts: Starts = NO_STARTS
) -> Breach | None:
    """Return the first limit that an entry would break, with its figures in words; None when none.

    A figure that is not known breaks its limit.
    """
    for limit in limits:
        if binds(limit.scope, entry.user_id, entry.bot_id):
            start = starts.get((limit.scope, limit.kind))
            breach = _breach(limit, figures, entry, start)
            if breach is not None:
                return breach
    return None


def reached(limit: Limit, figures: Sequence[BotFigures], start: Start | None = None) -> Breach | None:
    """Return how a limit is reached though nothing wants in; None when it is not, or nobody knows."""
    use = use_of(limit, figures, start=start)
    if use.used is None or not use.is_spent:
        return None
    return Breach(limit, use.used, _words(limit, use.used, ""))


def _breach(limit: Limit, figures: Sequence[BotFigures], entry: Entry, start: Start | None) -> Breach | None:
    if limit.names is not None:
        if entry.pair in limit.names:
            return None
        return Breach(limit, None, f"{whose(limit.scope)} pairs do not include {entry.pair}")
    used = use_of(limit, figures, entry, start).used
    if used is not None and _is_within(limit, used):
        return None
    return Breach(limit, used, _words(limit, used, _subject(limit.kind, entry)))


def _is_within(limit: Limit, used: Decimal) -> bool:
    amount = limit.amount
    assert amount is not None  # it has no names
    # Money that an entry adds may reach its limit; a loss, a drawdown or a count that is there may not.
    return used <= amount if limit.kind in _ADDED else used < amount


def _words(limit: Limit, used: Decimal | None, subject: str) -> str:
    assert limit.amount is not None  # it has no names
    name, most = f"{whose(limit.scope)} {TITLES[limit.kind]}{subject}", shown(limit.kind, limit.amount)
    if used is None:
        return f"{name} is not known now, the limit is {most}"
    return f"{name} is {shown(limit.kind, used)}, the limit is {most}"


def whose(scope: Scope) -> str:
    """Return whom a scope is about, in words."""
    return _WHOSE[_level(scope)]


def _level(scope: Scope) -> int:
    return (scope.user_id is not None) + (scope.bot_id is not None)


def _subject(kind: LimitKind, entry: Entry) -> str:
    if kind is LimitKind.ASSET_EXPOSURE:
        return f" in {entry.base}"
    if kind is LimitKind.EXCHANGE_EXPOSURE:
        return f" at {DISPLAY_NAMES[entry.platform]}"
    if kind is LimitKind.STABLECOIN_EXPOSURE:
        return f" in {' and '.join(_stable_of(entry.base, entry.quote))}"
    return ""


def shown(kind: LimitKind, amount: Decimal) -> str:
    """Return an amount of a limit with its unit."""
    if kind in _PER_CENTS:
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
    peak = max(sum((each.peak for each in figures), ZERO), profit)
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


def _stablecoin_exposure(figures: Sequence[BotFigures], entry: Entry | None) -> Decimal | None:
    """Return what hangs on one stablecoin: the cash and the positions of bots that trade against it, and
    what others hold of it. Of an entry only coins that it has to do with count."""
    coins = (
        _stable_of(entry.base, entry.quote)
        if entry is not None
        else {coin for each in figures for coin in _stable_of(each.base, each.quote)}
    )
    return _largest(_hangs_on(coin, figures, entry) for coin in coins)


def _hangs_on(coin: str, figures: Sequence[BotFigures], entry: Entry | None) -> Decimal | None:
    parts: list[Decimal | None] = []
    for each in figures:
        if coin in (each.base, each.quote):
            parts.append(each.exposure)
        if coin == each.quote:
            parts.append(each.cash)
    # An entry against the coin moves what is there already; one that buys it adds to it.
    return _total([*parts, *(_added(entry) if entry is not None and coin == entry.base else [])])


def _stable_of(base: str, quote: str) -> list[str]:
    return sorted(STABLECOINS & {base, quote})


def _depth_share(_: Sequence[BotFigures], entry: Entry | None) -> Decimal | None:
    return ZERO if entry is None else entry.depth_share


def _errors(figures: Sequence[BotFigures], _: Entry | None) -> Decimal:
    return Decimal(sum(len(each.errors) for each in figures))


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
    mine = [len(each.losses) for each in figures if entry is None or each.bot_id == entry.bot_id]
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
    LimitKind.STABLECOIN_EXPOSURE: _stablecoin_exposure,
    LimitKind.DEPTH_SHARE: _depth_share,
    LimitKind.ERRORS_PER_HOUR: _errors,
}
_ADDED: Final = frozenset(
    {
        LimitKind.EXPOSURE,
        LimitKind.ASSET_EXPOSURE,
        LimitKind.EXCHANGE_EXPOSURE,
        LimitKind.STABLECOIN_EXPOSURE,
        LimitKind.ORDER_VALUE,
        LimitKind.DEPTH_SHARE,
    }
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
    LimitKind.STABLECOIN_EXPOSURE: "exposure",
    LimitKind.DEPTH_SHARE: "share of the visible depth",
    LimitKind.ERRORS_PER_HOUR: "errors of the last hour",
    LimitKind.ALLOWED_PAIRS: "pairs",
}
_WHOSE: Final = ("everybody's", "the user's", "the bot's")
