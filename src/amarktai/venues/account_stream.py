"""An account's stream as its readers see it: frames in, events and answers out, no connection in sight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from amarktai.ports.exchange import AccountEvent


@dataclass(frozen=True, slots=True)
class Heard:
    """What one frame of an account's stream means: events, frames to send back, a reason to start anew."""

    events: tuple[AccountEvent, ...] = ()
    replies: tuple[str, ...] = ()
    restart: str = ""


class StreamReader(Protocol):
    """Reads an account's stream. One object per connection plan; ``opened`` starts it anew."""

    def opened(self) -> Heard:
        """Return what is due when a connection stands."""

    def read(self, frame: bytes) -> Heard:
        """Return what a frame means.

        Raises: what ``transport.decoding`` translates, for a frame of an unknown form.
        """
