"""People: making accounts, one's own profile and password, and what admins do with users."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID
from zoneinfo import available_timezones

from amarktai.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from amarktai.domain.user import Identity, Role, User
from amarktai.ports.accounts import Accounts, AccountUnit
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.ids import Ids
from amarktai.services.audit import AuditTrail
from amarktai.services.paging import Page, decode_cursor, encode_cursor
from amarktai.services.passwords import Passwords, check_strength
from amarktai.services.rollups import rebuild_rollups
from amarktai.services.sessions import normalise_email

_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,250}")
_NAME_LENGTH: Final = 80


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a person says of themselves when the account is made."""

    name: str
    email: str
    password: str
    timezone: str


class Users:
    def __init__(
        self, accounts: Accounts, passwords: Passwords, audit: AuditTrail, *, clock: Clock, ids: Ids
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def prepare(self, wanted: NewUser, role: Role) -> tuple[User, str]:
        """Check what was given and return the user and the password's hash, not yet stored.

        Raises: InvalidInput; WEAK_PASSWORD.
        """
        email, name = normalise_email(wanted.email), check_name(wanted.name)
        if not _EMAIL.fullmatch(email):
            raise InvalidInput("VALIDATION_ERROR", "The email address is not valid.", "Correct it.")
        check_timezone(wanted.timezone)
        check_strength(wanted.password, known=(email, name))
        user = User(
            id=self._ids.new(),
            email=email,
            name=name,
            role=role,
            timezone=wanted.timezone,
            created_at=to_datetime(self._clock.now_ns()),
        )
        return user, await self._passwords.hash(wanted.password)

    async def update_me(self, who: Identity, changes: Mapping[str, Any]) -> User:
        """Change one's name, timezone or settings (which are merged into the present ones).

        Another timezone moves fills to other days: profits by day are summed anew with it.
        """
        values = dict(changes)
        if "name" in values:
            values["name"] = check_name(values["name"])
        if "timezone" in values:
            check_timezone(values["timezone"])
        if "settings" in values:
            values["settings"] = {**who.user.settings, **values["settings"]}
        if not values:
            return who.user
        async with self._accounts.unit(who.user_id) as unit:
            if "timezone" in values:
                await unit.figures.lock_books()  # before the user's row: the order in which fills lock
            await unit.users.update(who.user_id, values)
            if "timezone" in values:
                await rebuild_rollups(unit, values["timezone"])
            await self._audit.record(unit.audit, who, "user.updated", ("user", who.user_id), after=values)
        return replace(who.user, **values)

    async def change_password(self, who: Identity, current: str, new: str) -> None:
        """Set a new password and end every other session and token of the user.

        Raises: Forbidden PASSWORD_WRONG; InvalidInput WEAK_PASSWORD.
        """
        async with self._accounts.unit(who.user_id) as unit:
            found = await unit.users.get(who.user_id)
        if not await self._passwords.verify(found[1] if found else None, current):
            raise Forbidden("PASSWORD_WRONG", "The current password is wrong.", "Check it and try again.")
        check_strength(new, known=(who.user.email, who.user.name))
        stored, now = await self._passwords.hash(new), to_datetime(self._clock.now_ns())
        async with self._accounts.unit(who.user_id) as unit:
            await unit.users.update(who.user_id, {"password_hash": stored})
            await unit.sessions.revoke_all(now, but=who.session_id)
            await unit.tokens.revoke_all(now)
            await self._audit.record(unit.audit, who, "user.password_changed", ("user", who.user_id))

    async def list_users(self, *, cursor: str | None, limit: int) -> Page:
        """Return users, the oldest first, each with the number of bots."""
        after = decode_cursor(cursor, UUID)[0] if cursor else None
        async with self._accounts.unit(None) as unit:
            users = await unit.users.page(after, limit + 1)
            bots = await unit.users.bots_counts([user.id for user in users[:limit]])
        items = [
            {
                **user_view(user),
                "is_active": user.is_active,
                "last_seen_at": user.last_seen_at,
                "bots_count": bots[user.id],
            }
            for user in users[:limit]
        ]
        return Page(items, encode_cursor(users[limit - 1].id) if len(users) > limit else None)

    async def administer(
        self, who: Identity, user_id: UUID, *, role: Role | None, is_active: bool | None
    ) -> User:
        """Change a user's role or switch the account off or on.

        Raises: NotFound; Conflict LAST_ADMIN when nobody could administer the platform any more.
        """
        async with self._accounts.unit(user_id) as unit:
            admins = await unit.users.active_admins()
            found = await unit.users.get(user_id)
            if found is None:
                raise NotFound("NOT_FOUND", "There is no such user.", "Reload the list.")
            user = found[0]
            changed = replace(
                user,
                role=user.role if role is None else role,
                is_active=user.is_active if is_active is None else is_active,
            )
            _refuse_last_admin(user, changed, admins)
            if changed != user:
                await self._store_administered(unit, who, user, changed)
        return changed

    async def _store_administered(self, unit: AccountUnit, who: Identity, before: User, after: User) -> None:
        now = to_datetime(self._clock.now_ns())
        await unit.users.update(after.id, {"role": after.role.value, "is_active": after.is_active})
        if before.is_active and not after.is_active:
            await unit.sessions.revoke_all(now)
            await unit.tokens.revoke_all(now)
        await self._audit.record(
            unit.audit,
            who,
            "user.administered",
            ("user", after.id),
            before={"role": before.role.value, "is_active": before.is_active},
            after={"role": after.role.value, "is_active": after.is_active},
        )


def user_view(user: User) -> dict[str, Any]:
    """Return a user as ``GET /api/auth/me`` shows it."""
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "role": user.role,
        "timezone": user.timezone,
        "created_at": user.created_at,
        "settings": user.settings,
    }


def check_name(name: str) -> str:
    """Return the name without spaces around it. Raises: InvalidInput."""
    trimmed = name.strip()
    if not 1 <= len(trimmed) <= _NAME_LENGTH or not trimmed.isprintable():
        raise InvalidInput(
            "VALIDATION_ERROR", f"A name has 1 to {_NAME_LENGTH} printable characters.", "Correct the name."
        )
    return trimmed


def check_timezone(timezone: str) -> None:
    """Raises: InvalidInput for a name that is not in the timezone database."""
    if timezone not in available_timezones():
        raise InvalidInput(
            "VALIDATION_ERROR", f"{timezone!r} is not a timezone.", "Use a name such as Africa/Johannesburg."
        )


def _refuse_last_admin(before: User, after: User, active_admins: int) -> None:
    was = before.role is Role.ADMIN and before.is_active
    stays = after.role is Role.ADMIN and after.is_active
    if was and not stays and active_admins <= 1:
        raise Conflict("LAST_ADMIN", "This is the last active admin.", "Make somebody else an admin first.")
