"""What can go wrong on demand, for how many calls, and which calls it strikes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from amarktai.domain.errors import InvalidInput, NotFound
from amarktai.ports.rng import Rng
from amarktai.twins.matching import Exchange


class Operation(StrEnum):
    """What a call is about, in words that hold for every exchange. Faults are aimed at these."""

    CREATE = "create"
    CANCEL = "cancel"
    CANCEL_ALL = "cancel_all"
    ORDER = "order"
    OPEN_ORDERS = "open_orders"
    ORDER_HISTORY = "order_history"
    FILLS = "fills"
    BALANCES = "balances"
    STATEMENT = "statement"
    PERMISSIONS = "permissions"
    FEES = "fees"
    MARKETS = "markets"
    TICKER = "ticker"
    BOOK = "book"
    TRADES = "trades"
    CANDLES = "candles"
    TIME = "time"
    STREAM_TOKEN = "stream_token"
    QUOTE = "quote"
    ACCEPT = "accept"
    MARKET_STREAM = "market_stream"
    ACCOUNT_STREAM = "account_stream"


#: Listings, of which a page can be missing.
LISTINGS: Final = frozenset(
    {Operation.OPEN_ORDERS, Operation.ORDER_HISTORY, Operation.FILLS, Operation.STATEMENT}
)
STREAMS: Final = frozenset({Operation.MARKET_STREAM, Operation.ACCOUNT_STREAM})
WRITES: Final = frozenset({Operation.CREATE, Operation.CANCEL, Operation.CANCEL_ALL, Operation.ACCEPT})


class FaultKind(StrEnum):
    """A fault. "Done" means that the exchange did what was asked, whatever the caller learns."""

    REFUSE = "refuse"  # not done, refused in the exchange's own form
    REFUSE_AFTER = "refuse_after"  # done, yet refused
    DROP_REQUEST = "drop_request"  # not done, the connection breaks
    DROP_REPLY = "drop_reply"  # done, the connection breaks
    DELAY = "delay"  # done after ``seconds``
    DELAY_REPLY = "delay_reply"  # done at once, answered after ``seconds``
    DUPLICATE = "duplicate"  # the request arrives twice; the second answer is given
    SERVER_ERROR = "server_error"  # not done, 5xx
    DONE_BUT_ERROR = "done_but_error"  # done, 5xx
    RATE_LIMIT = "rate_limit"  # not done, 429
    BAN = "ban"  # not done, and nothing from that address for ``seconds``
    NOT_FOUND = "not_found"  # a live order is said not to exist
    MISSING_PAGE = "missing_page"  # a listing lacks its newest page
    STALE = "stale"  # a read shows the exchange as it was when the fault was armed
    GAP = "gap"  # a stream frame is lost
    REORDER = "reorder"  # a stream frame comes after its successor
    REPEAT = "repeat"  # a stream frame comes twice
    SILENCE = "silence"  # a stream stays open and says nothing for ``seconds``; its frames are lost
    CLOSE = "close"  # a stream is closed in the middle


_ON_STREAMS: Final = frozenset(
    {FaultKind.GAP, FaultKind.REORDER, FaultKind.REPEAT, FaultKind.SILENCE, FaultKind.CLOSE}
)
_APPLIES: Final[dict[FaultKind, Collection[Operation]]] = {
    FaultKind.NOT_FOUND: frozenset({Operation.ORDER, Operation.CANCEL}),
    FaultKind.MISSING_PAGE: LISTINGS,
    FaultKind.STALE: frozenset(Operation) - STREAMS - WRITES,
    **dict.fromkeys(_ON_STREAMS, STREAMS),
}
_ANY_CALL: Final = frozenset(Operation) - STREAMS


@dataclass(slots=True)
class Fault:
    """One armed fault.

    It strikes calls of ``operation`` (None: any that it can strike) by ``key`` (None: anybody), after
    letting ``skip`` of them pass, ``count`` times (None: until cleared), each with ``chance``.
    """

    kind: FaultKind
    operation: Operation | None = None
    key: str | None = None
    skip: int = 0
    count: int | None = 1
    seconds: float = 0.0
    chance: float = 1.0
    number: int = 0
    struck: int = 0
    snapshot: Exchange | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        applies = _APPLIES.get(self.kind, _ANY_CALL)
        if self.operation is not None and self.operation not in applies:
            raise InvalidInput(
                "VALIDATION_ERROR",
                f"{self.kind.value} cannot strike {self.operation.value}",
                "Choose one of: " + ", ".join(sorted(applies)),
            )

    @property
    def is_spent(self) -> bool:
        return self.count is not None and self.struck >= self.count

    def strikes(self, operation: Operation, key: str | None) -> bool:
        if self.is_spent or (self.key is not None and self.key != key):
            return False
        if self.operation is not None:
            return self.operation is operation
        return operation in _APPLIES.get(self.kind, _ANY_CALL)


class Faults:
    """The armed faults, oldest first. A call is struck by the first that fits."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._armed: list[Fault] = []
        self._count = 0

    def arm(self, fault: Fault) -> Fault:
        """Add a fault; return it with its number."""
        self._count += 1
        fault.number = self._count
        self._armed.append(fault)
        return fault

    def clear(self, number: int | None = None) -> None:
        """Disarm one fault, or all. Raises: NotFound."""
        if number is not None and all(fault.number != number for fault in self._armed):
            raise NotFound("NOT_FOUND", f"There is no fault {number}", "List them first.")
        self._armed = [fault for fault in self._armed if number is not None and fault.number != number]

    def all(self) -> list[Fault]:
        """Return every fault that was armed and not cleared, spent ones too."""
        return list(self._armed)

    def take(self, operation: Operation, key: str | None) -> Fault | None:
        """Return the fault that strikes this call, and count it."""
        for fault in self._armed:
            if not fault.strikes(operation, key):
                continue
            if fault.skip > 0:
                fault.skip -= 1
            elif fault.chance >= 1 or self._rng.uniform() < fault.chance:
                fault.struck += 1
                return fault
        return None
