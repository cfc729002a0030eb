"""Recording a feed and playing it back: the same rows, within a disk budget, through kills."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Origin, Platform
from amarktai.domain.market import DirtyRows, MarketBatch
from amarktai.ports.feed import Feed
from amarktai.storage.candles import ParquetCandleStore
from amarktai.system.clock import VirtualClock
from amarktai.venues.batches import concat, cut, quote_batch
from amarktai.venues.recorder import Recorder, RecorderSettings, enforce_budget, recording_feed
from amarktai.venues.replay import RecordedFeed, Span
from amarktai.venues.sandbox import Pace, SandboxFeed
from amarktai.venues.spec import load_specs

SPECS = load_specs()
BTC, ETH = (SPECS[Platform.LUNO].instrument(symbol) for symbol in ("BTC/ZAR", "ETH/ZAR"))
DAY = 86_400 * NS_PER_S
MIDNIGHT = 20_000 * DAY
COLUMNS = ("ts", "received_ts", "instrument", "kind", "a", "b", "c", "d", "e", "timeframe_s")


def settings(root: Path, budget: int = 10**9, every_s: float = 60) -> RecorderSettings:
    return RecorderSettings(root, budget, every_s)


def sandbox(start: int, seconds: int, seed: int = 1) -> SandboxFeed:
    pace = Pace(is_paced=False, until_ts=start + seconds * NS_PER_S)
    return SandboxFeed([BTC, ETH], seed=seed, clock=VirtualClock(start), pace=pace)


class Chopped(RecordedFeed):
    """A recording that comes in small batches, as a live feed's do, with any origin."""

    size = 7

    async def batches(self) -> AsyncIterator[MarketBatch]:
        for batch in cut(self._events, self.size):
            yield batch


def chopped(events: MarketBatch, origin: Origin = Origin.LIVE) -> Chopped:
    return Chopped(
        [BTC, ETH], events, title="Live", dirty=DirtyRows(), max_age_s=60, history={}, origin=origin
    )


async def everything(feed: Feed) -> MarketBatch:
    return concat([batch async for batch in feed.batches()])


def kept(root: Path) -> list[Path]:
    """Return the recorded files, oldest first."""
    return sorted(root.glob("*/*/*/*.parquet"), key=lambda path: int(path.stem))


def assert_same(one: MarketBatch, other: MarketBatch) -> None:
    for name in COLUMNS:
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name


async def test_what_was_recorded_comes_back_row_for_row(tmp_path: Path) -> None:
    start = MIDNIGHT - 90 * NS_PER_S
    events = await everything(sandbox(start, 180))
    recorder = Recorder(chopped(events), settings(tmp_path))
    assert_same(await everything(recorder), events)
    played = recording_feed(tmp_path)
    assert set(played.instruments) == {BTC, ETH}
    back = await everything(played)
    order = np.array([played.instruments.index(item) for item in (BTC, ETH)], dtype=np.int32)
    assert_same(back, replace(events, instrument=order[events.instrument]))
    assert len(list((tmp_path / "luno/BTC-ZAR").iterdir())) == 2
    assert recorder.files_written >= 6


async def test_live_data_is_recorded_data_and_synthetic_data_stays_synthetic(tmp_path: Path) -> None:
    events = await everything(sandbox(MIDNIGHT, 10))
    await everything(Recorder(chopped(events), settings(tmp_path / "live")))
    assert recording_feed(tmp_path / "live").origin is Origin.RECORDED
    await everything(Recorder(sandbox(MIDNIGHT, 10), settings(tmp_path / "sandbox")))
    assert recording_feed(tmp_path / "sandbox").origin is Origin.SYNTHETIC
    await everything(Recorder(sandbox(MIDNIGHT + DAY, 10), settings(tmp_path / "live")))
    with pytest.raises(InvalidInput, match="origin"):
        recording_feed(tmp_path / "live")


async def test_only_what_is_wanted_is_kept(tmp_path: Path) -> None:
    events = await everything(sandbox(MIDNIGHT, 30))
    recorder = Recorder(chopped(events), settings(tmp_path), is_wanted=lambda name: name == BTC.id)
    assert len(await everything(recorder)) == len(events)
    played = recording_feed(tmp_path)
    assert played.instruments == (BTC,)
    assert played.row_count == int((events.instrument == 0).sum())


async def test_a_span_and_its_warm_up(tmp_path: Path) -> None:
    await everything(Recorder(sandbox(MIDNIGHT, 600), settings(tmp_path)))
    since, until = MIDNIGHT + 300 * NS_PER_S, MIDNIGHT + 360 * NS_PER_S
    played = recording_feed(tmp_path, [BTC.id], Span(since, until))
    back = await everything(played)
    assert since <= back.received_ts[0] <= back.received_ts[-1] < until
    warm = await played.fetch_bars(BTC, "1m", 10, since)
    assert warm.ts_open.tolist() == [MIDNIGHT + minute * 60 * NS_PER_S for minute in range(5)]


async def test_a_kill_loses_only_what_was_not_written(tmp_path: Path) -> None:
    """The stream is left in the middle and its last files are torn: the rest reads back."""
    events = await everything(sandbox(MIDNIGHT, 300))
    recorder = Recorder(chopped(events), settings(tmp_path))
    stream = recorder.batches()
    seen = [await anext(stream) for _ in range(60)]
    (tmp_path / "luno/BTC-ZAR/2024-10-04").mkdir(parents=True, exist_ok=True)
    (tmp_path / "luno/BTC-ZAR/2024-10-04/1.part").write_bytes(b"half")
    back = await everything(recording_feed(tmp_path, [BTC.id]))
    written = len(back)
    assert 0 < written < sum(int((batch.instrument == 0).sum()) for batch in seen)
    assert back.received_ts.tolist() == events.received_ts[events.instrument == 0][:written].tolist()


async def test_the_oldest_files_go_first(tmp_path: Path) -> None:
    await everything(Recorder(chopped(await everything(sandbox(MIDNIGHT, 900))), settings(tmp_path)))
    files = kept(tmp_path)
    total = sum(path.stat().st_size for path in files)
    newest = files[-1]
    removed = enforce_budget(tmp_path, total // 2, keep=[])
    left = kept(tmp_path)
    assert removed + left == files
    assert sum(path.stat().st_size for path in left) <= total // 2
    assert enforce_budget(tmp_path, 0, keep=[newest]) == left[:-1]
    assert newest.exists()


async def test_a_recorder_keeps_within_its_budget(tmp_path: Path) -> None:
    budget = 60_000
    events = await everything(sandbox(MIDNIGHT, 1_800))
    await everything(Recorder(chopped(events), settings(tmp_path, budget)))
    files = kept(tmp_path)
    assert sum(path.stat().st_size for path in files) <= budget
    assert max(int(path.stem) for path in files) > MIDNIGHT + 1_500 * NS_PER_S


async def test_a_disk_that_fails_is_said_and_the_feed_goes_on(tmp_path: Path) -> None:
    root = tmp_path / "recordings"
    root.write_text("a file where the folder should be")
    events = await everything(sandbox(MIDNIGHT, 120))
    recorder = Recorder(chopped(events), settings(root))
    assert_same(await everything(recorder), events)
    assert recorder.problem is not None
    assert "cannot be recorded" in recorder.problem


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no recordings"):
        recording_feed(tmp_path)
    folder = tmp_path / "luno/BTC-ZAR/2024-10-04"
    folder.mkdir(parents=True)
    (folder / "1.parquet").write_bytes(b"nothing")
    with pytest.raises(InvalidInput, match=r"1\.parquet is no recording"):
        recording_feed(tmp_path)


@hypothesis_settings(max_examples=40)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=40), st.integers(1, 9))
async def test_minutes_are_stored_whole(
    tmp_path_factory: pytest.TempPathFactory, seconds: list[int], size: int
) -> None:
    """However the quotes are cut into batches and files, the stored minutes are theirs."""
    folder = tmp_path_factory.mktemp("recorder")
    ts = MIDNIGHT + np.array(sorted(seconds), dtype=np.int64) * NS_PER_S
    bid = np.array([100.0 + row % 7 for row in range(len(ts))])
    feed = chopped(quote_batch(0, ts, bid, bid + 2))
    feed.size = size
    store = ParquetCandleStore(folder / "candles")
    await everything(Recorder(feed, settings(folder / "recordings", every_s=30), candles=store))
    bars = store.load(BTC.id, "1m")
    minutes = sorted({second // 60 for second in seconds})[:-1]
    assert ((bars.ts_open - MIDNIGHT) // (60 * NS_PER_S)).tolist() == minutes
    for row, minute in enumerate(minutes):
        mids = (bid + 1)[(ts - MIDNIGHT) // NS_PER_S // 60 == minute]
        found = (bars.open[row], bars.high[row], bars.low[row], bars.close[row])
        assert found == (mids[0], mids.max(), mids.min(), mids[-1])


async def test_it_passes_everything_else_on(tmp_path: Path) -> None:
    inner = sandbox(MIDNIGHT, 10)
    recorder = Recorder(inner, settings(tmp_path))
    assert recorder.origin is Origin.SYNTHETIC
    assert recorder.status() == inner.status()
    assert (recorder.max_age_s, recorder.books, recorder.dirty) == (inner.max_age_s, {}, inner.dirty)
    assert len(await recorder.fetch_bars(BTC, "1h", 5, MIDNIGHT)) == 5
    await recorder.close()
