"""One's own account, sessions and tokens; users and invitations for admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from amarktai.api.auth import Admin, Container, Person, Who
from amarktai.api.errors import SIGNED_IN, responses
from amarktai.api.models.accounts import (
    InviteAnswer,
    InvitePage,
    MeChanges,
    NewInvite,
    NewToken,
    PasswordChange,
    SessionList,
    SessionView,
    TokenAnswer,
    TokenPage,
    UserAnswer,
    UserChanges,
    UserPage,
)
from amarktai.api.paging import Cursor, Limit, page
from amarktai.api.routing import IdempotentRoute
from amarktai.services.invites import invite_view
from amarktai.services.tokens import token_view
from amarktai.services.users import user_view

router = APIRouter(prefix="/api", tags=["users"], route_class=IdempotentRoute, responses=SIGNED_IN)


@router.get("/auth/me")
async def read_me(who: Who) -> UserAnswer:
    """Return the user who asks."""
    return UserAnswer.model_validate({"user": user_view(who.user)})


@router.patch("/auth/me")
async def update_me(body: MeChanges, who: Person, services: Container) -> UserAnswer:
    """Change one's name, timezone or settings; what is left out stays."""
    user = await services.users.update_me(who, body.model_dump(exclude_none=True))
    return UserAnswer.model_validate({"user": user_view(user)})


@router.post("/auth/password", status_code=204)
async def change_password(body: PasswordChange, who: Person, services: Container) -> None:
    """Set a new password; every other session and every token of the user ends."""
    await services.users.change_password(who, body.current_password, body.new_password)


@router.get("/auth/sessions")
async def list_sessions(who: Who, services: Container) -> SessionList:
    """Return the browsers in which the user is signed in."""
    sessions = await services.sessions.list_sessions(who)
    return SessionList(
        items=[
            SessionView(
                id=session.id,
                created_at=session.created_at,
                last_seen_at=session.last_seen_at,
                expires_at=session.expires_at,
                ip=session.ip,
                user_agent=session.user_agent,
                current=session.id == who.session_id,
            )
            for session in sessions
        ]
    )


@router.delete("/auth/sessions/{session_id:uuid}", status_code=204, responses=responses(404))
async def end_session(session_id: UUID, who: Person, services: Container) -> None:
    """End one of the user's sessions."""
    await services.sessions.revoke(who, session_id)


@router.get("/tokens")
async def list_tokens(who: Who, services: Container, cursor: Cursor = None, limit: Limit = 50) -> TokenPage:
    """Return the user's access tokens, without their secrets."""
    return TokenPage.model_validate(page(await services.tokens.list_tokens(who, cursor=cursor, limit=limit)))


@router.post("/tokens", status_code=201)
async def create_token(body: NewToken, who: Person, services: Container) -> TokenAnswer:
    """Make an access token for a program; it is told this once."""
    token, text = await services.tokens.create(
        who, name=body.name, scopes=body.scopes, expires_in_days=body.expires_in_days
    )
    return TokenAnswer.model_validate({"access_token": token_view(token), "token": text})


@router.delete("/tokens/{token_id:uuid}", status_code=204, responses=responses(404))
async def revoke_token(token_id: UUID, who: Person, services: Container) -> None:
    """End an access token at once."""
    await services.tokens.revoke(who, token_id)


@router.get("/users")
async def list_users(_: Admin, services: Container, cursor: Cursor = None, limit: Limit = 50) -> UserPage:
    """Return everybody with an account."""
    return UserPage.model_validate(page(await services.users.list_users(cursor=cursor, limit=limit)))


@router.patch("/users/{user_id:uuid}", responses=responses(404, 409))
async def update_user(user_id: UUID, body: UserChanges, who: Admin, services: Container) -> UserAnswer:
    """Change somebody's role, or switch an account off or on."""
    user = await services.users.administer(who, user_id, role=body.role, is_active=body.is_active)
    if not user.is_active:
        services.live.detach_user(user_id, 4401, "The account was switched off.")
    return UserAnswer.model_validate({"user": user_view(user)})


@router.get("/invites")
async def list_invites(_: Admin, services: Container, cursor: Cursor = None, limit: Limit = 50) -> InvitePage:
    """Return invitations, without their secrets."""
    return InvitePage.model_validate(page(await services.invites.list_invites(cursor=cursor, limit=limit)))


@router.post("/invites", status_code=201)
async def create_invite(body: NewInvite, who: Admin, services: Container) -> InviteAnswer:
    """Invite somebody; the token is told this once."""
    invite, token = await services.invites.create(who, email=body.email, role=body.role)
    answer: dict[str, Any] = {"invite": invite_view(invite), "invite_token": token}
    return InviteAnswer.model_validate(answer)


@router.delete("/invites/{invite_id:uuid}", status_code=204, responses=responses(404))
async def delete_invite(invite_id: UUID, who: Admin, services: Container) -> None:
    """Withdraw an invitation."""
    await services.invites.delete(who, invite_id)
