"""Risk limits as people see and set them: each with how much of it is used now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import Forbidden, NotFound
from amarktai.domain.risk_limits import (
    EVERYBODY,
    NEEDED_FOR_LIVE,
    BotFigures,
    Limit,
    LimitKind,
    Scope,
    use_of,
)
from amarktai.domain.user import Identity
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.store import Store, UnitOfWork
from amarktai.services.audit import actor_of, fact_of
from amarktai.services.equity import MARK_LIMIT_S, load_valuer
from amarktai.services.fx import FxRates
from amarktai.services.risk import Market, figures_of, read_rows
from amarktai.services.views import money


class RiskLimits:
    """``rates`` makes an empty table of rates: each answer fills its own with the marks it read."""

    def __init__(self, store: Store, clock: Clock, rates: Callable[[], FxRates]) -> None:
        self._store = store
        self._clock = clock
        self._rates = rates

    async def view(self, who: Identity, mode: TradingMode | None) -> dict[str, Any]:
        """Return every limit that binds the user, and its use in one book.

        Of everybody's limits only an admin sees the use: it is about others' money too.
        """
        at = to_datetime(self._clock.now_ns())
        async with self._store.snapshot(who.user_id) as unit:
            limits = await unit.limits.list()
            chosen = (await unit.reports.setting()).book(mode)
            mine = await self._figures(unit, chosen, at)
            names = {bot.id: bot.name for bot in await unit.bots.list()}
        everybody = await self._everybody(who, mine, chosen, at) if who.is_admin else None
        return {
            "mode": chosen.value,
            "needed_for_live": [kind.value for kind in NEEDED_FOR_LIVE],
            "limits": [
                _view(limit, everybody if limit.scope == EVERYBODY else mine, names) for limit in limits
            ],
        }

    async def put(self, who: Identity, limit: Limit) -> None:
        """Set a limit; it binds within a second. Raises: Forbidden, NotFound for another's bot."""
        await self._change(who, limit.scope, limit.kind, limit)

    async def remove(self, who: Identity, kind: LimitKind, scope: Scope) -> None:
        """Remove a limit. Raises: Forbidden, NotFound."""
        await self._change(who, scope, kind, None)

    async def _change(self, who: Identity, scope: Scope, kind: LimitKind, limit: Limit | None) -> None:
        if scope == EVERYBODY and not who.is_admin:
            raise Forbidden("FORBIDDEN", "Only admins at a browser set everybody's limits.", "Ask an admin.")
        at = to_datetime(self._clock.now_ns())
        async with self._store.unit_of_work(who.user_id) as unit:
            if scope.bot_id is not None:
                await unit.bots.get(scope.bot_id)
            before = await unit.limits.remove(kind, scope)
            if limit is not None:
                await unit.limits.put(limit, at, actor_of(who))
            elif before is None:
                raise NotFound("NOT_FOUND", "There is no such limit", "Reload the Risk screen.")
            action = "risk_limit.removed" if limit is None else "risk_limit.set"
            about = ("risk_limit", f"{kind}:{scope.bot_id or scope.user_id or 'everybody'}")
            fact = fact_of(who, action, about, before=_facts(before), after=_facts(limit))
            await unit.audit.append(fact, at)

    async def _everybody(
        self, who: Identity, mine: Sequence[BotFigures], mode: TradingMode, at: datetime
    ) -> list[BotFigures]:
        found = list(mine)
        for user_id in await self._store.user_ids():
            if user_id != who.user_id:
                async with self._store.snapshot(user_id) as unit:
                    found += await self._figures(unit, mode, at)
        return found

    async def _figures(self, unit: UnitOfWork, mode: TradingMode, at: datetime) -> list[BotFigures]:
        rows = await read_rows(unit, mode, at)
        fx = self._rates()
        held = {row.instrument_id for row in rows if row.quantity}
        quotes = {row.quote for row in rows}
        valuer = await load_valuer(unit.reports, fx, at, instrument_ids=held, assets=quotes)

        def price(instrument_id: str) -> Decimal | None:
            mark = valuer.mark(instrument_id)
            is_fresh = mark is not None and (at - mark.at).total_seconds() <= MARK_LIMIT_S
            return mark.price if mark is not None and is_fresh else None

        return figures_of(rows, Market(price, fx, at), await unit.risk_figures.peaks(mode))


def _view(limit: Limit, figures: Sequence[BotFigures] | None, names: dict[UUID, str]) -> dict[str, Any]:
    use = None if figures is None or limit.names is not None else use_of(limit, figures)
    scope = "bot" if limit.scope.bot_id else "user" if limit.scope.user_id else "everybody"
    return {
        "kind": limit.kind.value,
        "scope": scope,
        "bot_id": str(limit.scope.bot_id) if limit.scope.bot_id else None,
        "bot_name": names.get(limit.scope.bot_id) if limit.scope.bot_id else None,
        "amount": money(limit.amount),
        "names": list(limit.names) if limit.names is not None else None,
        "used": None if use is None or use.used is None else f"{use.used:.2f}",
        "spent": use is not None and use.is_spent,
    }


def _facts(limit: Limit | None) -> dict[str, Any] | None:
    if limit is None:
        return None
    return {"amount": money(limit.amount), "names": list(limit.names) if limit.names is not None else None}
