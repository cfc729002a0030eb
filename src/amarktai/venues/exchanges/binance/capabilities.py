"""What Binance can do, and what the platform does instead. Source: Binance spot API documents."""

from __future__ import annotations

from typing import Final

from amarktai.domain.order import OrderType
from amarktai.ports.exchange import Capabilities, Capability, ClientIdScope, Support
from amarktai.venues.spec import Unverified

_N, _E = Support.NATIVE, Support.EMULATED

CAPABILITIES: Final = Capabilities(
    order_types=frozenset({OrderType.LIMIT, OrderType.MARKET, OrderType.STOP_MARKET}),
    post_only=True,
    client_id_scope=ClientIdScope.OPEN,
    request_ttl_ms=5_000,
    private_stream=True,
    table={
        "instruments": Capability(_N, "Steps and minimums from the filters of exchangeInfo."),
        "fees": Capability(
            _N, "account/commission: standard, special and tax together, before a discount for BNB."
        ),
        "quotes": Capability(_N, "bookTicker with sizes; it tells no time."),
        "order book": Capability(_N, "Up to 5,000 levels a side, with an update number."),
        "public trades": Capability(_N, "The last 1,000."),
        "candles": Capability(_N, "1,000 a call."),
        "market stream": Capability(
            _N, "Depth by 100 ms, every trade, every change of the top; a gap fetches the book anew."
        ),
        "balances": Capability(_N, "The spot account."),
        "limit order": Capability(_N, "Good till canceled."),
        "market order": Capability(_N, "In base."),
        "post-only": Capability(_N, "LIMIT_MAKER: refused when it would trade at once."),
        "stop order": Capability(_N, "STOP_LOSS, where the market allows it; else the order is refused."),
        "client order id": Capability(_N, "Unique among open orders."),
        "request expiry": Capability(_N, "recvWindow, at most 5 s and never past the order's deadline."),
        "cancel": Capability(_N, "By our id; the order is asked for afterwards."),
        "order by our id": Capability(_N, "Orders without fills are archived after 90 days."),
        "order history": Capability(
            _N,
            "Market by market, by time of creation. An older order that was canceled since without a fill is "
            "in no list by time: ours are asked for one by one.",
        ),
        "fills": Capability(_N, "Market by market: those that the bots trade, and those with open orders."),
        "account stream": Capability(_N, "Orders, fills with fees, and balances, over the WebSocket API."),
        "clock": Capability(_N, "The difference is measured and signed with."),
        "cancel all": Capability(_E, "One by one."),
        "self-trade prevention": Capability(_N, "The account's own mode; the platform checks too."),
    },
)  # fmt: skip

FACTS: Final = (
    "**Live prices**: the public streams of depth, trades and tops; the order book is kept by Binance's own "
    "rules and is fetched anew after a gap.",
    "**History**: public candles, 1,000 a request: "
    "`amarktai data fetch binance BTC/USDT 1h --since 2024-01-01`.",
    "**Markets**: spot against USDT. The ZAR markets were delisted; should one come back, it is listed by "
    "itself, because the markets are read from `exchangeInfo`.",
    "**Fees**: 0.1 % maker and taker on paper, the default. An account's own are read from "
    "`account/commission`; a fee may be charged in BNB and is booked as that.",
    "**Steps**: `PRICE_FILTER`, `LOT_SIZE` and `NOTIONAL` of `exchangeInfo`; without a network BTC and ETH "
    "against USDT are known.",
    "**Limits**: weight 6,000 a minute per address; the budget is 4,800. A ban (HTTP 418 and 429) is obeyed.",
    "**Replays**: raw websocket captures go through the same stream code (`docs/market-data.md`).",
)

UNVERIFIED: Final = (
    Unverified(
        "Whether -1008 (overloaded) can follow an order that was placed.",
        "It counts as an unknown outcome and the order is looked up.",
        "Nothing to do: it shows under load only.",
    ),
    Unverified(
        "What the markets' own lists of order types say to STOP_LOSS.",
        "Binance refuses what a market does not allow, and the refusal is shown.",
        "`--trade` places a stop far from the market.",
    ),
    Unverified(
        "How late myTrades shows a trade that the stream has told.",
        "An order is filled only when its trades add up; until then they are asked for again.",
        "`--fill` buys the minimum; it waits until the trades add up.",
    ),
)  # fmt: skip
