"""A stop's reason: one line, cut to its length."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.stop import LONGEST_REASON, said


@given(st.text())
def test_any_text_makes_a_reason(text: str) -> None:
    reason = said(text)
    assert len(reason) <= LONGEST_REASON and "\n" not in reason
    assert reason == "" or text.split()[0].startswith(reason.split()[0])
    assert said(reason) == reason.rstrip()
