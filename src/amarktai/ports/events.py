"""The one registry of realtime events: names, payloads, and the port that writes them.

An event is a row in the outbox, written in the transaction that caused it, with a per-user
sequence. The dashboard's event types are generated from this registry.
"""

from __future__ import annotations

from typing import Any, Final, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class EventPayload(BaseModel):
    """Fields that every event carries. ``message`` is a short sentence for people."""

    model_config = ConfigDict(frozen=True)
    message: str


class BotEvent(EventPayload):
    """A bot as ``GET /api/bots`` shows it."""

    bot: dict[str, Any]


class BotUpdated(EventPayload):
    """An edit; ``bot`` is the whole row after it, ``changes`` what changed."""

    bot_id: UUID
    changes: dict[str, Any]
    bot: dict[str, Any]


class BotDeleted(EventPayload):
    bot_id: UUID


class TradeExecuted(EventPayload):
    """A fill was booked. ``trade`` is its round trip as ``GET /api/trades`` shows it."""

    bot_id: UUID
    fill: dict[str, Any]
    trade: dict[str, Any]


class ProfitUpdated(EventPayload):
    """Realised figures changed. Money is a decimal string in ZAR."""

    mode: str
    bot_id: UUID
    bot_name: str
    platform: str
    total_profit: str
    profit_today: str
    currency: str


class BalanceUpdated(EventPayload):
    """The paper wallet or a bot's capital changed; ``wallet`` as ``GET /api/wallet/paper``."""

    mode: str
    wallet: dict[str, Any]


class OrderUpdated(EventPayload):
    """An order changed state; ``order`` as ``GET /api/orders`` shows it."""

    order: dict[str, Any]


class Alert(EventPayload):
    """Something a person should know. Severity: info, warning, critical."""

    alert_id: UUID
    severity: str
    alert_type: str
    bot_id: UUID | None = None


class FeedChanged(EventPayload):
    """A market feed's health changed."""

    platform: str
    state: str
    origin: str


class KeySaved(EventPayload):
    """A provider's key was saved; it is not tested yet."""

    provider: str
    display_name: str


class KeyTested(EventPayload):
    """A key was tested. ``error`` is None on success; ``outcome`` tells refusal from silence.

    ``is_saved``: the saved one, else one that was only tried.
    """

    provider: str
    display_name: str
    success: bool
    outcome: str
    error: str | None
    is_saved: bool


class KeyDeleted(EventPayload):
    provider: str
    display_name: str


class EmergencyStopChanged(EventPayload):
    """A stop came on or was released. ``scope``: the user alone, or everybody."""

    enabled: bool
    scope: str
    reason: str


class ModeSwitched(EventPayload):
    """The system's mode changed. ``base`` says whose entries may leave; ``mode_data`` as
    ``GET /api/system/mode`` tells it."""

    mode: str
    base: str
    mode_data: dict[str, Any]


class AccountUpdated(EventPayload):
    """A real account's condition changed, as ``GET /api/accounts`` tells it."""

    platform: str
    condition: str
    detail: str


class CircuitBreakerChanged(EventPayload):
    """A circuit breaker tripped or was reset. ``entity_type``: bot, user or everybody."""

    breaker_id: UUID
    tripped: bool
    mode: str
    entity_type: str
    entity_id: UUID | None
    trigger_type: str
    trigger_reason: str


EVENTS: Final[dict[str, type[EventPayload]]] = {
    "bot_created": BotEvent,
    "bot_updated": BotUpdated,
    "bot_paused": BotEvent,
    "bot_resumed": BotEvent,
    "bot_stopped": BotEvent,
    "bot_deleted": BotDeleted,
    "trade_executed": TradeExecuted,
    "profit_updated": ProfitUpdated,
    "balance_updated": BalanceUpdated,
    "order_updated": OrderUpdated,
    "alert": Alert,
    "feed_changed": FeedChanged,
    "key_saved": KeySaved,
    "key_tested": KeyTested,
    "key_deleted": KeyDeleted,
    "account_updated": AccountUpdated,
    "mode_switched": ModeSwitched,
    "circuit_breaker_tripped": CircuitBreakerChanged,
    "circuit_breaker_reset": CircuitBreakerChanged,
    "emergency_stop": EmergencyStopChanged,
    "emergency_stop_deactivated": EmergencyStopChanged,
}


class Events(Protocol):
    async def emit(self, user_id: UUID, name: str, payload: EventPayload) -> None:
        """Append the event to the outbox within the present transaction."""
