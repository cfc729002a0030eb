"""What all exchange accounts share: checks, one create, cancels that are proven, reports.

An exchange's own file says how its orders are written and read; this one says in which order things
happen and what may be concluded. A refused cancel proves nothing: the order is asked for afterwards
(O13). "Not found" counts only while the exchange still keeps records of that age.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar
from uuid import UUID

from amarktai.domain.bar import NS_PER_S
from amarktai.domain.errors import Forbidden, InvalidInput, Unavailable
from amarktai.domain.instrument import DISPLAY_NAMES, Fees, Instrument
from amarktai.domain.money import ZERO
from amarktai.domain.order import OrderType
from amarktai.ports.clock import Clock
from amarktai.ports.exchange import (
    AccountEvent,
    AccountFill,
    Balance,
    Capabilities,
    OrderRecord,
    StreamGap,
)
from amarktai.ports.rng import Rng
from amarktai.ports.venue import (
    OrderReport,
    OrderRequest,
    OutcomeUnknown,
    VenueRejected,
)
from amarktai.venues.account_records import NS_PER_MS
from amarktai.venues.account_stream import Heard, StreamReader
from amarktai.venues.budget import Priority, RequestBudget
from amarktai.venues.order_rules import check_steps
from amarktai.venues.socket import Lost, Opened, ReconnectingSocket, SocketPlan
from amarktai.venues.spec import VenueSpec
from amarktai.venues.transport import decoding

_T = TypeVar("_T")
#: How far an exchange's clock may be from ours when records are looked through by time.
CLOCK_MARGIN_NS: Final = 60 * NS_PER_S
NS_PER_DAY: Final = 86_400 * NS_PER_S


@dataclass(frozen=True, slots=True)
class AccountParts:
    """What an account works with. ``instruments`` are all markets of the exchange that we know.

    ``watched`` are the ids of those that are asked for one by one where the exchange wants that; an
    account adds the markets that it trades by itself.
    """

    account: str
    instruments: Sequence[Instrument]
    watched: Iterable[str]
    clock: Clock
    rng: Rng
    budget: RequestBudget


class VenueAccount(ABC):
    """One account at one exchange. Implements ports.exchange.ExchangeAccount."""

    capabilities: Capabilities
    #: How long the exchange can surely still tell a closed order from one that never was.
    records_kept_days: ClassVar[int]

    def __init__(self, spec: VenueSpec, parts: AccountParts) -> None:
        self.platform = spec.platform
        self.account = parts.account
        self._name = DISPLAY_NAMES[spec.platform]
        self._spec = spec
        self._clock = parts.clock
        self._rng = parts.rng
        self._budget = parts.budget
        self._instruments = {item.id: item for item in parts.instruments}
        self._by_symbol = {spec.venue_symbol(item.base, item.quote): item for item in parts.instruments}
        self._watched = {item for item in parts.watched if item in self._instruments}

    # -- what an exchange defines ------------------------------------------------------------------------

    @abstractmethod
    async def _place(self, request: OrderRequest, instrument: Instrument) -> OrderReport:
        """Send a checked order, once, and return the exchange's answer."""

    @abstractmethod
    async def _ask_cancel(self, order_id: UUID, instrument: Instrument) -> str:
        """Ask for a cancel and return what was said to it, which proves nothing. Raises: OutcomeUnknown."""

    @abstractmethod
    async def _find(self, client_order_id: str, instrument: Instrument) -> OrderRecord | None:
        """Return an order by our id, None when the records lack it."""

    @abstractmethod
    async def _fills_of(self, record: OrderRecord, instrument: Instrument) -> Sequence[AccountFill]:
        """Return every execution of one order."""

    @abstractmethod
    async def fetch_balances(self) -> Mapping[str, Balance]: ...

    @abstractmethod
    async def fetch_fees(self, instrument: Instrument) -> Fees: ...

    @abstractmethod
    async def fetch_record(self, venue_order_id: str, instrument_id: str) -> OrderRecord | None: ...

    @abstractmethod
    async def fetch_open_records(self) -> Sequence[OrderRecord]: ...

    @abstractmethod
    async def fetch_records_since(self, ts: int) -> Sequence[OrderRecord]: ...

    @abstractmethod
    async def fetch_fills_since(self, ts: int) -> Sequence[AccountFill]: ...

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    def _stream(self) -> tuple[SocketPlan, StreamReader]:
        """Return how the account's stream is connected, and what reads it."""

    # -- the trading venue -------------------------------------------------------------------------------

    async def create_order(self, request: OrderRequest) -> OrderReport:
        """Send a create exactly once. Raises: VenueRejected, OutcomeUnknown."""
        instrument = self._instruments.get(request.instrument_id)
        if instrument is None:
            raise VenueRejected(
                "UNKNOWN_INSTRUMENT",
                f"{self._name} does not list {request.instrument_id}.",
                "Choose a pair that it lists.",
            )
        self._check(request, instrument)
        self._watched.add(instrument.id)
        return await self._place(request, instrument)

    async def cancel_order(self, order_id: UUID, instrument_id: str) -> OrderReport:
        """Ask for a cancel, then for the order: what counts is the order, not the cancel's answer.

        Raises: OutcomeUnknown.
        """
        instrument = self._instrument(instrument_id)
        try:
            said = await self._ask_cancel(order_id, instrument)
        except (Unavailable, Forbidden, InvalidInput) as error:
            raise OutcomeUnknown(error.code, error.detail, error.action) from error
        report = await self.fetch_order(order_id, instrument_id)
        if report is None:
            raise OutcomeUnknown(
                "OUTCOME_UNKNOWN",
                f"{self._name} does not know the order that was to be canceled. {said}",
                "The platform asks the exchange what happened.",
            )
        return report

    async def fetch_order(self, order_id: UUID, instrument_id: str) -> OrderReport | None:
        """Return the order by our id with its fills; None when all records that reach back so far lack it.

        Raises: OutcomeUnknown.
        """
        instrument = self._instrument(instrument_id)
        try:
            record = await self._find(order_id.hex, instrument)
            if record is None:
                record = await self._find_in_lists(order_id, instrument)
            if record is not None:
                return await self._report(order_id, record, instrument)
        except (Unavailable, Forbidden, InvalidInput) as error:
            raise OutcomeUnknown(error.code, error.detail, error.action) from error
        self._check_kept(order_id)
        return None

    async def fetch_open_orders(self) -> Sequence[OrderReport]:
        """Return our own open orders with their fills; ``fetch_open_records`` has those by hand too.

        Raises: Unavailable, Forbidden.
        """
        records = await self.fetch_open_records()
        return [
            await self._report(record.order_id, record, self._instruments[record.instrument_id])
            for record in records
            if record.order_id is not None and record.instrument_id in self._instruments
        ]

    # -- the account's stream ----------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[AccountEvent]:
        """Yield what the account's stream says until the task is canceled; the first is a StreamGap.

        A connection's gap is told when the exchange listens for us: whoever reconciles then misses
        nothing. What comes before it on that connection is not passed on.
        """
        plan, reader = self._stream()
        socket = ReconnectingSocket(plan, self._clock, self._rng, self._budget)
        is_covered = False
        async for frame in socket.messages():
            if isinstance(frame, Lost):
                is_covered = False
                yield StreamGap(frame.reason)
                continue
            heard = self._heard(reader, frame)
            for reply in heard.replies:
                await socket.send(reply)
            for event in heard.events:
                is_covered = is_covered or isinstance(event, StreamGap)
                if is_covered:
                    yield event
            if heard.restart:
                await socket.restart(heard.restart)

    def _heard(self, reader: StreamReader, frame: bytes | Opened) -> Heard:
        """Return what a frame means; one that cannot be read ends the connection, for it may be a fill."""
        if isinstance(frame, Opened):
            return reader.opened()
        try:
            with decoding(self.platform):
                return reader.read(frame)
        except Unavailable as error:
            return Heard(restart=error.detail)

    async def _ready_to_stream(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Return what a stream needs before it opens; a refused key keeps it closed, and is tried again."""
        try:
            return await ask()
        except (Forbidden, InvalidInput) as error:
            raise Unavailable(error.code, error.detail, error.action) from error

    # -- shared by the exchanges' files ------------------------------------------------------------------

    def _check(self, request: OrderRequest, instrument: Instrument) -> None:
        if request.type not in self.capabilities.order_types:
            raise VenueRejected(
                "ORDER_TYPE_UNSUPPORTED", f"{self._name} has no {request.type} orders.", "Use a limit order."
            )
        if request.post_only and (request.type is not OrderType.LIMIT or not self.capabilities.post_only):
            raise VenueRejected(
                "ORDER_TYPE_UNSUPPORTED",
                f"A {request.type} order cannot be post-only at {self._name}.",
                "Use a limit order.",
            )
        check_steps(instrument, request)
        if request.price is not None and request.price * request.quantity < instrument.min_notional:
            raise VenueRejected(
                "BELOW_MIN_NOTIONAL",
                f"The order is worth less than {instrument.min_notional} {instrument.quote}.",
                "Trade a larger amount.",
            )

    async def _find_in_lists(self, order_id: UUID, instrument: Instrument) -> OrderRecord | None:
        """Return an order from the lists of all orders since it was made: one "not found" is no proof."""
        self._watched.add(instrument.id)
        records = await self.fetch_records_since(_made_ts(order_id) - CLOCK_MARGIN_NS)
        return next((record for record in records if record.order_id == order_id), None)

    def _check_kept(self, order_id: UUID) -> None:
        """Check that the exchange still keeps records of an order as old as this id's own time.

        Raises: OutcomeUnknown.
        """
        if self._clock.now_ns() - _made_ts(order_id) > self.records_kept_days * NS_PER_DAY:
            raise OutcomeUnknown(
                "RECORDS_TOO_OLD",
                f"{self._name} keeps records for {self.records_kept_days} days; the order is older.",
                "Look at the exchange's own statement and resolve the order by hand.",
            )

    async def _report(self, order_id: UUID, record: OrderRecord, instrument: Instrument) -> OrderReport:
        fills = await self._fills_of(record, instrument) if record.filled_quantity > ZERO else ()
        return record.report(order_id, fills)

    def _instrument(self, instrument_id: str) -> Instrument:
        found = self._instruments.get(instrument_id)
        if found is None:
            raise InvalidInput(
                "VALIDATION_ERROR",
                f"{self._name} does not list {instrument_id}",
                "Choose a pair that it lists.",
            )
        return found

    def _symbol(self, instrument: Instrument) -> str:
        return self._spec.venue_symbol(instrument.base, instrument.quote)

    def _id_of_symbol(self, symbol: str) -> str:
        """Return our id of a market; one that we do not list (a trade by hand) keeps the exchange's name."""
        found = self._by_symbol.get(symbol)
        return f"{self.platform}:{symbol}" if found is None else found.id

    def _asset(self, code: str) -> str:
        """Return our code of an asset."""
        return next((ours for ours, theirs in self._spec.assets.items() if theirs == code), code)

    def _watched_instruments(self) -> list[Instrument]:
        return [self._instruments[item] for item in sorted(self._watched)]


def _made_ts(order_id: UUID) -> int:
    """Return when an id of ours was made (ns): it carries its time."""
    return (order_id.int >> 80) * NS_PER_MS


def priority_of(request: OrderRequest) -> Priority:
    """Return how urgent a create is: what lowers risk goes first."""
    return Priority.EXIT if request.reduce_only else Priority.ORDER
