"""What VALR can do, what the platform does instead, and what only the real exchange can tell.

Source: VALR's Postman collection (changelog to 17 November 2025), unless a row says otherwise.
"""

from __future__ import annotations

from typing import Final

from amarktai.domain.order import OrderType
from amarktai.ports.exchange import Capabilities, Capability, ClientIdScope, Support
from amarktai.venues.spec import Unverified

_N, _E, _A, _U = Support.NATIVE, Support.EMULATED, Support.ABSENT, Support.UNKNOWN

CAPABILITIES: Final = Capabilities(
    order_types=frozenset({OrderType.LIMIT, OrderType.MARKET, OrderType.STOP_MARKET}),
    post_only=True,
    client_id_scope=ClientIdScope.OPEN,
    request_ttl_ms=None,
    private_stream=True,
    table={
        "instruments": Capability(_N, "Steps and minimums from pairs; tradable are those with limit orders."),
        "fees": Capability(_N, "account/fees/trade, in percent there."),
        "quotes": Capability(_N, "One call for all pairs, at most a minute old; without sizes."),
        "order book": Capability(_N, "The best 40 levels, or the whole book; up to 30 s old without a key."),
        "public trades": Capability(_N, "At most 100 a call."),
        "candles": Capability(_N, "Up to 300 a call; those of four hours are added up from hours."),
        "market stream": Capability(
            _N, "Price levels with sequence and checksum; a gap starts the stream anew. Trades too."
        ),
        "balances": Capability(_N, "What is lent or borrowed counts as reserved."),
        "limit order": Capability(_N, "Route v2, whose answer means that the order stands."),
        "market order": Capability(_N, "In base. VALR ends what would leave its slippage band."),
        "post-only": Capability(_N, "Fails when it would trade at once."),
        "stop order": Capability(
            _E,
            "VALR has stop-limits: the limit lies 5 % beyond the stop. A market that jumps over that band "
            "leaves the order resting.",
        ),
        "client order id": Capability(
            _N, "Unique among open orders only: never sending twice is the platform's own promise."
        ),
        "request expiry": Capability(_A, "The platform checks the deadline just before it sends."),
        "cancel": Capability(_N, "By our own id; the order is asked for afterwards."),
        "order by our id": Capability(
            _N, "One that is not found there counts as absent once the open list and the history lack it."
        ),
        "order history": Capability(_N, "By time of change, all pages, with orders that never traded."),
        "fills": Capability(
            _N, "All pairs, all pages. Maker or taker is not told; the fee's rate shows it."
        ),
        "account stream": Capability(_N, "Orders, fills and balances; reconciled after every connection."),
        "clock": Capability(_N, "public/time."),
        "cancel all": Capability(_N, "The platform cancels one by one, to learn of each."),
        "self-trade prevention": Capability(_N, "An order that would meet one's own fails."),
    },
)  # fmt: skip

FACTS: Final = (
    "**Live prices**: the market stream, without a key. VALR closes such a connection after 15 minutes; "
    "it is opened anew. What the stream leaves unsaid for half a minute is asked for, one call for all.",
    "**Fees**: 0.18 % maker and 0.35 % taker on paper, the first tier for markets against money, from a "
    "third-party page. An account's own are read from VALR.",
    "**Fee asset**: what VALR reports with each fill; a maker's reward is a negative fee.",
    "**Limits**: public routes 30 a minute (24 are used), all others 1,200 a minute per address "
    "(1,000 are used) and 2,000 per key.",
)

UNVERIFIED: Final = (
    Unverified(
        "How far a request's timestamp may be off, and what VALR says then.",
        "Unknown codes leave an order's outcome unknown; the clock offset is measured.",
        "Set the clock a minute wrong and list the balances.",
    ),
    Unverified(
        "What v2 answers to a client order id that is taken (-11502 by third parties).",
        "The outcome counts as unknown and the order is looked up.",
        "`--trade` places the same order twice, far from the market.",
    ),
    Unverified(
        "What v2 answers to a cancel of an order that is closed already.",
        "Whatever it answers, the order is asked for afterwards.",
        "`--trade` cancels a minimum order twice.",
    ),
    Unverified(
        "Which market events come without a key.",
        "Where none come, prices are polled and at most a minute old.",
        "Start the platform and look at VALR's prices for a minute.",
    ),
    Unverified(
        "Names and fields of the snapshot of OB_L1_DIFF.",
        "Read as the difference is; what cannot be read starts the stream anew and prices are polled.",
        "Start the platform; the market page says whether prices are streamed.",
    ),
    Unverified(
        "Whether skip has an upper bound in histories.",
        "A page that brings nothing new while it is full ends in an error, never in a short list.",
        "List the history of an account with more than a thousand orders.",
    ),
    Unverified(
        "How long VALR keeps orders.",
        "A year; an older order that is not found stays unknown.",
        "Look up the oldest order of the account.",
    ),
    Unverified(
        "Which asset pays the fee of a maker, and how a reward looks.",
        "fee with feeCurrency, or makerReward with makerRewardCurrency, as reported.",
        "Let a minimum post-only order fill and compare the balance.",
    ),
    Unverified(
        "Whether the end of a candle request's span counts as inside.",
        "Pages are ten rows smaller than allowed, and rows are cut by their own time.",
        "Fetch a day of candles; none may be missing.",
    ),
)  # fmt: skip
