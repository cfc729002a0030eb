"""Replay: a fleet of bots through the real engine, order path and ledger, on recorded data.

The same specification gives the same result, digit for digit: time is the recording's, ids and
randomness come from the specification's seed.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from amarktai.domain.bot import RiskMode
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.market import NO_TS
from amarktai.ports.candles import CandleStore
from amarktai.ports.catalog import Catalog, FeedRow, MarkRow
from amarktai.ports.clock import SettableClock, to_datetime, to_ns
from amarktai.ports.feed import Feed, FeedState
from amarktai.ports.tallies import Tally, TallyReader
from amarktai.services.bots import BotService, NewBot
from amarktai.services.engine import TradingEngine
from amarktai.services.wallet import WalletService

#: More bars than any recording has: the dashboard's charts get them all.
_ALL_BARS: Final = 10_000_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeedSpec(_Strict):
    """One recording. Paths are relative to the data folder (AMARKTAI_DATA)."""

    kind: Literal["luno_quotes", "candles", "binance_capture", "stored", "recording"]
    path: str = ""
    paths: tuple[str, ...] = ()
    platform: Platform | None = None
    pair: str | None = None
    pairs: tuple[str, ...] = ()
    timeframe: str | None = None
    columns: Mapping[str, str] = Field(default_factory=dict)


class BotSpec(_Strict):
    """One bot, with the same choices as in the dashboard."""

    name: str
    platform: Platform
    pair: str
    strategy: str
    params: Mapping[str, float] = Field(default_factory=dict)
    timeframe: str | None = None
    risk_mode: RiskMode = RiskMode.BALANCED
    capital_zar: Decimal = Decimal(10_000)


class ReplaySpec(_Strict):
    """A whole replay: data, bots, span and seed."""

    title: str
    seed: int = 1
    since: datetime | None = None
    until: datetime | None = None
    snapshot_hours: float = Field(default=6.0, gt=0)
    wallet_zar: Decimal | None = None
    feeds: tuple[FeedSpec, ...] = Field(min_length=1)
    bots: tuple[BotSpec, ...] = Field(min_length=1)

    @property
    def since_ts(self) -> int:
        return to_ns(_utc(self.since)) if self.since else 0

    @property
    def until_ts(self) -> int:
        return to_ns(_utc(self.until)) if self.until else NO_TS

    @property
    def funding(self) -> Decimal:
        """The wallet's money: what is stated, else what the bots need."""
        return self.wallet_zar or sum((bot.capital_zar for bot in self.bots), Decimal(0))


def _utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def load_spec(path: Path) -> ReplaySpec:
    """Read a replay's specification.

    Raises: InvalidInput naming the file, the key and the nearest right name.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(
            "REPLAY_SPEC", f"{path} cannot be read: {error.strerror}", "Check the path."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput("REPLAY_SPEC", f"{path} is no TOML: {error}", "Correct that line.") from error
    try:
        return ReplaySpec.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("REPLAY_SPEC", f"{path}: {place}: {first['msg']}", _hint(first)) from error


def _hint(problem: Mapping[str, Any]) -> str:
    if problem["type"] != "extra_forbidden":
        return "See examples/ for a specification that works."
    known = {name for model in (ReplaySpec, FeedSpec, BotSpec) for name in model.model_fields}
    near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known names: {', '.join(sorted(known))}."


@dataclass(slots=True)
class ReplayResult:
    """The summary of a replay. Wall time in seconds; everything else repeats digit for digit."""

    title: str
    bots: int
    tally: Tally
    unrealized_zar: Decimal | None
    equity_zar: Decimal | None
    events: int
    bars: int
    decisions: int
    dirty: Mapping[str, int]
    since: datetime
    until: datetime
    wall_s: float = 0.0
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the summary for programs."""
        tally = self.tally
        return {
            "title": self.title,
            "bots": self.bots,
            "orders": sum(tally.orders.values()),
            "orders_by_state": dict(tally.orders),
            "fills": tally.fills,
            "round_trips": tally.round_trips,
            "realized_zar": f"{tally.realized_zar:f}",
            "unrealized_zar": None if self.unrealized_zar is None else f"{self.unrealized_zar:f}",
            "equity_zar": None if self.equity_zar is None else f"{self.equity_zar:f}",
            "fees_zar": f"{tally.fees_zar:f}",
            "fills_without_rate": tally.unvalued_fills,
            "ledger_imbalance": {asset: f"{amount:f}" for asset, amount in tally.imbalance.items()},
            "ledger_head": tally.head_hash,
            "events": self.events,
            "bars": self.bars,
            "decisions": self.decisions,
            "dirty_rows": dict(self.dirty),
            "virtual_from": self.since.isoformat(),
            "virtual_until": self.until.isoformat(),
            "wall_s": round(self.wall_s, 3),
            "events_per_s": round(self.events / self.wall_s) if self.wall_s else None,
            "notes": self.notes,
        }


@dataclass(frozen=True, slots=True)
class ReplayParts:
    """What a replay runs on, made by ``bootstrap``."""

    clock: SettableClock
    feed: Feed
    engine: TradingEngine
    bots: BotService
    wallet: WalletService
    catalog: Catalog
    tallies: TallyReader
    candles: CandleStore


async def run_replay(
    spec: ReplaySpec, user_id: UUID, parts: ReplayParts, progress: Callable[[int], None]
) -> ReplayResult:
    """Create the fleet, play the recording, and return the summary. ``progress`` hears the time (ns)."""
    started = to_datetime(parts.clock.now_ns())
    await parts.catalog.put_instruments(list(parts.feed.instruments), parts.feed.origin, started)
    await parts.wallet.fund(user_id, spec.funding)
    for bot in spec.bots:
        await parts.bots.create(user_id, _wanted(bot))
    await parts.engine.start()
    async for batch in parts.feed.batches():
        await parts.engine.process(batch)
        progress(parts.clock.now_ns())
    await _finish(parts)
    return await _summarise(spec, user_id, parts, started)


def _wanted(bot: BotSpec) -> NewBot:
    return NewBot(
        name=bot.name,
        platform=bot.platform.value,
        pair=bot.pair,
        strategy=bot.strategy,
        params=bot.params,
        timeframe=bot.timeframe,
        risk_mode=bot.risk_mode,
        capital_zar=bot.capital_zar,
        start=True,
    )


async def _finish(parts: ReplayParts) -> None:
    """Leave the data folder as the dashboard wants to find it: last prices, equity, ended feeds."""
    engine, now = parts.engine, to_datetime(parts.clock.now_ns())
    engine.take_snapshots()
    await engine.save()
    for runner in engine.runners.values():
        instrument, timeframe = engine.lanes[runner.index].instrument, runner.bot.timeframe
        bars = await parts.feed.fetch_bars(instrument, timeframe, _ALL_BARS, parts.clock.now_ns())
        if len(bars):
            parts.candles.append(instrument.id, bars, parts.feed.origin)
    marks = []
    for index, lane in enumerate(engine.lanes):
        mark = engine.mark(index)
        if mark is not None:
            marks.append(MarkRow(lane.instrument.id, mark.price, mark.at, mark.origin))
    await parts.catalog.put_marks(marks)
    by_platform: dict[Platform, list[Instrument]] = {}
    for instrument in parts.feed.instruments:
        by_platform.setdefault(instrument.venue, []).append(instrument)
    status = parts.feed.status()
    for platform, instruments in by_platform.items():
        await parts.catalog.put_feed(
            FeedRow(
                platform, parts.feed.origin, FeedState.ENDED, status.message, now, None, len(instruments)
            ),
            now,
        )


async def _summarise(spec: ReplaySpec, user_id: UUID, parts: ReplayParts, started: datetime) -> ReplayResult:
    engine = parts.engine
    equity = [engine.equity_zar(runner) for runner in engine.runners.values()]
    known = [figures for figures in equity if figures is not None]
    complete = len(known) == len(equity)
    wallet = await parts.wallet.view(user_id)
    free = Decimal(wallet["available"])
    total = free + sum((worth for worth, _ in known), Decimal(0)) if complete else None
    return ReplayResult(
        title=spec.title,
        bots=len(spec.bots),
        tally=await parts.tallies.tally(user_id),
        unrealized_zar=sum((unrealised for _, unrealised in known), Decimal(0)) if complete else None,
        equity_zar=total,
        events=engine.counters.events,
        bars=engine.counters.bars,
        decisions=engine.counters.decisions,
        dirty=engine.refused_rows(),
        since=started,
        until=to_datetime(parts.clock.now_ns()),
    )
