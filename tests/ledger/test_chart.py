"""The chart of accounts: only what people and bots hold may never be negative."""

from __future__ import annotations

from uuid import UUID

from amarktai.ledger import chart


def test_only_wallet_and_bots_are_holdings() -> None:
    held = [chart.WALLET, chart.bot_holding(UUID(int=1))]
    others = [
        chart.FUNDING,
        chart.CONVERSION,
        chart.UNEXPLAINED,
        chart.market("luno:BTC/ZAR"),
        chart.fees("luno"),
    ]
    assert all(chart.is_holding(account) for account in held)
    assert not any(chart.is_holding(account) for account in others)


def test_two_bots_never_share_an_account() -> None:
    assert chart.bot_holding(UUID(int=1)) != chart.bot_holding(UUID(int=2))
