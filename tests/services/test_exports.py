"""CSV: every row of a list, numbers as numbers, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.order import Side
from amarktai.ports.reports import TradeFilter
from amarktai.services.exports import Exports, to_csv
from amarktai.services.paging import MAX_LIMIT
from amarktai.services.profits import ProfitService
from amarktai.services.trades import TradeService
from amarktai.storage.embedded import DatabaseUrls
from tests.trading import BTC_ZAR, World, trading


def exports(world: World) -> Exports:
    profits = ProfitService(world.reporting, world.clock, world.rates)
    return Exports(TradeService(world.reporting), profits)


def test_formulas_are_text_and_numbers_are_numbers() -> None:
    row = ["=1+1", "+27 82", "-cmd|' /C calc'!A0", "@SUM(A1)", "\tx", "-12.50000000", "0.5", None, "a,b"]
    (cells,) = csv.reader(io.StringIO(to_csv([row])))
    assert cells[:5] == ["'=1+1", "'+27 82", "'-cmd|' /C calc'!A0", "'@SUM(A1)", "'\tx"]
    assert cells[5:] == ["-12.50000000", "0.5", "", "a,b"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))))
def test_what_goes_in_comes_out_and_never_as_a_formula(row: list[str]) -> None:
    found = list(csv.reader(io.StringIO(to_csv([row]), newline="")))
    cells = found[0] if found else []
    assert [cell.removeprefix("'") for cell in cells] == [cell.removeprefix("'") for cell in row] or not row
    for cell in cells:
        assert not cell.startswith(("=", "+", "@", "\t")), cell


async def test_all_trades_of_a_list_in_its_order_over_many_pages(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(100_000))
        bot = await world.add_bot(who, BTC_ZAR, Decimal(50_000), "=HYPERLINK(evil)")
        for _ in range(3):
            world.clock.advance(60)
            await world.trade(bot, Side.BUY, Decimal("0.001"), Decimal(1_000_000))
            await world.trade(bot, Side.SELL, Decimal("0.001"), Decimal(990_000))
        pieces = [piece async for piece in exports(world).trades(who.user_id, TradeFilter(sort="-closed_at"))]
        days = [piece async for piece in exports(world).profits(who.user_id, span="all", mode=None)]
    assert MAX_LIMIT > 3 and len(pieces) == 1
    rows = list(csv.DictReader(io.StringIO("".join(pieces))))
    assert [row["bot"] for row in rows] == ["'=HYPERLINK(evil)"] * 3
    assert rows[0]["closed"] > rows[1]["closed"] > rows[2]["closed"]
    assert {row["profit_zar"] for row in rows} == {"-11.99000000"}
    (day,) = csv.DictReader(io.StringIO("".join(days)))
    assert (day["realised_zar"], day["trades"], day["lost"]) == ("-35.97000000", "3", "3")


async def test_an_empty_list_still_has_its_heads(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        (text,) = [piece async for piece in exports(world).trades(who.user_id, TradeFilter())]
    assert text.startswith("closed,opened,bot,") and text.count("\n") == 1
