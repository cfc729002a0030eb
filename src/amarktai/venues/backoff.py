"""How long to stay away after a failure: longer each time, and never in step with others."""

from __future__ import annotations

from typing import Final

from amarktai.ports.rng import Rng

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0


class Backoff:
    """Pauses that double up to a minute, each varied by half so that installations do not knock together."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._pause_s = FIRST_PAUSE_S

    def next_s(self) -> float:
        """Return the pause after one more failure."""
        pause = self._pause_s * (0.5 + self._rng.uniform())
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        return pause

    def reset(self) -> None:
        """Start anew: it worked."""
        self._pause_s = FIRST_PAUSE_S
