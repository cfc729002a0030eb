"""KuCoin's dead man's switch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Switch:
    """A dead man's switch: at ``fires_ns`` the account's orders in ``symbols`` (empty: all) are cancelled."""

    timeout_s: int
    set_ns: int
    fires_ns: int
    symbols: tuple[str, ...]
