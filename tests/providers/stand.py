"""A local server that behaves as each of the eight providers, under a path of its own each.

It checks signatures by its own code, from the exchanges' documents, so that ours is not proven by
itself. Like the worst of them, it repeats what it was sent in its refusals.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from amarktai.domain.provider import Credentials, ProviderId

#: Keys that are right in form; the stand accepts exactly these.
KEYS = {
    ProviderId.LUNO: Credentials("cnz2yjswbv3jd", "0hydMZDb9HRR3Qq-iqALwZtXLkbLR4fWxtDZvkB9h4I"),
    ProviderId.BINANCE: Credentials("b" * 30 + "Q7" + "k" * 32, "s" * 31 + "7Qz" + "x" * 30),
    ProviderId.KUCOIN: Credentials(
        "64d1f2a3b4c5d6e7f8091a2b", "3a8f0c1e-77aa-4f2b-9d10-5e6f7a8b9c0d", "correct horse 7"
    ),
    ProviderId.OVEX: Credentials("ovex-key-4f9a8b7c6d5e4f3a2b1c"),
    ProviderId.VALR: Credentials(
        "a7" * 32, "4961b74efac86b25cce8fbe4c9811c4c7a787b7a5996660afcc2e287ad864363"
    ),
    ProviderId.OPENAI: Credentials("sk-proj-PLANTED0openai0canary0key0AbC"),
    ProviderId.FLOKX: Credentials("flokx-PLANTED-canary-key-7"),
    ProviderId.FETCHAI: Credentials("sk_PLANTED0asi0one0canary0key0123456789"),
}
#: What each exchange says that its key may do, in its own shape: view and trade, from one address.
RIGHTS: dict[ProviderId, Any] = {
    ProviderId.BINANCE: {
        "ipRestrict": True,
        "createTime": 1698645219000,
        "enableReading": True,
        "enableWithdrawals": False,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": True,
        "enablePortfolioMarginTrading": False,
    },
    ProviderId.KUCOIN: {
        "remark": "bots",
        "apiKey": KEYS[ProviderId.KUCOIN].api_key,
        "apiVersion": 3,
        "permission": "General,Spot",
        "ipWhitelist": "196.25.1.7",
        "createdAt": 1690716258000,
        "uid": 165111215,
        "isMaster": True,
    },
    ProviderId.VALR: {
        "label": "bots",
        "permissions": ["View access", "Trade"],
        "addedAt": "2026-01-10T12:00:00Z",
        "allowedIpAddressCidr": "196.25.1.7/32",
        "allowedWithdrawAddressList": [],
    },
    ProviderId.LUNO: {"may_send": False},
}


@dataclass
class Stand:
    """The running server. ``answers`` replace what a path would say: (status, body, seconds to wait)."""

    url: str
    rights: dict[ProviderId, Any] = field(default_factory=dict)
    answers: dict[tuple[ProviderId, str], tuple[int, Any]] = field(default_factory=dict)
    calls: list[tuple[ProviderId, str, str]] = field(default_factory=list)
    kucoin_version: str = "3"

    def reset(self) -> None:
        self.rights = json.loads(json.dumps(RIGHTS))
        self.answers.clear()
        self.calls.clear()
        self.kucoin_version = "3"

    def base_urls(self) -> dict[ProviderId, str]:
        return {provider: f"{self.url}/{provider}" for provider in ProviderId}


def start_stand() -> tuple[Stand, Callable[[], None]]:
    """Start the server on a free port; return it and what stops it."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    stand = Stand(f"http://127.0.0.1:{listener.getsockname()[1]}")
    stand.reset()
    app = Starlette(routes=[Route("/{provider}/{rest:path}", _handler(stand), methods=["GET", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the stand did not start"
        time.sleep(0.01)

    def stop() -> None:
        server.should_exit = True
        thread.join(10)

    return stand, stop


def _handler(stand: Stand) -> Callable[[Request], Any]:
    speakers = {
        ProviderId.LUNO: _luno,
        ProviderId.BINANCE: _binance,
        ProviderId.KUCOIN: _kucoin,
        ProviderId.OVEX: _ovex,
        ProviderId.VALR: _valr,
        ProviderId.OPENAI: _models,
        ProviderId.FLOKX: _flokx,
        ProviderId.FETCHAI: _models,
    }

    async def handle(request: Request) -> Response:
        provider = ProviderId(request.path_params["provider"])
        path = "/" + request.path_params["rest"]
        stand.calls.append((provider, request.method, path))
        planned = stand.answers.get((provider, path))
        if planned is not None:
            status, body = planned
            if isinstance(body, bytes):
                return Response(body, status, headers={"Location": "/elsewhere"})
            return JSONResponse(body, status)
        body = await request.body()
        return speakers[provider](stand, provider, path, request, body)

    return handle


def _query(request: Request) -> str:
    return f"?{request.url.query}" if request.url.query else ""


def _luno(stand: Stand, provider: ProviderId, path: str, request: Request, body: bytes) -> Response:
    key = KEYS[provider]
    wanted = "Basic " + base64.b64encode(f"{key.api_key}:{key.api_secret}".encode()).decode()
    sent = request.headers.get("authorization", "")
    if sent != wanted:
        user = base64.b64decode(sent.removeprefix("Basic ")).decode()
        return JSONResponse({"error": f"Unauthorised: {user}", "error_code": "ErrUnauthorised"}, 401)
    if path == "/api/1/balance":
        row = {
            "account_id": "1",
            "asset": "ZAR",
            "balance": "10.00",
            "reserved": "0.00",
            "unconfirmed": "0.00",
        }
        return JSONResponse({"balance": [row]})
    if path == "/api/1/address/validate" and request.method == "POST":
        if not stand.rights[provider]["may_send"]:
            return JSONResponse({"error": "Not allowed", "error_code": "ErrInsufficientPerms"}, 403)
        address = parse_qs(body.decode())["address"][0]
        return JSONResponse({"error": f"No such address {address}", "error_code": "ErrInvalidAddress"}, 400)
    return JSONResponse({"error": "Not found", "error_code": "ErrNotFound"}, 404)


def _binance(stand: Stand, provider: ProviderId, path: str, request: Request, _: bytes) -> Response:
    key, sent = KEYS[provider], request.headers.get("x-mbx-apikey", "")
    query, _sep, signature = request.url.query.rpartition("&signature=")
    if "timestamp" not in parse_qs(query):
        return JSONResponse({"code": -1102, "msg": "Mandatory parameter 'timestamp' was not sent."}, 400)
    if sent != key.api_key:
        words = f"Invalid API-key, IP, or permissions for action, request ip: 203.0.113.9 ({sent})"
        return JSONResponse({"code": -2015, "msg": words}, 401)
    if signature != hmac.new(key.api_secret.encode(), query.encode(), hashlib.sha256).hexdigest():
        return JSONResponse({"code": -1022, "msg": "Signature for this request is not valid."}, 400)
    if path == "/api/v3/account":
        balances = [{"asset": "BTC", "free": "0.10000000", "locked": "0.00000000"}]
        return JSONResponse({"canTrade": True, "balances": balances, "permissions": ["SPOT"]})
    if path == "/sapi/v1/account/apiRestrictions":
        return JSONResponse(stand.rights[provider])
    return JSONResponse({}, 404)


def _kucoin(stand: Stand, provider: ProviderId, path: str, request: Request, body: bytes) -> Response:
    def refuse(code: str, words: str, status: int = 200) -> Response:
        return JSONResponse({"code": code, "msg": words}, status)

    key, head = KEYS[provider], request.headers
    if head.get("kc-api-key") != key.api_key:
        return refuse("400003", f"KC-API-KEY not exists: {head.get('kc-api-key')}", 401)
    if head.get("kc-api-key-version") != stand.kucoin_version:
        return refuse("400009", "Invalid API version")
    secret = key.api_secret.encode()
    text = (head["kc-api-timestamp"] + request.method + path + _query(request)).encode() + body
    if head["kc-api-sign"] != base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode():
        return refuse("400005", "Invalid KC-API-SIGN", 401)
    passphrase = base64.b64encode(hmac.new(secret, key.passphrase.encode(), hashlib.sha256).digest()).decode()
    if head["kc-api-passphrase"] != passphrase:
        return refuse("400004", "Invalid KC-API-PASSPHRASE", 401)
    if path == "/api/v1/accounts":
        row = {"id": "1", "currency": "USDT", "type": "trade", "balance": "5", "available": "5", "holds": "0"}
        return JSONResponse({"code": "200000", "data": [row]})
    if path == "/api/v1/user/api-key":
        return JSONResponse({"code": "200000", "data": stand.rights[provider]})
    return refuse("404000", "Url Not Found", 404)


def _valr(stand: Stand, provider: ProviderId, path: str, request: Request, body: bytes) -> Response:
    key, head = KEYS[provider], request.headers
    text = (head.get("x-valr-timestamp", "") + request.method + path + _query(request)).encode() + body
    wanted = hmac.new(key.api_secret.encode(), text, hashlib.sha512).hexdigest()
    if head.get("x-valr-api-key") != key.api_key or head.get("x-valr-signature") != wanted:
        words = f"API key or secret is invalid: {head.get('x-valr-api-key')}"
        return JSONResponse({"code": -11252, "message": words}, 401)
    if path == "/v1/account/balances":
        return JSONResponse([{"currency": "ZAR", "available": "10", "reserved": "0", "total": "10"}])
    if path == "/v1/account/api-keys/current":
        return JSONResponse(stand.rights[provider])
    return JSONResponse({"code": -1, "message": "Not found"}, 404)


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _ovex(_: Stand, provider: ProviderId, path: str, request: Request, _body: bytes) -> Response:
    if _bearer(request) != KEYS[provider].api_key:
        error = {"code": 2001, "message": f"Authorization failed: {_bearer(request)}"}
        return JSONResponse({"error": error}, 401)
    if path == "/api/v2/accounts":
        return JSONResponse([{"currency": "zar", "balance": "10.0", "locked": "0.0"}])
    return JSONResponse({}, 404)


def _models(_: Stand, provider: ProviderId, path: str, request: Request, _body: bytes) -> Response:
    if _bearer(request) != KEYS[provider].api_key:
        error = {"message": f"Incorrect API key provided: {_bearer(request)}", "code": "invalid_api_key"}
        return JSONResponse({"error": error}, 401)
    if path == "/v1/models":
        return JSONResponse({"object": "list", "data": [{"id": "gpt-4o-mini"}, {"id": "gpt-4o"}]})
    return JSONResponse({}, 404)


def _flokx(_: Stand, provider: ProviderId, path: str, request: Request, _body: bytes) -> Response:
    if _bearer(request) != KEYS[provider].api_key:
        return JSONResponse({"message": f"invalid key {_bearer(request)}"}, 401)
    if path == "/v1/status":
        return JSONResponse({"status": "ok"})
    return JSONResponse({}, 404)
