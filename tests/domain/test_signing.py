"""Signatures against the vectors that the exchanges and their official clients publish."""

from __future__ import annotations

import pytest

from amarktai.domain.signing import (
    basic_headers,
    bearer_headers,
    binance_query,
    kucoin_headers,
    valr_headers,
)

#: VALR's own documentation (Postman collection, "Authentication").
VALR_SECRET = "4961b74efac86b25cce8fbe4c9811c4c7a787b7a5996660afcc2e287ad864363"
_ORDER = (
    '{"customerOrderId":"ORDER-000001","pair":"BTCUSDC","side":"BUY","quoteAmount":"80000"}'
)  # fmt: skip


@pytest.mark.parametrize(
    ("timestamp_ms", "request_", "signature"),
    [
        (
            1558014486185,
            ("GET", "/v1/account/balances", ""),
            "9d52c181ed69460b49307b7891f04658e938b21181173844b5018b2fe783a6d4"
            "c62b8e67a03de4d099e7437ebfabe12c56233b73c6a0cc0f7ae87e05f6289928",
        ),
        (
            1558017528946,
            ("POST", "/v1/orders/market", _ORDER),
            "09f536e3dfdad58443f16010a97a0a21ad27486b7b8d6d4103170d885410ed77"
            "f037f1fa628474190d4f5c08ca12c1acc850901f1c2e75c6d906ec3b32b008d0",
        ),
    ],
)
def test_valr_signs_as_its_documentation_does(
    timestamp_ms: int, request_: tuple[str, str, str], signature: str
) -> None:
    assert valr_headers(("key", VALR_SECRET), timestamp_ms, request_) == {
        "X-VALR-API-KEY": "key",
        "X-VALR-SIGNATURE": signature,
        "X-VALR-TIMESTAMP": str(timestamp_ms),
    }


def test_valr_signs_as_its_official_client_does_with_and_without_a_subaccount() -> None:
    request = ("get", "/v1/account/balances", "")
    plain = valr_headers(("k", "superdupersecret"), 1577572690093, request)
    assert plain["X-VALR-SIGNATURE"].startswith("647d2765")
    of_subaccount = valr_headers(
        ("k", "superdupersecret"), 1577572690093, request, subaccount="909461317243875555"
    )
    assert of_subaccount["X-VALR-SIGNATURE"].startswith("3dc9ed14")
    assert of_subaccount["X-VALR-SUB-ACCOUNT-ID"] == "909461317243875555"


def test_every_part_of_a_valr_call_is_signed() -> None:
    one = valr_headers(("k", "s"), 1, ("DELETE", "/v2/orders/order", '{"pair":"BTCZAR"}'))
    signatures = {one["X-VALR-SIGNATURE"]}
    for timestamp_ms, request in (
        (2, ("DELETE", "/v2/orders/order", '{"pair":"BTCZAR"}')),
        (1, ("POST", "/v2/orders/order", '{"pair":"BTCZAR"}')),
        (1, ("DELETE", "/v2/orders/other", '{"pair":"BTCZAR"}')),
        (1, ("DELETE", "/v2/orders/order", '{"pair": "BTCZAR"}')),
    ):
        signatures.add(valr_headers(("k", "s"), timestamp_ms, request)["X-VALR-SIGNATURE"])
    assert len(signatures) == 5


def test_binance_signs_as_its_documentation_does() -> None:
    secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    parameters: dict[str, str | int] = {
        "symbol": "LTCBTC", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 1,
        "price": "0.1", "recvWindow": 5000, "timestamp": 1499827319559,
    }  # fmt: skip
    signed = binance_query(secret, parameters)
    assert signed.endswith("&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71")
    wide = binance_query(secret, parameters | {"symbol": "\uff11\uff12\uff13\uff14\uff15\uff16"})
    assert wide.startswith("symbol=%EF%BC%91%EF%BC%92")
    assert wide.endswith("&signature=e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3")


def test_kucoin_signs_request_and_passphrase_alike() -> None:
    headers = kucoin_headers(
        ("key", "test_api_secret", "test_plain"), 1, ("GET", "/api/v1/accounts", ""), version="3"
    )
    # The vector of the official client: HMAC of "test_plain" with that secret.
    assert headers["KC-API-PASSPHRASE"] == "jie/gxS38wLFFaBwl/cAzFbAzlI8MIny96jSXrB+iP4="
    assert headers["KC-API-KEY-VERSION"] == "3"


def test_simple_schemes() -> None:
    assert basic_headers("user", "pass")["Authorization"] == "Basic dXNlcjpwYXNz"
    assert bearer_headers("key") == {"Authorization": "Bearer key"}
