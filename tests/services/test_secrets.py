"""Secrets that we hand out are read back, and nothing else is."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from amarktai.services.secrets import (
    hash_secret,
    join_cookie,
    join_token,
    new_secret,
    split_cookie,
    split_token,
)
from tests.fakes import SeededRng


@given(st.uuids(), st.integers())
def test_cookies_and_tokens_come_back(user_id: UUID, seed: int) -> None:
    secret = new_secret(SeededRng(str(seed)))
    assert split_cookie(join_cookie(user_id, secret)) == (user_id, secret)
    assert split_token(join_token(user_id, secret)) == (user_id, secret)
    assert len(secret) >= 43 and hash_secret(secret) != secret.encode()


@given(st.text())
def test_any_text_is_answered_without_a_failure(text: str) -> None:
    for pair in (split_cookie(text), split_token(text), split_token("amk_" + text)):
        assert pair is None or (isinstance(pair[0], UUID) and pair[1])


def test_secrets_differ() -> None:
    rng = SeededRng()
    assert len({new_secret(rng) for _ in range(100)}) == 100
