"""What moves a twin's books: a seeded synthetic crowd, or recorded quotes of the real exchange."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, Protocol

from amarktai.domain.errors import InvalidInput
from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.ports.rng import Rng
from amarktai.twins.accounts import CROWD
from amarktai.twins.book import BookSide
from amarktai.twins.matching import Exchange
from amarktai.twins.orders import Market

LEVELS: Final = 20
_PART_OF_TURN: Final = 0.4  # how often a turn has a trade of the crowd


class Crowd(Protocol):
    """The rest of one market."""

    def move(self, exchange: Exchange, now_ns: int) -> None:
        """Take one turn: new quotes, perhaps a trade."""


class SyntheticCrowd:
    """A random walk with a ladder of orders on both sides and now and then a market order."""

    def __init__(self, market: Market, rng: Rng) -> None:
        self.mid = market.start_price
        self._market = market
        self._rng = rng
        self._has_traded = False
        self._gap = max(market.tick, self._on_grid(market.start_price / 10_000))

    def move(self, exchange: Exchange, now_ns: int) -> None:
        step = Decimal(self._whole(-30, 30)).scaleb(-5)  # at most three basis points a turn
        self.mid = max(self._market.tick * LEVELS * 2, self._on_grid(self.mid * (1 + step)))
        self.quote(exchange, now_ns)
        if not self._has_traded or self._rng.uniform() < _PART_OF_TURN:
            self._has_traded = True
            side = Side.BUY if self._rng.uniform() < 0.5 else Side.SELL
            exchange.crowd_takes(
                self._market.symbol, side, self._quantity() / 2 // self._lot * self._lot, now_ns
            )

    def quote(self, exchange: Exchange, now_ns: int) -> None:
        """Put the ladder around the middle price; levels that stay keep their place and what is left."""
        book = exchange.books[self._market.symbol]
        below = self.mid // self._gap * self._gap
        bids = self._side(book.bids, [below - self._gap * i for i in range(LEVELS)])
        asks = self._side(book.asks, [below + self._gap * (i + 1) for i in range(LEVELS)])
        exchange.set_crowd_book(self._market.symbol, bids, asks, now_ns)

    def _side(self, side: BookSide, prices: list[Decimal]) -> dict[Decimal, Decimal]:
        left = {order.price: order.remaining for order in side.orders() if order.wish.account == CROWD}
        return {price: left.get(price) or self._quantity() for price in prices if price > 0}

    @property
    def _lot(self) -> Decimal:
        return self._market.lot

    def _quantity(self) -> Decimal:
        """Return a quantity worth some ten thousand of the quote currency, on the lot grid."""
        worth = Decimal(self._whole(5_000, 50_000))
        lots = max(worth / self.mid, self._market.min_quantity * 2) // self._lot
        return min(lots * self._lot, self._market.max_quantity)

    def _whole(self, low: int, high: int) -> int:
        return low + int(self._rng.uniform() * (high - low + 1))

    def _on_grid(self, price: Decimal) -> Decimal:
        return price // self._market.tick * self._market.tick


@dataclass(frozen=True, slots=True)
class RecordedQuote:
    """A recorded best bid and ask."""

    ts_ms: int
    bid: Decimal
    ask: Decimal


class RecordedCrowd:
    """Quotes as they were recorded, one a turn; after the last one the market stands still.

    A recording of tickers has no quantities: each side offers what is worth ``depth`` of the quote.
    """

    def __init__(
        self, market: Market, quotes: Iterator[RecordedQuote], depth: Decimal = Decimal(100_000)
    ) -> None:
        self._market = market
        self._quotes = quotes
        self._depth = depth

    def move(self, exchange: Exchange, now_ns: int) -> None:
        quote = next(self._quotes, None)
        if quote is None:
            return
        lot = self._market.lot
        sizes = [max(lot, self._depth / price // lot * lot) for price in (quote.bid, quote.ask)]
        exchange.set_crowd_book(self._market.symbol, {quote.bid: sizes[0]}, {quote.ask: sizes[1]}, now_ns)
        side = Side.BUY if quote.ts_ms % 2 else Side.SELL
        exchange.crowd_takes(self._market.symbol, side, max(lot, self._market.min_quantity), now_ns)


def read_quotes(path: Path) -> Iterator[RecordedQuote]:
    """Yield the tradable rows of a recorded ticker: a CSV with ``client_timestamp`` (ms), bid, ask, status.

    Rows that no exchange would have traded on (not ACTIVE, empty or crossed) are left out.
    Raises: InvalidInput for a file that is no such recording.
    """
    with path.open(newline="", encoding="utf-8") as lines:
        rows = csv.DictReader(lines)
        missing = {"client_timestamp", "bid", "ask"} - set(rows.fieldnames or ())
        if missing:
            raise _bad(path, 1, f"there is no column {', '.join(sorted(missing))}")
        for number, row in enumerate(rows, start=2):
            try:
                quote = RecordedQuote(
                    int(row["client_timestamp"]),
                    Decimal(row["bid"]).normalize(),
                    Decimal(row["ask"]).normalize(),
                )
            except (InvalidOperation, ValueError) as error:
                raise _bad(path, number, "a time, bid or ask is no number") from error
            if row.get("status", "ACTIVE") == "ACTIVE" and ZERO < quote.bid < quote.ask:
                yield quote


def _bad(path: Path, number: int, reason: str) -> InvalidInput:
    return InvalidInput(
        "VALIDATION_ERROR",
        f"{path.name}, line {number}: {reason}",
        "Give a CSV of recorded tickers with client_timestamp, bid, ask and status.",
    )
