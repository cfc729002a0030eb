"""People and what they may do: roles, token scopes, and who is acting in a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Role(StrEnum):
    ADMIN = "admin"
    TRADER = "trader"
    VIEWER = "viewer"


class Scope(StrEnum):
    """What a personal access token may do; ``trade`` includes every write of its user's role."""

    READ = "read"
    TRADE = "trade"


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account. ``email`` is stored in small letters."""

    id: UUID
    email: str
    name: str
    role: Role
    timezone: str
    created_at: datetime
    is_active: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: a user through a session of the browser or through a personal access token."""

    user: User
    scopes: frozenset[Scope]
    session_id: UUID | None = None
    token_id: UUID | None = None
    ip: str | None = None
    stepped_up_at: datetime | None = None

    @property
    def user_id(self) -> UUID:
        return self.user.id

    @property
    def may_write(self) -> bool:
        """Viewers write nothing; a token writes only with the scope ``trade``."""
        return self.user.role is not Role.VIEWER and Scope.TRADE in self.scopes

    @property
    def is_admin(self) -> bool:
        """Administration is for people at a browser: no token reaches it."""
        return self.user.role is Role.ADMIN and self.session_id is not None
