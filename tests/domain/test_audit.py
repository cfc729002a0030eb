"""Any edit, swap, repetition or gap in the audit log is found at its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.audit import GENESIS, AuditFact, AuditRow, chain_hash, first_break

AT = datetime(2026, 1, 1, tzinfo=UTC)


def _chain(length: int) -> list[AuditRow]:
    rows: list[AuditRow] = []
    previous = GENESIS
    for seq in range(1, length + 1):
        fact = AuditFact(f"user:{seq}", "bot.created", "bot", str(seq), after={"name": f"b{seq}", "n": seq})
        at = AT + timedelta(seconds=seq)
        digest = chain_hash(previous, seq, at, fact)
        rows.append(AuditRow(seq, at, fact, previous, digest))
        previous = digest
    return rows


def test_an_untouched_chain_holds() -> None:
    rows = _chain(20)
    assert first_break(rows) is None and first_break([]) is None
    assert first_break(rows[5:], after=(5, rows[4].hash)) is None


@given(st.integers(0, 9), st.sampled_from(["actor", "action", "object_id", "reason", "ip", "after"]))
def test_an_edit_is_found_where_it_is(at: int, name: str) -> None:
    rows = _chain(10)
    change: dict[str, Any] = {name: {"name": "else"} if name == "after" else "else"}
    rows[at] = replace(rows[at], fact=replace(rows[at].fact, **change))
    assert first_break(rows) == at + 1


@given(st.integers(0, 8))
def test_a_missing_swapped_or_repeated_row_is_found(at: int) -> None:
    rows = _chain(10)
    assert first_break(rows[:at] + rows[at + 1 :]) == at + 2
    assert first_break([*rows[: at + 1], *rows[at:]]) == at + 1
    swapped = [*rows]
    swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
    assert first_break(swapped) == at + 2


def test_a_recomputed_hash_breaks_the_next_row() -> None:
    rows = _chain(3)
    fact = replace(rows[0].fact, actor="else")
    rows[0] = replace(rows[0], fact=fact, hash=chain_hash(GENESIS, 1, rows[0].at, fact))
    assert first_break(rows) == 2


def test_the_same_instant_in_another_timezone_is_the_same_fact() -> None:
    row = _chain(1)[0]
    elsewhere = row.at.astimezone(timezone(timedelta(hours=2)))
    assert chain_hash(GENESIS, 1, elsewhere, row.fact) == row.hash
