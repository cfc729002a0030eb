"""Goes through an exchange's adapter item by item, for an owner who wants to see it work for real.

This file reads; ``order_check`` places orders, when asked to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import AmarktaiError, BrokenInvariant, InvalidInput
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import ZAR, ZERO
from amarktai.ports.clock import Clock
from amarktai.ports.exchange import (
    AccountEvent,
    ExchangeAccount,
    ExchangeMarket,
    StreamGap,
)
from amarktai.ports.ids import Ids

#: The code of an adapter that is asked for what its exchange does not have.
LACKING: Final = "VENUE_REFUSED"
_DAYS: Final = 7
_NS_PER_DAY: Final = 86_400 * NS_PER_S
#: Beyond this a signed request may be refused for its time.
_SKEW_S: Final = 1.0
STREAM_S: Final = 10.0


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "not there"  # the exchange does not have it, as its table says


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One item and what came of it, in a sentence for people."""

    name: str
    outcome: Outcome
    detail: str


class Unexpected(Exception):
    """The exchange answered, but not what it should have."""


@dataclass(slots=True)
class VenueCheck:
    """Looks at one exchange, and at an account there."""

    market: ExchangeMarket
    clock: Clock
    ids: Ids
    instrument: Instrument

    # -- what needs no key ---------------------------------------------------------------------------------

    async def public(self) -> AsyncIterator[CheckItem]:
        """Yield the items that need no key."""
        for name, step in (
            ("markets", self._markets),
            ("clock", self._clock_offset),
            ("quotes", self._quotes),
            ("order book", self._book),
            ("public trades", self._trades),
            ("candles", self._candles),
        ):
            yield await checked(name, step)

    async def _markets(self) -> str:
        found = await self.market.fetch_instruments()
        if self.instrument.id not in {item.id for item in found}:
            raise Unexpected(f"{self.instrument.symbol} is not among the {len(found)} markets.")
        in_rand = sum(item.quote == ZAR for item in found)
        return f"{len(found)} markets, {in_rand} against rand."

    async def _clock_offset(self) -> str:
        offset_ns = await self.market.fetch_clock_offset_ns()
        if offset_ns is None:
            raise InvalidInput(LACKING, "The exchange tells no time.", "This machine's has to be right.")
        seconds = offset_ns / NS_PER_S
        if abs(seconds) > _SKEW_S:
            raise Unexpected(f"This clock is {seconds:+.2f} s off the exchange's: set it right.")
        return f"The exchange's clock is {seconds * 1_000:+.0f} ms off ours."

    async def _quotes(self) -> str:
        (quote,) = await self.market.fetch_quotes([self.instrument])
        if not ZERO < quote.bid < quote.ask:
            raise Unexpected(f"Bid {quote.bid} and ask {quote.ask} are no market.")
        kind = "Indicative: bid" if quote.is_indicative else "Bid"
        return f"{kind} {quote.bid:f}, ask {quote.ask:f}."

    async def _book(self) -> str:
        book = await self.market.fetch_book(self.instrument, 20)
        if book.bids and book.asks and book.bids[0][0] >= book.asks[0][0]:
            raise Unexpected("The book is crossed.")
        return f"{len(book.bids)} bids and {len(book.asks)} asks."

    async def _trades(self) -> str:
        trades = await self.market.fetch_trades(self.instrument, 20)
        if list(trades) != sorted(trades, key=lambda trade: trade.at):
            raise Unexpected("The trades are not in the order of time.")
        last = f" Last: {trades[-1].price:f} at {trades[-1].at:%Y-%m-%d %H:%M:%S} UTC." if trades else ""
        return f"{len(trades)} trades.{last}"

    async def _candles(self) -> str:
        since_ts = self.clock.now_ns() - 24 * 3_600 * NS_PER_S
        fetched = await self.market.fetch_bars(self.instrument, "1h", since_ts, 24)
        return f"{len(fetched.bars)} closed hours of the last 24."

    # -- what a key opens ----------------------------------------------------------------------------------

    async def reads(self, account: ExchangeAccount) -> AsyncIterator[CheckItem]:
        """Yield the items that read an account."""

        def bound(step: Callable[[ExchangeAccount], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
            return lambda: step(account)

        for name, step in (
            ("balances", self._balances),
            ("fees", self._fees),
            ("open orders", self._open_orders),
            ("order history", self._history),
            ("fills", self._fills),
            ("an unknown order", self._unknown_order),
            ("account stream", self._stream),
        ):
            yield await checked(name, bound(step))

    async def _balances(self, account: ExchangeAccount) -> str:
        balances = await account.fetch_balances()
        named = ", ".join(f"{item.total:f} {asset}" for asset, item in sorted(balances.items()))
        return f"{len(balances)} assets: {named}." if balances else "No asset has a balance."

    async def _fees(self, account: ExchangeAccount) -> str:
        fees = await account.fetch_fees(self.instrument)
        return f"Maker {fees.maker:.3%}, taker {fees.taker:.3%} ({fees.source})."

    async def _open_orders(self, account: ExchangeAccount) -> str:
        records = await account.fetch_open_records()
        by_hand = sum(record.order_id is None for record in records)
        return f"{len(records)} open, {by_hand} of them not by the platform."

    async def _history(self, account: ExchangeAccount) -> str:
        records = await account.fetch_records_since(self.clock.now_ns() - _DAYS * _NS_PER_DAY)
        return f"{len(records)} orders of the last {_DAYS} days."

    async def _fills(self, account: ExchangeAccount) -> str:
        fills = await account.fetch_fills_since(self.clock.now_ns() - _DAYS * _NS_PER_DAY)
        assets = ", ".join(sorted({fill.fee_asset for fill in fills}))
        return f"{len(fills)} executions of the last {_DAYS} days{f', fees in {assets}' if assets else ''}."

    async def _unknown_order(self, account: ExchangeAccount) -> str:
        found = await account.fetch_order(self.ids.new(), self.instrument.id)
        if found is not None:
            raise Unexpected(f"An order that was never placed is said to be {found.status}.")
        return "An order that was never placed is absent, by all lists."

    async def _stream(self, account: ExchangeAccount) -> str:
        """Listen for a while; a stream that cannot be opened tells gap after gap."""
        heard: list[AccountEvent] = []
        await self._listen(account, heard)
        gaps = [event.reason for event in heard if isinstance(event, StreamGap)]
        others = len(heard) - len(gaps)
        if not heard or (len(gaps) > 2 and not others):
            raise Unexpected(f"It does not stay open: {gaps[-1] if gaps else 'nothing came'}")
        return f"Open for {STREAM_S:.0f} s, {others} messages about orders and balances."

    async def _listen(self, account: ExchangeAccount, heard: list[AccountEvent]) -> None:
        async def listen() -> None:
            async for event in account.events():
                heard.append(event)

        task = asyncio.create_task(listen())
        try:
            await self.clock.sleep(STREAM_S)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def checked(name: str, step: Callable[[], Awaitable[str]]) -> CheckItem:
    """Return what came of a step, as an item. Raises: BrokenInvariant."""
    try:
        return CheckItem(name, Outcome.PASSED, await step())
    except Unexpected as surprise:
        return CheckItem(name, Outcome.FAILED, str(surprise))
    except BrokenInvariant:
        raise
    except AmarktaiError as error:
        outcome = Outcome.ABSENT if error.code == LACKING else Outcome.FAILED
        return CheckItem(name, outcome, f"{error.detail} {error.action}".strip())
