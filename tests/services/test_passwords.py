"""Passwords: weak ones refused, hashes salted and upgraded, and few hashed at once."""

from __future__ import annotations

import asyncio

import pytest

from amarktai.domain.errors import InvalidInput
from amarktai.services.passwords import MAX_LENGTH, Passwords, check_strength
from tests.fakes import SeededRng

GOOD = "violet-otter-candle-47"


def quick(**changes: int) -> Passwords:
    return Passwords(SeededRng(), **{"memory_kib": 64, "time_cost": 1, **changes})


async def test_a_password_fits_its_own_hash_only() -> None:
    passwords = quick()
    stored = await passwords.hash(GOOD)
    assert stored.startswith("$argon2id$") and GOOD not in stored
    assert await passwords.verify(stored, GOOD) is True
    assert await passwords.verify(stored, GOOD + "x") is False
    assert await passwords.verify(None, GOOD) is False
    assert await passwords.verify(None, "nobody has this password") is False
    assert await passwords.verify("not a hash", GOOD) is False
    assert await passwords.hash(GOOD) != stored


async def test_old_hashes_are_known_as_such() -> None:
    stored = await quick().hash(GOOD)
    assert quick().is_outdated(stored) is False
    assert quick(time_cost=2).is_outdated(stored) is True


async def test_an_unknown_user_is_hashed_with_the_same_figures() -> None:
    passwords = quick(time_cost=2)
    assert passwords.is_outdated(passwords._nobody) is False


async def test_many_at_once_wait_their_turn() -> None:
    passwords = quick()
    stored = await passwords.hash(GOOD)
    assert all(await asyncio.gather(*(passwords.verify(stored, GOOD) for _ in range(20))))


def test_the_defaults_are_at_least_owasps() -> None:
    hashed = asyncio.run(Passwords(SeededRng()).hash(GOOD))
    assert "m=65536,t=3,p=1" in hashed


@pytest.mark.parametrize(
    "weak",
    ["", "short", "password1234", "qwertyuiop12", "letmein12345", "123456789012", "abcabcabcabc", "x" * 129,
     "amarktai1234", "ada.lovelace", "changeme1234", "correcthorse"],
)  # fmt: skip
def test_weak_passwords_are_refused_with_a_reason(weak: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_strength(weak, known=("ada.lovelace@example.org", "Ada Lovelace"))
    assert refusal.value.code == "WEAK_PASSWORD" and refusal.value.detail and refusal.value.action


@pytest.mark.parametrize(
    "good", [GOOD, "tomato umbrella 7 sideways", "é" * 3 + "Zq8-vK2#mPx!", "k" + GOOD * 5]
)
def test_good_passwords_are_taken(good: str) -> None:
    assert len(good) <= MAX_LENGTH
    check_strength(good, known=("ada@example.org", "Ada"))
