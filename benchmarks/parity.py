"""Parity: a finished replay against backtests of the same bots on the same bars, fill by fill.

Every bot's fills in the replay's ledger must be those of its backtest: time, tag, side, price, quantity,
fee, reason. Works on replays of candles or stored bars; a replay that has only come half the way is
compared as far as it came.

Usage: amarktai replay examples/binance-1h.toml --home FOLDER
       python -m benchmarks.parity examples/binance-1h.toml --home FOLDER
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from amarktai.backtest.driver import run_backtest
from amarktai.bootstrap.foundation import borrowed_database
from amarktai.bootstrap.replays import build_replay_feed
from amarktai.config import load
from amarktai.domain.bar import Bars
from amarktai.domain.bot import Bot
from amarktai.domain.instrument import Instrument
from amarktai.ports.clock import to_ns
from amarktai.ports.feed import Recording
from amarktai.services.replay import load_spec
from amarktai.storage.bots import to_bot
from amarktai.strategies.contract import parse_params
from amarktai.strategies.registry import strategy

_EVERY_BAR = 10_000_000
_FILLS = """
SELECT f.executed_at, o.tag, f.side, f.price, f.quantity, f.fee_amount, o.reason
FROM fills f JOIN orders o ON o.id = f.order_id JOIN ledger_entries e ON e.id = f.ledger_entry_id
WHERE f.bot_id = %s ORDER BY e.seq
"""

Fill = tuple[Any, ...]


def replayed(url: str) -> list[tuple[Bot, list[Fill]]]:
    """Return every bot of the replay with its fills, in the order of booking."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        found: list[tuple[Bot, list[Fill]]] = []
        users = [row["id"] for row in connection.execute("SELECT id FROM users")]
        for user_id in users:
            connection.execute("SELECT set_config('app.tenant', %s, true)", [str(user_id)])
            for row in connection.execute("SELECT * FROM bots ORDER BY created_at, id").fetchall():
                bot = to_bot(row)  # type: ignore[arg-type]  # a mapping of the row's columns
                fills = connection.execute(_FILLS, [bot.id]).fetchall()
                found.append((bot, [_fill(fill) for fill in fills]))
        return found


def _fill(row: dict[str, Any]) -> Fill:
    return (to_ns(row["executed_at"]), *list(row.values())[1:])


def backtested(bot: Bot, instrument: Instrument, bars: Bars) -> list[Fill]:
    """Return the fills of the bot's backtest."""
    chosen = strategy(bot.strategy)
    result = run_backtest(
        chosen, parse_params(chosen, bot.params), bars, instrument, capital=bot.capital_quote, stake=bot.stake
    )
    return [
        (fill.ts, fill.tag, fill.side.value, fill.price, fill.quantity, fill.fee, fill.reason)
        for fill in result.fills
    ]


def bars_of(feed: Recording, bot: Bot) -> tuple[Instrument, Bars]:
    """Return the bot's instrument and all of its bars in the recording."""
    instrument = next(item for item in feed.instruments if item.id == bot.instrument_id)
    _, last = feed.span()
    return instrument, asyncio.run(feed.fetch_bars(instrument, bot.timeframe, _EVERY_BAR, last))


def compare(bot: Bot, instrument: Instrument, bars: Bars, fills: list[Fill]) -> str | None:
    """Print a line and return the first difference, if there is one."""
    wanted = backtested(bot, instrument, bars)
    last = fills[-1][0] if fills else 0
    pairs = zip(fills, wanted, strict=False)
    differs = next((f"{got} and not {want}" for got, want in pairs if got != want), None)
    rest = len(wanted) - len(fills)
    print(f"{bot.name}: {len(fills):,} fills, {rest:,} more in the backtest: {differs or 'equal'}")
    return differs or (f"{bot.name} lacks {rest} fills" if rest and last >= wanted[-1][0] else None)


def main() -> int:
    """Compare every bot; exit 1 on the first kind of difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("spec", type=Path)
    parser.add_argument("--home", type=Path, required=True)
    given = parser.parse_args()
    settings = load(os.environ, home=given.home)
    with borrowed_database(settings) as urls:
        bots = replayed(urls.app)
    feed = build_replay_feed(load_spec(given.spec), settings.data)
    differences = [compare(bot, *bars_of(feed, bot), fills) for bot, fills in bots]
    return 1 if any(differences) else 0


if __name__ == "__main__":
    sys.exit(main())
