"""Recordings of polled quotes: what is refused, what stops the replay, what the real ones hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amarktai.domain.errors import InvalidInput
from amarktai.domain.market import DirtyRows
from amarktai.ports.feed import FeedState
from amarktai.venues.batches import concat
from amarktai.venues.replay import Span
from amarktai.venues.replay_quotes import (
    load_kraken_rates,
    load_usd_zar,
    luno_quote_feed,
    read_luno_quotes,
)
from tests.recordings import recording

HEADING = "pair,timestamp,bid,ask,last_trade,rolling_24_hour_volume,status,client_timestamp\n"


def luno_row(ts: str, bid: str = "100.00", ask: str = "101.00", status: str = "ACTIVE") -> str:
    return f'"XBTZAR",{ts},"{bid}","{ask}","100.00","1.0","{status}",{ts}\n'


def luno_file(folder: Path, rows: list[str], name: str = "XBTZAR.csv") -> Path:
    path = folder / name
    path.write_text(HEADING + "".join(rows))
    return path


def test_rows_that_must_not_be_traded_on_are_refused_and_counted_once(tmp_path: Path) -> None:
    path = luno_file(
        tmp_path,
        [
            luno_row("1000"),
            luno_row("2000", status="POSTONLY"),
            luno_row("3000", bid="0"),
            luno_row("4000", ask="0"),
            luno_row("5000", bid="102"),
            luno_row("6000", bid="NaN"),
            luno_row("7000", ask=""),
            luno_row("500"),
            luno_row("7000"),
            luno_row("8000", bid="101"),
            luno_row("9000"),
            luno_row("9000"),
            luno_row("9500", bid="-1", status="DISABLED"),
        ],
    )
    dirty = DirtyRows()
    quotes = read_luno_quotes(path, dirty)
    assert quotes.ts.tolist() == [1_000_000_000, 9_000_000_000]
    assert dirty.counts == {
        "not_active": 2,
        "nan": 2,
        "bid_not_positive": 1,
        "ask_not_positive": 1,
        "crossed": 2,
        "time_backwards": 1,
        "duplicate": 2,
    }


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (luno_row("2000", bid="12,5"), "row 2: bid is '12,5'"),
        (luno_row("2000", ask="abc"), "row 2: ask is 'abc'"),
        (luno_row("soon"), "row 2: client_timestamp is 'soon'"),
    ],
)
def test_a_row_that_cannot_be_read_stops_the_replay_with_its_place(
    tmp_path: Path, row: str, said: str
) -> None:
    path = luno_file(tmp_path, [luno_row("1000"), row])
    with pytest.raises(InvalidInput) as refused:
        read_luno_quotes(path, DirtyRows())
    assert refused.value.detail.startswith(f"XBTZAR.csv, {said}")
    assert refused.value.action


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "XBTZAR.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match=r"XBTZAR\.csv has no column bid, ask, status, client_timestamp"):
        read_luno_quotes(path, DirtyRows())
    path.write_bytes(b"")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_luno_quotes(path, DirtyRows())


def test_the_folder_decides_which_markets_there_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no"):
        luno_quote_feed(tmp_path)
    with pytest.raises(InvalidInput, match="no folder") as refused:
        luno_quote_feed(tmp_path / "absent")
    assert "AMARKTAI_DATA" in refused.value.action
    luno_file(tmp_path, [luno_row("1000")])
    luno_file(tmp_path, [luno_row("500")], "ETHZAR.csv")
    assert {item.symbol for item in luno_quote_feed(tmp_path).instruments} == {"BTC/ZAR", "ETH/ZAR"}
    assert [item.symbol for item in luno_quote_feed(tmp_path, ["BTC/ZAR"]).instruments] == ["BTC/ZAR"]
    with pytest.raises(InvalidInput, match="XRPZAR"):
        luno_quote_feed(tmp_path, ["XRP/ZAR"])
    luno_file(tmp_path, [luno_row("1000")], "NOTES.csv")
    with pytest.raises(InvalidInput, match="no Luno market"):
        luno_quote_feed(tmp_path)


def test_dollar_rates_are_the_mid_of_bid_and_ask(tmp_path: Path) -> None:
    path = tmp_path / "USDZAR.csv"
    path.write_text("bid,ask,client_timestamp\n18,19,1000\n20,19,2000\n")
    dirty = DirtyRows()
    series = load_usd_zar(path, dirty)
    assert (series.base, series.quote) == ("USD", "ZAR")
    assert series.rate.tolist() == [18.5]
    assert dirty.counts == {"crossed": 1}
    path.write_text('rate,client_timestamp,pair\n"18.1",1000,"USDZAR"\n"0",2000,"USDZAR"\n')
    assert load_usd_zar(path, dirty).rate.tolist() == [18.1]
    assert dirty.counts["rate_not_positive"] == 1


@pytest.mark.data
async def test_the_recorded_luno_quotes() -> None:
    feed = luno_quote_feed(recording("luno_kraken_fx_2023/luno"))
    assert len(feed.instruments) == 14
    assert feed.dirty.counts == {"not_active": 142, "ask_not_positive": 9}
    rows = concat([batch async for batch in feed.batches()])
    assert len(rows) == feed.row_count == 80_966
    assert (np.diff(rows.ts) >= 0).all()
    assert ((rows.a > 0) & (rows.a < rows.b)).all()
    assert feed.status().state is FeedState.ENDED
    bars = await feed.fetch_bars(feed.instruments[0], "4h", 10, int(rows.ts[-1]))
    assert len(bars) == 10


@pytest.mark.data
async def test_a_span_of_the_recorded_luno_quotes() -> None:
    since, until = 1_685_577_600_000_000_000, 1_688_169_600_000_000_000  # June 2023
    feed = luno_quote_feed(recording("luno_kraken_fx_2023/luno"), ["BTC/ZAR"], Span(since, until))
    rows = concat([batch async for batch in feed.batches()])
    assert since <= rows.ts[0] <= rows.ts[-1] < until
    warm = await feed.fetch_bars(feed.instruments[0], "1h", 50, since)
    assert len(warm) == 50
    assert warm.ts_open[-1] < since


@pytest.mark.data
def test_the_recorded_rates_lie_close_together() -> None:
    yahoo = load_usd_zar(recording("luno_kraken_fx_2023/yahoo/USDZAR.csv"))
    xe = load_usd_zar(recording("luno_kraken_fx_2023/xe/USDZAR.csv"))
    assert len(xe.ts) == 6_699
    assert abs(yahoo.rate.mean() - xe.rate.mean()) < 0.05
    bitcoin = load_kraken_rates(recording("luno_kraken_fx_2023/kraken/XXBTZUSD.csv"), "BTC", "USD")
    assert 24_000 < bitcoin.rate.min() < bitcoin.rate.max() < 33_000
