"""What Luno can do, and what the platform does instead. Source: Luno API 1.2.5, ccxt 4.5.90, luno-go."""

from __future__ import annotations

from typing import Final

from amarktai.domain.order import OrderType
from amarktai.ports.exchange import Capabilities, Capability, ClientIdScope, Support
from amarktai.venues.spec import Unverified

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
            "immediate-or-cancel limit 1 % above the level that its quantity reaches in the book, and never "
            "above what its reserved money pays.",
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

FACTS: Final = (
    "**Live prices**: the public tickers, polled every two seconds, one request for all pairs. The market "
    "stream needs a key even for public data, so bots do not use it.",
    "**History**: candles need a key. Warm-up bars are built from what the platform recorded; for more, "
    "import a file (`amarktai data import`).",
    "**Symbols**: Bitcoin is XBT there (`XBTZAR`); the platform says BTC everywhere.",
    "**Fees**: crypto against money 0.4 % maker and 0.6 % taker, stablecoins against money -0.01 % and "
    "0.2 %, crypto against crypto 0.08 % and 0.1 %, all at 30-day volume 0. Source: Luno's table as ccxt "
    "4.5.90 carries it. An account's own are read from `fee_info`.",
    "**Steps**: read from `/api/exchange/1/markets`. Without a network they are the finest steps seen in "
    "recordings of 2023; minimum quantities are not documented and are taken as one step.",
    "**Limit**: 300 calls a minute; the budget is 240 for everything on one address.",
    "**ccxt's part**: it names and signs the routes. Its parsing of Luno's orders loses the client order id, "
    "the status and half of the fees, so the platform reads the answers itself.",
)

UNVERIFIED: Final = (
    Unverified(
        "Whether a create that Luno refuses with ErrDeadlineExceeded can still be placed.",
        "Its outcome counts as unknown and the order is looked up.",
        "Set the clock a minute slow and place a minimum order far from the market.",
    ),
    Unverified(
        "What limit_volume is of a market order.",
        "Where it is zero, a completed market order is taken as filled with what it traded.",
        "`--fill` sells at the market; it passes when the record agrees with the trades.",
    ),
    Unverified(
        "Whether listtrades without a time goes back as far as after_seq does.",
        "Pages go on from the last number until one is short.",
        "Compare the platform's fills of a long-lived account with Luno's statement.",
    ),
    Unverified(
        "Whether user streams are open to every account.",
        "A refused stream is said and tried again; orders and fills are polled meanwhile.",
        "The item `account stream` says whether it stays open.",
    ),
    Unverified(
        "How an order that ran out of time looks.",
        "Completed after its expiration_timestamp, or immediate-or-cancel, counts as expired.",
        "Place an immediate-or-cancel order far from the market and look at its record.",
    ),
    Unverified(
        "Whether a trade can be charged in both of its assets.",
        "Such a trade is not booked: the list counts as unreadable, which halts new risk.",
        "Look at fee_base and fee_counter of some trades.",
    ),
)  # fmt: skip
