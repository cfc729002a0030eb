"""A small stand-in for the API, for tests of the dashboard alone: the contract's shapes, kept in memory.

It serves the built dashboard under the same security headers as the real one, and takes orders on
``/mock``: ``delay_s`` and ``fail`` for the next answers, and events to push through the socket.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse

from tests.e2e import mock_market as market
from tests.e2e.mock_accounts import account_routes
from tests.e2e.mock_keys import Secrets, factor_routes, key_routes, refused
from tests.e2e.mock_market import Row
from tests.e2e.mock_modes import Modes, breaker_routes, mode_routes, risk_routes

UI = Path(__file__).resolve().parents[2] / "src" / "amarktai" / "api" / "ui"
#: Stricter than the server's own: the dashboard injects no style.
CSP = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; object-src 'none'"
)
SETTINGS: Row = {}


@dataclass
class Account:
    """Everything the mock knows; one object per server."""

    bots: list[Row] = field(default_factory=list)
    trades: list[Row] = field(default_factory=list)
    activity: list[Row] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)
    user: Row | None = None
    setup_needed: bool = False
    funded: int = 0
    seq: int = 60
    delay_s: float = 0.0
    fail: str = ""
    origin: str = "live"
    served_sha: str | None = None
    stops: list[Row] = field(default_factory=list)
    secrets: Secrets = field(default_factory=Secrets)
    live: Row = field(default_factory=dict)
    modes: Modes = field(default_factory=Modes)

    async def pause_bots(self) -> int:
        running = [row for row in self.bots if row["status"] == "active"]
        for row in running:
            row |= {"status": "paused", "pause_reason": "USER_PAUSED", **market.abilities("paused")}
            await self.push("bot_paused", message=f"{row['name']} was paused", bot=row)
        return len(running)

    def wallet(self) -> Row:
        total = market.money(self.funded)
        available = market.money(self.funded - 10_000 * len(self.bots))
        assets = [
            {
                "asset": "ZAR",
                "available": available,
                "allocated": market.money(10_000 * len(self.bots)),
                "value_zar": total,
                "rate": "1",
                "rate_source": "rand",
                "rate_at": market.iso(market.NOW),
                "value_reason": None,
            }
        ]
        return {
            "mode": "paper",
            "currency": "ZAR",
            "total": total,
            "available": available,
            "allocated": market.money(10_000 * len(self.bots)),
            "reserved": "0.00000000",
            "assets": assets,
            "conversions": [],
        }

    def bot(self, bot_id: str) -> Row:
        for row in self.bots:
            if row["id"] == bot_id:
                return row
        raise HTTPException(404)

    async def push(self, kind: str, **payload: Any) -> None:
        self.seq += 1
        frame = {"type": kind, "seq": self.seq, "at": market.iso(market.NOW), **payload}
        for socket in list(self.sockets):
            await socket.send_json(frame)


USER: Row = {
    "id": "u-1",
    "name": "Thandi",
    "email": "thandi@example.com",
    "role": "admin",
    "timezone": "Africa/Johannesburg",
    "created_at": market.ago(days=20),
    "settings": SETTINGS,
}


def filled(bots: int, origin: str) -> Account:
    """Return an account with history; ``bots`` 0 is a newcomer's."""
    account = Account(user=dict(USER), origin=origin)
    account.bots = [market.bot(i, origin) for i in range(bots)]
    if bots:
        account.funded = 200_000
        account.trades = [market.trade(i, account.bots[i % bots]) for i in range(160)]
        account.activity = [market.activity(i, account.bots[i % bots]) for i in range(60, 0, -1)]
    return account


def page(items: list[Row]) -> Row:
    return {"items": items, "next_cursor": None}


def csv_file(name: str, heads: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="amarktai-{name}.csv"'}
    return Response(f"{heads}\n", media_type="text/csv", headers=headers)


def session_routes(account: Account) -> APIRouter:  # noqa: C901 -- one short route after another
    api = APIRouter(prefix="/api")

    @api.get("/setup")
    async def setup() -> Row:
        return {"needed": account.setup_needed}

    @api.post("/setup", status_code=201)
    async def create_admin(body: Row) -> Row:
        account.user = USER | {"name": body["name"], "email": body["email"], "timezone": body["timezone"]}
        account.setup_needed = False
        return {"user": account.user}

    @api.get("/auth/me")
    async def me() -> Row:
        if account.user is None:
            raise HTTPException(401)
        return {"user": account.user}

    @api.patch("/auth/me")
    async def change_me(body: Row) -> Row:
        assert account.user is not None
        settings = account.user["settings"] | body.pop("settings", {})
        account.user |= {**body, "settings": settings}
        return {"user": account.user}

    @api.post("/auth/login")
    async def login(body: Row) -> Any:
        if body["password"] == "wrong":
            raise HTTPException(401)
        if account.secrets.totp and body.get("code") != "123456":
            needed = body.get("code") is None
            code = "SECOND_FACTOR_NEEDED" if needed else "SECOND_FACTOR_WRONG"
            return refused(401, code, "This account has a second factor." if needed else "The code is wrong.")
        account.user = dict(USER)
        return {"user": account.user}

    @api.post("/auth/logout", status_code=204)
    async def logout() -> None:
        account.user = None

    @api.get("/auth/sessions")
    async def sessions() -> Row:
        one = {
            "id": "s-1",
            "created_at": market.ago(days=2),
            "last_seen_at": market.ago(seconds=3),
            "expires_at": market.ago(days=-12),
            "ip": "127.0.0.1",
            "user_agent": "Mozilla/5.0 Chromium/156",
            "current": True,
        }
        return page(
            [one, one | {"id": "s-2", "current": False, "user_agent": "Mozilla/5.0 Mobile Firefox/150"}]
        )

    @api.get("/users")
    async def users() -> Row:
        return page([USER | {"is_active": True, "last_seen_at": market.ago(seconds=3), "bots_count": 12}])

    @api.get("/invites")
    async def invites() -> Row:
        return page([])

    @api.get("/tokens")
    async def tokens() -> Row:
        return page([])

    return api


def bot_routes(account: Account) -> APIRouter:  # noqa: C901 -- one short route after another
    api = APIRouter(prefix="/api")

    @api.get("/bots")
    async def bots() -> Row:
        return page(account.bots)

    @api.post("/bots", status_code=201)
    async def create(body: Row) -> Row:
        if any(row["name"] == body["name"] for row in account.bots):
            raise HTTPException(409, "BOT_NAME_DUPLICATE")
        row = market.bot(len(account.bots), account.origin) | body
        row |= {
            "id": f"50000000-0000-4000-8000-{len(account.bots):012d}",
            "status": "active",
            "total_trades": 0,
            "last_decision": None,
            "rests_because": None,
            "position": None,
            "realized_profit": "0.00000000",
            "profit_today": "0.00000000",
            "unrealized_profit": "0.00000000",
            "win_rate": None,
            "instrument_id": f"{body['platform']}:{body['pair']}",
        }
        row |= market.abilities("active")
        account.bots.append(row)
        await account.push("bot_created", message=f"{row['name']} was created", bot=row)
        return {"bot": row}

    @api.post("/bots/pause-all")
    async def pause_all() -> Row:
        return {"changed": await account.pause_bots(), "skipped": []}

    @api.get("/bots/sparklines")
    async def sparklines() -> Row:
        lines = [
            {"bot_id": row["id"], "values": [market.money((day * (i - 4)) % 700) for day in range(30)]}
            for i, row in enumerate(account.bots)
            if i % 3
        ]
        span = {"first": market.ago(days=29)[:10], "last": market.iso(market.NOW)[:10]}
        return {"items": lines, **span, "currency": "ZAR", "timezone": "Africa/Johannesburg"}

    @api.get("/bots/{bot_id}")
    async def one(bot_id: str) -> Row:
        return {"bot": account.bot(bot_id)}

    @api.patch("/bots/{bot_id}")
    async def change(bot_id: str, body: Row) -> Row:
        if body.get("params", {}).get("fast") == 13:
            raise HTTPException(422, "fast = 13 brings bad luck")
        account.bot(bot_id).update(body)
        return {"bot": account.bot(bot_id)}

    @api.delete("/bots/{bot_id}")
    async def delete(bot_id: str) -> Row:
        row = account.bot(bot_id)
        account.bots.remove(row)
        return {"bot": row | {"status": "deleted"}}

    @api.get("/bots/{bot_id}/decisions")
    async def decisions(bot_id: str) -> Row:
        if account.bot(bot_id)["last_decision"] is None:
            return page([])
        return page([market.decision(i % 5, market.ago(hours=i)) for i in range(14)])

    @api.get("/bots/{bot_id}/equity")
    async def equity(bot_id: str) -> Row:
        return market.equity(120 if account.bot(bot_id)["total_trades"] else 0)

    @api.post("/bots/{bot_id}/{action}")
    async def act(bot_id: str, action: str) -> Row:
        status = {"start": "active", "resume": "active", "pause": "paused", "stop": "stopped"}[action]
        row = account.bot(bot_id)
        row |= {"status": status, "pause_reason": "USER_PAUSED", **market.abilities(status)}
        name = {"start": "resumed", "resume": "resumed", "pause": "paused", "stop": "stopped"}[action]
        await account.push(f"bot_{name}", message=f"{row['name']} was {name}", bot=row)
        return {"bot": row}

    @api.get("/strategies")
    async def strategies() -> Row:
        return page(market.strategies())

    return api


def market_routes(account: Account) -> APIRouter:  # noqa: C901 -- one short route after another
    api = APIRouter(prefix="/api")

    @api.get("/instruments")
    async def instruments() -> Row:
        return page(market.instruments(account.origin))

    @api.get("/candles")
    async def candles(instrument_id: str, timeframe: str) -> Row:
        return market.candles(instrument_id, timeframe, account.origin)

    @api.get("/system/market")
    async def market_source() -> Row:
        return {"source": "sandbox" if account.origin == "synthetic" else "live"}

    @api.get("/feeds")
    async def feeds() -> Row:
        rows = [
            {
                "platform": name,
                "origin": account.origin,
                "state": "live",
                "message": "Prices arrive.",
                "last_received_at": market.ago(seconds=1),
                "retry_at": None,
                "instruments": 4,
            }
            for name in market.CONNECTED
        ]
        if account.bots:
            rows[2] |= {
                "state": "unreachable",
                "message": "KuCoin does not answer since 14:01.",
                "retry_at": market.ago(seconds=-40),
            }
        return page(rows)

    @api.get("/wallet/paper")
    async def wallet() -> Row:
        return account.wallet()

    @api.post("/wallet/paper/fund")
    async def fund(body: Row) -> Row:
        account.funded += int(body["amount"])
        return {"wallet": account.wallet()}

    @api.get("/trades")
    async def trades(request: Request) -> Row:
        query = request.query_params
        rows = [
            row
            for row in account.trades
            if all(
                query.get(name, row[name]) == row[name]
                for name in ("status", "bot_id", "platform", "pair", "mode")
            )
        ]
        start = int(query.get("cursor", "0"))
        size = int(query.get("limit", "100"))
        after = start + size
        return {
            "items": rows[start:after],
            "next_cursor": str(after) if after < len(rows) else None,
            "total": len(rows),
        }

    @api.get("/trades/export")
    async def export() -> Response:
        return csv_file("trades", "closed,opened,bot")

    @api.get("/trades/{trade_id}")
    async def trade(trade_id: str) -> Row:
        row = next(row for row in account.trades if row["id"] == trade_id)
        return {"trade": row, "fills": [market.fill(0, row), market.fill(1, row)]}

    @api.get("/orders")
    async def orders(bot_id: str) -> Row:
        row = account.bot(bot_id)
        return page([market.order(1, row)] if row["position"] else [])

    @api.get("/orders/{order_id}")
    async def order(order_id: str) -> Row:
        row = market.order(1, account.bots[0]) | {"id": order_id}
        event = {
            "at": market.ago(hours=4),
            "from_state": None,
            "to_state": "INTENT",
            "event": "intent",
            "detail": "",
        }
        return {
            "order": row,
            "events": [event, event | {"to_state": "ACCEPTED", "at": market.ago(hours=3.9)}],
            "fills": [],
        }

    @api.get("/ledger/entries")
    async def entries(trade_id: str = "", kind: str = "") -> Row:
        rows = [market.ledger_entry(412, trade_id), market.ledger_entry(411, trade_id)]
        if not trade_id and account.bots:
            rows += [market.conversion(7, account.bots[0]), market.funding(1, account.funded)]
        return page([row for row in rows if kind in ("", row["kind"])] if account.bots else [])

    @api.get("/ledger/accounts")
    async def accounts(prefix: str = "") -> Row:
        rows = [
            {
                "account": f"holding:bot:{row['id'].replace('-', '')}",
                "asset": row["quote_asset"],
                "amount": row["capital_quote"],
                "bot_id": row["id"],
                "bot_name": row["name"],
            }
            for row in account.bots
        ]
        if account.bots:
            others = {"fees:luno": "41.20", "funding": "-200000", "holding:wallet": "80000"}
            rows += [
                {"account": name, "asset": "ZAR", "amount": held, "bot_id": None, "bot_name": None}
                for name, held in others.items()
            ]
        return page([row for row in rows if row["account"].startswith(prefix)])

    @api.get("/ledger/statement")
    async def statement(cursor: str = "0") -> Row:
        rows = [market.statement_line(seq) for seq in range(8, 0, -1)]
        following = int(cursor) + 5
        return {
            "items": rows[int(cursor) : following],
            "next_cursor": str(following) if following < len(rows) else None,
        }

    @api.get("/ledger/verify")
    async def verify() -> Row:
        return {
            "ok": True,
            "entries_checked": 1204,
            "first_difference": None,
            "checked_at": market.iso(market.NOW),
            "imbalance": {},
        }

    return api


def profit_routes(account: Account) -> APIRouter:  # noqa: C901 -- one short route after another
    api = APIRouter(prefix="/api")

    @api.get("/profits")
    async def profits(period: str) -> Row:
        if period == "weekly":
            return {
                "items": [
                    {"week": f"2026-W{36 + i}", "profit": market.money((i * 811) % 2900 - 900), "period": ""}
                    for i in range(12)
                ]
            }
        if period == "monthly":
            return {
                "items": [
                    {
                        "month": f"2026-{i + 1:02d}",
                        "profit": market.money((i * 1811) % 5900 - 1900),
                        "period": "",
                    }
                    for i in range(12)
                ]
            }
        items = [
            {
                "date": f"2026-{10 if i < 8 else 11}-{i + 24 if i < 8 else i - 7:02d}",
                "profit": market.money((i * 977) % 1300 - 430),
            }
            for i in range(30)
        ]
        return {
            "period": period,
            "mode": "paper",
            "items": items,
            "total": "1.0",
            "currency": "ZAR",
            "timestamp": "",
            "timezone": "",
        }

    @api.get("/profits/report")
    async def report(span: str = "last_30_days", mode: str = "paper") -> Row:
        return market.report(span, mode, account.bots if mode == "paper" else [])

    @api.get("/profits/export")
    async def export_days(span: str) -> Response:
        return csv_file(f"profits-{span}", "date,realised_zar")

    @api.get("/profits/benchmark")
    async def benchmark(mode: str = "paper") -> Row:
        return market.benchmark(180 if account.bots and mode == "paper" else 0, mode)

    @api.get("/profits/summary")
    async def summary(mode: str = "paper") -> Row:
        busy = bool(account.bots) and mode == "paper"
        share = {
            "realized_profit": "4194.02000000",
            "fees": "201.33000000",
            "trades": 21,
            "win_rate": 57.1,
            "expectancy": "199.71523810",
        }
        return {
            "success": True,
            "mode": mode,
            "realized_profit": "3940.02000000" if busy else "0.00000000",
            "unrealized_profit": "63.74000000" if busy else None,
            "unrealized_reason": None if busy else "no open position",
            "total_profit": "4003.76" if busy else None,
            "profit_today": "1874.11000000" if busy else "0",
            "profit_yesterday": "-312.40000000" if busy else "0",
            "best_day": {"date": "2026-11-14", "profit": "2103.44"} if busy else None,
            "avg_daily": "131.33" if busy else "0",
            "total_trades": 43 if busy else 0,
            "winning_trades": 25 if busy else 0,
            "losing_trades": 18 if busy else 0,
            "win_rate": 58.14 if busy else None,
            "total_fees": "1201.33000000" if busy else "0",
            "fx_profit": "0.00000000",
            "fx_reason": None,
            "realized_reason": None,
            "equity_reason": None if busy else "nothing has been deposited",
            "rounding": "0.00000000" if busy else None,
            "equity": "104003.76000000" if busy else None,
            "deposits": "100000.00000000" if busy else "0",
            "currency": "ZAR",
            "timestamp": market.iso(market.NOW),
            "timezone": "Africa/Johannesburg",
            "marked_at": market.iso(market.NOW) if busy else None,
            "by_bot": [{"bot_id": row["id"], "bot_name": row["name"], **share} for row in account.bots[:10]]
            if busy
            else [],
            "by_platform": [{"platform": name, **share} for name in market.CONNECTED] if busy else [],
            "by_pair": [{"pair": pair, **share} for pair in ("BTC/ZAR", "ETH/ZAR", "BTC/USDT")]
            if busy
            else [],
        }

    @api.get("/profits/equity")
    async def equity(mode: str = "paper") -> Row:
        return market.equity(180 if account.bots and mode == "paper" else 0)

    @api.get("/platforms/summary")
    async def platforms(mode: str = "paper") -> Row:
        rows = []
        for i, (name, display) in enumerate(market.PLATFORMS.items()):
            mine = [row for row in account.bots if row["platform"] == name]
            connected = name in market.CONNECTED
            rows.append(
                {
                    "platform": name,
                    "display_name": display,
                    "connected": connected,
                    "status_message": "Public prices, no key needed."
                    if connected
                    else "Not connected: needs an API key to give prices.",
                    "origin": account.origin if connected else None,
                    "bots_count_total": len(mine),
                    "bots_active": sum(row["status"] == "active" for row in mine),
                    "bot_limit": 5 if name == "luno" else 10,
                    "profit_today": ("812.40", "1204.91", "-143.20", "0", "0")[i] if mine else "0",
                    "profit_total": "2340.11" if mine else "0",
                    "trades_today": 4 if mine else 0,
                    "win_rate": 58.0 if mine else None,
                    "feed_state": "live" if connected else None,
                    "feed_age_s": 0.4 if connected else None,
                }
            )
        return {
            "success": True,
            "mode": mode,
            "platforms": rows,
            "total_platforms": 5,
            "timestamp": market.iso(market.NOW),
        }

    @api.get("/platforms/{platform}/bots")
    async def platform_bots(platform: str, mode: str = "paper") -> Row:
        mine = [row for row in account.bots if row["platform"] == platform]
        return {
            "success": True,
            "platform": platform,
            "display_name": market.PLATFORMS[platform],
            "mode": mode,
            "bots": mine,
            "total_bots": len(mine),
            "timestamp": market.iso(market.NOW),
        }

    def stop_status() -> Row:
        return {
            "enabled": bool(account.stops),
            "active": bool(account.stops),
            "reason": account.stops[0]["reason"] if account.stops else None,
            "activated_by": None,
            "updated_at": None,
            "stops": account.stops,
            "history": account.stops,
        }

    @api.get("/system/emergency-stop/status")
    async def read_stop() -> Row:
        return stop_status()

    @api.post("/system/emergency-stop")
    async def engage_stop(body: Row) -> Row:
        account.stops = [
            {
                "scope": "everybody" if body["everybody"] else "user",
                "reason": "no reason given",
                "source": "api",
                "engaged_at": market.iso(market.NOW),
                "engaged_by": "user:ada",
                "released_at": None,
                "released_by": None,
            }
        ]
        await account.pause_bots()
        return stop_status()

    @api.post("/system/emergency-stop/disable")
    async def release_stop(body: Row) -> Row:
        account.stops = []
        return stop_status()

    @api.get("/system/build")
    async def build() -> Row:
        return {
            "success": True,
            "backend": {
                "sha": "a1b2c3d4e5f6",
                "branch": "main",
                "build_time": None,
                "python_version": "3.11",
            },
            "frontend": {"expected_sha": None, "note": None},
            "deployment": {"environment": "test", "host": "test"},
        }

    @api.get("/audit")
    async def audit(object_type: str = "bot") -> Row:
        return page([market.fact(seq, account.bots[0]) for seq in (3, 2, 1)] if account.bots else [])

    @api.get("/audit/verify")
    async def verify_audit() -> Row:
        return {"ok": True, "facts_checked": 3, "first_break": None, "checked_at": market.iso(market.NOW)}

    @api.get("/alerts")
    async def alerts() -> Row:
        return page([])

    @api.get("/events")
    async def events() -> Row:
        return page(account.activity)

    return api


def socket_routes(account: Account) -> APIRouter:  # noqa: C901 -- one short route after another
    api = APIRouter()

    async def beat(socket: WebSocket) -> None:
        price = 1_904_210
        while True:
            price += 3
            await socket.send_json(
                {"type": "prices", "prices": {"luno:BTC/ZAR": [f"{price}.00", 1_795_348_929_000]}}
            )
            await socket.send_json(
                {"type": "heartbeat", "seq": account.seq, "server_time": market.iso(market.NOW)}
            )
            await asyncio.sleep(1)

    @api.websocket("/api/ws")
    async def connect(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_json(
            {
                "type": "hello",
                "seq": account.seq,
                "oldest": 1,
                "resumed": "after" in socket.query_params,
                "dashboard_sha": account.served_sha
                or json.loads((UI / "build.json").read_text(encoding="utf-8"))["sha"],
                "heartbeat_s": 1,
                "server_time": market.iso(market.NOW),
            }
        )
        account.sockets.append(socket)
        beating = asyncio.create_task(beat(socket))
        try:
            while True:
                frame = await socket.receive_json()
                await socket.send_json({"type": "pong", "id": frame["id"]})
        except WebSocketDisconnect:
            beating.cancel()
            account.sockets.remove(socket)

    @api.post("/mock")
    async def command(body: Row) -> Row:
        for name in ("delay_s", "fail", "setup_needed", "user"):
            if name in body:
                setattr(account, name, body[name])
        if "event" in body:
            await account.push(
                body["event"]["type"], **{k: v for k, v in body["event"].items() if k != "type"}
            )
        if body.get("drop_sockets"):
            for socket in list(account.sockets):
                await socket.close()
        return {}

    return api


def create_app(bots: int = 12, origin: str = "live") -> FastAPI:
    """Return the mock as an ASGI app with the built dashboard at every other address."""
    account = filled(bots, origin)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for socket in list(account.sockets):
            await socket.close()

    app = FastAPI(lifespan=lifespan)
    app.state.account = account

    @app.middleware("http")
    async def misbehave(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        path = request.url.path
        if path.startswith("/api") and path != "/api/auth/me":
            await asyncio.sleep(account.delay_s)
            if account.fail and account.fail in path:
                body = {
                    "code": "UNAVAILABLE",
                    "detail": "The database does not answer.",
                    "action": "Try again in a minute.",
                }
                return JSONResponse(body, 503)
        response = await proceed(request)
        response.headers["Content-Security-Policy"] = CSP
        return response

    @app.exception_handler(HTTPException)
    async def shape(_: Request, error: HTTPException) -> Response:
        return JSONResponse(
            {"code": f"HTTP_{error.status_code}", "detail": str(error.detail), "action": ""},
            error.status_code,
        )

    for routes in (
        session_routes,
        factor_routes,
        key_routes,
        account_routes,
        mode_routes,
        risk_routes,
        breaker_routes,
        bot_routes,
        market_routes,
        profit_routes,
        socket_routes,
    ):
        app.include_router(routes(account))

    @app.get("/{path:path}")
    async def dashboard(path: str) -> FileResponse:
        file = UI / path
        return FileResponse(file if path and file.is_file() else UI / "index.html")

    return app
