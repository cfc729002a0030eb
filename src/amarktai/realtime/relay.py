"""From PostgreSQL's NOTIFY to the hub: wake-ups of the outbox, and prices that are not stored."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import orjson
import psycopg
import structlog

from amarktai.ports.clock import Clock
from amarktai.realtime.hub import Hub

#: Must match storage.outbox and storage.prices; the payloads are a user's id and JSON.
OUTBOX_CHANNEL: Final = "amarktai_outbox"
PRICES_CHANNEL: Final = "amarktai_prices"
DECIDED_CHANNEL: Final = "amarktai_decided"
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 10.0

_log = structlog.get_logger(__name__)


class Relay:
    """Listens on one connection and connects again for as long as it runs."""

    def __init__(self, url: str, hub: Hub, *, clock: Clock) -> None:
        self._url = url
        self._hub = hub
        self._clock = clock

    async def run(self) -> None:
        """Listen until cancelled. After each reconnect every channel looks for what it missed."""
        wait = _FIRST_WAIT_S
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {OUTBOX_CHANNEL}")
                    await connection.execute(f"LISTEN {PRICES_CHANNEL}")
                    await connection.execute(f"LISTEN {DECIDED_CHANNEL}")
                    wait = _FIRST_WAIT_S
                    self._hub.wake_all()
                    async for notice in connection.notifies():
                        self._take(notice)
            except psycopg.Error as error:
                _log.warning("the wake-up line to the database is down", reason=str(error), retry_s=wait)
            await self._clock.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_S)

    def _take(self, notice: psycopg.Notify) -> None:
        if notice.channel == OUTBOX_CHANNEL:
            self._hub.wake(UUID(notice.payload))
        elif notice.channel == DECIDED_CHANNEL:
            told = orjson.loads(notice.payload)
            self._hub.tell_decided(UUID(told["user_id"]), told["bots"])
        else:
            self._hub.tell_prices(orjson.loads(notice.payload))
