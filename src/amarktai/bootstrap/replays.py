"""A replay: recordings as a feed, a virtual clock, and the same engine as ever."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from amarktai.bootstrap.foundation import Foundation, build_bots, build_fx, lay_foundation
from amarktai.bootstrap.trading import EngineInputs, build_engine
from amarktai.config import Settings
from amarktai.domain.errors import Conflict, InvalidInput
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.user import Role, User
from amarktai.ports.clock import to_datetime
from amarktai.ports.feed import Recording
from amarktai.ports.leases import Lease
from amarktai.services.passwords import Passwords
from amarktai.services.replay import FeedSpec, ReplayParts, ReplayResult, ReplaySpec, run_replay
from amarktai.services.wallet import WalletService
from amarktai.storage.accounts import PgAccounts
from amarktai.storage.bar_files import read_bars
from amarktai.storage.candles import ParquetCandleStore
from amarktai.storage.leases import PgLeases
from amarktai.storage.tallies import PgTallies
from amarktai.system.clock import VirtualClock
from amarktai.system.ids import TimeIds
from amarktai.system.rng import SeededRng, SystemRng
from amarktai.venues.binance_capture import BinanceCaptureFeed
from amarktai.venues.recorder import recording_feed
from amarktai.venues.replay import MergedFeed, Span, candle_feed
from amarktai.venues.replay_quotes import luno_quote_feed
from amarktai.venues.spec import load_specs

#: A replay may run more bots on one exchange than a person may.
_REPLAY_CAP = 10_000
#: No recording lasts longer. Its lease does, so that no other engine comes in between.
_LONGEST_S = 50 * 365 * 86_400
#: Where a platform that was started in this folder keeps its bars and recordings.
_STORED = "var/candles"
_RECORDED = "var/recordings"


def build_replay_feed(spec: ReplaySpec, data: Path) -> Recording:
    """Open the recordings of a replay.

    Raises: InvalidInput naming the file and what to do.
    """
    span = Span(spec.since_ts, spec.until_ts)
    feeds = [_OPENERS[feed.kind](feed, data, span) for feed in spec.feeds]
    return feeds[0] if len(feeds) == 1 else MergedFeed(feeds)


def _open_luno(feed: FeedSpec, data: Path, span: Span) -> Recording:
    return luno_quote_feed(data / feed.path, feed.pairs, span)


def _open_candles(feed: FeedSpec, data: Path, span: Span) -> Recording:
    instrument = _instrument(feed)
    if feed.timeframe is None:
        raise InvalidInput("REPLAY_SPEC", "A feed of candles needs its timeframe", 'Add timeframe = "1h".')
    bars = read_bars(data / feed.path, feed.timeframe, feed.columns)
    title = f"{instrument.symbol} {feed.timeframe} from {Path(feed.path).name}"
    return candle_feed([(instrument, bars)], title=title, span=span)


def _open_capture(feed: FeedSpec, data: Path, span: Span) -> Recording:
    return BinanceCaptureFeed([data / path for path in feed.paths], span)


def _open_stored(feed: FeedSpec, data: Path, span: Span) -> Recording:
    """Open bars that ``amarktai data fetch`` or ``data import`` stored; the path is the store's folder."""
    instrument = _instrument(feed)
    timeframe = feed.timeframe or "1h"
    bars = ParquetCandleStore(Path(feed.path or _STORED)).load(instrument.id, timeframe)
    if not len(bars):
        raise InvalidInput(
            "REPLAY_SPEC",
            f"There are no {timeframe} bars of {instrument.id} in {feed.path or _STORED}",
            f"Fetch them: amarktai data fetch {instrument.venue} {instrument.symbol} {timeframe}",
        )
    title = f"{instrument.symbol} {timeframe}, stored bars"
    return candle_feed([(instrument, bars)], title=title, span=span)


def _open_recording(feed: FeedSpec, data: Path, span: Span) -> Recording:
    """Open what the recorder kept of live feeds; the path is the recordings' folder."""
    ids = [f"{feed.platform}:{pair}" for pair in feed.pairs]
    return recording_feed(Path(feed.path or _RECORDED), ids, span)


_OPENERS: dict[str, Callable[[FeedSpec, Path, Span], Recording]] = {
    "luno_quotes": _open_luno,
    "candles": _open_candles,
    "binance_capture": _open_capture,
    "stored": _open_stored,
    "recording": _open_recording,
}


def _instrument(feed: FeedSpec) -> Instrument:
    if feed.platform is None or feed.pair is None:
        raise InvalidInput("REPLAY_SPEC", "This feed needs a platform and a pair", 'Add pair = "BTC/USDT".')
    return load_specs()[feed.platform].instrument(feed.pair)


@dataclass(frozen=True, slots=True)
class ReplayLogin:
    """Who may open the result in the dashboard."""

    email: str
    password: str


async def replay(
    spec: ReplaySpec, settings: Settings, app_url: str, login: ReplayLogin, progress: Callable[[int], None]
) -> ReplayResult:
    """Run a replay in its own, empty database."""
    feed = build_replay_feed(spec, settings.data)
    clock = VirtualClock(replay_span(spec, settings.data)[0])
    ids = TimeIds(clock, SeededRng(f"replay:{spec.seed}"))
    base = lay_foundation(settings, app_url, clock, ids)
    try:
        user_id = await create_first_user(base, login)
        fx = build_fx(feed.max_age_s)
        bots = build_bots(base, fx, dict.fromkeys(Platform, _REPLAY_CAP))
        async with only_engine(base, "replay") as lease:
            inputs = EngineInputs(fx, lease, bots, {}, spec.snapshot_hours * 3600)
            engine = build_engine(base, feed, inputs)
            wallet = WalletService(base.store, clock, ids, base.catalog, fx)
            candles = ParquetCandleStore(settings.home / "candles")
            tallies = PgTallies(base.database)
            parts = ReplayParts(clock, feed, engine, bots, wallet, base.catalog, tallies, candles)
            return await run_replay(spec, user_id, parts, progress)
    finally:
        await base.close()


@asynccontextmanager
async def only_engine(base: Foundation, holder: str) -> AsyncIterator[Lease]:
    """Hold the engine's lease of a folder of its own, until it can be opened in the dashboard."""
    leases = PgLeases(base.database)
    lease = await leases.take("engine", holder, base.clock.now_ns(), ttl_s=_LONGEST_S)
    try:
        yield lease
    finally:
        await leases.give_up(lease)


def replay_span(spec: ReplaySpec, data: Path) -> tuple[int, int]:
    """Return the times (ns) of a replay's first and last event."""
    first, last = build_replay_feed(spec, data).span()
    if first > last:
        raise InvalidInput("REPLAY_SPEC", "Nothing was recorded in that span", "Widen since and until.")
    return first, last


async def create_first_user(base: Foundation, login: ReplayLogin) -> UUID:
    """Make the user who owns a replay's bots, in a database where nobody is yet.

    Raises: Conflict DATABASE_IN_USE before anything is written when somebody is there.
    """
    async with PgAccounts(base.database).unit(None) as unit:
        is_used = await unit.users.count() > 0
    if is_used:
        raise Conflict(
            "DATABASE_IN_USE",
            "This database belongs to somebody already, no replay or rehearsal writes to it",
            "Choose an empty folder with --home.",
        )
    return await create_replay_user(base, login)


async def create_replay_user(base: Foundation, login: ReplayLogin) -> UUID:
    """Make a user who owns bots in made-up markets."""
    hashed = await Passwords(SystemRng()).hash(login.password)
    user = User(
        id=base.ids.new(),
        email=login.email,
        name="Replay",
        role=Role.ADMIN,
        timezone=base.settings.timezone,
        created_at=to_datetime(base.clock.now_ns()),
    )
    async with PgAccounts(base.database).unit(None) as unit:
        await unit.users.insert(user, hashed)
    return user.id
