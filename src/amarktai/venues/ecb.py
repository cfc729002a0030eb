"""The European Central Bank's daily euro fixings, from the history that ``CurrencyConverter`` ships."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final

from currency_converter import CurrencyConverter, RateNotFoundError

from amarktai.domain.instrument import Origin
from amarktai.domain.money import ZAR
from amarktai.ledger.valuation import FxRate

#: A fixing is made on each working day; a rate older than this is not used.
MAX_AGE: Final = timedelta(days=7)
#: The fixing is published at about 16:00 Central European Time.
PUBLISHED: Final = time(15, 0, tzinfo=UTC)


class EcbFixings:
    """Rand per unit of a currency, by the last fixing that was published by then."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, date], Decimal | None] = {}

    @cached_property
    def _history(self) -> CurrencyConverter:
        return CurrencyConverter(decimal=True)

    def rate(self, asset: str, at: datetime) -> FxRate | None:
        """Return the rate, or None when no fixing of the last week has both currencies."""
        day = at.date() if at >= datetime.combine(at.date(), PUBLISHED) else at.date() - timedelta(days=1)
        while at.date() - day <= MAX_AGE:
            rate = self._fixing(asset, day)
            if rate is not None:
                made = datetime.combine(day, PUBLISHED)
                return FxRate(asset, rate, f"ECB fixing {day.isoformat()}", made, Origin.RECORDED)
            day -= timedelta(days=1)
        return None

    def _fixing(self, asset: str, day: date) -> Decimal | None:
        if (asset, day) not in self._known:
            self._known[asset, day] = self._look_up(asset, day)
        return self._known[asset, day]

    def _look_up(self, asset: str, day: date) -> Decimal | None:
        try:
            rate: Decimal = self._history.convert(Decimal(1), asset, ZAR, day)
        except (RateNotFoundError, ValueError):
            # ValueError is the library's answer for a currency that it does not know.
            return None
        return rate
