"""Lists by cursor: an opaque text that says after which row the next page begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from amarktai.domain.errors import InvalidInput

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 500

Part = str | int | UUID | datetime


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. ``total`` counts all rows, where the list says so."""

    items: Sequence[Mapping[str, Any]]
    next_cursor: str | None = None
    total: int | None = None


def encode_cursor(*key: Part) -> str:
    """Return the cursor of the row whose sort key this is."""
    plain = [part if isinstance(part, str | int) else _text_of(part) for part in key]
    text = json.dumps(plain, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type[Part]) -> tuple[Any, ...]:
    """Return the sort key in a cursor, checked against the expected types.

    Raises: InvalidInput for anything that ``encode_cursor`` did not make for this list.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(key, list):
            raise ValueError("not a key")
        return tuple(_parse(part, wanted) for part, wanted in zip(key, types, strict=True))
    except (binascii.Error, ValueError, OverflowError, RecursionError) as error:
        raise InvalidInput(
            "VALIDATION_ERROR", "The cursor is not one of this list's.", "Start the list from its beginning."
        ) from error


def _text_of(part: UUID | datetime) -> str:
    return part.hex if isinstance(part, UUID) else part.isoformat()


def _parse(part: object, wanted: type[Part]) -> Part:
    if wanted is int and type(part) is int and abs(part) < 2**63:
        return part
    if not isinstance(part, str) or "\0" in part:
        raise ValueError("not of this list")
    if wanted is UUID:
        return UUID(hex=part)
    if wanted is datetime:
        instant = datetime.fromisoformat(part)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    if wanted is not str:
        raise ValueError("not of this list")
    return part
