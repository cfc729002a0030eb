"""Differences between real accounts and the books: shown until a person says what each of them was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from amarktai.domain.bot import TradingMode
from amarktai.domain.errors import Conflict, InvalidInput, NotFound
from amarktai.domain.instrument import DISPLAY_NAMES
from amarktai.domain.money import ZERO
from amarktai.domain.user import Identity
from amarktai.ledger.live_books import book_explanation
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.live_accounts import Cause, Difference
from amarktai.ports.store import Store
from amarktai.services.audit import actor_of, fact_of
from amarktai.services.views import instant

#: Causes that can only have added something, and those that can only have taken something away.
_ADDS: Final = {Cause.DEPOSIT, Cause.REWARD}
_TAKES: Final = {Cause.WITHDRAWAL, Cause.FEE}
_NOTE_LENGTH: Final = 300


class Differences:
    """The write side. The engine finds them (``reconcile``); an account with an open one takes no entries."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def waiting(self, user_id: UUID) -> list[Difference]:
        """Return the user's differences that are not explained yet."""
        async with self._store.unit_of_work(user_id) as unit:
            return await unit.live_accounts.differences(open_only=True)

    async def explain(self, who: Identity, difference_id: UUID, cause: Cause, note: str) -> Mapping[str, Any]:
        """Book a difference out of suspense, as its account's owner says.

        Raises: NotFound; Conflict DIFFERENCE_EXPLAINED; InvalidInput for a cause that cannot be.
        """
        now, note = to_datetime(self._clock.now_ns()), note.strip()[:_NOTE_LENGTH]
        async with self._store.unit_of_work(who.user_id) as unit:
            book = await unit.ledger.lock_book(TradingMode.LIVE)
            found = await unit.live_accounts.difference(difference_id)
            if found is None:
                raise NotFound("NOT_FOUND", "There is no such difference", "Reload the Accounts screen.")
            _check(found, cause, note)
            entry = book_explanation(
                found.id, found.platform, found.asset, found.amount, cause=cause, note=note, at=now
            )
            await unit.ledger.append(book, [entry], now)
            explained = Difference(
                found.id, found.platform, found.asset, found.amount, found.noticed_at, cause, note or None,
                now, actor_of(who),
            )  # fmt: skip
            await unit.live_accounts.save_difference(explained)
            after = {"cause": cause, "note": note, "amount": f"{found.amount:f}", "asset": found.asset}
            fact = fact_of(who, "difference.explained", ("difference", found.id), after=after)
            await unit.audit.append(fact, now)
        return difference_view(explained)


def _check(found: Difference, cause: Cause, note: str) -> None:
    if found.explained_at is not None:
        raise Conflict("DIFFERENCE_EXPLAINED", "Somebody has explained it already", "Reload the screen.")
    if (cause in _ADDS and found.amount < ZERO) or (cause in _TAKES and found.amount > ZERO):
        raise InvalidInput(
            "VALIDATION_ERROR",
            f"{found.amount.normalize():+f} {found.asset} cannot be a {cause}",
            "Choose what it was, or other with a note.",
        )
    if cause is Cause.OTHER and not note:
        raise InvalidInput(
            "VALIDATION_ERROR", "A note is needed for another cause", "Write down what it was."
        )


def difference_view(item: Difference) -> dict[str, Any]:
    """Return a difference as ``GET /api/accounts`` shows it."""
    return {
        "id": str(item.id),
        "platform": item.platform,
        "display_name": DISPLAY_NAMES[item.platform],
        "asset": item.asset,
        "amount": f"{item.amount:f}",
        "noticed_at": instant(item.noticed_at),
        "cause": item.cause,
        "note": item.note,
        "explained_at": instant(item.explained_at) if item.explained_at else None,
        "explained_by": item.explained_by,
    }
