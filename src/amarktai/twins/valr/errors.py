"""VALR's error codes. What the collection does not show is a guess and says so here.

Guesses: a bad signature and a stale timestamp are 401 with -11252; a missing key or right is 403 with
``{"message": "Forbidden"}``; a repeated customerOrderId is 400 with -11502 (a third party's note); post-only
that would match, self-trades and stops that fire at once share -11 with the documented text.
"""

from __future__ import annotations

from typing import Any, Final

from amarktai.twins.calls import Answer, Refusal
from amarktai.twins.rules import Reason

_TEXTS: Final = {
    -1: (400, "Invalid Order. "),
    -6: (400, "Insufficient Balance"),
    -11: (400, "Invalid Request, please check your request and try again"),
    -21: (400, "Unsupported Currency Pair"),
    -32: (400, "The given currency pair is not active"),
    -113: (400, "Invalid JSON payload"),
    -11252: (401, "API key or secret is invalid"),
    -11272: (401, "The originating IP Address has not been whitelisted."),
    -11502: (400, "Duplicate customer order id"),
    -12005: (400, "Selected order type is not allowed for the currency pair"),
}
_OF_REASON: Final = {
    Reason.INSUFFICIENT_FUNDS: (-6, "Insufficient Balance"),
    Reason.DUPLICATE_CLIENT_ID: (-11502, "Duplicate customer order id"),
    Reason.WOULD_MATCH: (-11, "Post only cancelled as it would have matched"),
    Reason.SELF_TRADE: (
        -11,
        "We did not execute this order since it would have matched with your own order on the Exchange",
    ),
    Reason.STOP_WOULD_TRIGGER: (-11, "Stop order failed as it would have been triggered immediately"),
    Reason.NOT_LIVE: (-1, "Invalid Order. "),
}
#: Why the exchange itself ends a market order.
SLIPPAGE: Final = "Order cancelled as it would have matched outside of slippage price band"


def error(code: int, text: str | None = None) -> Answer:
    """Return VALR's answer for a code; ``text`` replaces the usual one."""
    status, usual = _TEXTS.get(code, (400, ""))
    return Answer({"code": code, "message": text or usual}, status)


def refuse(code: int, text: str | None = None) -> Refusal:
    """Return what to raise for a code."""
    return Refusal(error(code, text))


def forbidden() -> Answer:
    """Return what a call without a key or without the right is told."""
    return Answer({"message": "Forbidden"}, 403)


def failure(reason: Reason) -> tuple[int, str]:
    """Return the code and text of an order that the engine refused."""
    return _OF_REASON[reason]


def failed_order(reason: Reason, order_id: str | None) -> Answer:
    """Return the v2 answer for it; an order that got as far as the exchange has an id."""
    code, text = failure(reason)
    body: dict[str, Any] = {"code": code, "message": text}
    return Answer({"orderId": order_id, **body} if order_id else body, 400)


def too_small(minimum: str, total: str) -> Refusal:
    """Return what an order below the minimum is told."""
    return refuse(-12007, f"Minimum order size not met. Minimum amount: {minimum}, minimum total: {total}.")
