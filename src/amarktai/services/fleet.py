"""Live bots that are given, not promoted: the fleets of rehearsals and storms, whose money is made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import numpy as np

from amarktai.domain.bot import Bot, BotStatus, LifecycleStage, RiskMode, TradingMode
from amarktai.domain.instrument import Instrument, Origin
from amarktai.domain.market import EventKind, MarketBatch
from amarktai.ledger import chart
from amarktai.ledger.entry import Entry, transfer
from amarktai.ports.exchange import Quote
from amarktai.ports.store import Book, UnitOfWork

_TIMEFRAME: Final = "5m"


@dataclass(frozen=True, slots=True)
class Part:
    """One bot of the fleet. ``capital`` in the market's quote asset."""

    name: str
    instrument: Instrument
    strategy: str
    params: Mapping[str, Any]
    capital: Decimal

    def as_bot(self, bot_id: UUID, user_id: UUID, capital_zar: Decimal, at: datetime) -> Bot:
        """Return the bot that plays this part from ``at`` on."""
        return Bot(
            id=bot_id, user_id=user_id, name=self.name, platform=self.instrument.venue,
            instrument_id=self.instrument.id, strategy=self.strategy, params=self.params,
            timeframe=_TIMEFRAME, risk_mode=RiskMode.SAFE, mode=TradingMode.LIVE, origin=Origin.SYNTHETIC,
            status=BotStatus.ACTIVE, lifecycle_stage=LifecycleStage.LIVE, quote_asset=self.instrument.quote,
            capital_zar=capital_zar, capital_quote=self.capital, created_at=at, started_at=at,
        )  # fmt: skip


async def enlist(unit: UnitOfWork, book: Book, bot: Bot) -> None:
    """Write a bot, and its capital as part of what its account holds."""
    await unit.bots.insert(bot)
    legs = transfer(chart.FUNDING, chart.bot_holding(bot.id), bot.quote_asset, bot.capital_quote)
    text = f"{bot.capital_quote:f} {bot.quote_asset} in the account for {bot.name}"
    about = {"bot_id": str(bot.id)}
    entry = Entry(f"opening:{bot.id.hex}", "funding", text, bot.created_at, legs, about)
    await unit.ledger.append(book, [entry], bot.created_at)


def quote_rows(quotes: Sequence[Quote], index: Mapping[str, int], now_ns: int) -> MarketBatch:
    """Return quotes as rows of a feed, all as of now. ``index`` has each instrument's place in the feed."""
    count = len(quotes)
    ts, zeros = np.full(count, now_ns, dtype=np.int64), np.zeros(count)
    return MarketBatch(
        ts, ts, np.array([index[quote.instrument_id] for quote in quotes], dtype=np.int32),
        np.full(count, EventKind.QUOTE, dtype=np.int8),
        np.array([float(quote.bid) for quote in quotes]),
        np.array([float(quote.ask) for quote in quotes]),
        zeros, zeros, zeros, np.zeros(count, dtype=np.int32),
    )  # fmt: skip
