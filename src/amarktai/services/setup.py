"""The first run: a one-time token, or an address and password from the settings, make the first admin."""

from __future__ import annotations

import hmac
from typing import Final

from amarktai.domain.errors import Conflict, Forbidden
from amarktai.domain.user import Identity, Role
from amarktai.ports.accounts import Accounts
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.rng import Rng
from amarktai.services.audit import AuditTrail
from amarktai.services.secrets import hash_secret, new_secret
from amarktai.services.sessions import ALL_SCOPES, Client, Sessions, SignedIn
from amarktai.services.users import NewUser, Users

_TOKEN: Final = "setup_token"


class Setup:
    def __init__(
        self,
        accounts: Accounts,
        users: Users,
        sessions: Sessions,
        audit: AuditTrail,
        *,
        clock: Clock,
        rng: Rng,
    ) -> None:
        self._accounts = accounts
        self._users = users
        self._sessions = sessions
        self._audit = audit
        self._clock = clock
        self._rng = rng

    async def is_needed(self) -> bool:
        """Return whether nobody has an account yet."""
        async with self._accounts.unit(None) as unit:
            return await unit.users.count() == 0

    async def prepare(self) -> str | None:
        """Return a fresh setup token to print, or None when somebody has an account.

        Only its hash is kept; the token of an earlier start is no longer good.
        """
        token = new_secret(self._rng)
        async with self._accounts.unit(None) as unit:
            if await unit.users.count() > 0:
                return None
            now = to_datetime(self._clock.now_ns())
            await unit.platform_settings.put(_TOKEN, hash_secret(token).hex(), now)
        return token

    async def complete(self, token: str, wanted: NewUser, client: Client) -> SignedIn:
        """Make the first admin and sign them in.

        Raises: Conflict SETUP_DONE; Forbidden SETUP_TOKEN_WRONG; InvalidInput.
        """
        await self._check(token)
        return await self._make_admin(wanted, client)

    async def complete_unattended(self, wanted: NewUser) -> bool:
        """Make the first admin from the settings; False when somebody has an account already.

        Raises: InvalidInput WEAK_PASSWORD: the platform does not start with a guessable one.
        """
        if not await self.is_needed():
            return False
        await self._make_admin(wanted, Client(ip=None, user_agent=None), sign_in=False)
        return True

    async def _check(self, token: str) -> None:
        async with self._accounts.unit(None) as unit:
            if await unit.users.count() > 0:
                raise _done()
            stored = await unit.platform_settings.get(_TOKEN)
        given = hash_secret(token).hex()
        if not isinstance(stored, str) or not hmac.compare_digest(stored, given):
            raise Forbidden(
                "SETUP_TOKEN_WRONG",
                "The setup token is wrong.",
                "Copy it from the terminal where Amarktai started; a restart prints a new one.",
            )

    async def _make_admin(self, wanted: NewUser, client: Client, *, sign_in: bool = True) -> SignedIn:
        user, password_hash = await self._users.prepare(wanted, Role.ADMIN)
        async with self._accounts.unit(user.id) as unit:
            if await unit.users.count(lock=True) > 0:  # somebody else was faster
                raise _done()
            await unit.users.insert(user, password_hash)
            await unit.platform_settings.remove(_TOKEN)
            signed_in = SignedIn(user, "", user.created_at)
            who = Identity(user, ALL_SCOPES, ip=client.ip)
            if sign_in:
                signed_in, _ = await self._sessions.open(unit, user, client)
            await self._audit.record(unit.audit, who, "setup.completed", ("user", user.id))
        return signed_in


def _done() -> Conflict:
    return Conflict("SETUP_DONE", "The first admin exists already.", "Sign in instead.")
