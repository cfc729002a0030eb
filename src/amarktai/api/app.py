"""The web application: API under ``/api``, the live socket, and the dashboard for everything else."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amarktai.api.dashboard import Dashboard
from amarktai.api.errors import install, plain_error
from amarktai.api.routes import (
    bots,
    factors,
    keys,
    live,
    live_accounts,
    markets,
    profits,
    risk,
    setup,
    system,
    trades,
    users,
)
from amarktai.api.services import Services
from amarktai.config import Settings

UI_FOLDER: Final = Path(__file__).parent / "ui"
#: Larger request bodies are refused unread.
MAX_BODY_BYTES: Final = 1_000_000
#: Radix and sonner put style elements into the page, hence 'unsafe-inline' for styles alone.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HSTS: Final = "max-age=31536000; includeSubDomains"
_LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def create_api() -> FastAPI:
    """Return the API alone, without services: enough for its OpenAPI document."""
    app = FastAPI(
        title="Amarktai",
        summary="Self-hosted crypto trading bots with one true profit in rand",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        strict_content_type=True,
    )
    for router in (
        setup.router,
        users.router,
        factors.router,
        keys.public,
        keys.router,
        bots.router,
        trades.router,
        profits.router,
        markets.router,
        live_accounts.router,
        risk.router,
        system.public,
        system.router,
        live.router,
    ):
        app.include_router(router)
    install(app)
    return app


def create_app(services: Services, *, ui_folder: Path = UI_FOLDER) -> ASGIApp:
    """Return the whole application, for a server to run."""
    api = create_api()
    api.state.services = services
    return Shell(api, services, Dashboard(ui_folder))


class Shell:
    """Everything around the routes: host and size checks, headers, and who serves which path."""

    def __init__(self, api: FastAPI, services: Services, dashboard: Dashboard) -> None:
        self._api = api
        self._services = services
        self._dashboard = dashboard
        self._headers = dict(_HEADERS)
        if services.settings.behind_tls_proxy:
            self._headers["strict-transport-security"] = _HSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._api(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
        else:
            await self._serve_http(scope, receive, self._with_headers(scope, send))

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != live.PATH or not is_known_host(Headers(scope=scope), self._services.settings):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await live.serve_websocket(scope, receive, send, self._services)

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refuse(Headers(scope=scope))
        path = scope["path"]
        if refusal is None and "\0" in path + scope["query_string"].decode("latin-1").replace("%00", "\0"):
            refusal = plain_error(422, "VALIDATION_ERROR", "An address cannot hold NUL.", "Correct it.")
        if refusal is not None:
            await refusal(scope, receive, send)
        elif path == "/api" or path.startswith("/api/"):
            await self._api(scope, _limited(receive), send)
        else:
            await self._serve_page(scope)(scope, receive, send)

    def _serve_page(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            response = plain_error(405, "METHOD_NOT_ALLOWED", "Pages are only read.", "Use GET.")
            response.headers["Allow"] = "GET, HEAD"
            return response
        return self._dashboard.respond(Request(scope))

    def _refuse(self, headers: Headers) -> Response | None:
        if not is_known_host(headers, self._services.settings):
            return plain_error(
                421,
                "HOST_UNKNOWN",
                "This address is not one of the server's.",
                "Use http://127.0.0.1, or name the address in AMARKTAI_PUBLIC_ORIGINS.",
            )
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            return _too_large()
        return None

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        is_api = scope["path"].startswith("/api")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if is_api:
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        return send_with_headers


def is_known_host(headers: Headers, settings: Settings) -> bool:
    """Return whether the Host header names this server: a foreign name means DNS rebinding.

    Behind a proxy without named origins, the proxy decides which names reach us.
    """
    hosts = headers.getlist("host")
    if len(hosts) != 1:
        return False
    host = hosts[0]
    if any(urlsplit(origin).netloc == host for origin in settings.public_origins):
        return True
    if settings.behind_tls_proxy:
        return not settings.public_origins
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name in _LOOPBACK_NAMES or name == settings.host


def _limited(receive: Receive) -> Receive:
    """Count a body as it comes in, for those that do not say their length."""
    taken = 0

    async def receive_limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY_BYTES:
            return {"type": "http.disconnect"}
        return message

    return receive_limited


def _too_large() -> Response:
    return plain_error(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "TOO_LARGE", "The request is too large.", "Send less at once."
    )


def _operation_id(route: APIRoute) -> str:
    """Name operations by their function, which is unique: the client's methods are called so."""
    return route.name


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document."""
    build: Callable[[], dict[str, Any]] = create_api().openapi
    return build()
