"""Profit: by day, week and month, and the summary of a book. Paper and live never share a sum.

Realised figures come from rollups, so an answer costs the same at ten round trips and at ten
million; unrealised ones from open positions, their marks and dated rates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import InvalidInput
from amarktai.domain.money import ZAR, ZERO, to_ledger
from amarktai.ledger.profit import EVERYTHING, RollupDelta, RollupKey
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.reports import BookFigures, Reporting, Reports, UserDays
from amarktai.services.days import last_days, last_months, last_weeks, local_day, span_of, week_name
from amarktai.services.equity import Standing, load_valuer, stand, unvalued_reason
from amarktai.services.equity_series import charted_to, equity_view, win_rate
from amarktai.services.fx import FxRates
from amarktai.services.views import instant, money

_DAYS: Final = 30
_WEEKS: Final = 12
_MONTHS: Final = 12
_TOP_BOTS: Final = 10
_PERIODS: Final = ("daily", "weekly", "monthly", "all")


class ProfitService:
    """``rates`` makes an empty table of rates: each answer fills its own with the marks it read."""

    def __init__(self, reporting: Reporting, clock: Clock, rates: Callable[[], FxRates]) -> None:
        self._reporting = reporting
        self._clock = clock
        self._rates = rates

    async def profits(self, user_id: UUID, *, period: str, mode: TradingMode | None) -> Mapping[str, Any]:
        """Return realised profit per day, week or month to ``charted_to``, zero where nothing was realised.

        Raises: InvalidInput for an unknown period.
        """
        if period not in _PERIODS:
            raise InvalidInput(
                "VALIDATION_ERROR", f"There is no period {period!r}", f"Choose one of {', '.join(_PERIODS)}."
            )
        now = to_datetime(self._clock.now_ns())
        async with self._reporting.snapshot(user_id) as reports:
            setting = await reports.setting()
            chosen, today = setting.book(mode), local_day(now, setting.timezone)
            last = await charted_to(reports, chosen, now)
            if period == "all":
                own = await reports.figures.user_days(chosen, _near(today))
                series = await reports.figures.series(chosen, last - timedelta(days=_DAYS - 1), last)
                body = {**_totals(own, today), "daily_series": _days(series, last)}
            else:
                first = _first_day(period, last)
                items, total = _items(period, await reports.figures.series(chosen, first, last), last)
                body = {"items": items, "total": money(total)}
        return {
            "period": period,
            "mode": chosen.value,
            **body,
            "currency": ZAR,
            "timestamp": instant(now),
            "timezone": setting.timezone,
        }

    async def summary(self, user_id: UUID, *, mode: TradingMode | None) -> Mapping[str, Any]:
        """Return the whole book's figures; what cannot be known is null, with a reason beside it."""
        now = to_datetime(self._clock.now_ns())
        async with self._reporting.snapshot(user_id) as reports:
            setting = await reports.setting()
            chosen, today = setting.book(mode), local_day(now, setting.timezone)
            figures = await reports.figures.book(chosen, _near(today))
            standing = await self._standing(reports, chosen, figures, now)
        own, totals = figures.own, figures.totals
        return {
            "success": True,
            "mode": chosen.value,
            **_totals(own, today),
            **_standing_view(standing, own),
            "total_trades": own.total.trades,
            "winning_trades": own.total.wins,
            "losing_trades": own.total.losses,
            "win_rate": win_rate(own.total.wins, own.total.trades),
            "total_fees": money(own.total.fees_zar),
            "currency": ZAR,
            "timestamp": instant(now),
            "timezone": setting.timezone,
            "marked_at": instant(standing.unrealized.marked_at),
            **_shares(totals, figures.bot_names, most=_TOP_BOTS),
        }

    async def report(self, user_id: UUID, *, span: str, mode: TradingMode | None) -> Mapping[str, Any]:
        """Return what was realised in a span, by day, bot, platform and pair. See ``span_of`` for names.

        Days without fills are left out: nothing was realised on them.
        """
        now = to_datetime(self._clock.now_ns())
        async with self._reporting.snapshot(user_id) as reports:
            setting = await reports.setting()
            chosen = setting.book(mode)
            own = await reports.figures.user_days(chosen, [])
            first, last = span_of(span, await charted_to(reports, chosen, now), own.first_day)
            days = await reports.figures.days(chosen, first, last)
            totals, names = await reports.figures.shares(chosen, first, last)
        return {
            "span": span,
            "first": first.isoformat(),
            "last": last.isoformat(),
            "mode": chosen.value,
            **_span_totals(days.values()),
            "days": _running_days(days),
            **_shares(totals, names, most=None),
            "currency": ZAR,
            "timestamp": instant(now),
            "timezone": setting.timezone,
        }

    async def equity(self, user_id: UUID, *, mode: TradingMode | None, span: str) -> Mapping[str, Any]:
        """Return the book's equity over a span. Raises: InvalidInput for an unknown span."""
        now = to_datetime(self._clock.now_ns())
        async with self._reporting.snapshot(user_id) as reports:
            chosen = (await reports.setting()).book(mode)
            view = await equity_view(reports, chosen, scope="user", scope_id=EVERYTHING, span=span, now=now)
        return {"mode": chosen.value, **view}

    async def _standing(
        self, reports: Reports, mode: TradingMode, figures: BookFigures, now: datetime
    ) -> Standing:
        funds = await reports.ledger.funds(mode)
        valuer = await load_valuer(
            reports,
            self._rates(),
            now,
            instrument_ids=[row.instrument_id for row in funds.positions],
            assets={row.asset for row in funds.holdings} | funds.converted.keys(),
        )
        return stand(funds, figures.own.total, figures.totals, valuer)


def _near(today: date) -> list[date]:
    return [today, today - timedelta(days=1)]


def _totals(own: UserDays, today: date) -> dict[str, Any]:
    """Return the realised figures that ``all`` and the summary share.

    ``avg_daily`` is over the days from the first fill to today, quiet days included.
    """
    profit_today, profit_yesterday = (own.days[day].profit_zar for day in _near(today))
    age = max((today - own.first_day).days + 1, 1) if own.first_day else 1
    return {
        "total_profit": money(own.total.profit_zar),
        "profit_today": money(profit_today),
        "profit_yesterday": money(profit_yesterday),
        "best_day": {"date": own.best[0].isoformat(), "profit": money(own.best[1])} if own.best else None,
        "avg_daily": money(to_ledger(own.total.profit_zar / age)),
    }


def _standing_view(standing: Standing, own: UserDays) -> dict[str, Any]:
    """Return the parts of equity. ``rounding`` is what the identity leaves, null when a part is."""
    unrealised, missing = standing.unrealized, own.total.unvalued_fills
    whole = None if unrealised.amount is None else standing.realized + unrealised.amount
    bridge = standing.bridge
    return {
        "realized_profit": money(standing.realized),
        "realized_reason": unvalued_reason(missing) if missing else None,
        "unrealized_profit": money(unrealised.amount),
        "unrealized_reason": unrealised.reason,
        "total_profit": money(whole),
        "fx_profit": money(standing.fx.amount),
        "fx_reason": standing.fx.reason,
        "equity": money(standing.equity.amount),
        "equity_reason": standing.equity.reason,
        "deposits": money(standing.deposits),
        "rounding": money(bridge.rounding) if bridge and not missing else None,
    }


def _first_day(period: str, today: date) -> date:
    if period == "daily":
        return last_days(today, _DAYS)[0]
    return (last_weeks(today, _WEEKS) if period == "weekly" else last_months(today, _MONTHS))[0][0]


def _items(period: str, series: Mapping[date, Decimal], today: date) -> tuple[list[dict[str, Any]], Decimal]:
    total = sum(series.values(), ZERO)
    if period == "daily":
        return _days(series, today), total
    if period == "weekly":
        spans = last_weeks(today, _WEEKS)
        return [{"week": week_name(first), **_span(series, first, last)} for first, last in spans], total
    spans = last_months(today, _MONTHS)
    return [{"month": f"{first:%Y-%m}", **_span(series, first, last)} for first, last in spans], total


def _days(series: Mapping[date, Decimal], today: date) -> list[dict[str, Any]]:
    return [
        {"date": day.isoformat(), "profit": money(series.get(day, ZERO))} for day in last_days(today, _DAYS)
    ]


def _span(series: Mapping[date, Decimal], first: date, last: date) -> dict[str, Any]:
    profit = sum((amount for day, amount in series.items() if first <= day <= last), ZERO)
    return {"profit": money(profit), "period": f"{first.isoformat()}/{last.isoformat()}"}


def _scope(totals: Mapping[RollupKey, RollupDelta], scope: str) -> list[tuple[RollupKey, RollupDelta]]:
    """Return one scope's rows, the most profitable first."""
    rows: Iterable[tuple[RollupKey, RollupDelta]] = (
        (key, delta) for key, delta in totals.items() if key.scope == scope
    )
    return sorted(rows, key=lambda row: (-row[1].profit_zar, row[0].scope_id))


def _span_totals(days: Iterable[RollupDelta]) -> dict[str, Any]:
    total = RollupDelta()
    for day in days:
        total.add(day)
    return {
        "realized_profit": money(total.profit_zar),
        "realized_reason": unvalued_reason(total.unvalued_fills) if total.unvalued_fills else None,
        "fees": money(total.fees_zar),
        "trades": total.trades,
        "winning_trades": total.wins,
        "losing_trades": total.losses,
        "win_rate": win_rate(total.wins, total.trades),
        "expectancy": money(_expectancy(total)),
    }


def _expectancy(total: RollupDelta) -> Decimal | None:
    """Return what a closed round trip brought on average; None without any."""
    return to_ledger(total.profit_zar / total.trades) if total.trades else None


def _running_days(days: Mapping[date, RollupDelta]) -> list[dict[str, Any]]:
    running, rows = ZERO, []
    for day, delta in days.items():
        running += delta.profit_zar
        rows.append(
            {
                "date": day.isoformat(),
                "profit": money(delta.profit_zar),
                "running": money(running),
                "fees": money(delta.fees_zar),
                "trades": delta.trades,
                "wins": delta.wins,
                "losses": delta.losses,
            }
        )
    return rows


def _shares(
    totals: Mapping[RollupKey, RollupDelta], bot_names: Mapping[str, str], *, most: int | None
) -> dict[str, Any]:
    """Return the parts of a sum by bot (at most ``most``), platform and pair."""
    return {
        "by_bot": [
            {
                "bot_id": str(UUID(hex=key.scope_id)),
                "bot_name": bot_names[key.scope_id],
                **_share(delta),
            }
            for key, delta in _scope(totals, "bot")[:most]
        ],
        "by_platform": [
            {"platform": key.scope_id, **_share(delta)} for key, delta in _scope(totals, "platform")
        ],
        "by_pair": [_pair_view(key, delta) for key, delta in _scope(totals, "pair")],
    }


def _share(delta: RollupDelta) -> dict[str, Any]:
    return {
        "realized_profit": money(delta.profit_zar),
        "fees": money(delta.fees_zar),
        "trades": delta.trades,
        "win_rate": win_rate(delta.wins, delta.trades),
        "expectancy": money(_expectancy(delta)),
    }


def _pair_view(key: RollupKey, delta: RollupDelta) -> dict[str, Any]:
    platform, _, pair = key.scope_id.partition(":")
    return {"platform": platform, "pair": pair, **_share(delta)}
