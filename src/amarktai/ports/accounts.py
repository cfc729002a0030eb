"""People, their sessions, tokens and invitations, and the audit log: the store's other half.

A unit belongs to one tenant (None: nobody is signed in yet, only tables without users' rows).
Secrets come in as hashes; no method returns one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from amarktai.domain.audit import AuditFact, AuditRow
from amarktai.domain.bot import TradingMode
from amarktai.domain.user import Role, Scope, User
from amarktai.ledger.profit import RollupDelta, RollupKey
from amarktai.ports.events import EventPayload

if TYPE_CHECKING:
    from amarktai.ports.factors import FactorStore
    from amarktai.ports.keys import ProviderKeyStore, VenueAccountStore
    from amarktai.ports.reports import Reports
    from amarktai.ports.secrets import SealedRows


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's session. ``expires_at`` is the absolute end; idleness ends it earlier.

    ``stepped_up_at`` is when its user last proved who they are: password, or second factor if on.
    """

    id: UUID
    user_id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ip: str | None
    user_agent: str | None
    stepped_up_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A personal access token for programs."""

    id: UUID
    user_id: UUID
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation to make an account. ``email`` binds it to one address when given."""

    id: UUID
    email: str | None
    role: Role
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failed sign-ins of one account or address."""

    failures: int
    blocked_until: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a request with an idempotency key led to. ``status`` is None while it still runs."""

    request_hash: bytes
    status: int | None
    response: bytes | None


class UserStore(Protocol):
    async def insert(self, user: User, password_hash: str) -> None:
        """Raises: Conflict EMAIL_TAKEN."""

    async def count(self, *, lock: bool = False) -> int:
        """Return how many users exist; ``lock`` keeps others from adding one until the commit."""

    async def by_email(self, email: str) -> tuple[User, str] | None:
        """Return the user and the password's hash."""

    async def get(self, user_id: UUID) -> tuple[User, str] | None: ...

    async def page(self, after: UUID | None, limit: int) -> list[User]: ...

    async def bots_counts(self, user_ids: Sequence[UUID]) -> dict[UUID, int]:
        """Return each user's bots that are not deleted. Leaves the unit without a tenant."""

    async def active_admins(self) -> int: ...

    async def update(self, user_id: UUID, changes: Mapping[str, Any]) -> None: ...


class SessionStore(Protocol):
    async def insert(self, session: Session, secret_hash: bytes) -> None: ...

    async def find(self, secret_hash: bytes) -> tuple[Session, User] | None:
        """Return the tenant's session that is not revoked, with its user."""

    async def get(self, session_id: UUID) -> Session | None:
        """Return a session that is not revoked."""

    async def touch(self, session_id: UUID, at: datetime, ip: str | None) -> None: ...

    async def step_up(self, session_id: UUID, at: datetime) -> None: ...

    async def active(self, now: datetime, idle_since: datetime) -> list[Session]: ...

    async def revoke(self, session_id: UUID, at: datetime) -> bool: ...

    async def revoke_all(self, at: datetime, *, but: UUID | None = None) -> int: ...


class TokenStore(Protocol):
    async def insert(self, token: AccessToken, secret_hash: bytes) -> None: ...

    async def find(self, secret_hash: bytes) -> tuple[AccessToken, User] | None: ...

    async def get(self, token_id: UUID) -> AccessToken | None:
        """Return a token that is not revoked."""

    async def touch(self, token_id: UUID, at: datetime) -> None: ...

    async def page(self, after: UUID | None, limit: int) -> list[AccessToken]: ...

    async def revoke(self, token_id: UUID, at: datetime) -> bool: ...

    async def revoke_all(self, at: datetime) -> int: ...


class InviteStore(Protocol):
    async def insert(self, invite: Invite, secret_hash: bytes) -> None: ...

    async def find(self, secret_hash: bytes) -> Invite | None:
        """Return the invitation, locked until the commit."""

    async def page(self, after: UUID | None, limit: int) -> list[Invite]: ...

    async def use(self, invite_id: UUID, user_id: UUID, at: datetime) -> None: ...

    async def delete(self, invite_id: UUID) -> bool: ...


class AttemptStore(Protocol):
    async def lock(self, key: str, now: datetime) -> Attempts:
        """Return the key's attempts, made when absent, locked until the commit."""

    async def save(self, key: str, attempts: Attempts) -> None: ...

    async def clear(self, key: str) -> None: ...


class PlatformSettings(Protocol):
    async def get(self, name: str) -> Any | None: ...

    async def put(self, name: str, value: Any, at: datetime) -> None: ...

    async def remove(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which facts. ``seen_by`` keeps those that a person did, and those about that person's own bots."""

    seen_by: UUID | None = None
    object_type: str | None = None
    object_id: str | None = None


@dataclass(frozen=True, slots=True)
class NamedFact:
    """A recorded fact and the present name of who did it (None: not a person, or one who is gone)."""

    row: AuditRow
    actor_name: str | None


class AuditStore(Protocol):
    async def append(self, fact: AuditFact, at: datetime) -> None:
        """Chain one fact. Appends wait for each other, so make this the last thing in a unit."""

    async def read(self, after_seq: int, limit: int) -> list[AuditRow]: ...

    async def page(self, wanted: AuditFilter, before_seq: int | None, limit: int) -> list[NamedFact]:
        """Return facts with a smaller sequence (all when None), newest first."""


class AnswerStore(Protocol):
    async def begin(self, key: str, request_hash: bytes, at: datetime) -> StoredAnswer | None:
        """Claim the key (None), or return what the request that claimed it led to."""

    async def finish(self, key: str, status: int, response: bytes) -> None: ...

    async def release(self, key: str) -> None: ...

    async def forget_before(self, at: datetime) -> None: ...


class RollupStore(Protocol):
    """What changes with a user's timezone: the day that each figure belongs to."""

    async def lock_books(self) -> None:
        """Lock the tenant's books until the commit, so that no fill is booked meanwhile."""

    async def replace(self, mode: TradingMode, rollups: Mapping[RollupKey, RollupDelta]) -> None:
        """Put these rollups in place of all that the tenant has in that mode."""


class AccountUnit(Protocol):
    """One transaction with every account store."""

    @property
    def users(self) -> UserStore: ...

    @property
    def sessions(self) -> SessionStore: ...

    @property
    def tokens(self) -> TokenStore: ...

    @property
    def invites(self) -> InviteStore: ...

    @property
    def attempts(self) -> AttemptStore: ...

    @property
    def platform_settings(self) -> PlatformSettings: ...

    @property
    def audit(self) -> AuditStore: ...

    @property
    def answers(self) -> AnswerStore: ...

    @property
    def keys(self) -> ProviderKeyStore: ...

    @property
    def venue_accounts(self) -> VenueAccountStore: ...

    @property
    def factors(self) -> FactorStore: ...

    @property
    def sealed(self) -> SealedRows: ...

    @property
    def alerts(self) -> AlertStore:
        """The tenant's alerts, and their events."""

    @property
    def figures(self) -> RollupStore: ...

    @property
    def reports(self) -> Reports:
        """The tenant's books, as of this transaction."""


class Accounts(Protocol):
    def unit(self, user_id: UUID | None) -> AbstractAsyncContextManager[AccountUnit]:
        """Open a transaction for one tenant or none; leaving it normally commits."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """Something a person should know."""

    id: UUID
    type: str
    severity: str
    message: str
    bot_id: UUID | None
    created_at: datetime
    acknowledged_at: datetime | None


class AlertStore(Protocol):
    @property
    def audit(self) -> AuditStore: ...

    async def page(self, after: tuple[datetime, UUID] | None, limit: int) -> list[AlertRow]:
        """Return the tenant's alerts, newest first."""

    async def acknowledge(self, alert_id: UUID, at: datetime) -> bool: ...

    async def insert(self, row: AlertRow) -> None: ...

    async def emit(self, events: Sequence[tuple[str, EventPayload]], at: datetime) -> None:
        """Append events to the tenant's outbox in the same transaction."""


class Alerting(Protocol):
    def alerts(self, user_id: UUID) -> AbstractAsyncContextManager[AlertStore]: ...

    async def active_users(self, *, role: Role | None = None) -> list[UUID]:
        """Return everybody whose account is on, or those of one role."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A worker process as it last reported itself."""

    role: str
    pid: int
    started_at: datetime
    beat_at: datetime
    detail: Mapping[str, Any]


class SystemStore(Protocol):
    async def ping(self) -> None:
        """Ask the database for a sign of life. Raises: Unavailable."""

    async def heartbeats(self) -> list[Heartbeat]: ...

    async def market(self) -> str | None:
        """Return the market that an admin chose (live or sandbox), or None when nobody did."""

    async def choose_market(self, source: str, at: datetime, fact: AuditFact) -> None:
        """Store the choice with its audit fact and tell the engine, in one transaction."""

    async def database(self) -> tuple[str, int]:
        """Return the server's version and the database's size in bytes."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row of the outbox."""

    seq: int
    type: str
    payload: Mapping[str, Any]
    created_at: datetime


class EventStore(Protocol):
    async def bounds(self, user_id: UUID) -> tuple[int, int]:
        """Return the oldest sequence that is kept and the newest one; (1, 0) before the first event."""

    async def after(self, user_id: UUID, seq: int, limit: int) -> list[StoredEvent]:
        """Return events with a greater sequence, oldest first."""

    async def before(self, user_id: UUID, seq: int | None, limit: int) -> list[StoredEvent]:
        """Return events with a smaller sequence (all when None), newest first."""

    async def prune(self, user_id: UUID, older_than: datetime) -> int: ...
