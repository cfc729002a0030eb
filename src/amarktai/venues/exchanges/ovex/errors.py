"""OVEX's refusals. Its codes are in no document, so the HTTP status counts.

Of an acceptance only a refused key says for certain that nothing happened: a 400 could mean that the
quote was accepted before.
"""

from __future__ import annotations

from typing import Any, Final

from amarktai.domain.instrument import Platform
from amarktai.venues.error_table import Dialect, ErrorRule, Meaning
from amarktai.venues.transport import Answer

_K, _A, _U = Meaning.KEY, Meaning.ABSENT, Meaning.UNCLEAR
_KEY_HELP: Final = "Check the key, or make a new one at OVEX (keys end after a year), then test it."
_LATER: Final = "It is tried again by itself."

RULES: Final = (
    ErrorRule("401", _K, "VENUE_KEY_REFUSED", _KEY_HELP),
    ErrorRule("403", _K, "VENUE_KEY_REFUSED", _KEY_HELP),
    ErrorRule("404", _A, "ORDER_NOT_FOUND", "Look at OVEX's own list of trades."),
    ErrorRule("400", _U, "VENUE_ERROR", "Change the amount or the market."),
    ErrorRule("422", _U, "VENUE_ERROR", "Change the amount or the market."),
    ErrorRule("429", _U, "VENUE_RATE_LIMITED", _LATER),
)  # fmt: skip


def read_refusal(answer: Answer) -> tuple[str, str] | None:
    """Return (status, words); None of a success. A body that names an error is none, whatever its status."""
    words = _words(answer.body)
    if answer.is_success and words is None:
        return None
    return str(answer.status), words or ""


def _words(body: Any) -> str | None:
    """Return the words of an error in one of the forms that clients of OVEX expect."""
    if not isinstance(body, dict):
        return None
    error = body.get("error") or body.get("errors")
    if not error:
        return None
    if isinstance(error, dict):
        return str(error.get("message") or error)
    return ", ".join(map(str, error)) if isinstance(error, list) else str(error)


DIALECT: Final = Dialect(Platform.OVEX, RULES, read_refusal)
