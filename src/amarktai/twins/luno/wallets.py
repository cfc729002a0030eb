"""Luno keeps one wallet per asset, each with an id of its own."""

from __future__ import annotations

import hashlib
from functools import cache


@cache
def account_id(key: str, asset: str) -> int:
    """Return the id of an account's wallet: beyond 2^53, as Luno's are."""
    return int.from_bytes(hashlib.sha256(f"{key}/{asset}".encode()).digest()[:8]) >> 1 | 1 << 62
