"""The accounts of saved keys, opened for the engine: the only place where a live order's key is decrypted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from amarktai.bootstrap.exchanges import Exchanges
from amarktai.domain.bot import BotStatus, TradingMode
from amarktai.domain.errors import Unavailable
from amarktai.domain.instrument import Instrument, Platform
from amarktai.domain.provider import ProviderId, TestOutcome
from amarktai.ports.accounts import Accounts
from amarktai.ports.exchange import ExchangeAccount, ExchangeMarket
from amarktai.ports.live_accounts import WorkingKey
from amarktai.ports.store import Store
from amarktai.services.envelope import SecretUnreadable
from amarktai.services.keys import Keys
from amarktai.services.order_recall import OrderRecall

#: A key that has gained too many rights halts its account, but exits must still be possible with it.
_TESTED: Final = {TestOutcome.WORKS, TestOutcome.UNSAFE}
_NOT_REFUSED: Final = {*_TESTED, TestOutcome.UNREACHABLE}


class KeyedAccounts:
    """Implements ports.live_accounts.AccountOpener. ``markets`` are the public sides, by platform."""

    def __init__(
        self,
        store: Store,
        people: Accounts,
        keys: Keys,
        exchanges: Exchanges,
        markets: Mapping[Platform, ExchangeMarket],
        instruments: Mapping[Platform, Sequence[Instrument]],
    ) -> None:
        self._store = store
        self._people = people
        self._keys = keys
        self._exchanges = exchanges
        self._markets = markets
        self._instruments = instruments

    async def working_keys(self) -> Sequence[WorkingKey]:
        """Return the keys that are not refused, of every active user, for exchanges that we trade."""
        found: list[WorkingKey] = []
        for user_id in await self._store.user_ids():
            async with self._people.unit(user_id) as unit:
                saved = await unit.keys.list()
            found += [
                WorkingKey(user_id, platform, key.fingerprint, key.last_outcome in _TESTED)
                for key in saved
                if (platform := key.provider.platform) is not None
                and platform in self._markets
                and key.last_outcome in _NOT_REFUSED
            ]
        return found

    async def open(self, key: WorkingKey) -> ExchangeAccount:
        async with self._people.unit(key.user_id) as unit:
            stored = await unit.keys.get(ProviderId(key.platform.value))
        if stored is None or stored.fingerprint != key.fingerprint:
            raise Unavailable("KEY_CHANGED", "The key was changed just now.", "It is opened anew by itself.")
        try:
            credentials = self._keys.open(key.user_id, stored)
        except SecretUnreadable as error:
            raise Unavailable(error.code, error.detail, error.action) from error
        return self._exchanges.open_account(
            key.platform,
            credentials,
            self._instruments[key.platform],
            watched=await self._traded(key.user_id, key.platform),
            recall=OrderRecall(self._store, key.user_id),
        )

    async def clock_offset_ns(self, platform: Platform) -> int | None:
        return await self._markets[platform].fetch_clock_offset_ns()

    async def _traded(self, user_id: UUID, platform: Platform) -> list[str]:
        """Return the markets of the user's live bots there: some exchanges want to be asked for each."""
        async with self._store.unit_of_work(user_id) as unit:
            bots = await unit.bots.list()
        return [
            bot.instrument_id
            for bot in bots
            if bot.mode is TradingMode.LIVE
            and bot.platform is platform
            and bot.status is not BotStatus.DELETED
        ]
