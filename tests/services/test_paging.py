"""Cursors come back as they went out, and nothing else is taken for one."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.errors import InvalidInput
from amarktai.services.paging import decode_cursor, encode_cursor

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
instants = st.datetimes(timezones=st.just(UTC))


@given(texts, st.integers(-(2**63) + 1, 2**63 - 1), st.uuids(), instants)
def test_a_cursor_brings_its_key_back(text: str, number: int, uuid: UUID, instant: datetime) -> None:
    cursor = encode_cursor(text, number, uuid, instant)
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert decode_cursor(cursor, str, int, UUID, datetime) == (text, number, uuid, instant)


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda b: b.decode("latin-1")))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        decode_cursor(text, str, int, UUID, datetime)


@pytest.mark.parametrize("key", [("a",), (1, 2), ("a", "b"), (1,), (2**70, "a"), ("nul\0", 1)])
def test_a_cursor_of_another_list_is_refused(key: tuple[str | int, ...]) -> None:
    with pytest.raises(InvalidInput):
        decode_cursor(encode_cursor(*key), str, int)
