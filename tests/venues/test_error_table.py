"""What a refusal means for a read and for a write, by the exchange's code and words."""

from __future__ import annotations

from pathlib import Path

import pytest

from amarktai.domain.errors import Forbidden, InvalidInput, Unavailable
from amarktai.domain.instrument import Platform
from amarktai.ports.venue import OutcomeUnknown, VenueRejected
from amarktai.venues.error_table import (
    Absent,
    Dialect,
    ErrorRule,
    Meaning,
    error_of_read,
    error_of_write,
    find_rule,
)
from amarktai.venues.exchanges.binance.errors import DIALECT as BINANCE
from amarktai.venues.exchanges.kucoin.errors import DIALECT as KUCOIN
from amarktai.venues.exchanges.luno.errors import DIALECT as LUNO
from amarktai.venues.exchanges.valr.errors import RULES as VALR_RULES
from amarktai.venues.transport import Answer

RULES = (
    ErrorRule("1", Meaning.REFUSED, "A", "Do this.", "special"),
    ErrorRule("1", Meaning.REFUSED, "B", "Do that."),
    ErrorRule("2", Meaning.KEY, "C", "Check the key."),
    ErrorRule("3", Meaning.BUSY, "D", "Wait."),
    ErrorRule("4", Meaning.ABSENT, "E", "Look."),
    ErrorRule("5", Meaning.UNCLEAR, "F", "Wait."),
)
DIALECT = Dialect(Platform.LUNO, RULES, lambda answer: None)


def test_the_first_rule_that_fits_code_and_words_counts() -> None:
    special = find_rule(RULES, "1", "Something SPECIAL happened")
    assert special is not None
    assert special.our_code == "A"
    usual = find_rule(RULES, "1", "anything")
    assert usual is not None
    assert usual.our_code == "B"
    assert find_rule(RULES, "9", "special") is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("1", InvalidInput),
        ("2", Forbidden),
        ("3", Unavailable),
        ("4", Absent),
        ("5", Unavailable),
        ("9", Unavailable),
    ],
)
def test_a_refused_read(code: str, kind: type[Exception]) -> None:
    assert type(error_of_read(DIALECT, code, "words")) is kind


@pytest.mark.parametrize(
    ("code", "is_definitive"),
    [("1", True), ("2", True), ("3", True), ("4", False), ("5", False), ("9", False)],
)
def test_a_write_is_refused_only_by_a_rule_that_says_so(code: str, is_definitive: bool) -> None:
    error = error_of_write(DIALECT, code, "words of the exchange")
    assert type(error) is (VenueRejected if is_definitive else OutcomeUnknown)
    assert "words of the exchange" in error.detail
    assert error.action


@pytest.mark.parametrize("dialect", [LUNO, BINANCE, KUCOIN], ids=lambda dialect: dialect.platform.value)
def test_rules_go_from_special_to_general_and_say_what_to_do(dialect: Dialect) -> None:
    seen: dict[str, list[str]] = {}
    for rule in dialect.rules:
        assert rule.action.endswith(".")
        assert rule.our_code == rule.our_code.upper()
        assert not any(earlier in rule.contains for earlier in seen.get(rule.code, [])), rule
        seen.setdefault(rule.code, []).append(rule.contains)


@pytest.mark.parametrize(
    ("dialect", "status", "body", "our_code"),
    [
        (BINANCE, 400, {"code": -2010, "msg": "Duplicate order sent."}, "DUPLICATE_CLIENT_ORDER_ID"),
        (
            BINANCE,
            400,
            {"code": -2010, "msg": "Account has insufficient balance for requested action."},
            "INSUFFICIENT_FUNDS",
        ),
        (BINANCE, 400, {"code": -1013, "msg": "Filter failure: LOT_SIZE"}, "QUANTITY_OFF_LOT"),
        (BINANCE, 400, {"code": -1013, "msg": "Filter failure: NOTIONAL"}, "BELOW_MIN_NOTIONAL"),
        (BINANCE, 400, {"code": -1007, "msg": "Timeout waiting for response"}, "VENUE_UNREACHABLE"),
        (LUNO, 409, {"error": "dup", "error_code": "ErrDuplicateClientOrderID"}, "DUPLICATE_CLIENT_ORDER_ID"),
        (LUNO, 401, {}, "VENUE_KEY_REFUSED"),
        (LUNO, 400, {"error": "late", "error_code": "ErrDeadlineExceeded"}, "VENUE_UNREACHABLE"),
        (KUCOIN, 200, {"code": "200004", "msg": "Balance insufficient!"}, "INSUFFICIENT_FUNDS"),
        (KUCOIN, 200, {"code": "400100", "msg": "account.available.amount"}, "INSUFFICIENT_FUNDS"),
        (KUCOIN, 200, {"code": "400100", "msg": "order_not_exist_or_not_allow_to_cancel"}, "ORDER_NOT_FOUND"),
    ],
)
def test_what_the_exchanges_say(
    dialect: Dialect, status: int, body: dict[str, object], our_code: str
) -> None:
    refusal = dialect.read_refusal(Answer(status, body, {}))
    assert refusal is not None
    rule = find_rule(dialect.rules, *refusal)
    assert rule is not None
    assert rule.our_code == our_code


@pytest.mark.parametrize(
    ("dialect", "status", "body"),
    [
        (BINANCE, 400, {"code": -2010, "msg": "Duplicate order sent."}),
        (BINANCE, 503, {"code": -1008, "msg": "Server is currently overloaded"}),
        (BINANCE, 403, None),
        (LUNO, 409, {"error": "dup", "error_code": "ErrDuplicateClientOrderID"}),
        (LUNO, 400, {"error": "late", "error_code": "ErrDeadlineExceeded"}),
        (LUNO, 400, {"error": "new", "error_code": "ErrSomethingNew"}),
        (LUNO, 429, None),
        (KUCOIN, 200, {"code": "500000", "msg": "Internal Server Error"}),
        (KUCOIN, 200, {"code": "400200", "msg": "Forbidden to place an order"}),
        (KUCOIN, 200, {"code": "999999", "msg": "new"}),
        (KUCOIN, 200, None),
    ],
)
def test_what_leaves_the_outcome_of_a_create_open(dialect: Dialect, status: int, body: object) -> None:
    refusal = dialect.read_refusal(Answer(status, body, {}))
    assert refusal is not None
    assert isinstance(error_of_write(dialect, *refusal), OutcomeUnknown)


def test_every_code_of_a_refusal_is_documented() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "orders.md").read_text(encoding="utf-8")
    rules = [*LUNO.rules, *BINANCE.rules, *KUCOIN.rules, *VALR_RULES]
    assert sorted({rule.our_code for rule in rules if f"`{rule.our_code}`" not in page}) == []
