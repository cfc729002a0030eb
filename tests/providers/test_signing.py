"""Signatures against the exchanges' own published examples."""

from __future__ import annotations

from amarktai.providers.signing import binance_query, kucoin_headers, valr_headers

VALR_SECRET = "4961b74efac86b25cce8fbe4c9811c4c7a787b7a5996660afcc2e287ad864363"


def test_valr_as_its_documents_sign() -> None:
    read = valr_headers(("key", VALR_SECRET), 1558014486185, ("get", "/v1/account/balances", ""))
    assert read["X-VALR-SIGNATURE"] == (
        "9d52c181ed69460b49307b7891f04658e938b21181173844b5018b2fe783a6d4"
        "c62b8e67a03de4d099e7437ebfabe12c56233b73c6a0cc0f7ae87e05f6289928"
    )
    body = '{"customerOrderId":"ORDER-000001","pair":"BTCUSDC","side":"BUY","quoteAmount":"80000"}'
    write = valr_headers(("key", VALR_SECRET), 1558017528946, ("POST", "/v1/orders/market", body))
    assert write["X-VALR-SIGNATURE"] == (
        "09f536e3dfdad58443f16010a97a0a21ad27486b7b8d6d4103170d885410ed77"
        "f037f1fa628474190d4f5c08ca12c1acc850901f1c2e75c6d906ec3b32b008d0"
    )
    assert "X-VALR-SUB-ACCOUNT-ID" not in write


def test_valr_signs_the_subaccount_too() -> None:
    request = ("GET", "/v1/account/balances", "")
    plain = valr_headers(("key", "superdupersecret"), 1577572690093, request)
    sub = valr_headers(("key", "superdupersecret"), 1577572690093, request, subaccount="909461317243875555")
    assert plain["X-VALR-SIGNATURE"].startswith("647d2765")
    assert sub["X-VALR-SIGNATURE"].startswith("3dc9ed14")
    assert sub["X-VALR-SUB-ACCOUNT-ID"] == "909461317243875555"


def test_binance_as_its_documents_sign() -> None:
    secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    order: dict[str, str | int] = {
        "symbol": "LTCBTC",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": 1,
        "price": "0.1",
        "recvWindow": 5000,
        "timestamp": 1499827319559,
    }
    ending = "&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    assert binance_query(secret, order).endswith(ending)
    wide = binance_query(secret, {**order, "symbol": "１２３４５６"})  # percent-encoded before signing
    assert wide.endswith("&signature=e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3")


def test_kucoin_signs_passphrase_and_request() -> None:
    headers = kucoin_headers(("k", "s", "p"), 1_700_000_000_000, ("GET", "/api/v1/accounts", ""), version="3")
    assert headers["KC-API-KEY-VERSION"] == "3" and headers["KC-API-TIMESTAMP"] == "1700000000000"
    other = kucoin_headers(("k", "s", "q"), 1_700_000_000_000, ("GET", "/api/v1/accounts", ""), version="2")
    assert other["KC-API-SIGN"] == headers["KC-API-SIGN"]
    assert other["KC-API-PASSPHRASE"] != headers["KC-API-PASSPHRASE"]
