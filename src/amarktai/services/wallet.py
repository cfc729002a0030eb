"""The paper wallet: starts empty, is funded explicitly, and shows what each rand is doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import InvalidInput
from amarktai.domain.money import ZAR, ZERO
from amarktai.domain.user import Identity
from amarktai.ledger import chart
from amarktai.ledger.booking import book_funding
from amarktai.ledger.valuation import no_rate_reason
from amarktai.ports.catalog import Catalog
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.events import BalanceUpdated
from amarktai.ports.ids import Ids
from amarktai.ports.store import Balances, Book, Store, UnitOfWork
from amarktai.services.audit import SYSTEM, fact_of
from amarktai.services.fx import FxRates, Mark
from amarktai.services.views import instant, money

#: One funding step of play money; larger sums only hide what a strategy can do.
MAX_FUNDING_ZAR = Decimal(10_000_000)


@dataclass(frozen=True, slots=True)
class AssetHolding:
    """One asset over wallet and bots. Value in ZAR, or None with a reason."""

    asset: str
    available: Decimal
    allocated: Decimal
    value_zar: Decimal | None
    rate: Decimal | None
    rate_source: str | None
    rate_at: datetime | None
    value_reason: str | None


def holdings(balances: Balances, fx: FxRates, at: datetime) -> list[AssetHolding]:
    """Return every asset held, with its rand value."""
    free: dict[str, Decimal] = {}
    allocated: dict[str, Decimal] = {}
    for (account, asset), amount in balances.items():
        if account == chart.WALLET:
            free[asset] = free.get(asset, ZERO) + amount
        elif chart.is_holding(account):
            allocated[asset] = allocated.get(asset, ZERO) + amount
    rows = []
    for asset in sorted(free.keys() | allocated.keys(), key=lambda code: (code != ZAR, code)):
        total = free.get(asset, ZERO) + allocated.get(asset, ZERO)
        if total == ZERO and asset != ZAR:
            continue
        rate = fx.rate(asset, at)
        rows.append(
            AssetHolding(
                asset,
                free.get(asset, ZERO),
                allocated.get(asset, ZERO),
                rate.to_zar(total) if rate else None,
                rate.rate if rate else None,
                rate.source if rate else None,
                rate.at if rate else None,
                None if rate else no_rate_reason(asset, at),
            )
        )
    return rows


def wallet_view(
    balances: Balances, fx: FxRates, at: datetime, conversions: list[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the wallet as ``GET /api/wallet/paper`` shows it. Totals are null when a part is."""
    assets = holdings(balances, fx, at)
    values = [asset.value_zar for asset in assets]
    total = None if None in values else sum((value for value in values if value is not None), ZERO)
    available = balances.get((chart.WALLET, ZAR), ZERO)
    return {
        "mode": "paper",
        "currency": ZAR,
        "total": money(total),
        "available": money(available),
        "allocated": money(total - available) if total is not None else None,
        "assets": [
            {
                "asset": asset.asset,
                "available": money(asset.available),
                "allocated": money(asset.allocated),
                "value_zar": money(asset.value_zar),
                "rate": money(asset.rate),
                "rate_source": asset.rate_source,
                "rate_at": instant(asset.rate_at),
                "value_reason": asset.value_reason,
            }
            for asset in assets
        ],
        "conversions": conversions,
    }


async def load_fx(catalog: Catalog, fx: FxRates) -> FxRates:
    """Fill the rates with the marks that the engine last wrote."""
    for row in (await catalog.marks()).values():
        venue, _, symbol = row.instrument_id.partition(":")
        fx.mark_named(venue, symbol, Mark(row.price, row.at, row.origin))
    return fx


class WalletService:
    """The paper wallet of each user."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, catalog: Catalog, fx: FxRates) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._catalog = catalog
        self._fx = fx

    async def view(self, user_id: UUID) -> dict[str, Any]:
        """Return the wallet as the API shows it."""
        await load_fx(self._catalog, self._fx)
        async with self._store.snapshot(user_id) as unit:
            book = await unit.ledger.find_book(TradingMode.PAPER)
            if book is None:
                return wallet_view({}, self._fx, to_datetime(self._clock.now_ns()), [])
            return await self._view(unit, book)

    async def snapshot(self, unit: UnitOfWork) -> dict[str, Any]:
        """Return the wallet within a transaction that changes it, with the rates loaded already."""
        return await self._view(unit, await unit.ledger.lock_book(TradingMode.PAPER))

    async def _view(self, unit: UnitOfWork, book: Book) -> dict[str, Any]:
        balances = await unit.ledger.balances(book)
        at = to_datetime(self._clock.now_ns())
        return wallet_view(balances, self._fx, at, await unit.ledger.conversions(book, 20))

    async def fund(self, user_id: UUID, amount: Decimal, *, by: Identity | str = SYSTEM) -> dict[str, Any]:
        """Put play money into the paper wallet. ``by`` is who acts, for the audit log.

        Raises: InvalidInput for an amount that is not a positive number of cents in range.
        """
        if not ZERO < amount <= MAX_FUNDING_ZAR or amount != amount.quantize(Decimal("0.01")):
            raise InvalidInput(
                "INVALID_CAPITAL_AMOUNT",
                f"R {amount:f} cannot be added",
                f"Choose an amount from R 0.01 to R {MAX_FUNDING_ZAR:,.0f}, in whole cents.",
            )
        await load_fx(self._catalog, self._fx)
        now = to_datetime(self._clock.now_ns())
        async with self._store.unit_of_work(user_id) as unit:
            book = await unit.ledger.lock_book(TradingMode.PAPER)
            await unit.ledger.append(book, [book_funding(f"fund:{self._ids.new().hex}", amount, now)], now)
            view = await self.snapshot(unit)
            payload = BalanceUpdated(
                message=f"Paper wallet funded with R {amount:.2f}", mode="paper", wallet=view
            )
            await unit.outbox.emit([("balance_updated", payload)], now)
            fact = fact_of(by, "wallet.funded", ("wallet", "paper"), after={"amount_zar": f"{amount:f}"})
            await unit.audit.append(fact, now)
            return view
