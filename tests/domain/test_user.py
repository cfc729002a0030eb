"""Who may do what."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from amarktai.domain.user import Identity, Role, Scope, User


def identity(role: Role, scopes: set[Scope], *, at_a_browser: bool) -> Identity:
    user = User(UUID(int=1), "ada@example.org", "Ada", role, "UTC", datetime(2026, 1, 1, tzinfo=UTC))
    return Identity(user, frozenset(scopes), session_id=UUID(int=2) if at_a_browser else None)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("at_a_browser", [True, False])
def test_writing_needs_the_scope_and_a_role_that_writes(role: Role, at_a_browser: bool) -> None:
    assert not identity(role, {Scope.READ}, at_a_browser=at_a_browser).may_write
    trades = identity(role, {Scope.READ, Scope.TRADE}, at_a_browser=at_a_browser)
    assert trades.may_write is (role is not Role.VIEWER)


@pytest.mark.parametrize("role", Role)
def test_administration_is_for_admins_at_a_browser(role: Role) -> None:
    assert identity(role, set(Scope), at_a_browser=True).is_admin is (role is Role.ADMIN)
    assert not identity(role, set(Scope), at_a_browser=False).is_admin
