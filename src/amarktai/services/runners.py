"""What the engine keeps in memory of each bot and each market."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from amarktai.domain.bot import Bot, BotStatus
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderIntent
from amarktai.services.account_view import BotAccount
from amarktai.services.bar_windows import BarBuilder, BarWindow
from amarktai.strategies.contract import Strategy
from amarktai.strategies.signal_trader import Decide

DECISIONS_KEPT: Final = 200
_EMPTY_ACCOUNT: Final = BotAccount(ZERO, ZERO, ZERO, None, {}, frozenset())


@dataclass(frozen=True, slots=True)
class HeldSales:
    """Sales whose coins other sales still hold: ``awaits``, which were asked to end and have not yet."""

    intents: list[OrderIntent]
    awaits: frozenset[UUID]


@dataclass(slots=True)
class Runner:
    """A bot in the engine's memory, with everything that its next decision needs."""

    bot: Bot
    strategy: Strategy
    params: Any
    decide: Decide
    index: int
    warmup: int
    state: Mapping[str, Any] = field(default_factory=dict)
    account: BotAccount = _EMPTY_ACCOUNT
    profit_zar: Decimal = ZERO
    last_bar_ts: int | None = None
    last_decision: dict[str, Any] | None = None
    peak_zar: Decimal | None = None
    drawdown: Decimal | None = None
    fault: str | None = None
    is_dirty: bool = False
    unsaved: deque[tuple[int, dict[str, Any]]] = field(default_factory=lambda: deque(maxlen=DECISIONS_KEPT))

    @property
    def is_active(self) -> bool:
        return self.bot.status is BotStatus.ACTIVE

    @property
    def signal_key(self) -> tuple[int, str, str, Any]:
        """Bots with equal keys share one computation of their signals."""
        return self.index, self.bot.timeframe, self.strategy.id, self.params


@dataclass(slots=True)
class Lane:
    """One instrument: its windows, the builders of its larger bars and its last price."""

    instrument: Instrument
    windows: dict[str, BarWindow] = field(default_factory=dict)
    builders: dict[str, BarBuilder] = field(default_factory=dict)
    base: str | None = None
    mark: float | None = None
    mark_ts: int = 0
    from_bars: bool = False
    newest_bar: dict[int, int] = field(default_factory=dict)
    told: tuple[float, int] | None = None
    synced: tuple[float | None, int] | None = None
