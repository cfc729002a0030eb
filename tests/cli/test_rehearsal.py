"""What `amarktai rehearse` prints of a day: every amount between exchange and ledger by its name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from amarktai.cli.rehearsal import _facts, _print
from amarktai.domain.instrument import Platform
from amarktai.services.rehearsal import RehearsalResult, TieOut
from amarktai.services.rehearsal_script import Happened, Story

D = Decimal
AT = datetime(2026, 1, 1, 9, tzinfo=UTC)
RESULT = RehearsalResult(
    288,
    tie_outs=[TieOut(Platform.LUNO, "ZAR", D("1000.25"), D(1_000), D("0.25"))],
    story=Story(
        [Happened(datetime(2026, 1, 1, 9, tzinfo=UTC), Platform.LUNO, "Luno: it starts anew")], alerted=True
    ),
    refused=3,
)


def printed(result: RehearsalResult, capsys: pytest.CaptureFixture[str]) -> str:
    _print(1, result, with_orders=True)
    return " ".join(capsys.readouterr().out.split())


def test_a_good_day_shows_each_account_beside_the_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(RESULT, capsys)
    for words in (
        "2026-01-01T09:00:00 Luno: it starts anew",
        "Rounded away",
        "0.25",
    ):
        assert words in text
    assert "3 entries were refused and 0 sent" in text and "exchange and ledger agree" in text
    facts = _facts(RESULT)
    assert facts["ok"] and facts["problems"] == []
    assert facts["accounts"][0]["rounded"] == "0.25" and facts["accounts"][0]["difference"] == "0.00"


def test_a_bad_day_says_what_was_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    off = replace(RESULT, tie_outs=[replace(RESULT.tie_outs[0], ledger=D(999))], unsettled=2)
    text = printed(off, capsys)
    assert "LUNO ZAR: EXCHANGE AND LEDGER DIFFER; 2 ORDERS HAVE NO END" in text
    assert "agree" not in text and not _facts(off)["ok"]
