"""Secrets that we hand out: long, random, and stored only as their hash."""

from __future__ import annotations

import base64
import hashlib
from typing import Final
from uuid import UUID

from amarktai.ports.rng import Rng

SECRET_BYTES: Final = 32
TOKEN_PREFIX: Final = "amk_"


def new_secret(rng: Rng) -> str:
    """Return 256 random bits as text without characters that separate."""
    return base64.urlsafe_b64encode(rng.bytes(SECRET_BYTES)).decode().rstrip("=")


def hash_secret(secret: str) -> bytes:
    """Return what is stored. Plain SHA-256 is enough: the secret cannot be guessed."""
    return hashlib.sha256(secret.encode()).digest()


def join_cookie(user_id: UUID, secret: str) -> str:
    """Return a session's cookie value; the user's id lets the tenant be set before the look-up."""
    return f"{user_id.hex}.{secret}"


def split_cookie(value: str) -> tuple[UUID, str] | None:
    """Return user id and secret, or None when it is no cookie of ours."""
    user_hex, _, secret = value.partition(".")
    return _pair(user_hex, secret)


def join_token(user_id: UUID, secret: str) -> str:
    """Return a personal access token."""
    return f"{TOKEN_PREFIX}{user_id.hex}_{secret}"


def split_token(value: str) -> tuple[UUID, str] | None:
    """Return user id and secret, or None when it is no token of ours."""
    if not value.startswith(TOKEN_PREFIX):
        return None
    user_hex, _, secret = value.removeprefix(TOKEN_PREFIX).partition("_")
    return _pair(user_hex, secret)


def _pair(user_hex: str, secret: str) -> tuple[UUID, str] | None:
    if len(user_hex) != 32 or not secret or not user_hex.isalnum() or not user_hex.isascii():
        return None
    try:
        return UUID(hex=user_hex), secret
    except ValueError:
        return None
