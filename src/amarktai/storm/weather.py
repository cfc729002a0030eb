"""What goes wrong, by chance and by the seed: how often, and how often it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from amarktai.ports.rng import Rng

T = TypeVar("T")


class Fault(StrEnum):
    """Everything that the storm does to the platform; a long enough one must reach each."""

    LOST_REQUEST = "a create is lost on its way"
    LATE_REQUEST = "a create arrives after its sender gave up"
    LOST_REPLY = "a create's answer is lost"
    DONE_BUT_ERROR = "a create is done and answered by an error"
    REFUSED = "a create is refused"
    LATE_REFUSAL = "a create is accepted and refused later"
    FILL_BEFORE_ANSWER = "a fill is told before the create's answer"
    LOST_CANCEL = "a cancel is lost on its way"
    LOST_CANCEL_REPLY = "a cancel's answer is lost"
    CANCEL_OF_FILLED = "a cancel finds the order filled"
    UNKNOWN_ON_CANCEL = "a cancel is answered by unknown order"
    SILENT_READ = "a read gets no answer"
    STALE_READ = "a read shows what was a moment ago"
    WITHHELD_TRADE = "an order's trade is listed later than its fill"
    LATE_FILL = "a trade appears after the order was canceled"
    STREAM_GAP = "a stream breaks"
    REPEATED_NEWS = "a stream says something twice"
    SILENT_STREAM = "a stream says nothing of a change"
    OUTAGE = "an exchange is away"
    CANCEL_ALL = "an exchange comes back without the orders that rested"
    CLOCK_DIFFERS = "an exchange's clock differs"
    KEY_GONE = "a key is taken out and put back"
    HAND_TRADE = "the owner trades by hand"
    DEPOSIT = "the owner pays something in"
    GAP_IN_PRICE = "the price jumps"
    STOP_FILE = "somebody stops everything by the file"
    DATABASE_AWAY = "the database does not answer"
    ROLLED_BACK = "the database is lost before a commit"
    COMMIT_UNHEARD = "a commit is done and its answer lost"
    KILLED = "the engine is killed"
    FROZEN = "the engine is frozen until another has taken over"


#: How often each happens, per chance that it gets.
CHANCES: Final[dict[Fault, float]] = {
    Fault.LOST_REQUEST: 0.04, Fault.LATE_REQUEST: 0.04, Fault.LOST_REPLY: 0.04,
    Fault.DONE_BUT_ERROR: 0.04, Fault.REFUSED: 0.02, Fault.LATE_REFUSAL: 0.05,
    Fault.FILL_BEFORE_ANSWER: 0.10, Fault.LOST_CANCEL: 0.04, Fault.LOST_CANCEL_REPLY: 0.04,
    Fault.CANCEL_OF_FILLED: 0.04, Fault.UNKNOWN_ON_CANCEL: 0.04, Fault.SILENT_READ: 0.01,
    Fault.STALE_READ: 0.02, Fault.WITHHELD_TRADE: 0.04, Fault.LATE_FILL: 0.05,
    Fault.REPEATED_NEWS: 0.05, Fault.SILENT_STREAM: 0.05,
    # per exchange and five minutes
    Fault.STREAM_GAP: 0.02, Fault.OUTAGE: 0.004, Fault.CANCEL_ALL: 0.3, Fault.CLOCK_DIFFERS: 0.004,
    Fault.KEY_GONE: 0.002, Fault.HAND_TRADE: 0.01, Fault.DEPOSIT: 0.01, Fault.GAP_IN_PRICE: 0.01,
    Fault.STOP_FILE: 0.01,
    # per transaction or call
    Fault.DATABASE_AWAY: 0.0001, Fault.ROLLED_BACK: 0.0001, Fault.COMMIT_UNHEARD: 0.0001,
    Fault.KILLED: 0.0005, Fault.FROZEN: 0.0002,
}  # fmt: skip


#: What is more likely than this leaves nothing to be seen of what goes right.
_SURE: Final = 0.5


@dataclass(slots=True)
class Weather:
    """Chances from one seed; ``is_over`` once the storm has passed and nothing fails any more."""

    rng: Rng
    chances: dict[Fault, float] = field(default_factory=lambda: dict(CHANCES))
    happened: Counter[Fault] = field(default_factory=Counter)
    is_over: bool = False

    def blow(self, force: float) -> None:
        """Make every fault so many times as likely; none becomes certain."""
        self.chances = {fault: min(_SURE, chance * force) for fault, chance in self.chances.items()}

    def strikes(self, fault: Fault) -> bool:
        """Return whether this fault happens now; the draw is made either way."""
        drawn = self.rng.uniform()
        if self.is_over or drawn >= self.chances[fault]:
            return False
        self.happened[fault] += 1
        return True

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.rng.uniform()

    def part(self, whole: Decimal, step: Decimal) -> Decimal:
        """Return some of an amount, at least one step, in whole steps."""
        steps = int(whole / step)
        return step * (1 + int(self.rng.uniform() * steps)) if steps > 1 else whole

    def choose(self, things: Sequence[T]) -> T:
        return things[int(self.rng.uniform() * len(things))]
