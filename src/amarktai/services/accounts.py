"""The account services together, as the API and the command line need them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from amarktai.ports.accounts import Accounts
from amarktai.ports.clock import Clock
from amarktai.ports.ids import Ids
from amarktai.ports.rng import Rng
from amarktai.ports.secrets import KeyRingSource
from amarktai.services.audit import AuditTrail
from amarktai.services.factors import FactorRules, Factors
from amarktai.services.idempotency import Idempotency
from amarktai.services.invites import Invites
from amarktai.services.passwords import Passwords
from amarktai.services.sessions import SessionRules, Sessions
from amarktai.services.setup import Setup
from amarktai.services.tokens import Tokens
from amarktai.services.users import Users
from amarktai.services.vault import Vault


@dataclass(frozen=True, slots=True)
class AccountServices:
    """Everything about people; one store and one clock under all of it."""

    audit: AuditTrail
    sessions: Sessions
    users: Users
    setup: Setup
    invites: Invites
    tokens: Tokens
    vault: Vault
    factors: Factors
    idempotency: Idempotency


@dataclass(frozen=True, slots=True)
class AccountRules:
    """What the settings say about sessions and invitations."""

    sessions: SessionRules
    factors: FactorRules
    invite_lifetime: timedelta


def build_account_services(
    store: Accounts,
    passwords: Passwords,
    rules: AccountRules,
    key_ring: KeyRingSource,
    *,
    clock: Clock,
    ids: Ids,
    rng: Rng,
) -> AccountServices:
    """Return the services, each with the others that it needs."""
    audit = AuditTrail(store, clock)
    vault = Vault(store, key_ring, audit, rng)
    factors = Factors(store, vault, passwords, audit, rules.factors, clock=clock, ids=ids, rng=rng)
    sessions = Sessions(store, passwords, audit, rules.sessions, factors, clock=clock, ids=ids, rng=rng)
    users = Users(store, passwords, audit, clock=clock, ids=ids)
    return AccountServices(
        audit=audit,
        sessions=sessions,
        users=users,
        setup=Setup(store, users, sessions, audit, clock=clock, rng=rng),
        invites=Invites(store, users, sessions, audit, rules.invite_lifetime, clock=clock, ids=ids, rng=rng),
        vault=vault,
        factors=factors,
        tokens=Tokens(store, audit, clock=clock, ids=ids, rng=rng),
        idempotency=Idempotency(store, clock=clock),
    )
