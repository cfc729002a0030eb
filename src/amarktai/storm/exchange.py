# long: one exchange with its market, its book and its account is read as one thing
"""An exchange as the storm has it: its market, its orders and one account, outliving every engine.

Each of the five differs where it matters to the order path: what it knows an order by, whether a create
is settled at once, what rests, and what a fee is taken from. Written from the exchanges' documents, like
the twins, and never from the adapters. Every amount has at most eight decimals, so that books and exchange
must agree to the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, Protocol
from uuid import UUID

from amarktai.domain.fill import Liquidity
from amarktai.domain.instrument import Fees, Instrument, Platform
from amarktai.domain.money import LEDGER_STEP, ZERO, floor_to_step
from amarktai.domain.order import OrderType, Side
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.exchange import (
    AccountEvent,
    AccountFill,
    Balance,
    Capabilities,
    ClientIdScope,
    FillReported,
    OrderChanged,
    OrderRecord,
)
from amarktai.ports.venue import OrderRequest, VenueRejected, VenueStatus
from amarktai.storm.weather import Fault, Weather

FEE_RATIO: Final = Decimal("0.001")
LOT: Final = Decimal("0.0001")
TICK: Final = Decimal("0.01")
_HALF_SPREAD: Final = Decimal("0.0005")
#: What a minute moves the price by, at the most.
_STEP: Final = 0.0025
_JUMP: Final = 0.05
#: How seldom a resting order is filled in part only.
_PART_CHANCE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Manners:
    """How one exchange differs from the others. ``settles_later``: a create's refusal comes by the stream."""

    platform: Platform
    scope: ClientIdScope
    settles_later: bool = False
    has_resting_orders: bool = True
    fee_in_base: Callable[[Side, Liquidity], bool] = lambda side, liquidity: side is Side.BUY
    fee_ratio: Decimal = FEE_RATIO

    @property
    def capabilities(self) -> Capabilities:
        types = frozenset(OrderType) if self.has_resting_orders else frozenset({OrderType.MARKET})
        return Capabilities(types, self.has_resting_orders, self.scope, 5_000, self.has_resting_orders)


def _never(side: Side, liquidity: Liquidity) -> bool:
    return False


def _taker_buys(side: Side, liquidity: Liquidity) -> bool:
    return side is Side.BUY and liquidity is Liquidity.TAKER


#: The five exchanges, by what an order is known by and what a fee is taken from.
MANNERS: Final[Mapping[Platform, Manners]] = {
    manners.platform: manners
    for manners in (
        Manners(Platform.LUNO, ClientIdScope.FOREVER),
        Manners(Platform.BINANCE, ClientIdScope.OPEN),
        Manners(Platform.KUCOIN, ClientIdScope.OPEN, fee_in_base=_never),
        Manners(
            Platform.OVEX, ClientIdScope.NONE, has_resting_orders=False, fee_in_base=_never, fee_ratio=ZERO
        ),
        Manners(Platform.VALR, ClientIdScope.OPEN, settles_later=True, fee_in_base=_taker_buys),
    )
}


class Listener(Protocol):
    """Who hears an exchange's stream: the account of one engine's life."""

    def hear(self, event: AccountEvent) -> None: ...

    def break_stream(self) -> None: ...


@dataclass(slots=True)
class ModelExchange:
    """One exchange with one account. ``listeners`` hear its stream; ``away_until`` (s) it answers nobody.

    ``ours`` maps the ids of our orders to the exchange's names: what it knows, whether or not it tells.
    """

    manners: Manners
    instruments: Mapping[str, Instrument]
    prices: dict[str, Decimal]
    money: dict[str, Decimal]
    weather: Weather
    clock: Clock
    orders: dict[str, OrderRecord] = field(default_factory=dict)
    fills: list[AccountFill] = field(default_factory=list)
    ours: dict[UUID, str] = field(default_factory=dict)
    arrived: dict[UUID, int] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)
    away_until_ns: int = 0
    offset_ns: int = 0
    offset_since_ns: int = 0
    hand_trades: set[str] = field(default_factory=set)
    deposits: dict[str, list[Decimal]] = field(default_factory=dict)

    @property
    def platform(self) -> Platform:
        return self.manners.platform

    @property
    def is_away(self) -> bool:
        return self.clock.now_ns() < self.away_until_ns

    # -- the market --------------------------------------------------------------------------------

    def quote(self, instrument_id: str) -> tuple[Decimal, Decimal]:
        """Return (bid, ask)."""
        price = self.prices[instrument_id]
        return (price * (1 - _HALF_SPREAD)).quantize(TICK), (price * (1 + _HALF_SPREAD)).quantize(TICK)

    def move(self) -> None:
        """Let a minute pass on the market: prices move and what rests may fill."""
        for instrument_id, price in self.prices.items():
            step = self.weather.between(-_STEP, _STEP)
            if self.weather.strikes(Fault.GAP_IN_PRICE):
                step = self.weather.between(-_JUMP, _JUMP)
            self.prices[instrument_id] = max(TICK, (price * Decimal(1 + step)).quantize(TICK))
        for name in list(self.orders):
            self._fill_resting(name)

    def _fill_resting(self, name: str) -> None:
        record = self.orders[name]
        if record.status is not VenueStatus.OPEN:
            return
        bid, ask = self.quote(record.instrument_id)
        if record.type is OrderType.LIMIT:
            assert record.price is not None
            hit = ask <= record.price if record.side is Side.BUY else bid >= record.price
            price, liquidity = record.price, Liquidity.MAKER
        else:
            assert record.stop_price is not None
            hit = bid <= record.stop_price if record.side is Side.SELL else ask >= record.stop_price
            price, liquidity = (bid if record.side is Side.SELL else ask), Liquidity.TAKER
        if not hit:
            return
        rest = record.quantity - record.filled_quantity
        in_part = self.weather.rng.uniform() < _PART_CHANCE
        self._trade(name, self.weather.part(rest, LOT) if in_part else rest, price, liquidity)

    # -- the account -------------------------------------------------------------------------------

    def place(self, request: OrderRequest) -> OrderRecord:
        """Take an order in. Raises: VenueRejected."""
        self.arrived[request.order_id] = self.arrived.get(request.order_id, 0) + 1
        if request.type is not OrderType.MARKET and not self.manners.has_resting_orders:
            raise VenueRejected("NOT_SUPPORTED", "There are no resting orders.")
        self._check_client_id(request)
        self._check_money(request)
        return self._put(request)

    def _check_client_id(self, request: OrderRequest) -> None:
        """Refuse an id that is taken, as far as this exchange remembers ids."""
        name = self.ours.get(request.order_id)
        if name is None or self.manners.scope is ClientIdScope.NONE:
            return
        is_open = self.orders[name].status is VenueStatus.OPEN
        if is_open or self.manners.scope is ClientIdScope.FOREVER:
            raise VenueRejected("DUPLICATE_ID", "That client order id is taken.")

    def _check_money(self, request: OrderRequest) -> None:
        base, quote = self._assets(request.instrument_id)
        bid, ask = self.quote(request.instrument_id)
        price = request.price or request.stop_price or ask
        asset, amount = (
            (quote, request.quantity * price * (1 + self.manners.fee_ratio))
            if request.side is Side.BUY
            else (base, request.quantity)
        )
        if amount > self._available(asset):
            raise VenueRejected("INSUFFICIENT", f"There is not enough {asset}.")
        crosses = ask <= price if request.side is Side.BUY else bid >= price
        if request.post_only and crosses:
            raise VenueRejected("WOULD_TAKE", "It would not rest.")

    def _put(self, request: OrderRequest) -> OrderRecord:
        name, at = f"{self.platform.value}-{len(self.orders) + 1}", to_datetime(self.clock.now_ns())
        tells = self.manners.scope is not ClientIdScope.NONE
        self.orders[name] = OrderRecord(
            request.order_id if tells else None, request.client_order_id if tells else "", name,
            request.instrument_id, request.side, request.type, request.quantity, request.price,
            request.stop_price, VenueStatus.OPEN, ZERO, at, at,
        )  # fmt: skip
        self.ours[request.order_id] = name
        bid, ask = self.quote(request.instrument_id)
        if request.type is OrderType.MARKET:
            price = ask if request.side is Side.BUY else bid
            first = self.weather.part(request.quantity, LOT)
            self._trade(name, first, price, Liquidity.TAKER)
            if first < request.quantity:
                self._trade(name, request.quantity - first, price, Liquidity.TAKER)
        elif request.type is OrderType.LIMIT:
            self._fill_resting(name)
        self._tell(name)
        return self.orders[name]

    def cancel(self, name: str, *, status: VenueStatus = VenueStatus.CANCELED) -> OrderRecord:
        record = self.orders[name]
        if record.status is VenueStatus.OPEN:
            at = to_datetime(self.clock.now_ns())
            self.orders[name] = replace(record, status=status, updated_at=at)
            self._tell(name)
        return self.orders[name]

    def complete(self, name: str) -> None:
        """Fill what rests of an order at once, as when a cancel comes too late."""
        record = self.orders[name]
        rest = record.quantity - record.filled_quantity
        self._trade(name, rest, record.price or self.quote(record.instrument_id)[0], Liquidity.MAKER)

    def fill_late(self, name: str) -> None:
        """Report an execution of a canceled order that nobody knew of when it was canceled."""
        record = self.orders[name]
        rest = record.quantity - record.filled_quantity
        if record.status is VenueStatus.CANCELED and rest and self._can_pay(record, rest):
            self._trade(name, rest, self.prices[record.instrument_id], Liquidity.TAKER)

    def trade_by_hand(self, instrument_id: str, quantity: Decimal) -> None:
        """Let the owner buy something beside the platform, with money that is beside its bots."""
        name, at = f"hand-{len(self.orders) + 1}", to_datetime(self.clock.now_ns())
        self.orders[name] = OrderRecord(
            None, "", name, instrument_id, Side.BUY, OrderType.MARKET, quantity, None, None,
            VenueStatus.OPEN, ZERO, at, at,
        )  # fmt: skip
        self.hand_trades.add(name)
        self._trade(name, quantity, self.quote(instrument_id)[1], Liquidity.TAKER)

    def pay_in(self, asset: str, amount: Decimal) -> None:
        """Let the owner pay something in; ``deposits`` are those that the platform has not asked about."""
        self._move(asset, amount)
        self.deposits.setdefault(asset, []).append(amount)

    def is_explained_by_deposits(self, asset: str, amount: Decimal) -> bool:
        """Return whether a difference is what was paid in since the last one, and take that for told."""
        waiting = self.deposits.get(asset, [])
        for count in range(1, len(waiting) + 1):
            if sum(waiting[:count], ZERO) == amount:
                self.deposits[asset] = waiting[count:]
                return True
        return False

    def set_clock(self, offset_ns: int) -> None:
        """Let the exchange's clock differ from everybody's."""
        if not self.offset_ns:
            self.offset_since_ns = self.clock.now_ns()
        self.offset_ns = offset_ns

    def come_back_empty(self) -> None:
        """Lose what rested, as exchanges do that cancel everything in a restart."""
        for name, record in list(self.orders.items()):
            if record.status is VenueStatus.OPEN:
                is_expired = self.weather.rng.uniform() < 0.5
                self.cancel(name, status=VenueStatus.EXPIRED if is_expired else VenueStatus.CANCELED)

    def balances(self) -> dict[str, Balance]:
        return {
            asset: Balance(asset, total, total - self._available(asset))
            for asset, total in self.money.items()
            if total
        }

    def fees(self) -> Fees:
        return Fees(self.manners.fee_ratio, self.manners.fee_ratio, "the storm's model")

    # -- parts -------------------------------------------------------------------------------------

    def _trade(self, name: str, quantity: Decimal, price: Decimal, liquidity: Liquidity) -> None:
        record, at = self.orders[name], to_datetime(self.clock.now_ns())
        base, quote = self._assets(record.instrument_id)
        in_base = self.manners.fee_in_base(record.side, liquidity)
        fee = floor_to_step((quantity if in_base else quantity * price) * self.manners.fee_ratio, LEDGER_STEP)
        fill = AccountFill(
            f"{self.platform.value}-t{len(self.fills) + 1}", name, record.client_order_id or None,
            record.instrument_id, record.side, quantity, price, fee, base if in_base else quote, liquidity,
            at,
        )  # fmt: skip
        self.fills.append(fill)
        sign = 1 if record.side is Side.BUY else -1
        for asset, amount in (
            (base, sign * quantity),
            (quote, -sign * quantity * price),
            (fill.fee_asset, -fee),
        ):
            self._move(asset, amount)
        filled = record.filled_quantity + quantity
        is_done = filled == record.quantity and record.status is VenueStatus.OPEN
        status = VenueStatus.FILLED if is_done else record.status
        self.orders[name] = replace(record, filled_quantity=filled, status=status, updated_at=at)
        self._say(FillReported(fill))

    def _move(self, asset: str, amount: Decimal) -> None:
        self.money[asset] = self.money.get(asset, ZERO) + amount

    def _tell(self, name: str) -> None:
        record = self.orders[name]
        self._say(OrderChanged(name, record.client_order_id or None, record))

    def _say(self, event: AccountEvent) -> None:
        if self.weather.strikes(Fault.SILENT_STREAM):
            return
        times = 2 if self.weather.strikes(Fault.REPEATED_NEWS) else 1
        for listener in self.listeners:
            for _ in range(times):
                listener.hear(event)

    def _assets(self, instrument_id: str) -> tuple[str, str]:
        instrument = self.instruments[instrument_id]
        return instrument.base, instrument.quote

    def _available(self, asset: str) -> Decimal:
        held = ZERO
        for record in self.orders.values():
            if record.status is not VenueStatus.OPEN:
                continue
            base, quote = self._assets(record.instrument_id)
            rest = record.quantity - record.filled_quantity
            if record.side is Side.SELL and asset == base:
                held += rest
            elif record.side is Side.BUY and asset == quote:
                held += rest * (record.price or ZERO) * (1 + self.manners.fee_ratio)
        return self.money.get(asset, ZERO) - held

    def _can_pay(self, record: OrderRecord, quantity: Decimal) -> bool:
        base, quote = self._assets(record.instrument_id)
        if record.side is Side.SELL:
            return self._available(base) >= quantity
        return self._available(quote) >= quantity * self.prices[record.instrument_id] * 2
