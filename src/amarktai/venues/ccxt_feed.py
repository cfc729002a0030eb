"""The live feed of an exchange that ccxt knows: by websocket where it has one, else by polling."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import ccxt

from amarktai.domain.instrument import Instrument
from amarktai.venues.budget import Priority
from amarktai.venues.ccxt_venue import CLIENT_ERRORS, CcxtClient, CcxtHistory, explain, note_ban
from amarktai.venues.live_feed import FeedParts, LiveFeed, Source, SourceFailed
from amarktai.venues.spec import VenueSpec

_NS_PER_MS: Final = 1_000_000
POLL_S: Final = 2.0


class CcxtFeed(LiveFeed):
    """Live public market data of one venue through ccxt."""

    def __init__(
        self, spec: VenueSpec, instruments: Sequence[Instrument], client: CcxtClient, parts: FeedParts
    ) -> None:
        history = None if spec.bars_need_key else CcxtHistory(spec, client, parts.budget, parts.clock)
        super().__init__(spec, instruments, parts, history)
        self._client = client

    def sources(self) -> Sequence[Source]:
        steps = [self._quote_step()]
        if "trades" in self._spec.websocket:
            steps.append(self._watch_trades)
        return [self._explained(step) for step in steps]

    async def disconnect(self) -> None:
        await self._client.close()

    def _quote_step(self) -> Source:
        if "bids_asks" in self._spec.websocket:
            return self._watch_bids_asks
        if "tickers" in self._spec.websocket:
            return self._watch_tickers
        return self._poll_tickers

    def _explained(self, step: Source) -> Callable[[], Awaitable[None]]:
        async def explained() -> None:
            try:
                await step()
            except CLIENT_ERRORS as error:
                note_ban(error, self._client, self._budget)
                raise explain(error, self._spec) from error

        return explained

    async def _watch_bids_asks(self) -> None:
        self._take_tickers(await self._heard(self._client.watch_bids_asks(await self._listed())))

    async def _watch_tickers(self) -> None:
        self._take_tickers(await self._heard(self._client.watch_tickers(await self._listed())))

    async def _watch_trades(self) -> None:
        """Trades may rest for as long as they like: quotes say whether the exchange is there."""
        self._take_trades(await self._client.watch_trades_for_symbols(await self._listed()))

    async def _poll_tickers(self) -> None:
        await self._budget.acquire(Priority.QUOTE)
        self._take_tickers(await self._client.fetch_tickers(await self._listed()))
        await self._clock.sleep(POLL_S)

    async def _listed(self) -> list[str]:
        """Return those of our symbols that the exchange has today: one that it dropped must not cost
        us the others. ccxt asks the exchange once and remembers.
        """
        markets = await self._client.load_markets()
        listed = [symbol for symbol in self._index if symbol in markets]
        if not listed:
            raise ccxt.BadSymbol(f"none of {', '.join(self._index)} is listed")
        return listed

    async def _heard(self, call: Awaitable[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Await a message, but not for longer than the age at which data is stale.

        Raises: SourceFailed.
        """
        message = asyncio.ensure_future(call)
        alarm = asyncio.ensure_future(self._clock.sleep(self.max_age_s))
        try:
            await asyncio.wait({message, alarm}, return_when=asyncio.FIRST_COMPLETED)
            if not message.done():
                raise SourceFailed(f"{self._name} has sent nothing for {self.max_age_s:.0f} s.")
            return message.result()
        finally:
            for future in (message, alarm):
                future.cancel()
            await asyncio.gather(message, alarm, return_exceptions=True)

    def _take_tickers(self, tickers: Mapping[str, Any]) -> None:
        for ticker in tickers.values():
            self.take_quote(
                str(ticker.get("symbol")),
                (ticker.get("bid"), ticker.get("ask")),
                (ticker.get("bidVolume"), ticker.get("askVolume")),
                _ns(ticker.get("timestamp")),
            )
        self.note_life()

    def _take_trades(self, trades: Sequence[Mapping[str, Any]]) -> None:
        for trade in trades:
            taker = 1.0 if trade.get("side") == "buy" else -1.0
            self.take_trade(
                str(trade.get("symbol")), str(trade.get("id")), trade.get("price"), trade.get("amount"),
                taker, _ns(trade.get("timestamp")),
            )  # fmt: skip
        self.note_life()


def _ns(told_ms: Any) -> int | None:
    return None if told_ms is None else int(told_ms) * _NS_PER_MS
