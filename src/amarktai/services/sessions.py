"""Signing in and out, and knowing who asks: cookie sessions and personal access tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from amarktai.domain.errors import NotFound, Unauthenticated
from amarktai.domain.user import Identity, Scope, User
from amarktai.ports.accounts import Accounts, AccountUnit, Session
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.ids import Ids
from amarktai.ports.rng import Rng
from amarktai.services.audit import AuditTrail
from amarktai.services.factors import Factors
from amarktai.services.passwords import Passwords
from amarktai.services.secrets import hash_secret, join_cookie, new_secret, split_cookie, split_token
from amarktai.services.throttle import Throttle

ALL_SCOPES: Final = frozenset(Scope)
_SEEN_EVERY: Final = timedelta(seconds=60)
_USER_AGENT_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long sessions live and how many sign-ins may fail in an hour."""

    idle: timedelta
    absolute: timedelta
    tries_per_account: int
    tries_per_address: int


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from."""

    ip: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session. ``cookie`` is its secret, told this once."""

    user: User
    cookie: str
    expires_at: datetime


class Sessions:
    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        audit: AuditTrail,
        rules: SessionRules,
        factors: Factors,
        *,
        clock: Clock,
        ids: Ids,
        rng: Rng,
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._audit = audit
        self._rules = rules
        self._factors = factors
        self._throttle = Throttle(accounts, clock)
        self._clock = clock
        self._ids = ids
        self._rng = rng

    async def sign_in(self, email: str, password: str, client: Client, code: str | None = None) -> SignedIn:
        """Check password and second factor and open a session. An unknown address takes as long as a wrong
        password.

        Raises: Unauthenticated, SECOND_FACTOR_NEEDED when the password is right and a code is to follow;
        RateLimited after too many failures of the account or the address.
        """
        address = normalise_email(email)
        account_key = "account:" + hashlib.sha256(address.encode()).hexdigest()
        await self._throttle.count(
            (account_key, self._rules.tries_per_account),
            (f"ip:{client.ip}", self._rules.tries_per_address),
            what="sign-ins have failed",
        )
        async with self._accounts.unit(None) as unit:
            found = await unit.users.by_email(address)
        fits = await self._passwords.verify(found[1] if found else None, password)
        if found is None or not fits or not found[0].is_active:
            raise Unauthenticated(
                "LOGIN_FAILED", "Email address or password is wrong.", "Check both and try again."
            )
        user, stored = found
        await self._factors.pass_at_sign_in(user, code)
        fresh = await self._passwords.hash(password) if self._passwords.is_outdated(stored) else None
        async with self._accounts.unit(user.id) as unit:
            await unit.attempts.clear(account_key)
            if fresh is not None:
                await unit.users.update(user.id, {"password_hash": fresh})
            signed_in, session = await self.open(unit, user, client)
            who = Identity(user, ALL_SCOPES, session_id=session.id, ip=client.ip)
            await self._audit.record(unit.audit, who, "session.opened", ("session", session.id))
        return signed_in

    async def open(self, unit: AccountUnit, user: User, client: Client) -> tuple[SignedIn, Session]:
        """Write a new session into a running transaction of this user."""
        secret, now = new_secret(self._rng), self._now()
        session = Session(
            id=self._ids.new(),
            user_id=user.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + self._rules.absolute,
            ip=client.ip,
            user_agent=client.user_agent[:_USER_AGENT_LENGTH] if client.user_agent else None,
            stepped_up_at=now,  # whoever opens a session has just proved who they are
        )
        await unit.sessions.insert(session, hash_secret(secret))
        return SignedIn(user, join_cookie(user.id, secret), session.expires_at), session

    async def identify_cookie(self, cookie: str, client: Client) -> Identity:
        """Return who holds this session. Raises: Unauthenticated when it is unknown, over or revoked."""
        pair = split_cookie(cookie)
        if pair is None:
            raise _signed_out()
        user_id, secret = pair
        now = self._now()
        async with self._accounts.unit(user_id) as unit:
            found = await unit.sessions.find(hash_secret(secret))
            if found is None or not self._is_alive(found[0], now) or not found[1].is_active:
                raise _signed_out()
            session, user = found
            if now - session.last_seen_at >= _SEEN_EVERY:
                await unit.sessions.touch(session.id, now, client.ip)
        return Identity(
            user, ALL_SCOPES, session_id=session.id, ip=client.ip, stepped_up_at=session.stepped_up_at
        )

    async def identify_token(self, text: str, client: Client) -> Identity:
        """Return whose token this is. Raises: Unauthenticated when it is unknown, over or revoked."""
        pair = split_token(text)
        if pair is None:
            raise _bad_token()
        user_id, secret = pair
        now = self._now()
        async with self._accounts.unit(user_id) as unit:
            found = await unit.tokens.find(hash_secret(secret))
            if found is None or not found[1].is_active:
                raise _bad_token()
            token, user = found
            if token.expires_at is not None and token.expires_at <= now:
                raise _bad_token()
            if token.last_used_at is None or now - token.last_used_at >= _SEEN_EVERY:
                await unit.tokens.touch(token.id, now)
        return Identity(user, frozenset(token.scopes), token_id=token.id, ip=client.ip)

    async def check(self, who: Identity) -> None:
        """Ask whether the session or token that signed somebody in still lives; it is not used by this.

        Raises: Unauthenticated when it has ended.
        """
        now = self._now()
        async with self._accounts.unit(who.user_id) as unit:
            found = await unit.users.get(who.user_id)
            if who.session_id is not None:
                session = await unit.sessions.get(who.session_id)
                is_alive = session is not None and self._is_alive(session, now)
            else:
                token = await unit.tokens.get(who.token_id) if who.token_id else None
                is_alive = token is not None and (token.expires_at is None or token.expires_at > now)
        if found is None or not found[0].is_active or not is_alive:
            raise _signed_out()

    async def sign_out(self, who: Identity) -> None:
        """End the session that asks; a token has none to end."""
        if who.session_id is not None:
            await self.revoke(who, who.session_id)

    async def list_sessions(self, who: Identity) -> Sequence[Session]:
        """Return the user's living sessions, the latest used first."""
        now = self._now()
        async with self._accounts.unit(who.user_id) as unit:
            return await unit.sessions.active(now, now - self._rules.idle)

    async def revoke(self, who: Identity, session_id: UUID) -> None:
        """End one of the user's sessions. Raises: NotFound."""
        async with self._accounts.unit(who.user_id) as unit:
            if not await unit.sessions.revoke(session_id, self._now()):
                raise NotFound("NOT_FOUND", "There is no such session.", "Reload the list.")
            await self._audit.record(unit.audit, who, "session.revoked", ("session", session_id))

    def _is_alive(self, session: Session, now: datetime) -> bool:
        return now < session.expires_at and now - session.last_seen_at < self._rules.idle

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_ns())


def normalise_email(email: str) -> str:
    """Return the address as it is stored and compared."""
    return email.strip().lower()


def _signed_out() -> Unauthenticated:
    return Unauthenticated("UNAUTHENTICATED", "You are not signed in.", "Sign in and try again.")


def _bad_token() -> Unauthenticated:
    return Unauthenticated(
        "UNAUTHENTICATED", "The access token is not valid.", "Make a new token in the settings."
    )
