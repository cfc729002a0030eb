"""How each exchange wants a request signed: pure functions of what is sent.

Key tests and exchange adapters sign with these same functions. Timestamps are Unix milliseconds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

KUCOIN_KEY_VERSIONS: Final = ("3", "2")


def binance_query(secret: str, parameters: Mapping[str, str | int]) -> str:
    """Return the query string with its signature; ``parameters`` hold the timestamp already.

    Source: Binance, "SIGNED endpoint security": HMAC-SHA256 in hex over the percent-encoded query.
    """
    query = urlencode(parameters)
    return f"{query}&signature={_hex(secret, query, 'sha256')}"


def kucoin_headers(
    key: tuple[str, str, str], timestamp_ms: int, request: tuple[str, str, str], *, version: str
) -> dict[str, str]:
    """Return the headers of one request.

    ``key`` is (key, secret, passphrase); ``request`` is (method, path with query, body).
    ``version`` is that of the key: 3 for new ones, 2 for older ones; both sign alike.
    Source: KuCoin, "Authentication": base64 HMAC-SHA256, of the passphrase too.
    """
    api_key, secret, passphrase = key
    method, path, body = request
    return {
        "KC-API-KEY": api_key,
        "KC-API-SIGN": _base64(secret, f"{timestamp_ms}{method}{path}{body}"),
        "KC-API-TIMESTAMP": str(timestamp_ms),
        "KC-API-PASSPHRASE": _base64(secret, passphrase),
        "KC-API-KEY-VERSION": version,
    }


def valr_headers(
    key: tuple[str, str], timestamp_ms: int, request: tuple[str, str, str], *, subaccount: str = ""
) -> dict[str, str]:
    """Return the headers of one request.

    ``key`` is (key, secret); ``request`` is (method, path with query, body as sent).
    Source: VALR, "Authentication": HMAC-SHA512 in hex; the secret is taken as text.
    """
    api_key, secret = key
    method, path, body = request
    text = f"{timestamp_ms}{method.upper()}{path}{body}{subaccount}"
    headers = {
        "X-VALR-API-KEY": api_key,
        "X-VALR-SIGNATURE": _hex(secret, text, "sha512"),
        "X-VALR-TIMESTAMP": str(timestamp_ms),
    }
    return headers | ({"X-VALR-SUB-ACCOUNT-ID": subaccount} if subaccount else {})


def basic_headers(user: str, password: str) -> dict[str, str]:
    """Return HTTP Basic authentication, as Luno uses it (RFC 7617)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer_headers(key: str) -> dict[str, str]:
    """Return bearer authentication (RFC 6750), as OVEX and the AI providers use it."""
    return {"Authorization": f"Bearer {key}"}


def _hex(secret: str, text: str, algorithm: str) -> str:
    return hmac.new(secret.encode(), text.encode(), algorithm).hexdigest()


def _base64(secret: str, text: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
