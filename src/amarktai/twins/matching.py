"""The one matching engine behind every twin: price-time priority, exact, without clock or network.

Orders that cannot be taken raise ``Refused`` and leave nothing behind, except where an exchange keeps
failed orders (``keep_failed``). The crowd, the rest of the market, trades here like any other account,
but with unlimited balances and without a record of its orders.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Final

from amarktai.domain.fill import Liquidity
from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import CROWD, OUTSIDE, VENUE, BalanceChange, Balances, InsufficientFunds
from amarktai.twins.book import Book
from amarktai.twins.orders import (
    BookChange,
    Change,
    Fill,
    Kind,
    Market,
    NewOrder,
    Order,
    OrderChange,
    State,
    TimeInForce,
    Trade,
)
from amarktai.twins.rules import EXACT, ClientIds, FeeQuestion, Reason, Refused, Rules, ratio

#: Public trades kept a market: what the exchanges serve of them is less.
_TRADES_KEPT: Final = 5_000

Event = OrderChange | BookChange | BalanceChange
_Plan = list[tuple[Order, Decimal]]


class Exchange:
    """Books, orders, trades and balances of one exchange. Times are nanoseconds, UTC."""

    def __init__(self, markets: Sequence[Market], rules: Rules, order_id: Callable[[int], str]) -> None:
        self.markets: dict[str, Market] = {market.symbol: market for market in markets}
        self.rules = rules
        self.balances = Balances(self._emit)
        self.books: dict[str, Book] = {symbol: Book() for symbol in self.markets}
        self.orders: dict[str, Order] = {}
        self.orders_of: dict[str, list[Order]] = defaultdict(list)
        self.fills_of: dict[str, list[Fill]] = defaultdict(list)
        self.trades: dict[str, list[Trade]] = {symbol: [] for symbol in self.markets}
        self.statement: list[tuple[int, BalanceChange]] = []
        self.listeners: list[Callable[[Sequence[Event]], None]] = []
        self.suspended: set[str] = set()
        self._order_id = order_id
        self._live_of: dict[str, dict[str, Order]] = defaultdict(dict)
        self._undelivered: list[Event] = []
        self._by_client_id: dict[tuple[str, str], Order] = {}
        self._stops: dict[str, list[Order]] = {symbol: [] for symbol in self.markets}
        self._order_count = 0
        self._trade_counts = dict.fromkeys(self.markets, 0)
        self._now_ns = 0

    # -- what accounts do -------------------------------------------------------------------------------

    def submit(self, wish: NewOrder, now_ns: int) -> Order:
        """Take an order, match it, and rest or end what is left.

        Raises: Refused. Nothing of a refused order remains unless the exchange keeps failed ones.
        """
        with self._at(now_ns):
            known = self._check_client_id(wish)
            order = self._new_order(wish)
            try:
                self._accept(order)
            except Refused as refusal:
                raise self._failed(order, known, refusal) from refusal
            self._fire_stops(wish.market)
        return order

    def deal(self, account: str, market: str, side: Side, base: Decimal, quote: Decimal, now_ns: int) -> Fill:
        """Trade these amounts against the crowd, past the book: an accepted quote of a desk.

        Raises: Refused INSUFFICIENT_FUNDS.
        """
        with self._at(now_ns):
            wish = NewOrder(account, market, side, Kind.MARKET, base)
            assets = self.markets[market]
            pays, gets = ((assets.quote, quote), (assets.base, base))
            if side is Side.SELL:
                pays, gets = gets, pays
            if self.balances.available(account, pays[0]) < pays[1]:
                raise Refused(Reason.INSUFFICIENT_FUNDS)
            order = self._new_order(wish)
            self.balances.pay(account, CROWD, *pays, "trade", order.id)
            self.balances.pay(CROWD, account, *gets, "trade", order.id)
            return self._record_deal(order, ratio(quote, base, 12, ROUND_HALF_EVEN), quote)

    def _record_deal(self, order: Order, price: Decimal, quote: Decimal) -> Fill:
        wish = order.wish
        self._tell_order(order, Change.ACCEPTED)
        number = self._trade_counts[wish.market] = self._trade_counts[wish.market] + 1
        trade = Trade(
            number, wish.market, price, wish.quantity or ZERO, wish.side, self._now_ns, "", order.id, quote
        )
        order.filled, order.filled_quote = trade.quantity, quote
        self._complete(order)
        asset = self.markets[wish.market].quote
        fill = Fill(trade, wish.account, order.id, "", wish.side, Liquidity.TAKER, ZERO, asset)
        order.fills.append(fill)
        self.fills_of[wish.account].append(fill)
        self._tell_order(order, Change.FILLED, fill)
        return fill

    def cancel(self, order: Order, now_ns: int, reason: str = "") -> Order:
        """End a live order. Raises: Refused NOT_LIVE."""
        with self._at(now_ns):
            if not order.is_live:
                raise Refused(Reason.NOT_LIVE, order)
            if order.state is State.OPEN:
                self._take_off_book(order)
            else:
                self._stops[order.wish.market].remove(order)
            self._end(order, State.CANCELLED, reason)
        return order

    def cancel_all(
        self, account: str | None, market: str | None, now_ns: int, reason: str = ""
    ) -> list[Order]:
        """End the live orders of an account (or of all) in a market (or in all); return them."""
        owners = list(self._live_of) if account is None else [account]
        live = [order for owner in owners for order in self.live_orders(owner, market)]
        for order in live:
            self.cancel(order, now_ns, reason)
        return live

    def by_client_id(self, account: str, client_id: str) -> Order | None:
        """Return the account's latest order with that client id."""
        return self._by_client_id.get((account, client_id))

    def live_orders(self, account: str, market: str | None = None) -> list[Order]:
        """Return the account's live orders, oldest first."""
        return [order for order in self._live_of[account].values() if market in (None, order.wish.market)]

    # -- what the world does ----------------------------------------------------------------------------

    def deposit(self, account: str, asset: str, amount: Decimal, now_ns: int, reference: str = "") -> None:
        """Credit an account from outside; a negative amount is a withdrawal. Raises: InsufficientFunds."""
        with self._at(now_ns):
            kind = "deposit" if amount >= 0 else "withdrawal"
            self.balances.pay(OUTSIDE, account, asset, amount, kind, reference)

    def set_crowd_book(
        self,
        market: str,
        bids: Mapping[Decimal, Decimal],
        asks: Mapping[Decimal, Decimal],
        now_ns: int,
    ) -> None:
        """Make the crowd's resting orders these (price -> quantity); what crosses accounts' orders trades."""
        with self._at(now_ns):
            for side, wanted in ((Side.BUY, bids), (Side.SELL, asks)):
                for order in [o for o in self.books[market].side(side).orders() if o.wish.account == CROWD]:
                    if wanted.get(order.price) != order.remaining:
                        self._take_off_book(order)
                        self._end(order, State.CANCELLED, "")
            for side, wanted in ((Side.BUY, bids), (Side.SELL, asks)):
                present = {o.price for o in self.books[market].side(side).orders() if o.wish.account == CROWD}
                for price, quantity in wanted.items():
                    if price not in present and quantity > 0:
                        wish = NewOrder(CROWD, market, side, Kind.LIMIT, quantity, price=price)
                        self._accept(self._new_order(wish))
            self._fire_stops(market)

    def crowd_takes(self, market: str, side: Side, quantity: Decimal, now_ns: int) -> None:
        """Let the crowd buy or sell at the market; it takes what there is."""
        with self._at(now_ns):
            wish = NewOrder(CROWD, market, side, Kind.MARKET, quantity)
            self._accept(self._new_order(wish))
            self._fire_stops(market)

    def snapshot(self) -> Exchange:
        """Return a copy that nobody listens to: what a stale read shows."""
        listeners, self.listeners = self.listeners, []
        try:
            # The maker of order ids belongs to the twin, with its sockets: it is shared, not copied.
            return copy.deepcopy(self, {id(self._order_id): self._order_id})
        finally:
            self.listeners = listeners

    # -- an arrival -------------------------------------------------------------------------------------

    def _new_order(self, wish: NewOrder) -> Order:
        self._order_count += 1
        number = self._order_count
        order = Order(self._order_id(number), number, wish, self._now_ns, self._now_ns)
        if wish.account != CROWD:
            self.orders[order.id] = order
            self.orders_of[wish.account].append(order)
            self._live_of[wish.account][order.id] = order
            if wish.client_id:
                self._by_client_id[wish.account, wish.client_id] = order
        return order

    def _check_client_id(self, wish: NewOrder) -> Order | None:
        """Return the earlier order of that client id when the id is free again. Raises: Refused."""
        known = self.by_client_id(wish.account, wish.client_id) if wish.client_id else None
        if known is None:
            return None
        if not known.is_live and self.rules.client_ids is ClientIds.WHILE_OPEN:
            return known
        refusal = Refused(Reason.DUPLICATE_CLIENT_ID)
        raise self._failed(self._new_order(wish), known, refusal)

    def _failed(self, order: Order, known: Order | None, refusal: Refused) -> Refused:
        """Keep or forget the refused order; return the refusal, with the order if it was kept.

        ``known`` is the earlier order of the same client id, which stays the one to be found by it
        when the new one is forgotten or was refused for that id.
        """
        owner, client_id = order.wish.account, order.wish.client_id
        del self._live_of[owner][order.id]
        is_findable = self.rules.keeps_failed and refusal.reason is not Reason.DUPLICATE_CLIENT_ID
        if client_id and not is_findable:
            del self._by_client_id[owner, client_id]
            if known is not None:
                self._by_client_id[owner, client_id] = known
        if not self.rules.keeps_failed:
            del self.orders[order.id]
            self.orders_of[owner].pop()
            return refusal
        order.state, order.reason, order.ended_ns = State.FAILED, refusal.reason.value, self._now_ns
        self._tell_order(order, Change.FAILED)
        return Refused(refusal.reason, order)

    def _accept(self, order: Order) -> None:
        wish = order.wish
        if wish.stop is not None:
            last = self.books[wish.market].last
            if last is not None and wish.stop.fires_at(last):
                raise Refused(Reason.STOP_WOULD_FIRE)
            self._hold(order, [])
            order.state = State.AWAITING
            self._stops[wish.market].append(order)
            self._tell_order(order, Change.ACCEPTED)
            return
        plan = self._plan(order)
        if self._refuse(order, plan):
            return
        self._hold(order, plan)
        self._tell_order(order, Change.ACCEPTED)
        self._execute(order, plan)

    def _refuse(self, order: Order, plan: _Plan) -> bool:
        """Raise what the market forbids; return True when the order ended as cancelled instead."""
        wish = order.wish
        meets_itself = wish.account != CROWD and any(maker.wish.account == wish.account for maker, _ in plan)
        if meets_itself and self.rules.refuses_self_trade:
            raise Refused(Reason.SELF_TRADE)
        if wish.post_only and plan:
            if not self.rules.post_only_fails_as_cancelled:
                raise Refused(Reason.WOULD_MATCH)
            self._tell_order(order, Change.ACCEPTED)
            self._end(order, State.CANCELLED, Reason.WOULD_MATCH.value)
            return True
        must_fill = wish.kind is Kind.MARKET and self.rules.market_fills_or_fails and wish.account != CROWD
        if must_fill and not self._fills_all(order, plan):
            raise Refused(Reason.NOT_ENOUGH_LIQUIDITY)
        return False

    def _plan(self, order: Order) -> _Plan:
        """Return whom the order would meet and for how much of the base, best price and oldest first."""
        wish, market = order.wish, self.markets[order.wish.market]
        left, quote_left = order.remaining, wish.quote_quantity
        plan: _Plan = []
        for level in self.books[wish.market].opposite(wish.side).best_first():
            if wish.kind is Kind.LIMIT and not _crosses(wish.side, order.price, level.price):
                break
            for maker in level.orders.values():
                quantity = maker.remaining if wish.quantity is None else min(maker.remaining, left)
                if quote_left is not None:
                    quantity = min(quantity, quote_left // (level.price * market.lot) * market.lot)
                    quote_left -= quantity * level.price
                if quantity <= 0:
                    return plan
                left -= quantity
                plan.append((maker, quantity))
        return plan

    def _fills_all(self, order: Order, plan: _Plan) -> bool:
        if order.wish.quote_quantity is None:
            return sum((quantity for _, quantity in plan), ZERO) == order.remaining
        book = self.books[order.wish.market].opposite(order.wish.side)
        return sum((q for _, q in plan), ZERO) < sum((level.quantity for level in book.best_first()), ZERO)

    def _hold(self, order: Order, plan: _Plan) -> None:
        """Reserve what the order can cost. Raises: Refused INSUFFICIENT_FUNDS."""
        asset, needed = self._needed(order, plan)
        try:
            self.balances.hold(order.wish.account, asset, needed, order.id)
        except InsufficientFunds as short:
            raise Refused(Reason.INSUFFICIENT_FUNDS) from short
        order.held = ZERO if order.wish.account == CROWD else needed

    def _needed(self, order: Order, plan: _Plan) -> tuple[str, Decimal]:
        wish, market = order.wish, self.markets[order.wish.market]
        if wish.side is Side.SELL:
            planned = sum((quantity for _, quantity in plan), ZERO)
            return market.base, planned if wish.quantity is None else order.remaining
        cost = (
            order.remaining * wish.price
            if wish.price is not None
            else sum((maker.price * quantity for maker, quantity in plan), ZERO)
        )
        return market.quote, cost * (1 + market.taker_rate) if self.rules.holds_fee else cost

    def _execute(self, order: Order, plan: _Plan) -> None:
        wish = order.wish
        if wish.time_in_force is TimeInForce.FOK and not self._fills_all(order, plan):
            self._end(order, State.EXPIRED, "fill or kill")
            return
        last = len(plan) - 1 if wish.quote_quantity is not None else None
        trades = tuple(
            self._trade(maker, order, quantity, completes=number == last)
            for number, (maker, quantity) in enumerate(plan)
        )
        rests = wish.kind is Kind.LIMIT and wish.time_in_force is TimeInForce.GTC and order.remaining > 0
        if rests:
            self.books[wish.market].side(wish.side).add(order)
        self._tell_book(order, trades, rests=rests)
        if not rests and order.state is not State.FILLED:
            self._end(order, State.EXPIRED, Reason.NOT_ENOUGH_LIQUIDITY.value)

    # -- a trade ----------------------------------------------------------------------------------------

    def _trade(self, maker: Order, taker: Order, quantity: Decimal, *, completes: bool) -> Trade:
        wish = taker.wish
        number = self._trade_counts[wish.market] = self._trade_counts[wish.market] + 1
        trade = Trade(number, wish.market, maker.price, quantity, wish.side, self._now_ns, maker.id, taker.id)
        self.books[wish.market].last = trade.price
        kept = self.trades[wish.market]
        kept.append(trade)
        if len(kept) > 2 * _TRADES_KEPT:
            del kept[:_TRADES_KEPT]
        self._settle(trade, maker, taker)
        for order in (maker, taker):
            order.filled += quantity
            order.filled_quote += trade.notional
            order.updated_ns = self._now_ns
        self.books[wish.market].opposite(wish.side).reduce(maker, quantity)
        for order in (maker, taker):
            if order.wish.quantity is not None and order.remaining == 0:
                self._complete(order)
        if completes:
            self._complete(taker)
        for order, liquidity in ((maker, Liquidity.MAKER), (taker, Liquidity.TAKER)):
            self._book_fill(trade, order, liquidity)
        return trade

    def _settle(self, trade: Trade, maker: Order, taker: Order) -> None:
        market = self.markets[trade.market]
        buyer, seller = (taker, maker) if taker.wish.side is Side.BUY else (maker, taker)
        for payer, payee, asset, amount in (
            (buyer, seller, market.quote, trade.notional),
            (seller, buyer, market.base, trade.quantity),
        ):
            self.balances.spend_held(payer.wish.account, payee.wish.account, asset, amount, payer.id)
            if payer.wish.account != CROWD:
                payer.held -= amount

    def _book_fill(self, trade: Trade, order: Order, liquidity: Liquidity) -> None:
        """Charge the fee, release what is no longer needed, and record the fill."""
        wish = order.wish
        if wish.account == CROWD:
            return
        market = self.markets[wish.market]
        asked = FeeQuestion(market, wish.account, wish.side, liquidity, trade.price, trade.quantity)
        asset, fee = self.rules.fee(asked)
        self._release(order, fee if self.rules.holds_fee and wish.side is Side.BUY else ZERO)
        self.balances.pay(wish.account, VENUE, asset, fee, "fee", order.id)
        order.fees[asset] = order.fees.get(asset, ZERO) + fee
        fill = Fill(trade, wish.account, order.id, wish.client_id, wish.side, liquidity, fee, asset)
        order.fills.append(fill)
        self.fills_of[wish.account].append(fill)
        self._tell_order(order, Change.FILLED, fill)

    def _complete(self, order: Order) -> None:
        order.state, order.ended_ns = State.FILLED, self._now_ns
        self._live_of[order.wish.account].pop(order.id, None)

    def _release(self, order: Order, extra: Decimal = ZERO) -> None:
        """Give back what the rest of the order does not need; ``extra`` is about to be paid from it."""
        wish = order.wish
        if not order.is_live:
            keep = ZERO
        elif wish.price is None and (wish.side is Side.BUY or wish.quantity is None):
            keep = order.held - extra  # the plan's cost: settled when the order ends
        else:
            keep = self._needed(order, [])[1]
        keep = min(keep, order.held)
        asset = self.markets[wish.market].quote if wish.side is Side.BUY else self.markets[wish.market].base
        self.balances.release(wish.account, asset, order.held - keep, order.id)
        order.held = keep

    # -- ends, stops, events ----------------------------------------------------------------------------

    def _end(self, order: Order, state: State, reason: str) -> None:
        order.state, order.reason = state, reason
        order.updated_ns = order.ended_ns = self._now_ns
        if order.wish.account == CROWD:
            return
        self._live_of[order.wish.account].pop(order.id, None)
        self._release(order)
        change = {State.CANCELLED: Change.CANCELLED, State.EXPIRED: Change.EXPIRED}.get(state)
        if change is not None:
            self._tell_order(order, change)

    def _take_off_book(self, order: Order) -> None:
        wish = order.wish
        book = self.books[wish.market]
        book.side(wish.side).remove(order)
        book.sequence += 1
        level = (wish.side, order.price, book.side(wish.side).quantity_at(order.price))
        self._emit(BookChange(wish.market, book.sequence, self._now_ns, (), None, order.id, (level,)))

    def _fire_stops(self, market: str) -> None:
        """Release the stops that the last price reached; what they trade may reach further ones."""
        while (order := self._next_to_fire(market)) is not None:
            self._stops[market].remove(order)
            order.state, order.has_fired, order.updated_ns = State.OPEN, True, self._now_ns
            self._tell_order(order, Change.FIRED)
            plan = self._plan(order)
            if order.wish.kind is Kind.MARKET and order.wish.side is Side.BUY:
                try:
                    self._hold(order, plan)
                except Refused as refusal:
                    self._end(order, State.EXPIRED, refusal.reason.value)
                    continue
            self._execute(order, plan)

    def _next_to_fire(self, market: str) -> Order | None:
        last = self.books[market].last
        if last is None:
            return None
        reached = (o for o in self._stops[market] if o.wish.stop is not None and o.wish.stop.fires_at(last))
        return next(reached, None)

    def _tell_order(self, order: Order, change: Change, fill: Fill | None = None) -> None:
        if order.wish.account != CROWD:
            self._emit(
                OrderChange(order, change, self._now_ns, fill, order.filled, order.filled_quote, order.state)
            )

    def _tell_book(self, order: Order, trades: tuple[Trade, ...], *, rests: bool) -> None:
        if not trades and not rests:
            return
        wish = order.wish
        book = self.books[wish.market]
        other = Side.SELL if wish.side is Side.BUY else Side.BUY
        prices = dict.fromkeys(trade.price for trade in trades)
        levels = [(other, price, book.side(other).quantity_at(price)) for price in prices]
        created = None
        if rests:
            created = (order.id, wish.side, order.price, order.remaining)
            levels.append((wish.side, order.price, book.side(wish.side).quantity_at(order.price)))
        book.sequence += len(levels) if self.rules.counts_levels else 1
        self._emit(BookChange(wish.market, book.sequence, self._now_ns, trades, created, None, tuple(levels)))

    def _emit(self, event: Event) -> None:
        if isinstance(event, BalanceChange):
            self.statement.append((self._now_ns, event))
        self._undelivered.append(event)

    @contextmanager
    def _at(self, now_ns: int) -> Iterator[None]:
        """Work exactly at an instant; listeners hear afterwards, outside the exact arithmetic."""
        self._now_ns = now_ns
        try:
            with localcontext(EXACT):
                yield
        finally:
            events, self._undelivered = self._undelivered, []
            for listener in self.listeners:
                listener(events)


def _crosses(side: Side, limit: Decimal, price: Decimal) -> bool:
    return price <= limit if side is Side.BUY else price >= limit
