"""Vault, factors and keys over a real database, with an encryption key of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from amarktai.domain.provider import Credentials, KeyRights, KeyTestResult, ProviderId, Right, TestOutcome
from amarktai.domain.user import Identity, Role, Scope, User
from amarktai.ports.accounts import Session
from amarktai.ports.clock import to_datetime
from amarktai.ports.providers import ProviderDesk, ProviderRegistry
from amarktai.ports.secrets import KeyRingSource
from amarktai.providers.registry import load_providers
from amarktai.services.accounts import AccountRules, AccountServices, build_account_services
from amarktai.services.factors import FactorRules
from amarktai.services.key_checks import KeyChecks
from amarktai.services.keys import Keys
from amarktai.services.passwords import Passwords
from amarktai.services.sessions import SessionRules
from amarktai.storage.accounts import PgAccounts
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.database import Database
from amarktai.storage.embedded import DatabaseUrls
from tests.fakes import HandClock, SeededIds, SeededRng
from tests.providers.stand import KEYS

PASSWORD = "violet-otter-candle-47"
GOOD = KeyTestResult(
    TestOutcome.WORKS, "It works.", latency_ms=12, rights=KeyRights(frozenset({Right.VIEW, Right.TRADE}))
)
UNSAFE = KeyTestResult(
    TestOutcome.UNSAFE, "The key may withdraw money.", rights=KeyRights(frozenset({Right.WITHDRAW}))
)
REFUSED = KeyTestResult(TestOutcome.REFUSED, "Luno refused the key: gone.", "Make a new key.")
SILENT = KeyTestResult(TestOutcome.UNREACHABLE, "Luno could not be reached.", "Try again.")


@dataclass
class Oracle:
    """A provider that answers what the test says next, and remembers with what it was asked."""

    answer: KeyTestResult = GOOD
    asked: list[Credentials] = field(default_factory=list)

    async def test(self, credentials: Credentials) -> KeyTestResult:
        self.asked.append(credentials)
        return self.answer


@dataclass
class SecretDesk:
    """The services and what tests reach behind them."""

    database: Database
    store: PgAccounts
    accounts: AccountServices
    keys: Keys
    checks: KeyChecks
    oracle: Oracle
    registry: ProviderRegistry
    clock: HandClock
    ids: SeededIds

    async def join(self, email: str) -> Identity:
        """Make an account and sign it in."""
        now = to_datetime(self.clock.now_ns())
        user = User(self.ids.new(), email, "Ada", Role.TRADER, "UTC", now)
        session = Session(self.ids.new(), user.id, now, now, now + timedelta(days=1), None, None, now)
        async with self.store.unit(user.id) as unit:
            await unit.users.insert(
                user, await Passwords(SeededRng(), memory_kib=64, time_cost=1).hash(PASSWORD)
            )
            await unit.sessions.insert(session, session.id.bytes)
        return Identity(user, frozenset(Scope), session_id=session.id, stepped_up_at=now)

    async def save(self, who: Identity, provider: ProviderId = ProviderId.LUNO) -> None:
        await self.keys.save(who, provider, parts_of(KEYS[provider]))

    async def row(self, who: Identity, provider: ProviderId = ProviderId.LUNO) -> Mapping[str, object]:
        return next(row for row in await self.keys.list_keys(who) if row["provider"] == provider)


def parts_of(key: Credentials) -> dict[str, str | None]:
    return {"api_key": key.api_key, "api_secret": key.api_secret, "passphrase": key.passphrase}


@asynccontextmanager
async def secret_desk(urls: DatabaseUrls, ring: KeyRingSource) -> AsyncIterator[SecretDesk]:
    clock = HandClock()
    ids, rng, database = SeededIds(clock), SeededRng(), Database(urls.app, pool_size=4)
    store, oracle = PgAccounts(database), Oracle()
    registry = {
        provider: ProviderDesk(desk.provider, oracle) for provider, desk in load_providers(clock).items()
    }
    rules = AccountRules(
        SessionRules(timedelta(hours=12), timedelta(days=30), tries_per_account=6, tries_per_address=30),
        FactorRules(6, timedelta(minutes=5)),
        timedelta(days=7),
    )
    passwords = Passwords(rng, memory_kib=64, time_cost=1)
    accounts = build_account_services(store, passwords, rules, ring, clock=clock, ids=ids, rng=rng)
    keys = Keys(
        store, accounts.vault, registry, accounts.audit, clock=clock, ids=ids, own_address=lambda: None
    )
    started = to_datetime(clock.now_ns())
    checks = KeyChecks(store, PgAlerting(database), keys, registry, clock=clock, started_at=started)
    try:
        yield SecretDesk(database, store, accounts, keys, checks, oracle, registry, clock, ids)
    finally:
        await database.close()
