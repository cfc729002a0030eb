"""What positions and money are worth in rand, and since when: marks, dated rates, or no value and a reason.

A valuation uses one instant. While any mark is fresh that is now; when all of them are old (a
recording that has ended, an exchange that is away) it is the newest mark's, so that prices and rates
belong together, and the age is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from amarktai.domain.instrument import Platform
from amarktai.domain.money import ZAR, ZERO, to_ledger
from amarktai.domain.position import Position
from amarktai.ledger.profit import EquityBridge, RollupDelta, RollupKey
from amarktai.ledger.valuation import FxRate, no_rate_reason
from amarktai.ports.catalog import MarkRow
from amarktai.ports.reports import Funds, Reports
from amarktai.services.fx import FxRates, Mark

#: A mark older than this is stale, and every figure made with it says so.
MARK_LIMIT_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Valued:
    """An amount in ZAR, or None; ``reason`` says why it is missing or how old it is."""

    amount: Decimal | None
    reason: str | None = None
    marked_at: datetime | None = None


def add_up(parts: Iterable[Valued]) -> Valued:
    """Return the sum, its first reason and its oldest mark. One missing part makes it missing."""
    amount: Decimal | None = ZERO
    missing: str | None = None
    stale: str | None = None
    marked_at: datetime | None = None
    for part in parts:
        if part.amount is None:
            amount, missing = None, missing or part.reason
        elif amount is not None:
            amount += part.amount
            stale = stale or part.reason
        if part.marked_at is not None:
            marked_at = part.marked_at if marked_at is None else min(marked_at, part.marked_at)
    return Valued(amount, missing or stale, marked_at)


class Valuer:
    """Marks and rates of one instant."""

    def __init__(
        self, fx: FxRates, marks: Mapping[str, MarkRow], now: datetime, *, limit_s: float = MARK_LIMIT_S
    ) -> None:
        self._fx = fx
        self._marks = marks
        self._limit_s = limit_s
        self._now = now
        newest = max((mark.at for mark in marks.values()), default=now)
        self.at = now if self._is_fresh(newest) else newest
        self._rates: dict[str, FxRate | None] = {}

    def rate(self, asset: str) -> FxRate | None:
        """Return the one rate that this valuation uses for an asset."""
        if asset not in self._rates:
            venues = (None, *Platform)
            found = (self._fx.rate(asset, self.at, venue) for venue in venues)
            self._rates[asset] = next((rate for rate in found if rate is not None), None)
        return self._rates[asset]

    def mark(self, instrument_id: str) -> MarkRow | None:
        return self._marks.get(instrument_id)

    def unrealised(self, instrument_id: str, position: Position) -> Valued:
        """Return what closing at the mark would realise, before the exit's fee."""
        return self._at_mark(instrument_id, position.quantity, less=position.cost)

    def worth(self, asset: str, amount: Decimal, instrument_id: str | None = None) -> Valued:
        """Return the value of a holding; of a bot's coins through the market that the bot trades."""
        if amount == ZERO:
            return Valued(ZERO)
        if instrument_id is not None and asset == instrument_id.partition(":")[2].partition("/")[0]:
            return self._at_mark(instrument_id, amount)
        rate = self.rate(asset)
        if rate is None:
            return Valued(None, no_rate_reason(asset, self.at))
        return Valued(rate.to_zar(amount))

    def _at_mark(self, instrument_id: str, quantity: Decimal, *, less: Decimal = ZERO) -> Valued:
        if quantity == ZERO:
            return Valued(ZERO)
        quote = instrument_id.rpartition("/")[2]
        mark, rate = self._marks.get(instrument_id), self.rate(quote)
        if mark is None:
            return Valued(None, f"no price for {instrument_id} yet")
        if rate is None:
            return Valued(None, no_rate_reason(quote, self.at), mark.at)
        value = to_ledger((quantity * mark.price - less) * rate.rate)
        return Valued(value, self._stale_reason(mark), mark.at)

    def _stale_reason(self, mark: MarkRow) -> str | None:
        if self._is_fresh(mark.at):
            return None
        return f"the last price of {mark.instrument_id} is of {mark.at:%Y-%m-%d %H:%M} UTC"

    def _is_fresh(self, at: datetime) -> bool:
        return (self._now - at).total_seconds() <= self._limit_s


async def load_valuer(
    reports: Reports, fx: FxRates, now: datetime, *, instrument_ids: Iterable[str], assets: Iterable[str]
) -> Valuer:
    """Read the marks that valuing these instruments and assets can need, in one statement."""
    wanted = set(instrument_ids)
    quotes = {instrument_id.rpartition("/")[2] for instrument_id in wanted}
    needed = wanted | {name for asset in quotes | set(assets) for name in fx.inputs(asset)}
    marks = {row.instrument_id: row for row in await reports.marks(sorted(needed))}
    for row in marks.values():
        venue, _, symbol = row.instrument_id.partition(":")
        fx.mark_named(venue, symbol, Mark(row.price, row.at, row.origin))
    return Valuer(fx, marks, now)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a book stands, in ZAR. Each part is computed by itself; None comes with a reason."""

    deposits: Decimal
    realized: Decimal
    unrealized: Valued
    fx: Valued
    equity: Valued

    @property
    def bridge(self) -> EquityBridge | None:
        """The parts as an identity, when all of them are known."""
        if self.unrealized.amount is None or self.fx.amount is None or self.equity.amount is None:
            return None
        return EquityBridge(
            self.deposits, self.realized, self.unrealized.amount, self.fx.amount, self.equity.amount
        )


def stand(
    funds: Funds,
    realized: RollupDelta,
    totals: Mapping[RollupKey, RollupDelta],
    valuer: Valuer,
) -> Standing:
    """Return a book's standing.

    Equity comes from what the ledger says is held; unrealised from open positions; realised from the
    rollups; fx from ``fx_profit``: four ways to the same identity.
    """
    return Standing(
        deposits=funds.deposits,
        realized=realized.profit_zar,
        unrealized=add_up(valuer.unrealised(row.instrument_id, row.position) for row in funds.positions),
        fx=fx_profit(funds, totals, valuer),
        equity=add_up(valuer.worth(row.asset, row.amount, row.instrument_id) for row in funds.holdings),
    )


def fx_profit(funds: Funds, totals: Mapping[RollupKey, RollupDelta], valuer: Valuer) -> Valued:
    """Return what changing rates did to money held in other currencies than the rand.

    Each unit of a currency came in by a conversion at its booked rate, or as profit at the rate of its
    fill; now it is worth today's rate: Σ quantity · (rate now − rate then). Quantities: what the
    conversions bought, and the profit in the quote asset. Rand then: what the conversions cost, and the
    realised profit as booked.
    """
    quantities = dict(funds.converted)
    rand_then = -quantities.pop(ZAR, ZERO)
    for key, delta in totals.items():
        quote = key.scope_id.rpartition("/")[2]
        if key.scope != "pair" or quote == ZAR:
            continue
        if delta.unvalued_fills:
            return Valued(None, unvalued_reason(delta.unvalued_fills))
        quantities[quote] = quantities.get(quote, ZERO) + (delta.profit_quote or ZERO)
        rand_then += delta.profit_zar
    now = add_up(valuer.worth(asset, quantity) for asset, quantity in sorted(quantities.items()))
    if now.amount is None:
        return now
    return Valued(now.amount - rand_then, now.reason, now.marked_at)


def unvalued_reason(count: int) -> str:
    """Return the sentence that a sum carries whose fills did not all have a ZAR rate."""
    fills = "1 fill" if count == 1 else f"{count} fills"
    return f"without {fills} for which there was no ZAR rate"
