"""The system's one mode. ``autopilot`` trades paper until the live gate has passed, and says so."""

from __future__ import annotations

from enum import StrEnum


class SystemMode(StrEnum):
    PAPER = "paper"
    LIVE = "live"
    AUTOPILOT = "autopilot"
