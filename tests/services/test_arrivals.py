"""Calls beside the engine: what they come to arrives once, and an unforeseen error ends the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from amarktai.domain.order import OrderEvent
from amarktai.ports.venue import OrderReport, VenueStatus
from amarktai.services.arrivals import Answer, Arrivals
from amarktai.services.order_transitions import Verdict
from tests.trading import user_id_of

ADA, BOB, ORDER = user_id_of(1), user_id_of(2), user_id_of(3)
REPORT = OrderReport(ORDER, "v1", VenueStatus.OPEN, Decimal(0), (), datetime(2026, 1, 1, tzinfo=UTC))
VERDICT = Verdict(ORDER, OrderEvent.LOSE, "silence")


async def answer(*answers: Answer) -> Sequence[Answer]:
    await asyncio.sleep(0)
    return answers


async def test_answers_arrive_by_user_in_their_order_and_are_taken_once() -> None:
    arrivals = Arrivals()
    assert arrivals.is_idle
    arrivals.carry(ADA, answer(REPORT, VERDICT))
    arrivals.carry(BOB, answer())
    assert not arrivals.is_idle
    await arrivals.wait_for_calls()
    await arrivals.wait()
    arrivals.put(ADA, REPORT)
    taken = arrivals.take()
    assert list(taken) == [ADA]
    assert (taken[ADA].reports, taken[ADA].verdicts) == ([REPORT, REPORT], [VERDICT])
    assert arrivals.take() == {} and arrivals.is_idle


async def test_who_waits_is_woken_by_the_next_answer_only() -> None:
    arrivals = Arrivals()
    arrivals.put(ADA, REPORT)
    arrivals.take()
    waiting = asyncio.create_task(arrivals.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    arrivals.put(ADA, REPORT)
    await asyncio.wait_for(waiting, 1)


async def test_an_unforeseen_error_is_raised_where_the_engine_waits() -> None:
    async def fail() -> Sequence[Answer]:
        raise ZeroDivisionError("a defect")

    arrivals = Arrivals()
    arrivals.carry(ADA, fail())
    await arrivals.wait()
    with pytest.raises(ZeroDivisionError):
        arrivals.take()


async def test_closing_ends_the_calls_under_way() -> None:
    arrivals, never = Arrivals(), asyncio.Event()

    async def hang() -> Sequence[Answer]:
        await never.wait()
        return (REPORT,)

    arrivals.carry(ADA, hang())
    await asyncio.sleep(0)
    await arrivals.close()
    assert arrivals.is_idle and arrivals.take() == {}
