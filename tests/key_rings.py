"""Encryption keys for tests: made from a word, the same in each run."""

from __future__ import annotations

import base64

from amarktai.ports.secrets import Kek
from amarktai.system.key_ring import parse_ring
from tests.fakes import SeededRng


def key_text(word: str) -> str:
    """Return a key as a file or variable holds it."""
    return base64.b64encode(SeededRng(f"kek {word}").bytes(32)).decode()


def kek(word: str) -> Kek:
    return parse_ring(key_text(word), "the test").current
