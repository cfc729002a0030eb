"""Reconcile of a real account with 1,000 orders and 10,000 executions, our side of it.

The account is a hand-moved exchange that answers at once: what an exchange's own pages take comes on top and
is bounded by its rate limit. Three looks at the account, each until the ledger agrees with the exchange in
every asset:

    missed   all 10,000 executions happened while nobody listened, and are booked now
    known    the next comparison, when the books have them all
    by hand  as many trades beside the bots again, which the owner made at the exchange

Usage: python -m benchmarks.reconcile [--orders 1000] [--parts 10]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from amarktai.domain.order import Side
from amarktai.storage.embedded import EmbeddedPostgres
from amarktai.storage.migrate import migrate
from amarktai.system.rng import SystemRng
from benchmarks.limits import Limits
from tests.services.live_desk import LOT, LiveDesk, live_desk
from tests.trading import BTC_ZAR

LIMIT_S = 5.0
PRICE = Decimal(1_000)


async def timed_reconcile(desk: LiveDesk, what: str) -> float:
    """Return how long (s) one complete look took. Raises: RuntimeError when the books do not agree after."""
    desk.world.clock.advance(1.0)
    started = time.perf_counter()
    agreed = await desk.reconcile()
    took = time.perf_counter() - started
    if not agreed or desk.condition != "active":
        raise RuntimeError(f"{what}: the account is {desk.condition}: {desk.account.status.detail}")
    return took


async def place(desk: LiveDesk, count: int) -> None:
    """Let the bot's orders rest at the exchange."""
    for _ in range(count):
        desk.world.clock.advance(0.01)
        outcome = await desk.buy(LOT, PRICE)
        if outcome.denied:
            raise RuntimeError(f"an order was denied: {outcome.denied}")
    await desk.hear()


def execute(desk: LiveDesk, parts: int) -> None:
    """Let the exchange fill every order in equal parts, and tell nobody."""
    for name in list(desk.exchange.orders):
        for _ in range(parts):
            desk.exchange.fill(name, LOT / parts)


def trade_by_hand(desk: LiveDesk, count: int) -> None:
    desk.exchange.price = PRICE
    for _ in range(count // 2):
        for side in (Side.BUY, Side.SELL):
            desk.exchange.trade_by_hand(BTC_ZAR, side, LOT)


async def measure(data: Path, orders: int, parts: int) -> Limits:
    server = EmbeddedPostgres(data, SystemRng())
    urls = await asyncio.to_thread(server.start)
    try:
        await asyncio.to_thread(migrate, urls.owner)
        async with live_desk(urls) as desk:
            desk.exchange.pay("BTC", Decimal(10))  # of which the fees of trades by hand are paid
            await timed_reconcile(desk, "the first look")
            await place(desk, orders)
            execute(desk, parts)
            limits, sizes = Limits(), f"{orders:,} orders, {orders * parts:,} executions"
            print(f"the account: {sizes}")
            limits.at_most(
                "missed: booked and compared", await timed_reconcile(desk, "missed"), LIMIT_S, " s"
            )
            limits.at_most("known: compared", await timed_reconcile(desk, "known"), LIMIT_S, " s")
            trade_by_hand(desk, orders * parts)
            limits.at_most("by hand: booked, compared", await timed_reconcile(desk, "hand"), LIMIT_S, " s")
            stored = await desk.stored()
            limits.holds("every order is filled", all(order.state == "filled" for order in stored))
            await desk.assert_books_are_right()
        return limits
    finally:
        await asyncio.to_thread(server.stop)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--parts", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="amarktai-bench-") as folder:
        return asyncio.run(measure(Path(folder), options.orders, options.parts)).exit_code


if __name__ == "__main__":
    sys.exit(main())
