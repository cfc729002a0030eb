"""What KuCoin can do, and what the platform does instead. Source: specification of kucoin-universal-sdk."""

from __future__ import annotations

from typing import Final

from amarktai.domain.order import OrderType
from amarktai.ports.exchange import Capabilities, Capability, ClientIdScope, Support
from amarktai.venues.spec import Unverified

_N, _E, _A, _U = Support.NATIVE, Support.EMULATED, Support.ABSENT, Support.UNKNOWN

CAPABILITIES: Final = Capabilities(
    order_types=frozenset({OrderType.LIMIT, OrderType.MARKET}),
    post_only=True,
    client_id_scope=ClientIdScope.UNKNOWN,
    request_ttl_ms=5_000,
    private_stream=True,
    table={
        "instruments": Capability(_N, "Steps and minimums from /api/v2/symbols."),
        "fees": Capability(_N, "trade-fees per symbol."),
        "quotes": Capability(_N, "One call for all tickers, with sizes."),
        "order book": Capability(_N, "20 or 100 levels a side; the whole book needs a key."),
        "public trades": Capability(_N, "At most 100."),
        "candles": Capability(_N, "1,500 a call."),
        "market stream": Capability(
            _N, "Increments with a sequence and every match; a gap fetches the book anew."
        ),
        "balances": Capability(_N, "The trading account only: the main account cannot be traded with."),
        "limit order": Capability(_N, "Good till canceled, placed by the synchronous route."),
        "market order": Capability(_N, "In base."),
        "post-only": Capability(_N, "Canceled by KuCoin when it would trade at once."),
        "stop order": Capability(
            _A,
            "KuCoin keeps stops in a list of their own, and how one becomes an order is not documented: "
            "the platform places none.",
        ),
        "client order id": Capability(
            _U, "KuCoin asks not to use one again; what it says to one that is, is not documented."
        ),
        "request expiry": Capability(
            _N, "allowMaxTimeWindow, at most 5 s and never past the order's deadline."
        ),
        "cancel": Capability(_N, "By our id, synchronously; the order is asked for afterwards."),
        "order by our id": Capability(
            _N, "How long canceled orders stay is not certain: after 3 days, absent is no proof."
        ),
        "order history": Capability(_N, "Symbol by symbol, by last change."),
        "fills": Capability(_N, "Symbol by symbol: those that the bots trade, and those with open orders."),
        "account stream": Capability(
            _N, "Orders and balances. Fees are not in it, so fills are fetched."
        ),
        "clock": Capability(_N, "The difference is measured and signed with; KuCoin allows 5 s."),
        "cancel all": Capability(_E, "One by one."),
        "self-trade prevention": Capability(_N, "Not used: the platform checks its own orders."),
    },
)  # fmt: skip

FACTS: Final = (
    "**Live prices**: the public increments and matches, by websocket; the order book is kept by KuCoin's "
    "own rules and is fetched anew after a gap.",
    "**History**: public candles, 1,500 a request: "
    "`amarktai data fetch kucoin BTC/USDT 4h --since 2024-01-01`.",
    "**Markets**: spot against USDT; there are no ZAR markets.",
    "**Account**: a classic account, over the high-frequency routes. Money has to be in the trading account.",
    "**Fees**: 0.1 % maker and taker on paper, the base fee. An account's own are read from `trade-fees`; "
    "they are booked in the asset that each fill names.",
    "**Steps**: `priceIncrement`, `baseIncrement`, `baseMinSize` and `minFunds` of `/api/v2/symbols`; "
    "without a network BTC and ETH against USDT are known.",
    "**Limits**: 2,000 weight in 30 s in the smallest pool; the budget is 3,200 a minute for everything.",
)

UNVERIFIED: Final = (
    Unverified(
        "What KuCoin answers to a client order id that was used before.",
        "Its outcome counts as unknown and the order is looked up by that id.",
        "`--trade` places the same order twice, far from the market.",
    ),
    Unverified(
        "Whether a key of version 3 may be used with the version 2 that ccxt sends.",
        "Both sign alike; a refusal is shown as one of the key.",
        "Test the key on the API keys page.",
    ),
    Unverified(
        "How long hf/orders/done keeps canceled orders without fills.",
        "An order older than three days that is not found does not count as absent.",
        "Cancel a minimum order and look for it after a week.",
    ),
    Unverified(
        "Whether hf/fills reaches further back than seven days without a span.",
        "It is always asked in spans of seven days.",
        "Compare the platform's fills of a month with KuCoin's statement.",
    ),
    Unverified(
        "Whether a unified account answers the classic routes.",
        "The classic routes are used; a refusal is shown.",
        "Save a key of a unified account and test it.",
    ),
)  # fmt: skip
