"""A trading bot: its choices, its status, and which actions each status allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from amarktai.domain.instrument import Origin, Platform


class BotStatus(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"
    DELETED = "deleted"


class LifecycleStage(StrEnum):
    PAPER_TRAINING = "paper_training"
    ELIGIBLE_FOR_LIVE = "eligible_for_live"
    LIVE = "live"
    QUARANTINED = "quarantined"


class RiskMode(StrEnum):
    SAFE = "safe"
    BALANCED = "balanced"
    RISKY = "risky"
    AGGRESSIVE = "aggressive"


class TradingMode(StrEnum):
    """Which book a bot trades in; the two never mix."""

    PAPER = "paper"
    LIVE = "live"


class BotAction(StrEnum):
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    DELETE = "delete"


ALLOWED: Final[dict[BotAction, frozenset[BotStatus]]] = {
    BotAction.START: frozenset({BotStatus.STOPPED, BotStatus.PAUSED}),
    BotAction.PAUSE: frozenset({BotStatus.ACTIVE}),
    BotAction.RESUME: frozenset({BotStatus.PAUSED}),
    BotAction.STOP: frozenset({BotStatus.ACTIVE, BotStatus.PAUSED}),
    BotAction.DELETE: frozenset({BotStatus.ACTIVE, BotStatus.PAUSED, BotStatus.STOPPED}),
}
LEADS_TO: Final[dict[BotAction, BotStatus]] = {
    BotAction.START: BotStatus.ACTIVE,
    BotAction.PAUSE: BotStatus.PAUSED,
    BotAction.RESUME: BotStatus.ACTIVE,
    BotAction.STOP: BotStatus.STOPPED,
    BotAction.DELETE: BotStatus.DELETED,
}

#: Share of a bot's capital that one position may use, in percent (previous system §4.5).
STAKE_PERCENT: Final[dict[RiskMode, int]] = {
    RiskMode.SAFE: 20,
    RiskMode.BALANCED: 30,
    RiskMode.RISKY: 40,
    RiskMode.AGGRESSIVE: 50,
}

#: Bots per user and platform (requirements; a setting can change them).
BOT_CAPS: Final[dict[Platform, int]] = {
    Platform.LUNO: 5,
    Platform.BINANCE: 10,
    Platform.KUCOIN: 10,
    Platform.OVEX: 10,
    Platform.VALR: 10,
}

MIN_CAPITAL_ZAR: Final = 1_000
MAX_CAPITAL_ZAR: Final = 100_000


def allows(status: BotStatus, action: BotAction) -> bool:
    """Return whether a bot in ``status`` can take ``action``."""
    return status in ALLOWED[action]


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot as stored. Capital: what was allocated, in ZAR and in the market's quote asset."""

    id: UUID
    user_id: UUID
    name: str
    platform: Platform
    instrument_id: str
    strategy: str
    params: Mapping[str, Any]
    timeframe: str
    risk_mode: RiskMode
    mode: TradingMode
    origin: Origin
    status: BotStatus
    lifecycle_stage: LifecycleStage
    quote_asset: str
    capital_zar: Decimal
    capital_quote: Decimal
    created_at: datetime
    pause_reason: str | None = None
    started_at: datetime | None = None
    paused_at: datetime | None = None
    stopped_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def pair(self) -> str:
        return self.instrument_id.partition(":")[2]

    @property
    def stake(self) -> Decimal:
        """The most that one position may cost, in quote."""
        return self.capital_quote * STAKE_PERCENT[self.risk_mode] / 100
