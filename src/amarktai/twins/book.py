"""One market's resting orders in price-time priority."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.orders import Order


@dataclass(slots=True)
class Level:
    """The orders at one price, oldest first, and their resting sum."""

    price: Decimal
    orders: dict[str, Order] = field(default_factory=dict)
    quantity: Decimal = ZERO


@dataclass(slots=True)
class BookSide:
    """Bids or asks. Prices are kept ascending; the best is last for bids and first for asks."""

    side: Side
    _prices: list[Decimal] = field(default_factory=list)
    _levels: dict[Decimal, Level] = field(default_factory=dict)

    def add(self, order: Order) -> None:
        """Queue the order behind those of its price."""
        level = self._levels.get(order.price)
        if level is None:
            level = self._levels[order.price] = Level(order.price)
            insort(self._prices, order.price)
        level.orders[order.id] = order
        level.quantity += order.remaining

    def reduce(self, order: Order, quantity: Decimal) -> None:
        """Take from the order's level what was executed; ``order.filled`` is up to date already."""
        level = self._levels[order.price]
        level.quantity -= quantity
        if order.remaining == 0:
            self._forget(level, order)

    def remove(self, order: Order) -> None:
        """Take the order out, whatever of it is left."""
        level = self._levels[order.price]
        level.quantity -= order.remaining
        self._forget(level, order)

    def _forget(self, level: Level, order: Order) -> None:
        del level.orders[order.id]
        if not level.orders:
            del self._levels[level.price]
            del self._prices[bisect_left(self._prices, level.price)]

    def level_at(self, price: Decimal) -> Level | None:
        return self._levels.get(price)

    def quantity_at(self, price: Decimal) -> Decimal:
        level = self._levels.get(price)
        return ZERO if level is None else level.quantity

    def best(self) -> Level | None:
        return None if not self._prices else self._levels[self._prices[self._best_index]]

    @property
    def _best_index(self) -> int:
        return -1 if self.side is Side.BUY else 0

    def best_first(self) -> Iterator[Level]:
        """Yield the levels from the best price on."""
        prices = reversed(self._prices) if self.side is Side.BUY else iter(self._prices)
        for price in prices:
            yield self._levels[price]

    def orders(self) -> Iterator[Order]:
        """Yield the resting orders in the sequence in which they would be served."""
        for level in self.best_first():
            yield from level.orders.values()


@dataclass(slots=True)
class Book:
    """Both sides of a market. ``sequence`` counts its changes; ``last`` is the latest trade's price."""

    bids: BookSide = field(default_factory=lambda: BookSide(Side.BUY))
    asks: BookSide = field(default_factory=lambda: BookSide(Side.SELL))
    sequence: int = 1
    last: Decimal | None = None

    def side(self, side: Side) -> BookSide:
        return self.bids if side is Side.BUY else self.asks

    def opposite(self, side: Side) -> BookSide:
        return self.asks if side is Side.BUY else self.bids
