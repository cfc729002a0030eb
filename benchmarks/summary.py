"""Server time of ``GET /api/profits/summary`` at 1,000 and at 1,000,000 closed round trips.

Each size has its own user in one database: twenty bots on rand and dollar markets with an open position
each, round trips over a thousand days, and the rollups that booking them would have written. The calls
alternate between the sizes, so that both see the same machine.

Usage: python -m benchmarks.summary [--calls 1000] [--large 1000000]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import orjson
import psycopg

from amarktai.domain.bot import TradingMode
from amarktai.ports.clock import to_ns
from amarktai.ports.reports import TradeFilter
from amarktai.services.fx import FxRates
from amarktai.services.profits import ProfitService
from amarktai.services.trades import TradeService
from amarktai.storage.database import Database
from amarktai.storage.embedded import DatabaseUrls, EmbeddedPostgres
from amarktai.storage.migrate import migrate
from amarktai.storage.reports import PgReporting
from amarktai.system.rng import SystemRng
from benchmarks.limits import Limits

SMALL = 1_000
LIMIT_P99_MS = 10.0
LIMIT_RATIO = 1.2
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

_PEOPLE = """
INSERT INTO users (id, email, name, password_hash, role, timezone, created_at)
VALUES (%(user)s, %(user)s::text || '@example.org', 'Bench', 'x', 'trader', 'Africa/Johannesburg', now())
"""
_BOTS = """
INSERT INTO bots (id, user_id, name, platform, instrument_id, strategy, params, timeframe, risk_mode, mode,
                  origin, status, lifecycle_stage, quote_asset, capital_zar, capital_quote, created_at)
SELECT gen_random_uuid(), %(user)s, 'Bot ' || n, split_part(market, ':', 1), market, 'ema_cross', '{}', '1h',
       'balanced', 'paper', 'recorded', 'active', 'paper_training', split_part(market, '/', 2), 5000, 5000,
       now()
FROM generate_series(1, 20) AS n,
     LATERAL (SELECT (
       ARRAY['luno:BTC/ZAR', 'luno:ETH/ZAR', 'binance:BTC/USDT', 'kucoin:ETH/USDT'])[1 + n %% 4]
              AS market) AS m
"""
_TRIPS = """
INSERT INTO round_trips (id, user_id, bot_id, platform, instrument_id, strategy, mode, origin, status,
  quote_asset, entry_quantity, entry_notional, exit_quantity, exit_notional, gross_quote, fees_quote,
  profit_quote, gross_zar, fees_zar, profit_zar, zar_rate, zar_rate_source, zar_rate_at, exit_reason,
  opened_at, closed_at)
SELECT gen_random_uuid(), %(user)s, b.id, b.platform, b.instrument_id, b.strategy, 'paper', 'recorded',
  'closed', b.quote_asset, 1, 1000, 1, 1001 + n %% 7, 1 + n %% 7, 2, n %% 7 - 1, 1 + n %% 7, 2, n %% 7 - 1,
  1, 'home currency', closed_at, 'signal', closed_at - interval '1 hour', closed_at
FROM (SELECT n, %(now)s - interval '1000 days' * (1 - n::float8 / %(count)s) AS closed_at
      FROM generate_series(1, %(count)s) AS n) AS series
JOIN (SELECT *, row_number() OVER (ORDER BY name) - 1 AS place FROM bots WHERE user_id = %(user)s) AS b
  ON b.place = n %% 20
"""
_ROLLUPS = """
INSERT INTO rollups (user_id, mode, scope, scope_id, day, profit_zar, profit_quote, fees_zar, fills, trades,
                     wins, losses, unvalued_fills)
SELECT %(user)s, 'paper', scope, scope_id, coalesce(day, '0001-01-01'), sum(profit_zar),
       CASE WHEN scope IN ('bot', 'pair') THEN sum(profit_quote) END, sum(fees_zar), 2 * count(*), count(*),
       count(*) FILTER (WHERE profit_zar > 0), count(*) FILTER (WHERE profit_zar < 0), 0
FROM (SELECT (closed_at AT TIME ZONE 'Africa/Johannesburg')::date AS day, * FROM round_trips
      WHERE user_id = %(user)s) AS trips,
     LATERAL (VALUES ('user', '*'), ('bot', replace(bot_id::text, '-', '')), ('platform', platform),
                     ('pair', instrument_id)) AS scopes (scope, scope_id)
GROUP BY GROUPING SETS ((scope, scope_id, day), (scope, scope_id))
"""
_HOLDINGS = """
WITH book AS (
  INSERT INTO ledger_books (id, user_id, mode, head_seq, head_hash, created_at)
  VALUES (gen_random_uuid(), %(user)s, 'paper', 0, '', now()) RETURNING id)
INSERT INTO ledger_balances (book_id, account, asset, user_id, amount)
SELECT book.id, account, asset, %(user)s, amount FROM book, LATERAL (
  SELECT 'holding:bot:' || replace(b.id::text, '-', ''), a.asset, a.amount FROM bots b,
    LATERAL (VALUES (b.quote_asset, 4000.0),
                    (split_part(split_part(b.instrument_id, ':', 2), '/', 1), 0.001)) AS a (asset, amount)
  WHERE b.user_id = %(user)s
  UNION ALL SELECT * FROM (VALUES ('funding', 'ZAR', -200000.0), ('holding:wallet', 'ZAR', 50000.0),
    ('conversion', 'ZAR', 50000.0), ('conversion', 'USDT', -2700.0)) AS own
) AS accounts (account, asset, amount)
"""
_POSITIONS = """
INSERT INTO positions (bot_id, user_id, instrument_id, quantity, cost, entry_fees, updated_at)
SELECT id, user_id, instrument_id, 0.001, 1000, 1, now() FROM bots WHERE user_id = %(user)s
"""
_MARKS = """
INSERT INTO marks (instrument_id, price, at, origin)
VALUES ('luno:BTC/ZAR', 1000000, %(now)s, 'live'), ('luno:ETH/ZAR', 60000, %(now)s, 'live'),
       ('binance:BTC/USDT', 55000, %(now)s, 'live'), ('kucoin:ETH/USDT', 3300, %(now)s, 'live'),
       ('luno:USDT/ZAR', 18.5, %(now)s, 'live')
"""


class StandingClock:
    """A clock that stands: each call answers for the same day."""

    def now_ns(self) -> int:
        return to_ns(NOW)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def fill(urls: DatabaseUrls, user_id: UUID, count: int) -> None:
    """Give one user that many closed round trips, and the rollups, positions and balances to match."""
    values = {"user": user_id, "count": count, "now": NOW}
    with psycopg.connect(urls.app) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, true)", [str(user_id)])
        for statement in (_PEOPLE, _BOTS, _TRIPS, _ROLLUPS, _HOLDINGS, _POSITIONS):
            connection.execute(statement.encode(), values)


async def measure(urls: DatabaseUrls, users: dict[int, UUID], calls: int) -> dict[int, list[float]]:
    """Return the milliseconds of each call per size, answers written as JSON."""
    database = Database(urls.app)
    reporting, clock = PgReporting(database), StandingClock()
    service = ProfitService(reporting, clock, lambda: FxRates((), max_age_s=900))
    trades = TradeService(reporting)
    took: dict[int, list[float]] = {size: [] for size in users}
    try:
        for turn in range(calls + 20):
            for size, user_id in users.items():
                started = time.perf_counter()
                orjson.dumps(await service.summary(user_id, mode=TradingMode.PAPER))
                if turn >= 20:  # the first calls open connections and prepare statements
                    took[size].append((time.perf_counter() - started) * 1_000)
        for size, user_id in users.items():
            summary = await service.summary(user_id, mode=TradingMode.PAPER)
            if summary["total_trades"] != size or summary["equity"] is None:
                raise SystemExit(f"the summary at {size:,} round trips is not complete: {summary}")
            started = time.perf_counter()
            page = await trades.list_trades(user_id, TradeFilter(), cursor=None, limit=50)
            first_page_ms = (time.perf_counter() - started) * 1_000
            print(f"{size:>9,} round trips: first page of {page.total:,} trades {first_page_ms:.1f} ms")
    finally:
        await database.close()
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    options = parser.parse_args()
    users = {size: UUID(int=size) for size in (SMALL, options.large)}
    with tempfile.TemporaryDirectory(prefix="amarktai-bench-") as home:
        server = EmbeddedPostgres(Path(home), SystemRng(), fast=True)
        urls = server.start()
        try:
            migrate(urls.owner)
            for size, user_id in users.items():
                started = time.perf_counter()
                fill(urls, user_id, size)
                print(f"{size:>9,} round trips written in {time.perf_counter() - started:.1f} s")
            with psycopg.connect(urls.owner, autocommit=True) as connection:
                connection.execute(_MARKS.encode(), {"now": NOW})
                connection.execute("ANALYZE")
            took = asyncio.run(measure(urls, users, options.calls))
        finally:
            server.stop()
    return report(took)


def report(took: dict[int, list[float]]) -> int:
    """Print p50 and p99 per size and the ratio of the medians; return the exit code."""
    limits = Limits()
    for size, times in took.items():
        print(f"{size:,} round trips: p50 {statistics.median(times):.2f} ms")
        p99 = statistics.quantiles(times, n=100)[98]
        limits.at_most(f"{size:,} round trips: p99", p99, LIMIT_P99_MS, " ms")
    small, large = (statistics.median(times) for times in took.values())
    limits.at_most("ratio of the medians, large to small", large / small, LIMIT_RATIO)
    return limits.exit_code


if __name__ == "__main__":
    sys.exit(main())
