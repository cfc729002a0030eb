"""KuCoin's error codes. Most come with HTTP 200; keys, limits, paths and failures have their own status."""

from __future__ import annotations

from typing import Final

from amarktai.twins.calls import Answer, Refusal
from amarktai.twins.rules import Reason

OK: Final = "200000"
_TEXTS: Final = {
    "200001": (200, "Order creation for this pair suspended"),
    "200004": (200, "Balance insufficient!"),
    "400001": (
        401,
        "Please check the header of your request for KC-API-KEY, KC-API-SIGN, KC-API-TIMESTAMP,"
        " KC-API-PASSPHRASE",
    ),
    "400002": (401, "Invalid KC-API-TIMESTAMP"),
    "400003": (401, "KC-API-KEY not exists"),
    "400004": (401, "Invalid KC-API-PASSPHRASE"),
    "400005": (401, "Invalid KC-API-SIGN"),
    "400006": (401, "The requested ip address is not in the api whitelist"),
    "400007": (403, "Access denied--> Require more permission."),
    "400009": (401, "Invalid KC-API-KEY-VERSION"),
    "400100": (200, "Parameter error"),
    "400200": (200, "Forbidden to place an order"),
    "400600": (200, "validation.createOrder.symbolNotAvailable"),
    "404000": (404, "Url Not Found"),
    "429000": (429, "Too many requests. System-level rate limit exceeded."),
    "500000": (500, "Internal Server Error"),
    "600100": (200, "Order size increment invalid."),
    "600101": (200, "The order funds should more then 0.1 USDT."),
    "126044": (200, "clientOid duplicate"),
}
#: Which code a repeated clientOid and an immediate stop get in the spot API is not documented: guesses.
_OF_REASON: Final = {
    Reason.INSUFFICIENT_FUNDS: ("200004", None),
    Reason.DUPLICATE_CLIENT_ID: ("126044", None),
    Reason.STOP_WOULD_TRIGGER: ("400100", "The stop price would trigger immediately."),
    Reason.NOT_LIVE: ("400100", "order_not_exist_or_not_allow_to_cancel"),
}


def ok(data: object) -> Answer:
    """Return a good answer in KuCoin's envelope."""
    return Answer({"code": OK, "data": data})


def error(code: str, text: str | None = None) -> Answer:
    """Return KuCoin's answer for a code; ``text`` replaces the usual one."""
    status, usual = _TEXTS[code]
    return Answer({"code": code, "msg": text or usual}, status)


def refuse(code: str, text: str | None = None) -> Refusal:
    """Return what to raise for a code."""
    return Refusal(error(code, text))


def refusal_of(reason: Reason) -> Refusal:
    """Return what to raise for a refusal of the engine."""
    return refuse(*_OF_REASON[reason])
