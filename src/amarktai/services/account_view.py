"""What a user's bots have: money, positions, open round trips and working orders.

The order path reads it once, under the book's lock, and carries it from transaction to transaction: the
one engine that holds the lease is the only writer of orders and positions, and a book whose head has not
moved has the balances that it had. A view that any of this does not hold for is thrown away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from uuid import UUID

from amarktai.domain.bot import Bot
from amarktai.domain.instrument import Instrument
from amarktai.domain.money import ZERO
from amarktai.domain.order import DOUBTFUL, TERMINAL, Order, OrderIntent, Side
from amarktai.domain.position import Position
from amarktai.domain.risk import GateContext
from amarktai.domain.round_trip import RoundTrip
from amarktai.ledger import chart
from amarktai.ports.store import Balances, Book, OpenPosition, StoredOrder, UnitOfWork

_FLAT: Final = OpenPosition(Position(), None)


@dataclass(frozen=True, slots=True)
class BotAccount:
    """What a bot has after a transaction.

    Units: cash in quote, free of reservations; held_cash with them; quantity in base. ``working`` maps
    the tag of each order that is not terminal to its id; ``sales`` are those of them that hold coins.
    """

    cash: Decimal
    held_cash: Decimal
    quantity: Decimal
    average_price: Decimal | None
    working: Mapping[str, UUID]
    sales: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an order meets outside its bot's own books.

    ``stop`` is why everybody is stopped by file; ``held_back`` why nothing that adds risk may go to the
    exchange now; ``sharers`` are the bots whose orders rest in the same account there.
    """

    stop: str | None = None
    held_back: str | None = None
    sharers: Sequence[UUID] = ()


@dataclass(slots=True)
class AccountView:
    """Of one user's bots. ``book`` is as of the last entry that it knows of.

    ``booked`` are the trade ids of each working order's fills, where all of them are known.
    """

    book: Book
    balances: Balances = field(default_factory=dict)
    held: dict[UUID, OpenPosition] = field(default_factory=dict)
    trips: dict[UUID, RoundTrip] = field(default_factory=dict)
    working: dict[UUID, dict[UUID, StoredOrder]] = field(default_factory=dict)
    booked: dict[UUID, set[str]] = field(default_factory=dict)
    _owners: dict[UUID, UUID] = field(default_factory=dict)

    async def load(self, unit: UnitOfWork, bot_ids: Iterable[UUID]) -> None:
        """Read the bots that are not in the view yet. The caller holds the book's lock."""
        missing = sorted(set(bot_ids) - self.working.keys())
        if not missing:
            return
        accounts = [chart.bot_holding(bot_id) for bot_id in missing]
        self.balances.update(await unit.ledger.balances(self.book, accounts))
        held = await unit.trades.positions(missing)
        self.held.update({bot_id: held.get(bot_id, _FLAT) for bot_id in missing})
        self.trips.update(await unit.trades.open_trips(missing))
        self.working.update({bot_id: {} for bot_id in missing})
        for item in await unit.orders.working(missing):
            self.put(item)

    def find(self, order_ids: Iterable[UUID]) -> dict[UUID, StoredOrder]:
        """Return those of the orders that work, as far as their bots are in the view."""
        return {
            order_id: self.working[self._owners[order_id]][order_id]
            for order_id in order_ids
            if order_id in self._owners
        }

    def put(self, item: StoredOrder) -> None:
        """Take over an order as it is now; one that has ended leaves the view."""
        order = item.order
        if order.state in TERMINAL:
            self.working[order.bot_id].pop(order.id, None)
            self._owners.pop(order.id, None)
            self.booked.pop(order.id, None)
        else:
            self.working[order.bot_id][order.id] = item
            self._owners[order.id] = order.bot_id

    def orders(self, bot_id: UUID) -> list[Order]:
        """Return the bot's working orders."""
        return [item.order for item in self.working.get(bot_id, {}).values()]

    def free_cash(self, bot_id: UUID, quote: str) -> Decimal:
        held = self.balances.get((chart.bot_holding(bot_id), quote), ZERO)
        reserved = (order.reserved_amount for order in self.orders(bot_id) if order.side is Side.BUY)
        return held - sum(reserved, ZERO)

    def free_coins(self, bot_id: UUID, base: str, oco_group: str | None = None) -> Decimal:
        """Return coins that no working sale holds. Orders of one one-cancels-other group hold once."""
        held = self.balances.get((chart.bot_holding(bot_id), base), ZERO)
        groups: dict[str, Decimal] = {}
        for order in self.orders(bot_id):
            if order.side is Side.SELL and (order.oco_group is None or order.oco_group != oco_group):
                key = order.oco_group or order.id.hex
                groups[key] = max(groups.get(key, ZERO), order.remaining_quantity)
        return held - sum(groups.values(), ZERO)

    def gate_context(
        self,
        intent: OrderIntent,
        bot: Bot,
        instrument: Instrument,
        now_ns: int,
        max_data_age_s: float,
        around: Surroundings,
    ) -> GateContext:
        """Return what the gates look at for this intent."""
        orders = self.orders(bot.id)
        rivals = [order for sharer in around.sharers for order in self.orders(sharer)] or orders
        return GateContext(
            stop=around.stop or self.book.stop,
            base=self.book.base,
            trading_mode=bot.mode,
            bot_status=bot.status,
            halt=self.book.halts.get(bot.platform.value),
            account_active=not any(order.state in DOUBTFUL for order in orders),
            held_back=around.held_back,
            data_age_s=(now_ns - intent.data_ts) / 1e9,
            max_data_age_s=max_data_age_s,
            free_cash=self.free_cash(bot.id, instrument.quote),
            free_coins=self.free_coins(bot.id, instrument.base, intent.oco_group),
            opposing=[
                order.price
                for order in rivals
                if order.price is not None
                and order.side is not intent.side
                and order.instrument_id == intent.instrument_id
            ],
        )

    def accounts(
        self, bot_ids: Sequence[UUID], bots: Mapping[UUID, Bot], instruments: Mapping[str, Instrument]
    ) -> dict[UUID, BotAccount]:
        """Return what each of these bots has."""
        found: dict[UUID, BotAccount] = {}
        for bot_id in bot_ids:
            instrument = instruments[bots[bot_id].instrument_id]
            position, orders = self.held[bot_id].position, self.orders(bot_id)
            found[bot_id] = BotAccount(
                cash=self.free_cash(bot_id, instrument.quote),
                held_cash=self.balances.get((chart.bot_holding(bot_id), instrument.quote), ZERO),
                quantity=position.quantity,
                average_price=position.average_price,
                working={order.tag: order.id for order in orders},
                sales=frozenset(order.id for order in orders if order.side is Side.SELL),
            )
        return found
