"""Personal access tokens: how programs sign in as their user, with less rights."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from amarktai.domain.errors import NotFound
from amarktai.domain.user import Identity, Scope
from amarktai.ports.accounts import AccessToken, Accounts
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.ids import Ids
from amarktai.ports.rng import Rng
from amarktai.services.audit import AuditTrail
from amarktai.services.paging import Page, decode_cursor, encode_cursor
from amarktai.services.secrets import hash_secret, join_token, new_secret
from amarktai.services.users import check_name


class Tokens:
    def __init__(self, accounts: Accounts, audit: AuditTrail, *, clock: Clock, ids: Ids, rng: Rng) -> None:
        self._accounts = accounts
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._rng = rng

    async def create(
        self, who: Identity, *, name: str, scopes: Iterable[Scope], expires_in_days: int | None
    ) -> tuple[AccessToken, str]:
        """Return a new token's record and the token itself, which is told this once."""
        secret, now = new_secret(self._rng), to_datetime(self._clock.now_ns())
        token = AccessToken(
            id=self._ids.new(),
            user_id=who.user_id,
            name=check_name(name),
            scopes=tuple(sorted(set(scopes) | {Scope.READ})),
            created_at=now,
            expires_at=now + timedelta(days=expires_in_days) if expires_in_days else None,
        )
        async with self._accounts.unit(who.user_id) as unit:
            await unit.tokens.insert(token, hash_secret(secret))
            await self._audit.record(
                unit.audit,
                who,
                "token.created",
                ("access_token", token.id),
                after={"name": token.name, "scopes": [scope.value for scope in token.scopes]},
            )
        return token, join_token(who.user_id, secret)

    async def list_tokens(self, who: Identity, *, cursor: str | None, limit: int) -> Page:
        """Return the user's tokens, the newest first."""
        after = decode_cursor(cursor, UUID)[0] if cursor else None
        async with self._accounts.unit(who.user_id) as unit:
            tokens = await unit.tokens.page(after, limit + 1)
        more = encode_cursor(tokens[limit - 1].id) if len(tokens) > limit else None
        return Page([token_view(token) for token in tokens[:limit]], more)

    async def revoke(self, who: Identity, token_id: UUID) -> None:
        """End a token at once. Raises: NotFound."""
        async with self._accounts.unit(who.user_id) as unit:
            if not await unit.tokens.revoke(token_id, to_datetime(self._clock.now_ns())):
                raise NotFound("NOT_FOUND", "There is no such token.", "Reload the list.")
            await self._audit.record(unit.audit, who, "token.revoked", ("access_token", token_id))


def token_view(token: AccessToken) -> dict[str, object]:
    """Return a token's record as the API shows it."""
    return {
        "id": token.id,
        "name": token.name,
        "scopes": list(token.scopes),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
    }
