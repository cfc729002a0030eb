"""What OVEX can do, what the platform does instead, and what only the real desk can tell.

Source: OVEX Public API (published 13 April 2026, of which only the beginning is stored), the client
ovex-py 0.1.0, and public type definitions of its quotes.
"""

from __future__ import annotations

from typing import Final

from amarktai.domain.order import OrderType
from amarktai.ports.exchange import Capabilities, Capability, ClientIdScope, Support
from amarktai.venues.spec import Unverified

_N, _E, _A, _U = Support.NATIVE, Support.EMULATED, Support.ABSENT, Support.UNKNOWN

CAPABILITIES: Final = Capabilities(
    order_types=frozenset({OrderType.MARKET}),
    post_only=False,
    client_id_scope=ClientIdScope.NONE,
    request_ttl_ms=None,
    private_stream=False,
    table={
        "instruments": Capability(_N, "Markets and precisions; no minimum is told, one step is taken."),
        "fees": Capability(
            _N,
            "None: the price is all-in, the desk's margin is its spread. Buys are sized so that they can pay "
            "2.5 % more than the price that was seen.",
        ),
        "quotes": Capability(
            _N, "Indicative: both sides are asked for about R 10 000 (or 500 USDT). Nothing is promised."
        ),
        "order book": Capability(_A, "A desk has none."),
        "public trades": Capability(_A, "A desk has none."),
        "candles": Capability(_E, "Built from the quotes that the platform recorded, and marked so."),
        "market stream": Capability(_E, "Polled every ten seconds, more slowly with many markets."),
        "balances": Capability(_N, "Available and locked."),
        "limit order": Capability(_A, "Refused: nothing can rest at a desk."),
        "market order": Capability(
            _N,
            "A quote for the exact quantity is asked, checked (what was asked, its expiry, its spread) and "
            "accepted once.",
        ),
        "post-only": Capability(_A, "Refused."),
        "stop order": Capability(_A, "Refused: nothing can rest at a desk."),
        "client order id": Capability(
            _A, "A quote's token is accepted once; trades are matched by token, else by what was asked."
        ),
        "request expiry": Capability(_N, "The quote's own expiry."),
        "cancel": Capability(_A, "A trade stands at once; a cancel only asks what happened."),
        "order by our id": Capability(
            _E, "Searched in the trades; more than one that fits leaves the outcome unknown."
        ),
        "order history": Capability(_E, "Each trade is one order that was filled."),
        "fills": Capability(_N, "rfq/trades, all pages."),
        "account stream": Capability(_E, "Trades and balances are polled every five seconds."),
        "clock": Capability(_A, "OVEX has no route for its time: the machine's own clock has to be right."),
        "cancel all": Capability(_A, "Nothing is ever open."),
        "self-trade prevention": Capability(_A, "The other side is always the desk."),
    },
)  # fmt: skip

FACTS: Final = (
    "**Trading**: a request for a quote, its acceptance before it expires, and the trade. A token is "
    "accepted once. What comes after an acceptance without a clear answer is unknown until the trades tell.",
    "**Price**: the two amounts of the quote. What eight places of a price leave over is booked as a fee, "
    "so that the books agree with OVEX to the last digit.",
    "**Live prices**: without a key where OVEX answers so; where it wants one, VALR's prices of the same "
    "pairs stand in, and the platform's page says so.",
    "**Spread**: a quote whose other side is more than 5 % away is not accepted.",
    "**Limits**: 100 requests in 10 s, 400 in a minute, 3,000 in ten minutes; 280 a minute are used.",
    "**Keys** live for 365 days at most and cannot be asked for their rights.",
)

UNVERIFIED: Final = (
    Unverified(
        "What accept_quote answers.",
        "A success counts as accepted; only a refused key counts as refused; all else is unknown.",
        "`--fill` accepts a quote for about R 100 and sells it again; `--worth` names another amount.",
    ),
    Unverified(
        "The fields of a trade in rfq/trades.",
        "Those of the quote with an id and created_at, with the quote's token where it is there.",
        "`--fill` lists the trades after its own; a row of another form is an error here, never a guess.",
    ),
    Unverified(
        "Whether a token can be accepted twice.",
        "The platform never does.",
        "Do not try: ask the desk.",
    ),
    Unverified(
        "How long a quote lives, and the smallest amount.",
        "expires_at is believed; the desk refuses what is too small.",
        "`--fill --worth 10`, then 100 and 1000: a refusal names the smallest amount.",
    ),
    Unverified(
        "The form of an error.",
        "The HTTP status counts; the words are shown as they are.",
        "Ask for a quote of a market that does not exist.",
    ),
    Unverified(
        "Whether get_quote answers without a key.",
        "It is asked without; a refusal brings VALR's prices as a stand-in.",
        "Start the platform and look at OVEX's prices.",
    ),
    Unverified(
        "Whether a balance in accounts is without its locked part.",
        "It is, as in the software that OVEX was built on: the total is balance plus locked.",
        "Compare with OVEX's page while something is locked.",
    ),
)  # fmt: skip
