"""Rights of keys: what refuses, what warns, and how an exchange's words become ours."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.instrument import Platform
from amarktai.domain.provider import (
    FORBIDDEN,
    NEEDED,
    STATUS_TEXTS,
    KeyRights,
    KeyStatus,
    ProviderId,
    ProviderType,
    Right,
    TestOutcome,
    map_rights,
    map_words,
    status_after,
)

NAMES = {"look": Right.VIEW, "buy": Right.TRADE, "takeout": Right.WITHDRAW, "label": None}


def test_the_exchanges_are_the_platforms() -> None:
    assert [p.platform for p in ProviderId if p.platform] == list(Platform)
    assert ProviderId.OPENAI.platform is None and len(ProviderType) == 2


@given(st.dictionaries(st.sampled_from([*NAMES, "new"]), st.booleans()))
def test_a_key_is_dangerous_exactly_when_it_may_move_money_or_has_an_unknown_right(
    words: dict[str, bool],
) -> None:
    rights = map_rights(words, NAMES)
    danger = words.get("takeout", False) or words.get("new", False)
    assert (rights.danger is not None) is danger
    assert rights.unknown == (("new",) if words.get("new") else ())


@given(st.sets(st.sampled_from(list(Right))))
def test_no_set_with_a_forbidden_right_is_harmless(found: set[Right]) -> None:
    rights = KeyRights(frozenset(found))
    assert (rights.danger is None) is not bool(found & FORBIDDEN)
    extra = found - NEEDED - FORBIDDEN
    assert any("more than trading needs" in text for text in rights.warnings) is bool(extra)


def test_words_are_told_apart_by_letters_alone() -> None:
    rights = map_words(["Take Out", " LOOK", "b_u_y", "Fly"], NAMES)
    assert rights.found == {Right.WITHDRAW, Right.VIEW, Right.TRADE} and rights.unknown == ("Fly",)


def test_statuses_follow_from_the_latest_test() -> None:
    assert status_after(None) is KeyStatus.SAVED_UNTESTED
    for outcome in TestOutcome:
        ok = outcome is TestOutcome.WORKS
        assert status_after(outcome) is (KeyStatus.TEST_OK if ok else KeyStatus.TEST_FAILED)
    assert STATUS_TEXTS.keys() == set(KeyStatus)
