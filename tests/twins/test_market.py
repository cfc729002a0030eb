"""What moves a twin's books: the seeded crowd and recorded tickers."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from amarktai.domain.errors import InvalidInput
from amarktai.domain.order import Side
from amarktai.twins.accounts import CROWD
from amarktai.twins.market import LEVELS, RecordedCrowd, SyntheticCrowd, read_quotes
from tests.fakes import SeededRng
from tests.market_data import DATA
from tests.twins.exchanges import MARKET, NOW, check_sound, make_exchange, submit

D = Decimal


def test_the_crowd_quotes_a_ladder_and_trades_now_and_then() -> None:
    exchange, crowd = make_exchange(), SyntheticCrowd(MARKET, SeededRng("crowd"))
    for turn in range(200):
        crowd.move(exchange, NOW + turn)
        check_sound(exchange)
    book = exchange.books["BTCUSD"]
    assert len(list(book.bids.best_first())) == len(list(book.asks.best_first())) == LEVELS
    assert 50 < len(exchange.trades["BTCUSD"]) < 150
    assert all(
        order.price % MARKET.tick == 0 and order.remaining % MARKET.lot == 0 for order in book.asks.orders()
    )


def test_levels_that_stay_keep_their_orders() -> None:
    exchange, crowd = make_exchange(), SyntheticCrowd(MARKET, SeededRng("crowd"))
    crowd.quote(exchange, NOW)
    before = {order.id for order in exchange.books["BTCUSD"].bids.orders()}
    crowd.mid += D("0.1")
    crowd.quote(exchange, NOW)
    after = {order.id for order in exchange.books["BTCUSD"].bids.orders()}
    assert len(before & after) == LEVELS - 1


def test_a_waiting_order_is_filled_when_the_market_comes_to_it() -> None:
    exchange, crowd = make_exchange(), SyntheticCrowd(MARKET, SeededRng("crowd"))
    crowd.quote(exchange, NOW)
    order = submit(exchange, "ann", Side.BUY, "0.5", "95")
    crowd.mid = D(90)
    crowd.quote(exchange, NOW)
    assert not order.is_live and order.filled_quote == D("47.5")
    check_sound(exchange)


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(("client_timestamp,bid,ask,status", *rows)), encoding="utf-8")
    return path


def test_recorded_quotes_move_the_book_and_dirty_ones_do_not(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.csv",
        "1,100.0,100.2,ACTIVE",
        "2,0,100,ACTIVE",
        "3,101,100,ACTIVE",
        "4,100,101,POSTONLY",
        "5,99.0,99.2,ACTIVE",
    )
    exchange = make_exchange()
    crowd = RecordedCrowd(MARKET, read_quotes(path))
    tops = []
    for turn in range(3):
        crowd.move(exchange, NOW + turn)
        best = [side.best() for side in (exchange.books["BTCUSD"].bids, exchange.books["BTCUSD"].asks)]
        tops.append([level.price for level in best if level is not None])
    assert tops == [[D(100), D("100.2")], [D(99), D("99.2")], [D(99), D("99.2")]]
    assert all(o.wish.account == CROWD for o in exchange.books["BTCUSD"].bids.orders())


@pytest.mark.parametrize("text", ["a,b\n1,2", "client_timestamp,bid,ask,status\n1,x,2,ACTIVE"])
def test_what_is_no_recording_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"t\.csv, line"):
        list(read_quotes(path))


@pytest.mark.data
def test_lunos_recorded_tickers_are_read() -> None:
    path = DATA / "luno_kraken_fx_2023" / "luno" / "XBTZAR.csv"
    if not path.exists():
        pytest.skip(f"recorded data is not there: {path} (set AMARKTAI_DATA)")
    quotes = list(read_quotes(path))
    assert len(quotes) > 1_000 and all(0 < quote.bid < quote.ask for quote in quotes)
