"""Errors are counted by component, in a window that moves; a fault of the program is told apart."""

from __future__ import annotations

import subprocess
import sys

import pytest

from amarktai.domain.errors import BrokenInvariant, Unavailable
from amarktai.domain.readiness import ERROR_WINDOW
from amarktai.system.logs import ErrorCounter

WINDOW = ERROR_WINDOW.total_seconds()
_PROGRAM = """
import logging, structlog
from amarktai.system.logs import ERRORS, configure_logs
configure_logs("info", "json", "api")
log = structlog.get_logger("amarktai.services.orders")
log.info("fine"); log.warning("odd"); log.error("bad")
try:
    undefined_name
except NameError as error:
    log.error("worse", exc_info=error)
    log.exception("worst")
logging.getLogger("uvicorn.error").error("from a library")
print(ERRORS.health())
"""


class Hand:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_older_than_the_window_does_not_count() -> None:
    hand = Hand()
    counter = ErrorCounter(hand)
    counter.add("amarktai.services.orders", None)
    hand.now = WINDOW
    counter.add("amarktai.services.orders", None)
    counter.add("", None)
    assert counter.health() == {"errors": {"services.orders": 2, "other": 1}, "faults": 0}
    hand.now += 1
    assert counter.health()["errors"] == {"services.orders": 1, "other": 1}
    hand.now += WINDOW
    assert counter.health() == {"errors": {}, "faults": 0}


@pytest.mark.parametrize(
    ("error", "is_fault"),
    [
        (NameError("x"), True),
        (UnboundLocalError("db"), True),
        (BrokenInvariant("x"), True),
        (KeyError("x"), True),
        (Unavailable("X", "x", "x"), False),
        (OSError("x"), False),
        (None, False),
    ],
)
def test_what_only_a_mistake_in_the_program_raises_is_a_fault(
    error: BaseException | None, is_fault: bool
) -> None:
    counter = ErrorCounter(Hand())
    counter.add("x", error)
    assert counter.health()["faults"] == is_fault


def test_a_process_counts_what_it_logs_and_what_libraries_log() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ("{'errors': {'services.orders': 3, 'uvicorn.error': 1}, 'faults': 2}"), (
        done.stderr
    )
