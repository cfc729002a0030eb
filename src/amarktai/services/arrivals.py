"""What exchanges answer and report, on its way to the engine.

A live order's round trip to an exchange takes longer than the market waits. So creates, cancels and look-ups
run beside the engine, and what they come to lies here until the engine books it: one exchange that is
slow holds up nobody else's orders. Nothing here sends anything twice, and nothing is lost: a call that
ends in an unforeseen error ends the engine, whose recovery asks the exchange.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from amarktai.ports.venue import OrderReport
from amarktai.services.order_transitions import Verdict

Answer = OrderReport | Verdict


@dataclass(slots=True)
class UserAnswers:
    """What came for one user's orders, in the order in which it came."""

    reports: list[OrderReport] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


class Arrivals:
    """Answers that wait for the engine, and the calls that will bring more."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, UserAnswers] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._asides: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._error: BaseException | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits here and no call is under way."""
        return not self._waiting and not self._calls and self._error is None

    def put(self, user_id: UUID, answer: Answer) -> None:
        answers = self._waiting.setdefault(user_id, UserAnswers())
        if isinstance(answer, Verdict):
            answers.verdicts.append(answer)
        else:
            answers.reports.append(answer)
        self._woken.set()

    def carry(
        self, user_id: UUID, call: Coroutine[Any, Any, Sequence[Answer]], *, is_aside: bool = False
    ) -> None:
        """Let a call run beside the engine; what it returns arrives here.

        Nobody waits for one that ``is_aside``: it may come to nothing.
        """
        calls = self._asides if is_aside else self._calls
        task = asyncio.get_running_loop().create_task(self._run(user_id, call))
        calls.add(task)
        task.add_done_callback(calls.discard)

    async def _run(self, user_id: UUID, call: Coroutine[Any, Any, Sequence[Answer]]) -> None:
        try:
            answers = await call
        except Exception as error:  # noqa: BLE001 - raised where the engine waits
            self._error = self._error or error
            self._woken.set()
            return
        for answer in answers:
            self.put(user_id, answer)

    async def wait(self) -> None:
        """Return once something waits here; at once when it does already."""
        await self._woken.wait()

    async def wait_for_calls(self) -> None:
        """Return once every call that is under way now has ended."""
        if self._calls:
            await asyncio.wait(set(self._calls))

    def take(self) -> dict[UUID, UserAnswers]:
        """Return what waits here, by user, and keep none of it. Raises: what a call ended with."""
        if self._error is not None:
            raise self._error
        taken, self._waiting = self._waiting, {}
        self._woken.clear()
        return taken

    async def close(self) -> None:
        """End the calls that are under way: their orders stay on record as being sent."""
        calls = [*self._calls, *self._asides]
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
