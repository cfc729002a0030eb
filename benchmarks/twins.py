"""How many orders a second one twin takes: over loopback HTTP, keep-alive, several connections.

A twin in a process of its own; the clients, raw sockets that only count answers, in another. Every order
is signed, checked, matched or booked, and answered. Beside it a Starlette endpoint that parses the same
request and answers a constant: what HTTP alone costs in the same server.

Usage: python -m benchmarks.twins [--exchange binance] [--connections 8] [--seconds 5] [--port 8130]
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import multiprocessing
import resource
import statistics
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from amarktai.bootstrap.twins import running_twin
from amarktai.twins.accounts import Account

KEY, SECRET, PASSPHRASE = "bench-key", "bench-secret", "bench-pass"
LIMIT = 1_000.0
MONEY = {asset: Decimal(10**9) for asset in ("ZAR", "USDT", "XBT", "BTC")}


@dataclass(frozen=True)
class Load:
    """What is asked for, by how many connections, for how long."""

    exchange: str
    connections: int
    seconds: float


# -- the requests: one in two rests, one in two takes ------------------------------------------------------


def luno(number: int) -> bytes:
    price = "1000000" if number % 2 else "1300000"
    body = urlencode({"pair": "XBTZAR", "type": "BID", "price": price, "volume": "0.0001"})
    token = b64encode(f"{KEY}:{SECRET}".encode()).decode()
    return _post(
        "/api/1/postorder", body, "application/x-www-form-urlencoded", f"Authorization: Basic {token}\r\n"
    )


def binance(number: int) -> bytes:
    price = "60000" if number % 2 else "70000"
    asked = {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001",
        "price": price, "newClientOrderId": f"b{number}-{time.monotonic_ns()}",
        "timestamp": time.time_ns() // 1_000_000,
    }  # fmt: skip
    query = urlencode(asked)
    signature = hmac.new(SECRET.encode(), query.encode(), "sha256").hexdigest()
    return _post(f"/api/v3/order?{query}&signature={signature}", "", "", f"X-MBX-APIKEY: {KEY}\r\n")


def kucoin(number: int) -> bytes:
    price = "60000" if number % 2 else "70000"
    body = json.dumps({"symbol": "BTC-USDT", "side": "buy", "type": "limit", "price": price, "size": "0.001"})
    stamp, path = str(time.time_ns() // 1_000_000), "/api/v1/hf/orders/sync"
    head = (
        f"KC-API-KEY: {KEY}\r\nKC-API-TIMESTAMP: {stamp}\r\nKC-API-KEY-VERSION: 3\r\n"
        f"KC-API-SIGN: {_base64(f'{stamp}POST{path}{body}')}\r\nKC-API-PASSPHRASE: {_base64(PASSPHRASE)}\r\n"
    )
    return _post(path, body, "application/json", head)


def valr(number: int) -> bytes:
    price = "1000000" if number % 2 else "1300000"
    body = json.dumps({"side": "BUY", "quantity": "0.0001", "price": price, "pair": "BTCZAR"})
    stamp, path = str(time.time_ns() // 1_000_000), "/v2/orders/limit"
    signature = hmac.new(SECRET.encode(), f"{stamp}POST{path}{body}".encode(), "sha512").hexdigest()
    head = f"X-VALR-API-KEY: {KEY}\r\nX-VALR-SIGNATURE: {signature}\r\nX-VALR-TIMESTAMP: {stamp}\r\n"
    return _post(path, body, "application/json", head)


REQUESTS: dict[str, Callable[[int], bytes]] = {
    "luno": luno, "binance": binance, "kucoin": kucoin, "valr": valr,
}  # fmt: skip


def _base64(text: str) -> str:
    return b64encode(hmac.digest(SECRET.encode(), text.encode(), "sha256")).decode()


def _post(path: str, body: str, kind: str, head: str) -> bytes:
    content = f"Content-Type: {kind}\r\n" if kind else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: twin\r\n{head}{content}Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


# -- servers: one process each -----------------------------------------------------------------------------


def serve_twin(exchange: str, pipe: Connection, port: int) -> None:
    """Serve the twin until told to stop; report the CPU seconds used between the two marks."""

    async def main() -> None:
        account = Account(KEY, SECRET, MONEY, passphrase=PASSPHRASE)
        async with running_twin(exchange, accounts=[account], port=port, limits_rates=False) as twin:
            pipe.send(twin.port)
            await _measured(pipe)

    _run(main)


def serve_plain(_: str, pipe: Connection, port: int) -> None:
    """Serve one endpoint that parses what it is sent and answers a constant."""

    async def endpoint(request: Request) -> JSONResponse:
        await request.body()
        dict(request.query_params)
        return JSONResponse({"order_id": "BX0", "status": "NEW"})

    async def main() -> None:
        routes = [Route("/{path:path}", endpoint, methods=["POST"])]
        config = uvicorn.Config(
            Starlette(routes=routes), port=port or 8139, log_level="error", lifespan="off"
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        await asyncio.sleep(1)
        assert server.started
        pipe.send(config.port)
        await _measured(pipe)
        server.should_exit = True
        await task

    _run(main)


async def _measured(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    marks = []
    for _ in range(2):
        await loop.run_in_executor(None, pipe.recv)
        marks.append(time.process_time())
    pipe.send((marks[1] - marks[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))


def _run(main: Callable[[], Any]) -> None:
    with asyncio.Runner(loop_factory=uvicorn.Config(None).get_loop_factory()) as runner:  # type: ignore[arg-type]
        runner.run(main())


# -- clients -----------------------------------------------------------------------------------------------


async def ask(port: int, load: Load, taken_ms: list[float], refusals: list[bytes], until: float) -> None:
    """Post orders over one connection, one after the other."""
    make = REQUESTS[load.exchange]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    while time.perf_counter() < until:
        number += 1
        request = make(number)
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        taken_ms.append((time.perf_counter() - began) * 1_000)
        if head[9:10] != b"2" or b'"msg"' in body:
            refusals.append(body)
    writer.close()


def measure(serve: Callable[[str, Connection, int], None], load: Load, port: int) -> dict[str, float]:
    """Run one server under the load and return its figures."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(load.exchange, theirs, port))
    process.start()
    answered = ours.recv()
    taken_ms: list[float] = []
    refusals: list[bytes] = []

    async def clients() -> None:
        until = time.perf_counter() + load.seconds
        tasks = [ask(answered, load, taken_ms, refusals, until) for _ in range(load.connections)]
        await asyncio.gather(*tasks)

    ours.send("start")
    began = time.perf_counter()
    with asyncio.Runner(loop_factory=uvicorn.Config(None).get_loop_factory()) as runner:  # type: ignore[arg-type]
        runner.run(clients())
    wall_s = time.perf_counter() - began
    ours.send("stop")
    cpu_s, memory_mb = ours.recv()
    process.join(20)
    process.kill()
    if refusals:
        raise SystemExit(f"{len(refusals)} orders were refused, the first with {refusals[0]!r}")
    taken_ms.sort()
    return {
        "orders": len(taken_ms),
        "orders_per_s": len(taken_ms) / wall_s,
        "p50_ms": statistics.median(taken_ms),
        "p99_ms": taken_ms[int(len(taken_ms) * 0.99) - 1],
        "server_us_an_order": cpu_s / len(taken_ms) * 1e6,
        "orders_per_cpu_s": len(taken_ms) / cpu_s,
        "memory_mb": memory_mb,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchange", choices=sorted(REQUESTS), action="append")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    missed = False
    for exchange in given.exchange or sorted(REQUESTS):
        load = Load(exchange, given.connections, given.seconds)
        figures = measure(serve_twin, load, given.port)
        missed = missed or figures["orders_per_s"] < LIMIT
        _print(exchange, figures)
    plain = measure(serve_plain, Load("luno", given.connections, given.seconds), given.port)
    _print("plain Starlette, nothing done", plain)
    print(f"target: at least {LIMIT:.0f} orders a second on one twin {not missed}")
    return int(missed)


def _print(name: str, figures: dict[str, float]) -> None:
    print(name, " ".join(f"{figure}={value:,.1f}" for figure, value in figures.items()), flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
