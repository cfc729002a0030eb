"""OVEX's errors. Codes and form are unknown: ``error`` and ``error_code`` are what ovex-py looks for."""

from __future__ import annotations

from typing import Final

from amarktai.twins.calls import Answer, Refusal

_TEXTS: Final = {
    "unauthorized": (401, "Authorization failed"),
    "forbidden": (403, "This key may not do that"),
    "not_found": (404, "Record is not found"),
    "market.not_found": (422, "Market does not exist"),
    "market.unavailable": (422, "Market is not available for quotes"),
    "amount.invalid": (422, "Specify from_amount or to_amount, greater than zero"),
    "side.invalid": (422, "Side must be buy or sell"),
    "quote.not_found": (422, "Quote token is not known"),
    "quote.expired": (422, "Quote has expired"),
    "quote.accepted": (422, "Quote was accepted before"),
    "account.insufficient": (422, "Insufficient balance"),
    "rate_limited": (429, "Too many requests"),
    "internal": (500, "Internal server error"),
    "unavailable": (503, "Trading is not possible now"),
}


def error(code: str) -> Answer:
    """Return OVEX's answer for a code."""
    status, text = _TEXTS[code]
    return Answer({"error": text, "error_code": code}, status)


def refuse(code: str) -> Refusal:
    """Return what to raise for a code."""
    return Refusal(error(code))
