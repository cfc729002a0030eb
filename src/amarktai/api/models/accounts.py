"""People, sessions, invitations and tokens over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from amarktai.api.models.base import SECRET, Body, Instant, ShortText, ToldOnce, View
from amarktai.domain.user import Role, Scope

Password = Annotated[str, Field(min_length=1, max_length=128, json_schema_extra=SECRET)]
NewPassword = Annotated[str, Field(min_length=12, max_length=128, json_schema_extra=SECRET)]
Email = Annotated[str, Field(pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$", max_length=254)]
Name = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$", min_length=1, max_length=80)]
Timezone = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_+/-]+$", max_length=64, examples=["Africa/Johannesburg"])
]
Secret = Annotated[str, Field(min_length=1, max_length=200, json_schema_extra=SECRET)]


class BotListView(Body):
    """A saved view of the list of bots: the address's search, under a name."""

    name: ShortText
    search: str = Field(pattern=r"^[^\x00]*$", max_length=1_000)


class UserSettings(Body):
    """How the dashboard looks to this user. Absent: the dashboard's default."""

    theme: Literal["system", "dark", "light"] | None = None
    profit_colours: Literal["default", "blue-orange", "green-red"] | None = None
    density: Literal["comfortable", "compact"] | None = None
    number_style: Literal["comma", "point"] | None = None
    reduce_motion: bool | None = None
    shortcuts: bool | None = None
    bot_views: list[BotListView] | None = Field(default=None, max_length=20)


class UserView(View):
    id: UUID
    name: str
    email: str
    role: Role
    timezone: str
    created_at: Instant
    settings: UserSettings


class UserAnswer(View):
    user: UserView


class AdminUserView(UserView):
    is_active: bool
    last_seen_at: Instant | None
    bots_count: int


class UserPage(View):
    items: list[AdminUserView]
    next_cursor: str | None


class SetupState(View):
    needed: bool


class NewAccount(Body):
    """A person's own account, by setup token or invitation."""

    token: Secret
    name: Name
    email: Email
    password: NewPassword
    timezone: Timezone


class Login(Body):
    email: ShortText
    password: Password
    code: ShortText | None = Field(
        default=None, description="Code of the second factor, or a recovery code; needed where one is on."
    )


class MeChanges(Body):
    name: Name | None = None
    timezone: Timezone | None = None
    settings: UserSettings | None = None


class PasswordChange(Body):
    current_password: Password
    new_password: NewPassword


class SessionView(View):
    id: UUID
    created_at: Instant
    last_seen_at: Instant
    expires_at: Instant
    ip: str | None
    user_agent: str | None
    current: bool


class SessionList(View):
    items: list[SessionView]


class UserChanges(Body):
    role: Role | None = None
    is_active: bool | None = None


class NewInvite(Body):
    email: Email | None = None
    role: Role


class InviteView(View):
    id: UUID
    email: str | None
    role: Role
    created_at: Instant
    expires_at: Instant
    used_at: Instant | None


class InvitePage(View):
    items: list[InviteView]
    next_cursor: str | None


class InviteAnswer(View):
    invite: InviteView
    invite_token: ToldOnce


class NewToken(Body):
    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=2)
    expires_in_days: int | None = Field(default=None, ge=1, le=3_650)


class TokenView(View):
    id: UUID
    name: str
    scopes: list[Scope]
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None


class TokenPage(View):
    items: list[TokenView]
    next_cursor: str | None


class TokenAnswer(View):
    access_token: TokenView
    token: ToldOnce
