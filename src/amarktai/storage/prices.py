"""Latest prices and fresh decisions to every process by NOTIFY: ephemeral, so nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import text

from amarktai.storage.database import Database

CHANNEL: Final = "amarktai_prices"
#: PostgreSQL takes payloads up to 7999 bytes; an instrument with its price takes well under 80.
_INSTRUMENTS_A_NOTICE: Final = 80
DECIDED_CHANNEL: Final = "amarktai_decided"
#: An id takes 39 bytes as JSON.
_BOTS_A_NOTICE: Final = 180
_NOTIFY = text("SELECT pg_notify(:channel, :payload)")


class PgPriceTicker:
    """Implements ports.engine.PriceTicker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, prices: Mapping[str, tuple[float, int]]) -> None:
        items = list(prices.items())
        async with self._database.transaction(None, durable=False) as connection:
            for start in range(0, len(items), _INSTRUMENTS_A_NOTICE):
                part = dict(items[start : start + _INSTRUMENTS_A_NOTICE])
                payload = orjson.dumps(part).decode()
                await connection.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})

    async def decided(self, user_id: UUID, bot_ids: Sequence[UUID]) -> None:
        async with self._database.transaction(None, durable=False) as connection:
            for start in range(0, len(bot_ids), _BOTS_A_NOTICE):
                part = [str(bot_id) for bot_id in bot_ids[start : start + _BOTS_A_NOTICE]]
                payload = orjson.dumps({"user_id": str(user_id), "bots": part}).decode()
                await connection.execute(_NOTIFY, {"channel": DECIDED_CHANNEL, "payload": payload})
