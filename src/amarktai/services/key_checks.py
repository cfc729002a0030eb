"""Asking the exchanges again what saved keys may do: a right that was added later must not go unseen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from amarktai.domain.provider import KeyTestResult, ProviderId, TestOutcome
from amarktai.ports.accounts import Accounts, Alerting
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.keys import StoredKey
from amarktai.ports.providers import ProviderRegistry
from amarktai.services.audit import SYSTEM
from amarktai.services.envelope import SecretUnreadable
from amarktai.services.keys import Keys

log = structlog.get_logger(__name__)

CHECK_EVERY: Final = timedelta(hours=24)
#: A key that passed, or that was silent when it was last tested, is asked about; others await their user.
_ASKED: Final = frozenset({TestOutcome.WORKS, TestOutcome.UNREACHABLE})


@dataclass(frozen=True, slots=True)
class CheckReport:
    """How many keys were asked about in a round, and how many exchanges stayed silent."""

    checked: int
    halted: int
    silent: int


class KeyChecks:
    """Checks every key once after ``started_at`` and then once a day; silence is asked again."""

    def __init__(
        self,
        accounts: Accounts,
        people: Alerting,
        keys: Keys,
        registry: ProviderRegistry,
        *,
        clock: Clock,
        started_at: datetime,
    ) -> None:
        self._accounts = accounts
        self._people = people
        self._keys = keys
        self._registry = registry
        self._clock = clock
        self._started_at = started_at

    async def run_round(self) -> CheckReport:
        """Check the keys that are due. Silent exchanges change nothing and are asked again next round."""
        due_before = max(self._started_at, to_datetime(self._clock.now_ns()) - CHECK_EVERY)
        checked, halted, silent = 0, 0, set[ProviderId]()
        for user_id in await self._people.active_users():
            for stored in await self._due(user_id, due_before):
                if stored.provider in silent:
                    continue
                outcome = await self._check(user_id, stored)
                checked += 1
                halted += outcome is TestOutcome.UNSAFE
                if outcome is TestOutcome.UNREACHABLE:
                    silent.add(stored.provider)
        return CheckReport(checked, halted, len(silent))

    async def _due(self, user_id: UUID, due_before: datetime) -> list[StoredKey]:
        async with self._accounts.unit(user_id) as unit:
            saved = await unit.keys.list()
        return [
            key
            for key in saved
            if key.provider.platform is not None
            and key.last_outcome in _ASKED
            and (key.last_tested_at is None or key.last_tested_at < due_before)
        ]

    async def _check(self, user_id: UUID, stored: StoredKey) -> TestOutcome:
        try:
            credentials = self._keys.open(user_id, stored)
        except SecretUnreadable as error:  # doubt: the account is halted and its user told
            result = KeyTestResult(TestOutcome.UNSAFE, error.detail, error.action)
        else:
            result = await self._registry[stored.provider].tester.test(credentials)
        if result.outcome is TestOutcome.UNREACHABLE:
            log.info("a key's rights could not be checked", provider=stored.provider)
            return result.outcome
        await self._keys.record(user_id, SYSTEM, stored, result)
        return result.outcome
