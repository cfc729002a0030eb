"""Orders: the intent, the request that leaves once, and the persisted state machine.

The table ``NEXT`` is the specification (order path §1.4): an absent key is an illegal move. No
state refuses a fill that the venue reports (O5); silence never leads to a terminal state (O4).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from amarktai.domain.errors import BrokenInvariant


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP_MARKET = "stop_market"


class OrderState(StrEnum):
    PLANNED = "planned"
    DENIED = "denied"
    ABANDONED = "abandoned"
    SENDING = "sending"
    OPEN = "open"
    PARTIAL = "partial"
    FILLED = "filled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    NOT_PLACED = "not_placed"
    CANCELING = "canceling"
    CANCEL_UNKNOWN = "cancel_unknown"
    CANCELED = "canceled"
    EXPIRED = "expired"
    FILLED_PENDING_TRADES = "filled_pending_trades"
    RESURRECTED = "resurrected"
    MANUAL = "manual"


class OrderEvent(StrEnum):
    """What can happen to an order."""

    DENY = "deny"  # a gate refused it before it left
    ABANDON = "abandon"  # it expired unsent
    CLAIM = "claim"  # the compare-and-set that lets one sender through
    ACCEPT = "accept"  # the venue says it rests or works
    REJECT = "reject"  # a definitive refusal, by a venue code on the allow-list
    LOSE = "lose"  # timeout, reset, 5xx, unreadable reply, restart while sending
    FILL = "fill"  # a venue trade that leaves a remainder
    FILL_ALL = "fill_all"  # the venue trade that completes the quantity
    ASK_CANCEL = "ask_cancel"
    LOSE_CANCEL = "lose_cancel"  # the cancel's outcome is unknown
    CANCEL = "cancel"  # the venue says canceled and the trades are complete
    EXPIRE = "expire"  # the venue says expired and the trades are complete
    CLOSE_INCOMPLETE = "close_incomplete"  # the venue says closed, trades are missing
    PROVE_ABSENT = "prove_absent"  # complete absence proofs, past the request's expiry
    REFUSE_FILL = "refuse_fill"  # our books refuse a fill that the venue reports
    RESOLVE_BY_HAND = "resolve_by_hand"


_S, _E = OrderState, OrderEvent

UNSENT: Final = frozenset({_S.PLANNED, _S.DENIED, _S.ABANDONED})
TERMINAL: Final = frozenset(
    {_S.DENIED, _S.ABANDONED, _S.FILLED, _S.REJECTED, _S.NOT_PLACED, _S.CANCELED, _S.EXPIRED, _S.MANUAL}
)
LATE_FILL: Final = frozenset({_S.REJECTED, _S.NOT_PLACED, _S.CANCELED, _S.EXPIRED, _S.MANUAL})
WORKING: Final = frozenset(
    {_S.OPEN, _S.PARTIAL, _S.CANCELING, _S.CANCEL_UNKNOWN, _S.UNKNOWN, _S.SENDING,
     _S.FILLED_PENDING_TRADES, _S.RESURRECTED}
)  # fmt: skip

#: States that only the venue's records can end, or a person. A bot with such an order makes no entries.
DOUBTFUL: Final = frozenset({_S.UNKNOWN, _S.CANCEL_UNKNOWN, _S.FILLED_PENDING_TRADES, _S.RESURRECTED})
_ID_VERSION: Final = 7


def order_id_of(client_order_id: str | None) -> UUID | None:
    """Return our order's id when a client order id is one that we make, else None."""
    if client_order_id is None or len(client_order_id) != 32:
        return None
    try:
        found = UUID(hex=client_order_id)
    except ValueError:
        return None
    return found if found.version == _ID_VERSION and found.hex == client_order_id else None


def _table() -> dict[tuple[OrderState, OrderEvent], OrderState]:
    table = {
        (_S.PLANNED, _E.DENY): _S.DENIED,
        (_S.PLANNED, _E.ABANDON): _S.ABANDONED,
        (_S.PLANNED, _E.CLAIM): _S.SENDING,
        (_S.SENDING, _E.ACCEPT): _S.OPEN,
        (_S.SENDING, _E.REJECT): _S.REJECTED,
        (_S.SENDING, _E.LOSE): _S.UNKNOWN,
        (_S.UNKNOWN, _E.LOSE): _S.UNKNOWN,
        (_S.UNKNOWN, _E.ACCEPT): _S.OPEN,
        (_S.UNKNOWN, _E.REJECT): _S.REJECTED,
        (_S.UNKNOWN, _E.PROVE_ABSENT): _S.NOT_PLACED,
        (_S.OPEN, _E.ACCEPT): _S.OPEN,
        (_S.PARTIAL, _E.ACCEPT): _S.PARTIAL,
        (_S.CANCELING, _E.LOSE_CANCEL): _S.CANCEL_UNKNOWN,
        (_S.CANCELING, _E.ACCEPT): _S.CANCELING,
        (_S.CANCEL_UNKNOWN, _E.ACCEPT): _S.OPEN,
        (_S.CANCEL_UNKNOWN, _E.ASK_CANCEL): _S.CANCELING,
    }
    sent = (_S.SENDING, _S.UNKNOWN, _S.OPEN, _S.PARTIAL, _S.CANCELING, _S.CANCEL_UNKNOWN,
            _S.FILLED_PENDING_TRADES, _S.RESURRECTED)  # fmt: skip
    for state in sent:
        table[state, _E.FILL_ALL] = _S.FILLED
        table[state, _E.CLOSE_INCOMPLETE] = _S.FILLED_PENDING_TRADES
        table[state, _E.REFUSE_FILL] = _S.FILLED_PENDING_TRADES
        table[state, _E.CANCEL] = _S.CANCELED
        table[state, _E.EXPIRE] = _S.EXPIRED
        table[state, _E.RESOLVE_BY_HAND] = _S.MANUAL
    for state in (_S.SENDING, _S.UNKNOWN, _S.OPEN, _S.PARTIAL, _S.RESURRECTED):
        table[state, _E.FILL] = _S.PARTIAL
    for state in (_S.CANCELING, _S.CANCEL_UNKNOWN, _S.FILLED_PENDING_TRADES):
        table[state, _E.FILL] = state
    for state in (_S.OPEN, _S.PARTIAL, _S.RESURRECTED):
        table[state, _E.ASK_CANCEL] = _S.CANCELING
    for state in (*LATE_FILL, _S.FILLED):
        table[state, _E.REFUSE_FILL] = _S.RESURRECTED
    for state in LATE_FILL:
        table[state, _E.FILL] = _S.RESURRECTED
        table[state, _E.FILL_ALL] = _S.FILLED
    return table


NEXT: Final = _table()


def next_state(state: OrderState, event: OrderEvent) -> OrderState:
    """Return the state that ``event`` leads to.

    Raises: BrokenInvariant for an illegal move. A fill on an order that was never sent is one: it
    means that the send-once proof is broken.
    """
    try:
        return NEXT[state, event]
    except KeyError:
        raise BrokenInvariant(f"order in state {state} cannot take {event}") from None


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """What a bot wants. ``decision_key`` is unique per bot: the same decision gives one intent (O3).

    Units: quantity base; price and stop_price quote per base; reference_price is the market price
    the decision was made on, data_ts its time (ns).
    """

    bot_id: UUID
    instrument_id: str
    decision_key: str
    tag: str
    side: Side
    type: OrderType
    quantity: Decimal
    reference_price: Decimal
    data_ts: int
    price: Decimal | None = None
    stop_price: Decimal | None = None
    post_only: bool = False
    reduce_only: bool = False
    oco_group: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A persisted order. Quantities in base, prices in quote per base."""

    id: UUID
    user_id: UUID
    book_id: UUID
    bot_id: UUID
    instrument_id: str
    tag: str
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None
    stop_price: Decimal | None
    post_only: bool
    reduce_only: bool
    oco_group: str | None
    reason: str
    state: OrderState
    filled_quantity: Decimal
    reserved_asset: str
    reserved_amount: Decimal
    venue_order_id: str | None = None

    @property
    def client_order_id(self) -> str:
        """32 hex characters: fits all five exchanges."""
        return self.id.hex

    @property
    def remaining_quantity(self) -> Decimal:
        return self.quantity - self.filled_quantity

    @property
    def budget(self) -> Decimal | None:
        """What the rest of a buy may cost, in quote and fees included; sales have no limit."""
        return self.reserved_amount if self.side is Side.BUY else None
