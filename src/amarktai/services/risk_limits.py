"""Risk limits as people see and set them: each with how much of it is used now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import Forbidden, NotFound
from amarktai.domain.risk_limits import (
    EVERYBODY,
    NEEDED_FOR_LIVE,
    Limit,
    LimitKind,
    Scope,
)
from amarktai.domain.user import Identity
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.store import Store
from amarktai.services.audit import actor_of, fact_of
from amarktai.services.risk_figures import FigureReader, Figures
from amarktai.services.views import money


class RiskLimits:
    def __init__(self, store: Store, clock: Clock, figures: FigureReader) -> None:
        self._store = store
        self._clock = clock
        self._figures = figures

    async def view(self, who: Identity, mode: TradingMode | None) -> dict[str, Any]:
        """Return every limit that binds the user, and its use in one book.

        Of everybody's limits only an admin sees the use: it is about others' money too.
        """
        at = to_datetime(self._clock.now_ns())
        async with self._store.snapshot(who.user_id) as unit:
            limits = await unit.limits.list()
            chosen = (await unit.reports.setting()).book(mode)
            mine = await self._figures.of(unit, chosen, at)
            names = {bot.id: bot.name for bot in await unit.bots.list()}
        everybody = await self._figures.of_everybody(chosen, at) if who.is_admin else None
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


def _view(limit: Limit, figures: Figures | None, names: dict[UUID, str]) -> dict[str, Any]:
    use = None if figures is None or limit.names is not None else figures.use_of(limit)
    scope = scope_name(limit.scope)
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


def scope_name(scope: Scope) -> str:
    """Return what a scope is called over HTTP."""
    return "bot" if scope.bot_id else "user" if scope.user_id else "everybody"


def _facts(limit: Limit | None) -> dict[str, Any] | None:
    if limit is None:
        return None
    return {"amount": money(limit.amount), "names": list(limit.names) if limit.names is not None else None}
