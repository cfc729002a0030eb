"""Lists by cursor: an opaque text that says after which row the next page begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from amarktai.domain.errors import InvalidInput

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. ``total`` counts all rows, where the list says so."""

    items: Sequence[Mapping[str, Any]]
    next_cursor: str | None = None
    total: int | None = None


def encode_cursor(*key: str | int) -> str:
    """Return the cursor of the row whose sort key this is."""
    text = json.dumps(key, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type[str] | type[int]) -> tuple[Any, ...]:
    """Return the sort key in a cursor, checked against the expected types.

    Raises: InvalidInput for anything that ``encode_cursor`` did not make for this list.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        key = None
    fits = isinstance(key, list) and [type(part) for part in key] == list(types)
    if not fits or any(isinstance(part, int) and abs(part) >= 2**63 for part in key):
        raise InvalidInput(
            "VALIDATION_ERROR", "The cursor is not one of this list's.", "Start the list from its beginning."
        )
    return tuple(key)
