"""Per-user channels: each event is read once, encoded once, and written to every client of its user.

A channel exists while somebody listens. It remembers the last sequence that it passed on, so a
wake-up means "read what is newer", and lost or doubled wake-ups do no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog

from amarktai.domain.errors import Unavailable
from amarktai.ports.accounts import EventStore
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.live import CLOSE_GOING_AWAY, CLOSE_TOO_SLOW, HEARTBEAT_S, Frame, Sink
from amarktai.realtime.frames import encode, encode_event

#: A client that has not taken this many bytes is dropped; it resumes from its last sequence.
MAX_BUFFERED_BYTES: Final = 1_000_000
#: Catching up with more than this is not sent event by event; the client loads afresh.
MAX_BACKLOG: Final = 2_000
_BATCH: Final = 500
_PRICE_INTERVAL_S: Final = 0.25
_RECHECK_BEATS: Final = 6

_log = structlog.get_logger(__name__)


class Channel:
    """One user's clients and the last sequence they were sent."""

    def __init__(self, user_id: UUID, seq: int) -> None:
        self.user_id = user_id
        self.seq = seq
        self.sinks: set[Sink] = set()
        self.lock = asyncio.Lock()
        self.is_pumping = False
        self.is_dirty = False

    def broadcast(self, frame: Frame) -> None:
        slow = [sink for sink in self.sinks if sink.write(frame) > MAX_BUFFERED_BYTES]
        for sink in slow:
            self.sinks.discard(sink)
            sink.drop(CLOSE_TOO_SLOW, "The connection is too slow; resume from the last sequence.")


class ClientAttachment:
    def __init__(self, hub: Hub, channel: Channel, sink: Sink) -> None:
        self._hub = hub
        self._channel = channel
        self._sink = sink

    def send(self, message: Mapping[str, Any]) -> None:
        if self._sink.write(encode(message)) > MAX_BUFFERED_BYTES:
            self._sink.drop(CLOSE_TOO_SLOW, "The connection is too slow; resume from the last sequence.")
            self.detach()

    def detach(self) -> None:
        self._channel.sinks.discard(self._sink)
        self._hub.forget(self._channel)


class Hub:
    """All channels of one process."""

    def __init__(self, events: EventStore, *, clock: Clock, dashboard_sha: Callable[[], str | None]) -> None:
        self._events = events
        self._clock = clock
        self._dashboard_sha = dashboard_sha
        self._channels: dict[UUID, Channel] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._prices: dict[str, tuple[float, int]] = {}
        self._price_timer: asyncio.TimerHandle | None = None
        self.lag_s: float | None = None

    @property
    def client_count(self) -> int:
        return sum(len(channel.sinks) for channel in self._channels.values())

    async def attach(self, user_id: UUID, after: int | None, sink: Sink) -> ClientAttachment:
        """See ``ports.live.LiveHub``. Raises: Unavailable when the store does not answer."""
        oldest, newest = await self._events.bounds(user_id)
        channel = self._channels.setdefault(user_id, Channel(user_id, newest))
        async with channel.lock:
            try:
                await self._greet(channel, after, oldest, sink)
            except Unavailable:
                self.forget(channel)
                raise
            channel.sinks.add(sink)
            self._channels[user_id] = channel  # the last client may have left while we waited
        self.wake(user_id)
        return ClientAttachment(self, channel, sink)

    def wake(self, user_id: UUID) -> None:
        """Say that a user has new events. Does nothing when nobody listens here."""
        channel = self._channels.get(user_id)
        if channel is None:
            return
        channel.is_dirty = True
        if not channel.is_pumping:
            channel.is_pumping = True
            self._spawn(self._pump(channel))

    def wake_all(self) -> None:
        """Look for events of every listening user: after the wake-up line was down."""
        for user_id in tuple(self._channels):
            self.wake(user_id)

    def tell_prices(self, prices: Mapping[str, tuple[float, int]]) -> None:
        """Take the latest prices; clients get them together, at most four times a second."""
        self._prices.update(prices)
        if self._price_timer is None and self._channels:
            loop = asyncio.get_running_loop()
            self._price_timer = loop.call_later(_PRICE_INTERVAL_S, self._send_prices)

    def tell_decided(self, user_id: UUID, bot_ids: Sequence[str]) -> None:
        """Tell one user's clients which bots have decided; what they decided is read when shown."""
        channel = self._channels.get(user_id)
        if channel is not None:
            channel.broadcast(encode({"type": "decided", "bots": list(bot_ids)}))

    def detach_user(self, user_id: UUID, code: int, reason: str) -> None:
        channel = self._channels.pop(user_id, None)
        for sink in channel.sinks if channel else ():
            sink.drop(code, reason)

    def forget(self, channel: Channel) -> None:
        """Drop a channel that nobody listens to."""
        if not channel.sinks and self._channels.get(channel.user_id) is channel:
            del self._channels[channel.user_id]

    async def run(self) -> None:
        """Send heartbeats until cancelled; now and then look for events that no wake-up told of."""
        beats = 0
        while True:
            await self._clock.sleep(HEARTBEAT_S)
            beats += 1
            now = to_datetime(self._clock.now_ns())
            for channel in tuple(self._channels.values()):
                channel.broadcast(encode({"type": "heartbeat", "seq": channel.seq, "server_time": now}))
                self.forget(channel)
            if beats % _RECHECK_BEATS == 0:
                self.wake_all()

    async def close(self) -> None:
        """Drop every client and end what still runs."""
        for user_id in tuple(self._channels):
            self.detach_user(user_id, CLOSE_GOING_AWAY, "The server stops; connect again.")
        if self._price_timer is not None:
            self._price_timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _greet(self, channel: Channel, after: int | None, oldest: int, sink: Sink) -> None:
        seq = channel.seq
        can_resume = after is not None and oldest - 1 <= after <= seq and seq - after <= MAX_BACKLOG
        hello = {
            "type": "hello",
            "seq": seq,
            "oldest": oldest,
            "resumed": can_resume,
            "dashboard_sha": self._dashboard_sha(),
            "heartbeat_s": HEARTBEAT_S,
            "server_time": to_datetime(self._clock.now_ns()),
        }
        sink.write(encode(hello))
        if after is None:
            return
        if not can_resume:
            sink.write(encode({"type": "cannot_resume", "oldest": oldest}))
            return
        while after < seq:
            rows = await self._events.after(channel.user_id, after, min(_BATCH, seq - after))
            for row in rows:
                sink.write(encode_event(row))
            if not rows:
                return
            after = rows[-1].seq

    async def _pump(self, channel: Channel) -> None:
        """Pass on what is newer than the channel's sequence, until nothing is."""
        try:
            while channel.is_dirty:
                channel.is_dirty = False
                async with channel.lock:
                    while rows := await self._events.after(channel.user_id, channel.seq, _BATCH):
                        for row in rows:
                            channel.broadcast(encode_event(row))
                            channel.seq = row.seq
                        self._note_lag(rows[-1].created_at)
                        if len(rows) < _BATCH:
                            break
        except Unavailable as error:
            # The relay wakes every channel once the database is back.
            _log.warning("events wait for the database", user=str(channel.user_id), reason=error.detail)
        finally:
            channel.is_pumping = False
            self.forget(channel)

    def _note_lag(self, created_at: datetime) -> None:
        lag = to_datetime(self._clock.now_ns()) - created_at
        self.lag_s = max(0.0, lag.total_seconds())

    def _send_prices(self) -> None:
        self._price_timer = None
        frame = encode({"type": "prices", "prices": self._prices})
        self._prices = {}
        for channel in tuple(self._channels.values()):
            channel.broadcast(frame)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
