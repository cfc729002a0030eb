"""The order book from snapshot and diffs, by Binance's rules, and whole captures."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from amarktai.domain.errors import InvalidInput
from amarktai.domain.market import DirtyRows, EventKind, OrderBook
from amarktai.ports.feed import FeedState
from amarktai.venues.batches import concat
from amarktai.venues.binance_capture import BinanceCaptureFeed
from amarktai.venues.exchanges.binance.stream import DepthBook
from amarktai.venues.replay import Span
from tests.recordings import recording

CAPTURES = ("btcusdt_20240808.gz", "ethusdt_20240808.gz")


def diff(
    first: int, last: int, bids: list[list[str]] | None = None, asks: list[list[str]] | None = None
) -> dict[str, Any]:
    return {"U": first, "u": last, "b": bids or [], "a": asks or []}


def snapshot(last: int) -> dict[str, Any]:
    return {"lastUpdateId": last, "bids": [["99", "1"], ["98", "2"]], "asks": [["100", "3"], ["101", "4"]]}


class TestDepthBook:
    def make(self) -> DepthBook:
        return DepthBook(OrderBook(), DirtyRows())

    def test_diffs_before_the_snapshot_wait_and_old_ones_are_dropped(self) -> None:
        depth = self.make()
        assert not depth.apply(diff(1, 9, [["99", "7"]]), 1)
        assert not depth.apply(diff(10, 12, [["99.5", "5"]]), 2)
        assert depth.load(snapshot(10), 3)
        assert depth.top() == (99.5, 100.0, 5.0, 3.0)
        assert depth.book.last_update_id == 12
        assert depth.dirty.counts == {"old_depth_update": 1}

    def test_quantity_zero_removes_a_level(self) -> None:
        depth = self.make()
        depth.load(snapshot(10), 1)
        assert depth.apply(diff(11, 11, [["99", "0"]], [["100", "0"], ["100.5", "9"]]), 2)
        assert depth.top() == (98.0, 100.5, 2.0, 9.0)

    def test_a_missing_update_empties_the_book_until_the_next_snapshot(self) -> None:
        depth = self.make()
        depth.load(snapshot(10), 1)
        assert not depth.apply(diff(12, 13, [["99.9", "1"]]), 2)
        assert depth.top() is None
        assert depth.dirty.counts == {"depth_sequence_break": 1}
        assert not depth.apply(diff(14, 15), 3)
        assert depth.load(snapshot(11), 4)
        assert depth.book.last_update_id == 15
        assert depth.top() == (99.9, 100.0, 1.0, 3.0)


def write_capture(path: Path, lines: list[tuple[int, dict[str, Any]]]) -> Path:
    with gzip.open(path, "wb") as out:
        for ts, frame in lines:
            out.write(b"%d %s\n" % (ts, orjson.dumps(frame)))
    return path


def depth_frame(first: int, last: int, **sides: list[list[str]]) -> dict[str, Any]:
    return {"stream": "btcusdt@depth@100ms", "data": diff(first, last, sides.get("bids"), sides.get("asks"))}


def trade_frame(
    trade_id: int, price: str, quantity: str = "1", *, maker_bought: bool = False
) -> dict[str, Any]:
    data = {"t": trade_id, "p": price, "q": quantity, "m": maker_bought}
    return {"stream": "btcusdt@trade", "data": data}


class TestFeed:
    async def test_rows_of_a_batch_belong_to_the_book_of_that_moment(self, tmp_path: Path) -> None:
        path = write_capture(
            tmp_path / "a.gz",
            [
                (1, depth_frame(9, 10)),
                (2, snapshot(10)),
                (3, trade_frame(1, "100")),
                (4, trade_frame(2, "99", "2", maker_bought=True)),
                (5, depth_frame(11, 11, bids=[["99.5", "1"]])),
                (6, depth_frame(12, 12, bids=[["90", "1"]])),
                (7, trade_frame(3, "99.5")),
            ],
        )
        feed = BinanceCaptureFeed([path])
        seen = []
        async for batch in feed.batches():
            for row in range(len(batch)):
                best_bid = feed.books[0].best_bid()
                seen.append((int(batch.ts[row]), EventKind(batch.kind[row]), float(batch.a[row]), best_bid))
        assert seen == [
            (2, EventKind.QUOTE, 99.0, 99.0),
            (3, EventKind.TRADE, 100.0, 99.0),
            (4, EventKind.TRADE, 99.0, 99.0),
            (5, EventKind.QUOTE, 99.5, 99.5),
            (7, EventKind.TRADE, 99.5, 99.5),
        ]
        assert feed.status().state is FeedState.ENDED

    async def test_takers_are_told_apart(self, tmp_path: Path) -> None:
        path = write_capture(
            tmp_path / "a.gz", [(1, trade_frame(1, "100")), (2, trade_frame(2, "99", maker_bought=True))]
        )
        rows = concat([batch async for batch in BinanceCaptureFeed([path]).batches()])
        assert rows.c.tolist() == [1.0, -1.0]

    async def test_repeated_crossed_and_late_data_is_counted_and_not_passed_on(self, tmp_path: Path) -> None:
        path = write_capture(
            tmp_path / "a.gz",
            [
                (1, snapshot(10)),
                (2, trade_frame(5, "100")),
                (3, trade_frame(5, "100")),
                (4, trade_frame(6, "-1")),
                (5, depth_frame(11, 11, bids=[["100.5", "1"]])),
                (4, trade_frame(7, "100")),
                (6, {"stream": "btcusdt@kline", "data": {}}),
            ],
        )
        feed = BinanceCaptureFeed([path])
        rows = concat([batch async for batch in feed.batches()])
        assert rows.ts.tolist() == [1, 2, 5]
        assert feed.dirty.counts == {
            "repeated_trade": 1,
            "trade_not_positive": 1,
            "crossed": 1,
            "time_backwards": 1,
            "unknown_stream": 1,
        }

    async def test_a_span_builds_the_book_from_the_start_and_tells_only_its_part(
        self, tmp_path: Path
    ) -> None:
        path = write_capture(
            tmp_path / "a.gz",
            [
                (1, snapshot(10)),
                (2, trade_frame(1, "100")),
                (3, trade_frame(2, "100")),
                (4, trade_frame(3, "100")),
            ],
        )
        feed = BinanceCaptureFeed([path], Span(3, 4))
        rows = concat([batch async for batch in feed.batches()])
        assert rows.ts.tolist() == [3]
        assert feed.books[0].best_bid() == 99

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            (b"now {}", "does not start with a receive time"),
            (b"2 {", "no JSON"),
            (b"2 []", "no object"),
            (b'2 {"stream":"btcusdt@trade","data":{"p":"1"}}', "lacks or garbles"),
            (b'2 {"stream":"btcusdt@trade","data":{"t":1,"p":"x","q":"1","m":true}}', "lacks or garbles"),
        ],
    )
    async def test_a_malformed_line_is_named(self, tmp_path: Path, line: bytes, said: str) -> None:
        path = tmp_path / "a.gz"
        with gzip.open(path, "wb") as out:
            out.write(b"1 %s\n%s\n" % (orjson.dumps(trade_frame(1, "100")), line))
        with pytest.raises(InvalidInput, match=said) as refused:
            async for _ in BinanceCaptureFeed([path]).batches():
                pass
        assert refused.value.detail.startswith("a.gz, line 2: ")

    async def test_a_truncated_archive_is_named(self, tmp_path: Path) -> None:
        frames = [(i, trade_frame(i, "100")) for i in range(1, 2_000)]
        whole = write_capture(tmp_path / "a.gz", frames).read_bytes()
        (tmp_path / "a.gz").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InvalidInput, match="breaks off"):
            async for _ in BinanceCaptureFeed([tmp_path / "a.gz"]).batches():
                pass

    def test_a_file_that_is_no_capture_is_refused_at_once(self, tmp_path: Path) -> None:
        (tmp_path / "a.gz").write_text("no archive")
        with pytest.raises(InvalidInput, match="breaks off"):
            BinanceCaptureFeed([tmp_path / "a.gz"])
        with pytest.raises(InvalidInput, match="names a stream"):
            BinanceCaptureFeed([write_capture(tmp_path / "b.gz", [(1, snapshot(1))])])
        strange = {"stream": "dogeusdt@trade", "data": {}}
        with pytest.raises(InvalidInput, match="DOGEUSDT"):
            BinanceCaptureFeed([write_capture(tmp_path / "c.gz", [(1, strange)])])
        with pytest.raises(InvalidInput):
            BinanceCaptureFeed([])


@pytest.mark.data
@pytest.mark.parametrize("name", CAPTURES)
async def test_the_recorded_book_matches_every_book_ticker(name: str) -> None:
    """Compare, without the feed's own check, the top after each update with what Binance told.

    A depth update sums up 100 ms and Binance sends a bookTicker for every change of the top, so after
    the update that ends at id u the top is that of the last bookTicker with an id of at most u.
    """
    path = recording(f"binance_spot_ws_20240808/{name}")
    depth = DepthBook(OrderBook(), DirtyRows())
    tops: list[tuple[int, tuple[float, float, float, float] | None]] = []
    told: list[tuple[int, tuple[float, float, float, float]]] = []
    with gzip.open(path, "rb") as lines:
        for line in lines:
            message = orjson.loads(line.partition(b" ")[2])
            stream, data = message.get("stream"), message.get("data", message)
            if stream is None:
                assert depth.load(data, 0)
            elif stream.endswith("@bookTicker"):
                told.append(
                    (data["u"], (float(data["b"]), float(data["a"]), float(data["B"]), float(data["A"])))
                )
                continue
            elif "@depth" not in stream or not depth.apply(data, 0):
                continue
            tops.append((depth.book.last_update_id, depth.top()))
    told.sort()
    position, compared = 0, 0
    for last_id, top in tops:
        while position + 1 < len(told) and told[position + 1][0] <= last_id:
            position += 1
        if told[position][0] > last_id:
            continue
        assert top == told[position][1], f"after update {last_id}"
        compared += 1
    assert compared > 3_000
    assert "depth_sequence_break" not in depth.dirty.counts


@pytest.mark.data
async def test_the_recorded_captures_together() -> None:
    feed = BinanceCaptureFeed([recording(f"binance_spot_ws_20240808/{name}") for name in CAPTURES])
    kinds = {EventKind.QUOTE: 0, EventKind.TRADE: 0}
    last = 0
    async for batch in feed.batches():
        for kind in batch.kind.tolist():
            kinds[EventKind(kind)] += 1
        assert batch.ts[0] >= last
        last = int(batch.ts[-1])
    assert kinds == {EventKind.QUOTE: 5_476, EventKind.TRADE: 15_863}
    assert feed.dirty.counts == {"old_depth_update": 4}
    assert [check.differing for check in feed.checks] == [0, 0]
    assert sum(check.checked for check in feed.checks) > 5_000
