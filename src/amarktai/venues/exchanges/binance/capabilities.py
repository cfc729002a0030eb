"""What Binance can do, and what the platform does instead. Source: Binance spot API documents."""

from __future__ import annotations

from typing import Final

from amarktai.domain.order import OrderType
from amarktai.ports.exchange import Capabilities, Capability, ClientIdScope, Support

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
