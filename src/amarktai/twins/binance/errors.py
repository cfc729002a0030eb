"""Binance's error codes with their texts. HTTP 400 unless stated; 5xx means that the outcome is unknown."""

from __future__ import annotations

from typing import Final

from amarktai.twins.calls import Answer, Refusal
from amarktai.twins.rules import Reason

_TEXTS: Final = {
    -1001: (500, "Internal error; unable to process your request. Please try again."),
    -1002: (401, "You are not authorized to execute this request."),
    -1003: (429, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."),
    -1007: (
        408,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    ),
    -1008: (503, "Server is currently overloaded with other requests. Please try again in a few minutes."),
    -1015: (429, "Too many new orders; current limit is 100 orders per 10 SECOND."),
    -1021: (400, "Timestamp for this request is outside of the recvWindow."),
    -1022: (400, "Signature for this request is not valid."),
    -1112: (400, "No orders on book for symbol."),
    -1115: (400, "Invalid timeInForce."),
    -1116: (400, "Invalid orderType."),
    -1117: (400, "Invalid side."),
    -1120: (400, "Invalid interval."),
    -1121: (400, "Invalid symbol."),
    -1127: (400, "More than 24 hours between startTime and endTime."),
    -1128: (400, "Combination of optional parameters invalid."),
    -1130: (400, "Data sent for parameter 'limit' is not valid."),
    -1131: (400, "recvWindow must be less than 60000."),
    -2011: (400, "Unknown order sent."),
    -2013: (400, "Order does not exist."),
    -2014: (401, "API-key format invalid."),
    -2015: (401, "Invalid API-key, IP, or permissions for action."),
}
#: -2010 is told apart by its text.
_REJECTIONS: Final = {
    Reason.INSUFFICIENT_FUNDS: "Account has insufficient balance for requested action.",
    Reason.DUPLICATE_CLIENT_ID: "Duplicate order sent.",
    Reason.WOULD_MATCH: "Order would immediately match and take.",
    Reason.STOP_WOULD_TRIGGER: "Stop price would trigger immediately.",
}


def error(code: int, text: str | None = None) -> Answer:
    """Return Binance's answer for a code; ``text`` replaces the usual one."""
    status, usual = _TEXTS.get(code, (400, ""))
    return Answer({"code": code, "msg": text or usual}, status)


def refuse(code: int, text: str | None = None) -> Refusal:
    """Return what to raise for a code."""
    return Refusal(error(code, text))


def missing(name: str) -> Refusal:
    """Return what a missing or unreadable parameter is told."""
    return refuse(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def filter_failure(name: str) -> Refusal:
    """Return what an order that a filter of its symbol forbids is told."""
    return refuse(-1013, f"Filter failure: {name}")


def rejection(reason: Reason) -> Refusal:
    """Return what to raise for an order that the engine refuses."""
    return refuse(-2010, _REJECTIONS[reason])


MARKET_CLOSED: Final = "Market is closed."
