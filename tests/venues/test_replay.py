"""Bars as a feed, spans, warm-up, and merging feeds in time order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.bar import Bars
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Instrument, Origin
from amarktai.domain.market import DirtyRows, EventKind, MarketBatch
from amarktai.ports.feed import Feed, FeedState
from amarktai.storage.bar_files import read_bars
from amarktai.venues.batches import BATCH_ROWS, concat, quote_batch
from amarktai.venues.exchanges.binance import VENUE as BINANCE
from amarktai.venues.exchanges.kucoin import VENUE as KUCOIN
from amarktai.venues.replay import MergedFeed, RecordedFeed, Span, candle_feed
from tests.bars import HOUR, make_bars
from tests.recordings import recording

BTC, ETH = BINANCE.instruments


async def everything(feed: Feed) -> MarketBatch:
    return concat([batch async for batch in feed.batches()])


class TestCandleFeed:
    async def test_each_bar_opens_at_its_open_and_closes_one_timeframe_later(self) -> None:
        feed = candle_feed([(BTC, make_bars(10, [100, 101]))], title="Bars")
        rows = await everything(feed)
        kinds = [EventKind(kind) for kind in rows.kind]
        assert kinds == [EventKind.BAR_OPEN, EventKind.BAR_CLOSE] * 2
        assert rows.ts.tolist() == [10 * HOUR, 11 * HOUR, 11 * HOUR, 12 * HOUR]
        assert (rows.a[1], rows.b[1], rows.c[1], rows.d[1], rows.e[1]) == (100, 101, 99.5, 100, 1)
        assert rows.a[2] == 100
        assert set(rows.timeframe_s.tolist()) == {3600}
        assert feed.origin is Origin.RECORDED
        assert feed.status().state is FeedState.ENDED

    async def test_at_one_instant_all_bars_close_before_any_opens(self) -> None:
        series = [(BTC, make_bars(10, [1, 2, 3])), (ETH, make_bars(10, [4, 5, 6]))]
        rows = await everything(candle_feed(series, title="Bars"))
        at = rows.ts == 11 * HOUR
        assert rows.kind[at].tolist() == [EventKind.BAR_CLOSE] * 2 + [EventKind.BAR_OPEN] * 2
        assert rows.instrument[at].tolist() == [0, 1, 0, 1]

    async def test_gaps_and_empty_bars_are_noted_and_never_invented(self) -> None:
        whole = make_bars(0, [1, 2, 3, 4, 5])
        kept = np.array([0, 1, 4])
        volume = np.array([1.0, 0.0, 1.0])
        o, h, low, c = (column[kept] for column in (whole.open, whole.high, whole.low, whole.close))
        bars = Bars("1h", whole.ts_open[kept], o, h, low, c, volume)
        feed = candle_feed([(BTC, bars)], title="Bars")
        assert feed.dirty.counts == {"missing_bar": 2, "zero_volume_bar": 1}
        assert feed.row_count == 6

    async def test_what_lies_before_the_span_is_the_warm_up(self) -> None:
        feed = candle_feed([(BTC, make_bars(0, range(1, 11)))], title="Bars", span=Span(5 * HOUR, 8 * HOUR))
        rows = await everything(feed)
        assert rows.ts[0] == 5 * HOUR
        assert rows.ts[-1] == 8 * HOUR
        warm = await feed.fetch_bars(BTC, "1h", 3, 5 * HOUR)
        assert warm.ts_open.tolist() == [2 * HOUR, 3 * HOUR, 4 * HOUR]
        assert len(await feed.fetch_bars(BTC, "4h", 3, 5 * HOUR)) == 0
        assert len(await feed.fetch_bars(ETH, "1h", 3, 5 * HOUR)) == 0

    def test_nothing_to_replay_is_an_error(self) -> None:
        with pytest.raises(InvalidInput):
            candle_feed([], title="Bars")

    def test_one_timeframe_an_instrument(self) -> None:
        bars = make_bars(0, [1])
        with pytest.raises(InvalidInput, match="twice"):
            candle_feed([(BTC, bars), (BTC, bars)], title="Bars")

    def test_an_empty_span_says_so(self) -> None:
        feed = candle_feed([(BTC, make_bars(0, [1]))], title="Bars", span=Span(HOUR))
        assert feed.status().state is FeedState.ENDED
        assert "nothing" in feed.status().message

    @pytest.mark.data
    async def test_the_recorded_candles_are_counted_as_described(self) -> None:
        binance = read_bars(recording("binance_btcusdt_1h/BTC_USDT-1h.feather"), "1h")
        kucoin = read_bars(recording("kucoin_btcusdt_4h/BTC-USDT_4h_to_2024-04-21.csv"), "4h")
        feed = candle_feed([(BTC, binance), (KUCOIN.instruments[0], kucoin)], title="Bars")
        assert (len(binance), len(kucoin)) == (58_419, 14_236)
        assert feed.dirty.counts == {"missing_bar": 156, "zero_volume_bar": 8}
        batches = [batch async for batch in feed.batches()]
        assert max(len(batch) for batch in batches) == BATCH_ROWS
        rows = concat(batches)
        assert len(rows) == 2 * (58_419 + 14_236)
        assert (np.diff(rows.ts) >= 0).all()


def quotes(instrument: Instrument, times: Sequence[int]) -> RecordedFeed:
    ts = np.array(sorted(times), dtype=np.int64)
    bid = np.arange(1, len(ts) + 1, dtype=np.float64)
    return RecordedFeed(
        [instrument],
        quote_batch(0, ts, bid, bid + 1),
        title="Quotes",
        dirty=DirtyRows({"crossed": 1}),
        max_age_s=len(ts),
        history={},
    )


class TestMergedFeed:
    @given(st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=20), min_size=1, max_size=3))
    async def test_every_row_comes_once_and_in_time_order(self, times: list[list[int]]) -> None:
        instruments = (*BINANCE.instruments, *KUCOIN.instruments)
        feed = MergedFeed([quotes(instruments[i], part) for i, part in enumerate(times)])
        rows = await everything(feed)
        assert (np.diff(rows.ts) >= 0).all()
        for index, part in enumerate(times):
            assert rows.ts[rows.instrument == index].tolist() == sorted(part)
            assert rows.a[rows.instrument == index].tolist() == list(range(1, len(part) + 1))

    async def test_one_instrument_of_two_feeds_has_one_index(self) -> None:
        feed = MergedFeed([quotes(BTC, [1, 3]), quotes(ETH, [2]), quotes(BTC, [2])])
        assert feed.instruments == (BTC, ETH)
        assert (await everything(feed)).instrument.tolist() == [0, 1, 0, 0]
        assert feed.dirty.counts == {"crossed": 3}
        assert feed.max_age_s == 2
        assert feed.status().state is FeedState.ENDED
        await feed.close()

    async def test_warm_up_comes_from_the_feed_that_has_it(self) -> None:
        feed = MergedFeed([quotes(BTC, [1]), candle_feed([(BTC, make_bars(0, [1, 2]))], title="Bars")])
        assert len(await feed.fetch_bars(BTC, "1h", 9, 2 * HOUR)) == 2
        assert len(await feed.fetch_bars(ETH, "1h", 9, 2 * HOUR)) == 0

    def test_origins_do_not_mix(self) -> None:
        synthetic = candle_feed([(BTC, make_bars(0, [1]))], title="Bars", origin=Origin.SYNTHETIC)
        with pytest.raises(InvalidInput, match="origin"):
            MergedFeed([quotes(BTC, [1]), synthetic])

    def test_no_feed_is_an_error(self) -> None:
        with pytest.raises(InvalidInput):
            MergedFeed([])
