"""What the engine's process hears from the others and tells them, as ports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class BotChanged:
    """A person created or changed a bot."""

    user_id: UUID
    bot_id: UUID


@dataclass(frozen=True, slots=True)
class MarketSwitched:
    """An admin chose another market: the engine must start anew on it."""


EngineNotice = BotChanged | MarketSwitched


class Changes(Protocol):
    def notices(self) -> AsyncIterator[EngineNotice]:
        """Yield what changed, for as long as the engine runs."""


class PriceTicker(Protocol):
    """Ephemeral prices for screens, never stored."""

    async def publish(self, prices: Mapping[str, tuple[float, int]]) -> None:
        """Send (price, time in ms) per instrument id."""

    async def decided(self, user_id: UUID, bot_ids: Sequence[UUID]) -> None:
        """Say that these bots of a user have new decisions to read."""


class Heartbeats(Protocol):
    async def beat(
        self, role: str, *, pid: int, started_at: datetime, at: datetime, detail: Mapping[str, Any]
    ) -> None:
        """Say that this process is alive."""

    async def forget_old(self, before: datetime) -> None:
        """Remove processes that have not reported since."""
