"""Invitations: how everybody after the first admin gets an account."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from amarktai.domain.errors import Conflict, NotFound
from amarktai.domain.user import Identity, Role
from amarktai.ports.accounts import Accounts, Invite
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.ids import Ids
from amarktai.ports.rng import Rng
from amarktai.services.audit import AuditTrail
from amarktai.services.paging import Page, decode_cursor, encode_cursor
from amarktai.services.secrets import hash_secret, new_secret
from amarktai.services.sessions import ALL_SCOPES, Client, Sessions, SignedIn, normalise_email
from amarktai.services.users import NewUser, Users


class Invites:
    def __init__(
        self,
        accounts: Accounts,
        users: Users,
        sessions: Sessions,
        audit: AuditTrail,
        lifetime: timedelta,
        *,
        clock: Clock,
        ids: Ids,
        rng: Rng,
    ) -> None:
        self._accounts = accounts
        self._users = users
        self._sessions = sessions
        self._audit = audit
        self._lifetime = lifetime
        self._clock = clock
        self._ids = ids
        self._rng = rng

    async def create(self, who: Identity, *, email: str | None, role: Role) -> tuple[Invite, str]:
        """Return a new invitation and its token, which is told this once."""
        token, now = new_secret(self._rng), to_datetime(self._clock.now_ns())
        invite = Invite(
            id=self._ids.new(),
            email=normalise_email(email) if email else None,
            role=role,
            created_by=who.user_id,
            created_at=now,
            expires_at=now + self._lifetime,
        )
        async with self._accounts.unit(who.user_id) as unit:
            await unit.invites.insert(invite, hash_secret(token))
            await self._audit.record(
                unit.audit, who, "invite.created", ("invite", invite.id), after={"role": role.value}
            )
        return invite, token

    async def list_invites(self, *, cursor: str | None, limit: int) -> Page:
        """Return invitations, the newest first."""
        after = decode_cursor(cursor, UUID)[0] if cursor else None
        async with self._accounts.unit(None) as unit:
            invites = await unit.invites.page(after, limit + 1)
        more = encode_cursor(invites[limit - 1].id) if len(invites) > limit else None
        return Page([invite_view(invite) for invite in invites[:limit]], more)

    async def delete(self, who: Identity, invite_id: UUID) -> None:
        """Withdraw an invitation. Raises: NotFound."""
        async with self._accounts.unit(who.user_id) as unit:
            if not await unit.invites.delete(invite_id):
                raise NotFound("NOT_FOUND", "There is no such invitation.", "Reload the list.")
            await self._audit.record(unit.audit, who, "invite.deleted", ("invite", invite_id))

    async def accept(self, token: str, wanted: NewUser, client: Client) -> SignedIn:
        """Make the account that the invitation is for and sign it in.

        Raises: NotFound INVITE_INVALID; Conflict EMAIL_TAKEN; InvalidInput.
        """
        async with self._accounts.unit(None) as unit:
            invite = await unit.invites.find(hash_secret(token))
        self._check(invite, wanted.email)
        user, password_hash = await self._users.prepare(wanted, invite.role if invite else Role.VIEWER)
        async with self._accounts.unit(user.id) as unit:
            invite = self._check(await unit.invites.find(hash_secret(token)), wanted.email)
            await unit.users.insert(user, password_hash)
            await unit.invites.use(invite.id, user.id, user.created_at)
            signed_in, session = await self._sessions.open(unit, user, client)
            who = Identity(user, ALL_SCOPES, session_id=session.id, ip=client.ip)
            await self._audit.record(
                unit.audit, who, "invite.accepted", ("invite", invite.id), after={"user": str(user.id)}
            )
        return signed_in

    def _check(self, invite: Invite | None, email: str) -> Invite:
        now = to_datetime(self._clock.now_ns())
        if invite is None or invite.used_at is not None or invite.expires_at <= now:
            raise NotFound(
                "INVITE_INVALID", "The invitation is unknown, used or over.", "Ask an admin for a new one."
            )
        if invite.email is not None and invite.email != normalise_email(email):
            raise Conflict(
                "INVITE_EMAIL", "The invitation is for another email address.", "Use the invited address."
            )
        return invite


def invite_view(invite: Invite) -> dict[str, object]:
    """Return an invitation as the API shows it."""
    return {
        "id": invite.id,
        "email": invite.email,
        "role": invite.role,
        "created_at": invite.created_at,
        "expires_at": invite.expires_at,
        "used_at": invite.used_at,
    }
