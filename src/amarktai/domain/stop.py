"""The emergency stop: while one is on, nothing that adds risk leaves; exits stay possible."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

LONGEST_REASON: Final = 200


def said(reason: str) -> str:
    """Return a reason on one line and cut to its length: nobody is kept from stopping by too many words."""
    return " ".join(reason.split())[:LONGEST_REASON]


class StopSource(StrEnum):
    """Through what it was engaged."""

    API = "api"
    COMMAND = "command"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class EmergencyStop:
    """One stop, on until it is released. ``user_id`` None stops everybody.

    ``engaged_by`` and ``released_by`` are actors as in the audit log.
    """

    id: UUID
    user_id: UUID | None
    reason: str
    source: StopSource
    engaged_at: datetime
    engaged_by: str
    released_at: datetime | None = None
    released_by: str | None = None
