"""An exchange's refusals, read from one ordered table: its code and words in, our error out.

The rules are matched in order on the code and on a part of the message, never on what a client
library makes of them. A create that fails is definitive only by a rule that says so; a code that
no rule knows leaves its outcome unknown (O4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from amarktai.domain.errors import AmarktaiError, Forbidden, InvalidInput, Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Platform
from amarktai.ports.venue import OutcomeUnknown, VenueRejected
from amarktai.venues.transport import Answer


class Meaning(StrEnum):
    """What a refusal says of a request."""

    REFUSED = "refused"  # nothing was done, for certain
    KEY = "key"  # nothing was done: the key, its rights or its address
    BUSY = "busy"  # nothing was done: we ask too often
    ABSENT = "absent"  # the records lack what was asked for; of a create it says nothing
    UNCLEAR = "unclear"  # the exchange itself does not know, or the code is ambiguous


_DEFINITIVE = frozenset({Meaning.REFUSED, Meaning.KEY, Meaning.BUSY})


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """One row. ``contains`` is a part of the exchange's message, in any case; ``action`` for people."""

    code: str
    meaning: Meaning
    our_code: str
    action: str
    contains: str = ""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an exchange answers.

    ``read_refusal`` returns (code, message) of an answer that is a refusal, None of one that is not;
    ``unwrap`` returns the payload of one that is not.
    """

    platform: Platform
    rules: Sequence[ErrorRule]
    read_refusal: Callable[[Answer], tuple[str, str] | None]
    unwrap: Callable[[Any], Any] = lambda body: body


class Absent(Exception):
    """The exchange's records lack what was asked for."""


def find_rule(rules: Sequence[ErrorRule], code: str, message: str) -> ErrorRule | None:
    """Return the first rule that covers a refusal, None when no rule does."""
    said = message.lower()
    for rule in rules:
        if rule.code == code and rule.contains.lower() in said:
            return rule
    return None


def error_of_read(dialect: Dialect, code: str, message: str) -> Exception:
    """Return what a refused read raises: Absent, Forbidden, InvalidInput or Unavailable."""
    rule = find_rule(dialect.rules, code, message)
    sentence = _sentence(dialect.platform, code, message)
    if rule is None:
        return Unavailable("VENUE_ERROR", sentence, "It is tried again by itself.")
    match rule.meaning:
        case Meaning.ABSENT:
            return Absent(sentence)
        case Meaning.KEY:
            return Forbidden(rule.our_code, sentence, rule.action)
        case Meaning.REFUSED:
            return InvalidInput(rule.our_code, sentence, rule.action)
        case _:
            return Unavailable(rule.our_code, sentence, rule.action)


def error_of_write(dialect: Dialect, code: str, message: str) -> AmarktaiError:
    """Return what a refused create or cancel raises: VenueRejected, else OutcomeUnknown."""
    rule = find_rule(dialect.rules, code, message)
    sentence = _sentence(dialect.platform, code, message)
    if rule is not None and rule.meaning in _DEFINITIVE:
        return VenueRejected(rule.our_code, sentence, rule.action)
    code_told = "OUTCOME_UNKNOWN" if rule is None else rule.our_code
    return OutcomeUnknown(code_told, sentence, "The platform asks the exchange what happened.")


def payload_of_read(dialect: Dialect, answer: Answer) -> Any:
    """Return what an answer to a read holds. Raises: Absent, Forbidden, InvalidInput, Unavailable."""
    refusal = dialect.read_refusal(answer)
    if refusal is not None:
        raise error_of_read(dialect, *refusal)
    return dialect.unwrap(answer.body)


def payload_of_write(dialect: Dialect, answer: Answer) -> Any:
    """Return what an answer to a create or a cancel holds.

    Raises: VenueRejected only for a refusal that the table knows as definitive, else OutcomeUnknown.
    """
    refusal = dialect.read_refusal(answer)
    if refusal is not None:
        raise error_of_write(dialect, *refusal)
    return dialect.unwrap(answer.body)


def _sentence(platform: Platform, code: str, message: str) -> str:
    return f"{DISPLAY_NAMES[platform]} refused: {message or 'no reason given'} ({code})"
