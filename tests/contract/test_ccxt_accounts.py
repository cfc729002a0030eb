"""The accounts at Luno, Binance and KuCoin keep the contract of exchange accounts, against their twins."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from decimal import Decimal

from amarktai.venues.exchanges.binance import account as binance
from amarktai.venues.exchanges.binance import market as binance_market
from amarktai.venues.exchanges.kucoin import account as kucoin
from amarktai.venues.exchanges.kucoin import market as kucoin_market
from amarktai.venues.exchanges.kucoin.stream import BALANCES, ORDERS
from amarktai.venues.exchanges.luno import account as luno
from amarktai.venues.exchanges.luno import market as luno_market
from tests.contract.exchange_contract import ExchangeContract, Rig
from tests.contract.rigs import KEY, rig_at
from tests.fakes import HandClock


class TestLunoAccount(ExchangeContract):
    asset_names = {"BTC": "XBT"}  # noqa: RUF012
    unknown_venue_order_id = "BXUNKNOWN"
    history_operation = "open_orders"  # one route lists both

    @staticmethod
    def open_rig(clock: HandClock) -> AbstractAsyncContextManager[Rig]:
        return rig_at(
            "luno",
            clock,
            ("XBTZAR", "XBT", "ZAR"),
            "BTC/ZAR",
            lambda budget, url: luno_market.open_market(budget, clock, base_url=url),
            lambda twin, parts: luno.open_account(
                KEY, parts, base_url=twin.url, stream_url=twin.ws_url + "/api/1"
            ),
        )


class TestBinanceAccount(ExchangeContract):
    instrument_id = "binance:BTC/USDT"
    limit_price = Decimal(60_000)
    unknown_venue_order_id = "999999999"

    @staticmethod
    def open_rig(clock: HandClock) -> AbstractAsyncContextManager[Rig]:
        return rig_at(
            "binance",
            clock,
            ("BTCUSDT", "BTC", "USDT"),
            "BTC/USDT",
            lambda budget, url: binance_market.open_market(budget, clock, base_url=url),
            lambda twin, parts: binance.open_account(
                KEY, parts, base_url=twin.url, stream_url=twin.ws_url + "/ws-api/v3"
            ),
        )


class TestKucoinAccount(ExchangeContract):
    """KuCoin listens for an account only once both topics are subscribed."""

    instrument_id = "kucoin:BTC/USDT"
    limit_price = Decimal(60_000)
    unknown_venue_order_id = "000000000000000000000000"

    @staticmethod
    def open_rig(clock: HandClock) -> AbstractAsyncContextManager[Rig]:
        return rig_at(
            "kucoin",
            clock,
            ("BTC-USDT", "BTC", "USDT"),
            "BTC/USDT",
            lambda budget, url: kucoin_market.open_market(budget, clock, base_url=url),
            lambda twin, parts: kucoin.open_account(KEY, parts, base_url=twin.url),
        )

    def is_streaming(self) -> bool:
        return any({ORDERS, BALANCES} <= item.topics.keys() for item in self.rig.twin.twin.connections)
