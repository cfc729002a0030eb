"""Equity over time: every bot's and every user's worth, noted at steady intervals and written in batches.

A user's equity is all of their bots and the wallet. Bots that rest because another market was chosen are
part of it, at the last price of their own market. What cannot be valued leaves no row, for the bot and
for its user, and the log says why: an unknown value is never noted as another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog

from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.money import ZAR, ZERO
from amarktai.domain.position import Position
from amarktai.ledger import chart
from amarktai.ledger.valuation import no_rate_reason
from amarktai.ports.catalog import MarkRow
from amarktai.ports.store import Store, UnitOfWork
from amarktai.services.fx import FxRates
from amarktai.services.runners import Runner

log = structlog.get_logger(__name__)

#: (equity, unrealised profit) in ZAR.
Figures = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class _Wallet:
    """A user's money outside the bots, in ZAR: what is free, and what was ever put in."""

    free_zar: Decimal
    deposits_zar: Decimal


@dataclass(frozen=True, slots=True)
class _Resting:
    """A bot that the present market does not trade. Cash in quote; ``mark`` is of its own market."""

    bot: Bot
    cash: Decimal
    position: Position
    mark: MarkRow | None

    def worth(self, fx: FxRates, now: datetime) -> Figures | str:
        """Return what it is worth, or why that is not known."""
        if not self.cash and self.position.is_flat:
            return ZERO, ZERO
        rate = fx.rate(self.bot.quote_asset, now, self.bot.platform)
        if rate is None:
            return no_rate_reason(self.bot.quote_asset, now)
        if self.position.is_flat:
            return rate.to_zar(self.cash), ZERO
        if self.mark is None or self.mark.origin is not self.bot.origin:
            return f"no {self.bot.origin} price for {self.bot.instrument_id}"
        value = self.position.quantity * self.mark.price
        return rate.to_zar(self.cash + value), rate.to_zar(value - self.position.cost)


class EquitySnapshots:
    """The snapshots of one engine's users."""

    def __init__(self, store: Store, fx: FxRates, mode: TradingMode) -> None:
        self._store = store
        self._fx = fx
        self._mode = mode
        self._rows: dict[UUID, list[dict[str, Any]]] = {}
        self._wallets: dict[UUID, _Wallet] = {}
        self._resting: dict[UUID, list[_Resting]] = {}
        self._unknown: dict[UUID, str] = {}
        # Of each user's bots, the deleted ones too: their sum is the user's realised profit.
        self._profits: dict[UUID, dict[UUID, Decimal]] = {}

    def know_profits(self, user_id: UUID, profits: Mapping[UUID, Decimal]) -> None:
        """Take over realised profits, in ZAR, of some of a user's bots."""
        self._profits.setdefault(user_id, {}).update(profits)

    async def load(self, user_id: UUID, resting: Sequence[Bot]) -> None:
        """Read the user's wallet and what the bots have that the present market does not trade."""
        async with self._store.unit_of_work(user_id) as unit:
            book = await unit.ledger.lock_book(self._mode)
            accounts = [chart.WALLET, chart.FUNDING, *(chart.bot_holding(bot.id) for bot in resting)]
            balances = await unit.ledger.balances(book, accounts)
            self._resting[user_id] = await _read_resting(unit, balances, resting)
        free = balances.get((chart.WALLET, ZAR), ZERO)
        self._wallets[user_id] = _Wallet(free, -balances.get((chart.FUNDING, ZAR), ZERO))

    def take(
        self, at: datetime, runners: Iterable[Runner], figures_of: Callable[[Runner], Figures | None]
    ) -> None:
        """Note every bot's and every user's equity; ``save`` writes it."""
        sums: dict[UUID, list[Figures] | None] = {user_id: [] for user_id in self._wallets}
        for runner in runners:
            user_id, figures = runner.bot.user_id, figures_of(runner)
            parts = sums.setdefault(user_id, [])
            if figures is None:
                sums[user_id] = None
                continue
            if parts is not None:
                parts.append(figures)
            _note_drawdown(runner, figures[0])
            self._add(
                user_id, "bot", runner.bot.id.hex, at, figures, runner.profit_zar, runner.bot.capital_zar
            )
        for user_id, parts in sums.items():
            self._take_user(user_id, at, parts)

    def _take_user(self, user_id: UUID, at: datetime, parts: list[Figures] | None) -> None:
        wallet, resting = self._wallets.get(user_id), self._worth_of_resting(user_id, at)
        if parts is None or wallet is None or resting is None:
            return
        every = [*parts, *resting, (wallet.free_zar, ZERO)]
        total = sum((worth for worth, _ in every), ZERO), sum((gain for _, gain in every), ZERO)
        realised = sum(self._profits.get(user_id, {}).values(), ZERO)
        self._add(user_id, "user", "*", at, total, realised, wallet.deposits_zar)

    def _worth_of_resting(self, user_id: UUID, at: datetime) -> list[Figures] | None:
        """Return what the user's resting bots are worth; None, and the reason in the log, if unknown."""
        found: list[Figures] = []
        for item in self._resting.get(user_id, ()):
            worth = item.worth(self._fx, at)
            if isinstance(worth, str):
                if self._unknown.get(user_id) != worth:
                    log.warning("equity is not known", user=str(user_id), bot=item.bot.name, reason=worth)
                self._unknown[user_id] = worth
                return None
            found.append(worth)
        self._unknown.pop(user_id, None)
        return found

    def _add(
        self,
        user_id: UUID,
        scope: str,
        scope_id: str,
        at: datetime,
        figures: Figures,
        realised: Decimal,
        deposits: Decimal,
    ) -> None:
        row = {
            "mode": self._mode.value,
            "scope": scope,
            "scope_id": scope_id,
            "at": at,
            "equity_zar": figures[0],
            "realized_zar": realised,
            "unrealized_zar": figures[1],
            "deposits_zar": deposits,
        }
        self._rows.setdefault(user_id, []).append(row)

    async def save(self) -> list[UUID]:
        """Write what was noted since the last call; return the users whose equity that was."""
        for user_id, rows in self._rows.items():
            async with self._store.unit_of_work(user_id, durable=False) as unit:
                await unit.figures.add_snapshots(rows)
        written = list(self._rows)
        self._rows.clear()
        return written


async def _read_resting(
    unit: UnitOfWork, balances: Mapping[tuple[str, str], Decimal], bots: Sequence[Bot]
) -> list[_Resting]:
    if not bots:
        return []
    positions = await unit.trades.positions([bot.id for bot in bots])
    marks = {row.instrument_id: row for row in await unit.reports.marks([bot.instrument_id for bot in bots])}
    return [
        _Resting(
            bot,
            balances.get((chart.bot_holding(bot.id), bot.quote_asset), ZERO),
            positions[bot.id].position if bot.id in positions else Position(),
            marks.get(bot.instrument_id),
        )
        for bot in bots
    ]


def _note_drawdown(runner: Runner, equity: Decimal) -> None:
    peak = max(equity, runner.peak_zar if runner.peak_zar is not None else runner.bot.capital_zar)
    fall = equity / peak - 1 if peak else ZERO
    if peak != runner.peak_zar or runner.drawdown is None or fall < runner.drawdown:
        runner.peak_zar, runner.is_dirty = peak, True
        runner.drawdown = min(fall, runner.drawdown if runner.drawdown is not None else ZERO)
