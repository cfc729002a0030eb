"""VALR's refusals: which are definitive, which are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amarktai.domain.errors import Forbidden, Unavailable
from amarktai.ports.venue import OutcomeUnknown, VenueRejected
from amarktai.venues.error_table import Absent, error_of_read, error_of_write
from amarktai.venues.exchanges.valr.errors import DIALECT, RULES, read_refusal
from amarktai.venues.transport import Answer
from tests.venues.exchanges.valr.bodies import examples


def answer(status: int, body: Any) -> Answer:
    return Answer(status, body, {})


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        (201, {"id": "7"}, None),
        (200, [], None),
        (202, {"id": "7"}, ("202", "")),
        (
            201,
            {"orderId": "7", "code": -6, "message": "Insufficient Balance"},
            ("-6", "Insufficient Balance"),
        ),
        (400, {"code": -1, "message": "Invalid Order. "}, ("-1", "Invalid Order.")),
        (403, None, ("403", "")),
        (429, None, ("429", "")),
    ],
)
def test_what_is_a_refusal(status: int, body: Any, refusal: tuple[str, str] | None) -> None:
    assert read_refusal(answer(status, body)) == refusal


@pytest.mark.parametrize("code", ["-6", "-21", "-12007", "403", "-11252"])
def test_definitive_refusals_of_a_create(code: str) -> None:
    error = error_of_write(DIALECT, code, "words")
    assert isinstance(error, VenueRejected)
    assert "words" in error.detail
    assert error.action


@pytest.mark.parametrize("code", ["-1", "-11502", "202", "429", "-99999", "404", "418"])
def test_what_leaves_the_outcome_of_a_create_open(code: str) -> None:
    assert isinstance(error_of_write(DIALECT, code, "words"), OutcomeUnknown)


def test_reads() -> None:
    assert isinstance(error_of_read(DIALECT, "-1", ""), Absent)
    assert isinstance(error_of_read(DIALECT, "-11272", ""), Forbidden)
    assert isinstance(error_of_read(DIALECT, "429", ""), Unavailable)
    assert isinstance(error_of_read(DIALECT, "-99999", ""), Unavailable)


def test_every_rule_has_our_code_and_an_action() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.our_code.isupper()
        assert rule.action.endswith(".")


@pytest.mark.data
def test_every_documented_error_is_read_as_one() -> None:
    seen = 0
    for item in examples():
        body = item["body"] or ""
        if (item["status"] or 0) >= 400 and body.startswith("{") and "/*" not in body:
            refusal = read_refusal(answer(item["status"], json.loads(body)))
            assert refusal is not None
            seen += 1
    assert seen >= 20
