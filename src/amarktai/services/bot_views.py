"""Bots as people see them: figures from rollups, value from marks, and what can be done now.

A list costs the same number of statements for one bot and for a thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final
from uuid import UUID

from amarktai.domain.bot import Bot, BotAction, BotStatus, TradingMode, allows
from amarktai.domain.errors import NotFound
from amarktai.domain.instrument import Origin
from amarktai.domain.money import ZAR, ZERO
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.reports import BotFilter, BotRow, BotSelection, Reporting, Reports
from amarktai.ports.store import UnitOfWork
from amarktai.services.days import last_days, local_day
from amarktai.services.equity import Valued, Valuer, add_up, load_valuer
from amarktai.services.equity_series import charted_to, drawdown_percent, equity_view, win_rate
from amarktai.services.fx import FxRates
from amarktai.services.paging import Page, decode_cursor, encode_cursor
from amarktai.services.views import instant, money
from amarktai.strategies.contract import Strategy, default_of, parameter_fields
from amarktai.strategies.registry import strategies

_ACTIONS: Final = tuple(BotAction)
_PRICES: Final = {
    Origin.LIVE: "live prices",
    Origin.SYNTHETIC: "the sandbox's made-up prices",
    Origin.RECORDED: "recorded prices",
}
#: Days in the small line beside a bot.
SPARK_DAYS: Final = 30


class BotViews:
    """Bots, their decisions and their equity, for lists, pages, answers and events.

    ``rates`` makes an empty table of rates: each answer fills its own with the marks it read.
    """

    def __init__(self, reporting: Reporting, clock: Clock, rates: Callable[[], FxRates]) -> None:
        self._reporting = reporting
        self._clock = clock
        self._rates = rates

    async def list_bots(self, user_id: UUID, wanted: BotFilter, *, cursor: str | None, limit: int) -> Page:
        """Return one page of bots, oldest first; deleted ones only under ``status=deleted``."""
        after: tuple[datetime, UUID] | None = None
        if cursor:
            at, bot_id = decode_cursor(cursor, datetime, UUID)
            after = (at, bot_id)
        selection = BotSelection(
            platform=wanted.platform, status=wanted.status, mode=wanted.mode, after=after, limit=limit + 1
        )
        async with self._reporting.snapshot(user_id) as reports:
            bots = await self.many(reports, selection)
        items, following = bots[:limit], None
        if len(bots) > limit:
            last = items[-1]
            following = encode_cursor(datetime.fromisoformat(last["created_at"]), UUID(last["id"]))
        return Page(items, following)

    async def get(self, user_id: UUID, bot_id: UUID) -> Mapping[str, Any]:
        """Return one bot, deleted or not. Raises: NotFound."""
        async with self._reporting.snapshot(user_id) as reports:
            return await self.one(reports, bot_id)

    async def in_unit(self, unit: UnitOfWork, bot_id: UUID) -> Mapping[str, Any]:
        """Return one bot as of a transaction, for the answer and the event of a write."""
        return await self.one(unit.reports, bot_id)

    async def one(self, reports: Reports, bot_id: UUID) -> Mapping[str, Any]:
        """Return one bot. Raises: NotFound."""
        found = await self.many(reports, BotSelection(bot_ids=[bot_id]))
        if not found:
            raise NotFound("NOT_FOUND", f"There is no bot {bot_id}", "Reload the list of bots.")
        return found[0]

    async def many(self, reports: Reports, wanted: BotSelection) -> list[dict[str, Any]]:
        """Return bots in the shape of the API, by creation, oldest first."""
        now = to_datetime(self._clock.now_ns())
        setting = await reports.setting()
        rows = await reports.bots.rows(wanted, local_day(now, setting.timezone))
        if not rows:
            return []
        assets = {asset for row in rows for asset in row.holdings}
        held = {row.bot.instrument_id for row in rows if not row.position.is_flat}
        valuer = await load_valuer(reports, self._rates(), now, instrument_ids=held, assets=assets)
        return [bot_view(row, valuer) for row in rows]

    async def sparklines(self, user_id: UUID, *, mode: TradingMode | None) -> Mapping[str, Any]:
        """Return each bot's realised profit of the last days, running, in the user's days."""
        async with self._reporting.snapshot(user_id) as reports:
            setting = await reports.setting()
            chosen, now = setting.book(mode), to_datetime(self._clock.now_ns())
            days = last_days(await charted_to(reports, chosen, now), SPARK_DAYS)
            rows = await reports.figures.bot_days(chosen, days[0], days[-1])
        per_bot: dict[str, dict[date, Decimal]] = {}
        for scope_id, day, profit in rows:
            per_bot.setdefault(scope_id, {})[day] = profit
        return {
            "first": days[0].isoformat(),
            "last": days[-1].isoformat(),
            "items": [
                {
                    "bot_id": str(UUID(hex=scope_id)),
                    "values": [money(value) for value in accumulate(profits.get(day, ZERO) for day in days)],
                }
                for scope_id, profits in per_bot.items()
            ],
            "currency": ZAR,
            "timezone": setting.timezone,
        }

    async def decisions(self, user_id: UUID, bot_id: UUID, *, cursor: str | None, limit: int) -> Page:
        """Return one page of what the bot decided and why, newest first. Raises: NotFound."""
        after: datetime | None = decode_cursor(cursor, datetime)[0] if cursor else None
        async with self._reporting.snapshot(user_id) as reports:
            await _bot(reports, bot_id)
            rows = await reports.bots.decisions(bot_id, after, limit + 1)
        following = encode_cursor(rows[limit - 1][0]) if len(rows) > limit else None
        return Page([decision for _, decision in rows[:limit]], following)

    async def equity(self, user_id: UUID, bot_id: UUID, span: str) -> Mapping[str, Any]:
        """Return the bot's equity over a span. Raises: NotFound; InvalidInput for an unknown span."""
        now = to_datetime(self._clock.now_ns())
        async with self._reporting.snapshot(user_id) as reports:
            bot = await _bot(reports, bot_id)
            return await equity_view(reports, bot.mode, scope="bot", scope_id=bot.id.hex, span=span, now=now)

    def strategies(self) -> Sequence[Mapping[str, Any]]:
        """Return the library as ``GET /api/strategies`` shows it."""
        return library_view()


async def _bot(reports: Reports, bot_id: UUID) -> Bot:
    rows = await reports.bots.rows(BotSelection(bot_ids=[bot_id]), date.min)
    if not rows:
        raise NotFound("NOT_FOUND", f"There is no bot {bot_id}", "Reload the list of bots.")
    return rows[0].bot


def bot_view(row: BotRow, valuer: Valuer) -> dict[str, Any]:
    """Return a bot as ``GET /api/bots`` shows it. ``total_profit`` is what it has realised."""
    bot, total, rests = row.bot, row.total, _rests_because(row)
    unrealised = valuer.unrealised(bot.instrument_id, row.position)
    equity = add_up(
        valuer.worth(asset, amount, bot.instrument_id) for asset, amount in sorted(row.holdings.items())
    )
    return {
        **_choices(bot),
        "capital_zar": money(bot.capital_zar),
        "current_capital": money(equity.amount),
        "quote_asset": bot.quote_asset,
        "capital_quote": money(bot.capital_quote),
        "realized_profit": money(total.profit_zar),
        "unrealized_profit": money(unrealised.amount),
        "unrealized_reason": unrealised.reason,
        "profit_today": money(row.today.profit_zar),
        "total_profit": money(total.profit_zar),
        "total_fees": money(total.fees_zar),
        "total_trades": total.trades,
        "trades_today": row.today.trades,
        "winning_trades": total.wins,
        "losing_trades": total.losses,
        "win_rate": win_rate(total.wins, total.trades),
        "max_drawdown_percent": drawdown_percent(row.max_drawdown_ratio),
        "position": _position_view(row, valuer),
        "last_trade_time": instant(row.last_trade_at),
        "last_decision": dict(row.last_decision) if row.last_decision else None,
        "next_decision_at": instant(row.next_decision_at) if rests is None else None,
        "rests_because": rests,
        **{f"can_{action.value}": allows(bot.status, action) for action in _ACTIONS},
        "cannot_reason": _cannot(bot),
    }


def _rests_because(row: BotRow) -> str | None:
    """Return why a bot that is on does nothing: it was made on another kind of market than runs now."""
    own, market = row.bot.origin, row.market
    if row.bot.status is not BotStatus.ACTIVE or market is None or market is own:
        return None
    return f"It was made on {_PRICES[own]} and rests while the platform runs on {_PRICES[market]}."


def _choices(bot: Bot) -> dict[str, Any]:
    chosen = strategies().get(bot.strategy)
    return {
        "id": str(bot.id),
        "name": bot.name,
        "platform": bot.platform.value,
        "pair": bot.pair,
        "instrument_id": bot.instrument_id,
        "strategy": bot.strategy,
        "strategy_title": chosen.title if chosen else bot.strategy,
        "params": dict(bot.params),
        "timeframe": bot.timeframe,
        "risk_mode": bot.risk_mode.value,
        "trading_mode": bot.mode.value,
        "status": bot.status.value,
        "lifecycle_stage": bot.lifecycle_stage.value,
        "origin": bot.origin.value,
        "pause_reason": bot.pause_reason,
        "created_at": instant(bot.created_at),
        "started_at": instant(bot.started_at),
        "paused_at": instant(bot.paused_at),
        "stopped_at": instant(bot.stopped_at),
    }


def _position_view(row: BotRow, valuer: Valuer) -> dict[str, Any] | None:
    """Return the open position; ``value`` in ZAR, prices in the quote asset."""
    if row.position.is_flat:
        return None
    bot, mark = row.bot, valuer.mark(row.bot.instrument_id)
    value: Valued = valuer.worth(bot.pair.partition("/")[0], row.position.quantity, bot.instrument_id)
    return {
        "quantity": money(row.position.quantity),
        "average_price": money(row.position.average_price),
        "value": money(value.amount),
        "mark_price": money(mark.price) if mark else None,
        "marked_at": instant(mark.at) if mark else None,
    }


def _cannot(bot: Bot) -> str | None:
    if bot.status is BotStatus.DELETED:
        return "The bot is deleted; its history is kept."
    return None


def library_view() -> list[dict[str, Any]]:
    """Return every strategy with its parameters and their ranges."""
    return [_strategy_view(item) for item in strategies().values()]


def _strategy_view(item: Strategy) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "description": item.description,
        "source": item.source,
        "kind": "signals" if item.signals else "events",
        "default_timeframe": item.default_timeframe,
        "parameters": [
            {
                "name": field.name,
                "description": field.metadata["description"],
                "type": "int" if field.type in {"int", int} else "float",
                "default": default_of(field),
                "low": field.metadata["low"],
                "high": field.metadata["high"],
                "unit": field.metadata["unit"],
            }
            for field in parameter_fields(item)
        ],
    }
