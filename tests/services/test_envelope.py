"""A secret opens in its own row, unchanged, with its own key, and in no other way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.ports.secrets import KeyRing, Sealed, SecretPlace
from amarktai.services.envelope import SecretUnreadable, rewrap, seal, unseal
from tests.fakes import HandClock, SeededIds, SeededRng
from tests.key_rings import kek

IDS = SeededIds(HandClock())
PLACE = SecretPlace("api_key", IDS.new(), "luno", IDS.new())
OLD, NEW = kek("old"), kek("new")


@given(st.binary(max_size=400), st.text(max_size=8))
def test_what_was_sealed_opens_and_shows_nothing_before(secret: bytes, seed: str) -> None:
    sealed = seal(secret, PLACE, OLD, SeededRng(seed))
    assert unseal(sealed, PLACE, KeyRing((OLD,))) == secret
    assert len(secret) < 8 or secret not in sealed.ciphertext + sealed.wrapped_key
    assert OLD.key not in sealed.ciphertext + sealed.wrapped_key


@given(st.integers(0, 10_000), st.booleans())
def test_no_flipped_bit_opens(bit: int, in_key: bool) -> None:
    sealed = seal(b"the secret", PLACE, OLD, SeededRng())
    blob = bytearray(sealed.wrapped_key if in_key else sealed.ciphertext)
    blob[bit // 8 % len(blob)] ^= 1 << bit % 8
    changed = replace(sealed, wrapped_key=bytes(blob)) if in_key else replace(sealed, ciphertext=bytes(blob))
    with pytest.raises(SecretUnreadable):
        unseal(changed, PLACE, KeyRing((OLD,)))


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(PLACE, user_id=IDS.new()),
        replace(PLACE, name="binance"),
        replace(PLACE, version=IDS.new()),
        replace(PLACE, purpose="totp"),
    ],
)
def test_no_other_row_opens_it(elsewhere: SecretPlace) -> None:
    sealed = seal(b"the secret", PLACE, OLD, SeededRng())
    with pytest.raises(SecretUnreadable):
        unseal(sealed, elsewhere, KeyRing((OLD,)))


def test_parts_of_two_secrets_do_not_mix() -> None:
    one = seal(b"one", PLACE, OLD, SeededRng("a"))
    two = seal(b"two", PLACE, OLD, SeededRng("b"))
    with pytest.raises(SecretUnreadable):
        unseal(replace(one, ciphertext=two.ciphertext), PLACE, KeyRing((OLD,)))


@pytest.mark.parametrize("ring", [KeyRing((NEW,)), KeyRing((replace(NEW, id=OLD.id),))])
def test_another_key_does_not_open_it(ring: KeyRing) -> None:
    sealed = seal(b"the secret", PLACE, OLD, SeededRng())
    with pytest.raises(SecretUnreadable):
        unseal(sealed, PLACE, ring)


def test_rewrapping_changes_the_wrapping_alone() -> None:
    sealed = seal(b"the secret", PLACE, OLD, SeededRng())
    again = rewrap(sealed, PLACE, KeyRing((NEW, OLD)), SeededRng("x"))
    assert again.kek_id == NEW.id and again.ciphertext == sealed.ciphertext
    assert again.wrapped_key != sealed.wrapped_key
    assert unseal(again, PLACE, KeyRing((NEW,))) == b"the secret"
    with pytest.raises(SecretUnreadable):
        unseal(again, PLACE, KeyRing((OLD,)))


def test_nonces_and_data_keys_are_never_used_twice() -> None:
    rng = SeededRng()
    made: list[Sealed] = [seal(b"same", PLACE, OLD, rng) for _ in range(200)]
    assert len({one.ciphertext[:12] for one in made}) == len({one.wrapped_key for one in made}) == 200
