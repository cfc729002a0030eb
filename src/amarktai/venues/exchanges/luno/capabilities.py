"""What Luno can do, and what the platform does instead. Source: Luno API 1.2.5, ccxt 4.5.90, luno-go."""

from __future__ import annotations

from typing import Final

from amarktai.domain.order import OrderType
from amarktai.ports.exchange import Capabilities, Capability, ClientIdScope, Support

_N, _E, _A, _U = Support.NATIVE, Support.EMULATED, Support.ABSENT, Support.UNKNOWN

CAPABILITIES: Final = Capabilities(
    order_types=frozenset({OrderType.LIMIT, OrderType.MARKET, OrderType.STOP_MARKET}),
    post_only=True,
    client_id_scope=ClientIdScope.FOREVER,
    request_ttl_ms=10_000,
    private_stream=True,
    table={
        "instruments": Capability(_N, "Steps and minimum quantity from /api/exchange/1/markets."),
        "fees": Capability(_N, "fee_info per pair; where buys and sells differ, the higher counts."),
        "quotes": Capability(_N, "One call for all tickers; they carry no sizes."),
        "order book": Capability(_N, "The best 100 levels, or the whole book."),
        "public trades": Capability(_N, "At most 100, of the last 24 hours."),
        "candles": Capability(_N, "With a key only, 1,000 a call."),
        "market stream": Capability(
            _N, "Order by order with a sequence, with a key only; a gap starts the stream anew."
        ),
        "balances": Capability(_N, "Several wallets of an asset are summed."),
        "limit order": Capability(_N, "Good till canceled."),
        "market order": Capability(
            _E,
            "Sells are native. Luno's market buys are in money and our orders in base, so a buy leaves as an "
            "immediate-or-cancel limit 1 % above the level that its quantity reaches in the book.",
        ),
        "post-only": Capability(_N, "Refused when it would trade at once."),
        "stop order": Capability(
            _E,
            "Luno has stop-limits: the limit lies 5 % beyond the stop. A market that jumps over that band "
            "leaves the order resting.",
        ),
        "client order id": Capability(_N, "Unique for ever."),
        "request expiry": Capability(_N, "ttl with timestamp, at most 10 s; it needs a right clock here."),
        "cancel": Capability(_N, "By Luno's own number, looked up first; the order is asked for afterwards."),
        "order by our id": Capability(_N, "Route v3."),
        "order history": Capability(
            _N, "By time of creation; every page is read. Archived 100 days after the order ended."
        ),
        "fills": Capability(
            _N,
            "Pair by pair: those the bots trade and those of any order changed since. They may lag.",
        ),
        "account stream": Capability(
            _N,
            "Orders, fills and balances, with a replay of five minutes. A fill's number and side are not "
            "in it, so fills are fetched.",
        ),
        "clock": Capability(_A, "Luno has no route for its time: the machine's own clock has to be right."),
        "cancel all": Capability(_E, "One by one."),
        "self-trade prevention": Capability(_U, "Not documented; the platform checks its own orders."),
    },
)  # fmt: skip
