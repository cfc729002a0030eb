"""OVEX's quotes and trades: amounts in either direction, exact to the last digit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.order import Side
from amarktai.ports.clock import to_ns
from amarktai.venues.exchanges.ovex.quotes import account_fill, order_record, read_quote, read_trade

BUY: dict[str, Any] = {
    "market": "btczar", "side": "buy", "from_currency": "zar", "from_amount": "1000.0",
    "to_currency": "btc", "to_amount": "0.0005", "rate": "2000000.0", "rate_is_from_currency": True,
    "requested_at": 1718000000, "expires_at": 1718000015, "is_prefunded": False, "sn": None, "message": "",
}  # fmt: skip
SELL = BUY | {
    "side": "sell", "from_currency": "btc", "from_amount": "0.0005", "to_currency": "zar", "to_amount": "990",
}  # fmt: skip


def test_who_buys_pays_quote_and_gets_base() -> None:
    quote = read_quote(BUY)
    assert quote.terms.instrument_id == "ovex:BTC/ZAR"
    assert (quote.terms.side, quote.terms.base_amount) == (Side.BUY, Decimal("0.0005"))
    assert quote.terms.price == Decimal(2_000_000)
    assert quote.token is None
    assert quote.expires_ts == to_ns(datetime(2024, 6, 10, 6, 13, 35, tzinfo=UTC))


def test_who_sells_gives_base() -> None:
    quote = read_quote(SELL | {"quote_token": "abc"})
    assert (quote.terms.side, quote.terms.price, quote.token) == (Side.SELL, Decimal(1_980_000), "abc")


@pytest.mark.parametrize(
    "change",
    [
        {"to_amount": "0"},
        {"from_amount": "-1"},
        {"market": "ethzar"},
        {"side": "swap"},
        {"from_amount": 1000.5},
        {"to_amount": "NaN"},
        {"expires_at": None},
        {"expires_at": "2024-06-10T06:13:35"},
    ],
)
def test_a_quote_of_another_form_is_not_guessed(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        read_quote(BUY | change)


amounts = st.decimals(Decimal("0.00000001"), Decimal(10**9), places=8)


@given(base=amounts, quote=amounts, is_buy=st.booleans())
def test_price_quantity_and_fee_give_exactly_what_was_paid(
    base: Decimal, quote: Decimal, is_buy: bool
) -> None:
    row = BUY if is_buy else SELL
    base_key, quote_key = ("to_amount", "from_amount") if is_buy else ("from_amount", "to_amount")
    fill = account_fill(read_trade(row | {base_key: str(base), quote_key: str(quote), "id": 7}))
    notional = fill.quantity * fill.price
    assert fill.quantity == base
    assert (notional + fill.fee_amount if is_buy else notional - fill.fee_amount) == quote
    assert 0 <= fill.fee_amount <= base * Decimal("0.00000001")
    assert fill.price == round(fill.price, 8)


def test_a_trade_is_an_order_that_was_filled() -> None:
    trade = read_trade(BUY | {"id": 7, "created_at": "2024-06-10T08:13:20+02:00", "quote_token": "abc"})
    record = order_record(trade)
    assert record.venue_order_id == "abc"
    assert record.created_at == datetime(2024, 6, 10, 6, 13, 20, tzinfo=UTC)
    assert record.quantity == record.filled_quantity == Decimal("0.0005")
    assert read_trade(BUY | {"id": 7}).at == datetime(2024, 6, 10, 6, 13, 20, tzinfo=UTC)
