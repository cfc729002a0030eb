"""Slowing down those who guess: tries are counted before they are made, and then cost waiting."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from amarktai.domain.errors import RateLimited
from amarktai.ports.accounts import Accounts, Attempts
from amarktai.ports.clock import Clock, to_datetime

_COUNT_FOR: Final = timedelta(hours=1)
_FIRST_WAIT_S: Final = 60
_LONGEST_WAIT_S: Final = 32 * 60


class Throttle:
    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock

    async def count(self, *limits: tuple[str, int], what: str) -> None:
        """Count a try under each (key, tries an hour), so that many at once cannot slip past.

        After half of the hourly tries each further one waits twice as long as the one before; nothing
        is locked for ever. ``what`` says of what there were too many.
        Raises: RateLimited TOO_MANY_ATTEMPTS.
        """
        now = to_datetime(self._clock.now_ns())
        async with self._accounts.unit(None) as unit:
            counted = [(key, limit, await unit.attempts.lock(key, now)) for key, limit in limits]
            blocked = [a.blocked_until for _, _, a in counted if a.blocked_until and a.blocked_until > now]
            if not blocked:
                for key, limit, attempts in counted:
                    await unit.attempts.save(key, _one_more(attempts, limit, now))
        if blocked:
            raise _wait(what, max(blocked), now)


def _wait(what: str, until: datetime, now: datetime) -> RateLimited:
    seconds = max(1, round((until - now).total_seconds()))
    return RateLimited(
        "TOO_MANY_ATTEMPTS",
        f"Too many {what}.",
        f"Wait {seconds} seconds, then try again.",
        retry_after_s=seconds,
    )


def _one_more(attempts: Attempts, limit: int, now: datetime) -> Attempts:
    """Return the attempts after one more try: free ones first, then waits that double."""
    is_stale = now - attempts.updated_at >= _COUNT_FOR
    failures = 1 if is_stale else attempts.failures + 1
    beyond = failures - max(1, limit // 2)
    if beyond < 0:
        return Attempts(failures, None, now)
    wait = min(_FIRST_WAIT_S * 2 ** min(beyond, 10), _LONGEST_WAIT_S)
    return Attempts(failures, now + timedelta(seconds=wait), now)
