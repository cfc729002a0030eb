"""The shared request budget, on a clock that moves when it is slept on."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import RateLimited
from amarktai.system.clock import VirtualClock
from amarktai.venues.budget import Priority, RequestBudget
from tests.fakes import HandClock

START = 1_000 * NS_PER_S


def make(per_minute: int = 60) -> tuple[RequestBudget, VirtualClock]:
    clock = VirtualClock(START)
    return RequestBudget("luno", per_minute, clock), clock


@given(st.lists(st.tuples(st.sampled_from(Priority), st.integers(1, 3)), min_size=1, max_size=80))
async def test_never_more_than_the_burst_and_the_rate(requests: list[tuple[Priority, int]]) -> None:
    budget, clock = make(60)
    spent = 0
    for priority, weight in requests:
        await budget.acquire(priority, weight)
        spent += weight
        elapsed = (clock.now_ns() - START) / NS_PER_S
        assert spent <= 10 + elapsed + 1e-6


async def test_room_is_kept_for_exits() -> None:
    budget, _ = make(60)
    for priority, share in ((Priority.HISTORY, 4), (Priority.QUOTE, 2), (Priority.ORDER, 1)):
        for _ in range(share):
            budget.take_now(priority)
        with pytest.raises(RateLimited) as refused:
            budget.take_now(priority)
        assert refused.value.retry_after_s >= 1
    for _ in range(3):
        budget.take_now(Priority.EXIT)
    with pytest.raises(RateLimited):
        budget.take_now(Priority.EXIT)


async def test_at_least_thirty_percent_is_left_to_exits_by_everybody_else() -> None:
    budget, clock = make(600)
    for _ in range(300):
        await budget.acquire(Priority.ORDER)
    before = clock.now_ns()
    for _ in range(29):
        await budget.acquire(Priority.EXIT)
    assert clock.now_ns() == before


async def test_a_ban_stops_everything_until_it_is_over() -> None:
    budget, clock = make(60)
    budget.ban(120)
    budget.ban(5)
    assert budget.banned_until_ts == START + 120 * NS_PER_S
    await budget.acquire(Priority.EXIT)
    assert clock.now_ns() >= START + 120 * NS_PER_S
    assert budget.banned_until_ts is None


async def test_the_more_urgent_goes_first() -> None:
    clock = HandClock(START)
    budget = RequestBudget("luno", 60, clock)
    budget.ban(10)
    order: list[Priority] = []

    async def ask(priority: Priority) -> None:
        await budget.acquire(priority)
        order.append(priority)

    asked = [asyncio.create_task(ask(priority)) for priority in reversed(Priority)]
    await asyncio.sleep(0)
    while not all(task.done() for task in asked):
        clock.advance(1)
        await asyncio.sleep(0)
    assert order == sorted(Priority)


async def test_a_tiny_budget_lets_everything_through_in_the_end() -> None:
    budget, clock = make(1)
    for priority in Priority:
        await budget.acquire(priority)
    assert clock.now_ns() - START < 300 * NS_PER_S


async def test_a_canceled_wait_leaves_nothing_behind() -> None:
    budget, _ = make(60)
    budget.ban(10)
    waiting = asyncio.create_task(budget.acquire(Priority.EXIT))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await budget.acquire(Priority.HISTORY)
