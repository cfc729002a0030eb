"""Hears, over LISTEN, what other processes changed for the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import psycopg
import structlog
from sqlalchemy import select

from amarktai.ports.clock import Clock
from amarktai.ports.engine import BotChanged, EngineNotice, MarketSwitched
from amarktai.storage import tables as t
from amarktai.storage.bots import ENGINE_CHANNEL
from amarktai.storage.database import Database
from amarktai.storage.system import MARKET_NOTICE

log = structlog.get_logger(__name__)
_RETRY_S: Final = 1.0


class PgChanges:
    """One connection of its own; after a reconnect every bot counts as changed."""

    def __init__(self, url: str, database: Database, clock: Clock) -> None:
        self._url = url
        self._database = database
        self._clock = clock

    async def notices(self) -> AsyncIterator[EngineNotice]:
        """Yield what changed, for as long as the engine runs."""
        is_first = True
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {ENGINE_CHANNEL}")
                    if not is_first:
                        async for change in self._all_bots():
                            yield change
                    is_first = False
                    async for notice in connection.notifies():
                        yield self._read(notice.payload)
            except psycopg.OperationalError as error:
                log.warning("the engine's line to the database is down", reason=str(error), retry_s=_RETRY_S)
            await self._clock.sleep(_RETRY_S)

    @staticmethod
    def _read(payload: str) -> EngineNotice:
        if payload == MARKET_NOTICE:
            return MarketSwitched()
        user_id, _, bot_id = payload.partition(":")
        return BotChanged(UUID(user_id), UUID(bot_id))

    async def _all_bots(self) -> AsyncIterator[EngineNotice]:
        async with self._database.transaction(None) as connection:
            users = list((await connection.execute(select(t.users.c.id))).scalars())
        for user_id in users:
            async with self._database.transaction(user_id) as connection:
                bots = list((await connection.execute(select(t.bots.c.id))).scalars())
            for bot_id in bots:
                yield BotChanged(user_id, bot_id)
