"""Any history of funding, bots, fills and moving rates: every derived figure follows from the fills."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from itertools import count
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amarktai.domain.bot import Bot, TradingMode
from amarktai.domain.errors import Conflict
from amarktai.domain.money import LEDGER_STEP, ZERO
from amarktai.domain.order import Side
from amarktai.domain.user import Identity
from amarktai.ledger import chart
from amarktai.services.ledger_audit import LedgerAudit
from amarktai.services.profits import ProfitService
from amarktai.storage.embedded import DatabaseUrls
from tests.trading import BTC_USDT, BTC_ZAR, ETH_USDT, ETH_ZAR, INSTRUMENTS, USDT_ZAR, World, trading

_numbers = count(1)
_MARKETS = (BTC_ZAR, ETH_ZAR, BTC_USDT, ETH_USDT)
_TIMEZONES = ("Africa/Johannesburg", "Pacific/Kiritimati", "America/St_Johns", "UTC")

_PRICE = st.decimals(Decimal("0.01"), Decimal(2_000_000), places=8)
_SHARE = st.decimals(Decimal("0.01"), Decimal(1), places=4)
_ACTION = st.one_of(
    st.tuples(st.just("fund"), st.integers(1, 10_000_000)),
    st.tuples(st.just("bot"), st.sampled_from(_MARKETS), st.integers(100_000, 5_000_000)),
    st.tuples(st.just("buy"), st.integers(0, 5), _SHARE, _PRICE, st.booleans()),
    st.tuples(st.just("sell"), st.integers(0, 5), st.one_of(st.just(Decimal(1)), _SHARE), _PRICE),
    st.tuples(st.just("rate"), st.decimals(Decimal("0.5"), Decimal(40), places=6)),
    st.tuples(st.just("wait"), st.integers(1, 200_000)),
)


@dataclass
class Oracle:
    """What each bot and the wallet hold, in plain additions."""

    wallet: Decimal = ZERO
    cash: dict[UUID, Decimal] = field(default_factory=dict)
    coins: dict[UUID, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))


class _History:
    def __init__(self, world: World, who: Identity) -> None:
        self.world = world
        self.who = who
        self.oracle = Oracle()
        self.bots: list[Bot] = []

    async def play(self, action: tuple[object, ...]) -> None:
        match action:
            case ("fund", int(cents)):
                amount = Decimal(cents) / 100
                await self.world.fund(self.who, amount)
                self.oracle.wallet += amount
            case ("bot", market, int(cents)):
                await self._add_bot(market, Decimal(cents) / 100)
            case ("buy", int(index), Decimal() as share, Decimal() as price, bool(in_base)) if self.bots:
                await self._buy(self.bots[index % len(self.bots)], share, price, in_base=in_base)
            case ("sell", int(index), Decimal() as share, Decimal() as price) if self.bots:
                await self._sell(self.bots[index % len(self.bots)], share, price)
            case ("rate", Decimal() as rate):
                await self.world.mark(USDT_ZAR, rate)
            case ("wait", int(seconds)):
                self.world.clock.advance(seconds)

    async def _add_bot(self, market: object, capital: Decimal) -> None:
        assert isinstance(market, type(BTC_ZAR))
        if market.quote != "ZAR" and self.world.fx.rate(market.quote, self.world.now) is None:
            return
        try:
            bot = await self.world.add_bot(self.who, market, capital)
        except Conflict as refusal:
            assert refusal.code == "INSUFFICIENT_FUNDS" and capital > self.oracle.wallet
            return
        self.bots.append(bot)
        self.oracle.wallet -= capital
        self.oracle.cash[bot.id] = bot.capital_quote

    async def _buy(self, bot: Bot, share: Decimal, price: Decimal, *, in_base: bool) -> None:
        money = self.oracle.cash[bot.id] * share
        quantity = (money / price).quantize(LEDGER_STEP, ROUND_DOWN)
        if quantity <= ZERO:
            return
        market = INSTRUMENTS[bot.instrument_id]
        try:
            fill = await self.world.trade(bot, Side.BUY, quantity, price, fee_in_base=in_base)
        except Conflict as refusal:
            # The fee on top of everything there was.
            assert refusal.code == "INSUFFICIENT_FUNDS" and share > Decimal("0.998")
            return
        cost = (quantity * price).quantize(LEDGER_STEP)
        paid_in_coins = fill.fee_asset == market.base
        self.oracle.cash[bot.id] -= cost + (ZERO if paid_in_coins else fill.fee_amount)
        self.oracle.coins[bot.id] += quantity - (fill.fee_amount if paid_in_coins else ZERO)

    async def _sell(self, bot: Bot, share: Decimal, price: Decimal) -> None:
        quantity = (self.oracle.coins[bot.id] * share).quantize(LEDGER_STEP, ROUND_DOWN)
        if quantity <= ZERO:
            return
        fill = await self.world.trade(bot, Side.SELL, quantity, price)
        self.oracle.cash[bot.id] += (quantity * price).quantize(LEDGER_STEP) - fill.fee_amount
        self.oracle.coins[bot.id] -= quantity

    async def check(self) -> None:
        """Compare the ledger with the oracle, and every derived figure with the fills."""
        async with self.world.store.unit_of_work(self.who.user_id) as unit:
            held = await unit.ledger.balances(await unit.ledger.lock_book(TradingMode.PAPER))
        assert held.get((chart.WALLET, "ZAR"), ZERO) == self.oracle.wallet
        for bot in self.bots:
            account, market = chart.bot_holding(bot.id), INSTRUMENTS[bot.instrument_id]
            assert held[account, market.quote] == self.oracle.cash[bot.id]
            assert held.get((account, market.base), ZERO) == self.oracle.coins[bot.id]
        report = await LedgerAudit(self.world.reporting).audit(self.who.user_id)
        assert report.ok, report.first_difference

    async def check_bridge(self) -> None:
        """Equity is deposits, realised, unrealised and fx, to the rounding of each valued part (L12)."""
        for market, price in ((USDT_ZAR, Decimal("18.2345")), (BTC_ZAR, Decimal(1_234_567))):
            await self.world.mark(market, price)
        for market in (ETH_ZAR, BTC_USDT, ETH_USDT):
            await self.world.mark(market, Decimal("4321.09876543"))
        service = ProfitService(self.world.reporting, self.world.clock, self.world.rates)
        summary = await service.summary(self.who.user_id, mode=None)
        equity = self.oracle.wallet
        for bot in self.bots:
            market = INSTRUMENTS[bot.instrument_id]
            rate = Decimal("18.2345") if market.quote == "USDT" else Decimal(1)
            mark = Decimal(1_234_567) if market == BTC_ZAR else Decimal("4321.09876543")
            equity += (self.oracle.cash[bot.id] + self.oracle.coins[bot.id] * mark) * rate
        bound = LEDGER_STEP * (4 * len(self.bots) + 4)
        assert abs(Decimal(summary["equity"]) - equity) <= bound
        if summary["realized_reason"] is not None:
            assert summary["rounding"] is None
            return
        assert abs(Decimal(summary["rounding"])) <= bound
        parts = ("deposits", "realized_profit", "unrealized_profit", "fx_profit", "rounding")
        assert sum(Decimal(summary[part]) for part in parts) == Decimal(summary["equity"])


@given(st.lists(_ACTION, max_size=30), st.sampled_from(_TIMEZONES))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_every_figure_follows_from_the_fills(
    module_database_urls: DatabaseUrls, actions: list[tuple[object, ...]], timezone: str
) -> None:
    async def run() -> None:
        number = next(_numbers)
        async with trading(module_database_urls, f"history {number}") as world:
            history = _History(world, world.add_user(number, timezone))
            world.trade_count = number * 1_000_000  # trade ids are unique over the whole venue account
            for action in (("fund", 3_000_000), ("rate", Decimal(19)), *actions):
                await history.play(action)
            await history.check()
            await history.check_bridge()

    asyncio.run(run())


async def test_writers_of_one_book_at_once_leave_it_as_if_they_had_queued(
    database_urls: DatabaseUrls,
) -> None:
    async with trading(database_urls) as world:
        who = world.add_user()
        await world.fund(who, Decimal(100_000))
        await world.mark(USDT_ZAR, Decimal(19))
        bots = [await world.add_bot(who, market, Decimal(20_000)) for market in _MARKETS]

        async def run(bot: Bot) -> None:
            for step in range(6):
                side = Side.SELL if step % 2 else Side.BUY
                await world.trade(bot, side, Decimal("0.01"), Decimal(1_000 + 10 * step))

        await asyncio.gather(*(run(bot) for bot in bots), *(world.fund(who, Decimal(1)) for _ in range(5)))
        report = await LedgerAudit(world.reporting).audit()
    assert report.ok, report.first_difference
    assert (report.fills, report.round_trips) == (24, 12)
