"""A limit says what it is, binds whom it says, and holds whatever the figures are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import Platform
from amarktai.domain.risk_limits import (
    EVERYBODY,
    BotFigures,
    Entry,
    Limit,
    LimitKind,
    Scope,
    Start,
    binds,
    first_breach,
    reached,
    use_of,
)

K, D = LimitKind, Decimal
ADA, BO = UUID(int=1), UUID(int=2)
ONE, TWO, THREE = UUID(int=11), UUID(int=12), UUID(int=13)
FLAT = BotFigures(ONE, ADA, Platform.LUNO, "BTC", "ZAR", D(0), D(0), D(0), D(0), D(0), D(1_000), 0, 0)
ENTRY = Entry(ONE, ADA, Platform.LUNO, "BTC", "ZAR", "BTC/ZAR", D(100))

AT = datetime(2026, 1, 1, tzinfo=UTC)

money = st.decimals(min_value=-10_000, max_value=10_000, places=2)
positive = st.decimals(min_value="0.01", max_value=10_000, places=2)


def limit(kind: LimitKind, amount: str | int | Decimal, scope: Scope = EVERYBODY) -> Limit:
    return Limit(kind, scope, D(amount))


def breach(one: Limit, figures: Sequence[BotFigures], entry: Entry = ENTRY) -> str | None:
    found = first_breach([one], figures, entry)
    return None if found is None else found.words


class TestWhatALimitIs:
    @pytest.mark.parametrize(
        ("kind", "amount", "names"),
        [
            (K.DAILY_LOSS, D(0), None),
            (K.EXPOSURE, D(-5), None),
            (K.EXPOSURE, None, None),
            (K.EXPOSURE, D(5), ("BTC/ZAR",)),
            (K.DRAWDOWN, D("100.1"), None),
            (K.ORDERS_PER_DAY, D("2.5"), None),
            (K.ALLOWED_PAIRS, D(5), None),
            (K.ALLOWED_PAIRS, None, None),
            (K.DAILY_LOSS, None, ("BTC/ZAR",)),
        ],
    )
    def test_what_limits_nothing_sensible_is_refused(
        self, kind: LimitKind, amount: Decimal | None, names: tuple[str, ...] | None
    ) -> None:
        with pytest.raises(InvalidInput, match=kind.value):
            Limit(kind, EVERYBODY, amount, names)

    @pytest.mark.parametrize("kind", [kind for kind in LimitKind if kind is not K.ALLOWED_PAIRS])
    def test_every_amount_is_a_limit_that_is_measured(self, kind: LimitKind) -> None:
        assert use_of(limit(kind, 10), [FLAT]).used == 0, "nothing is used of what nobody has begun"

    def test_it_binds_everybody_one_user_or_one_bot(self) -> None:
        assert binds(EVERYBODY, ADA, ONE) and binds(Scope(ADA), ADA, ONE) and binds(Scope(ADA, ONE), ADA, ONE)
        assert not binds(Scope(BO), ADA, ONE) and not binds(Scope(ADA, TWO), ADA, ONE)


class TestExposure:
    @given(positive, positive, positive, positive)
    def test_an_entry_may_reach_the_limit_and_not_pass_it(
        self, held: Decimal, other: Decimal, added: Decimal, amount: Decimal
    ) -> None:
        figures = [replace(FLAT, exposure=held), replace(FLAT, bot_id=TWO, exposure=other)]
        entry = replace(ENTRY, value=added)
        assert (breach(limit(K.EXPOSURE, amount), figures, entry) is None) == (held + other + added <= amount)

    def test_only_whom_it_binds_counts(self) -> None:
        figures = [replace(FLAT, exposure=D(10)), replace(FLAT, bot_id=TWO, user_id=BO, exposure=D(900))]
        assert breach(limit(K.EXPOSURE, 500, Scope(ADA)), figures) is None
        assert breach(limit(K.EXPOSURE, 500), figures) == (
            "everybody's exposure is R 1010.00, the limit is R 500.00"
        )
        assert breach(limit(K.EXPOSURE, 100, Scope(ADA, ONE)), figures) is not None
        assert breach(limit(K.EXPOSURE, 1, Scope(BO)), figures) is None

    def test_of_an_asset_and_of_an_exchange(self) -> None:
        figures = [
            replace(FLAT, exposure=D(10)),
            replace(FLAT, bot_id=TWO, base="ETH", exposure=D(300)),
            replace(FLAT, bot_id=THREE, platform=Platform.VALR, exposure=D(600)),
        ]
        assert breach(limit(K.ASSET_EXPOSURE, 709), figures) == (
            "everybody's exposure in BTC is R 710.00, the limit is R 709.00"
        )
        assert breach(limit(K.ASSET_EXPOSURE, 710), figures) is None
        assert breach(limit(K.EXCHANGE_EXPOSURE, 409), figures) == (
            "everybody's exposure at Luno is R 410.00, the limit is R 409.00"
        )
        assert use_of(limit(K.ASSET_EXPOSURE, 1), figures).used == D(610)
        assert use_of(limit(K.EXCHANGE_EXPOSURE, 1), figures).used == D(600)

    def test_of_one_order(self) -> None:
        assert breach(limit(K.ORDER_VALUE, 100), []) is None
        assert breach(limit(K.ORDER_VALUE, 99), []) is not None

    @pytest.mark.parametrize("kind", [K.EXPOSURE, K.ASSET_EXPOSURE, K.EXCHANGE_EXPOSURE, K.ORDER_VALUE])
    def test_what_is_not_known_is_refused(self, kind: LimitKind) -> None:
        no_value = replace(ENTRY, value=None)
        assert "not known" in (breach(limit(kind, 10_000), [FLAT], no_value) or "")
        unpriced = [replace(FLAT, exposure=None)]
        if kind is not K.ORDER_VALUE:
            assert "not known" in (breach(limit(kind, 10_000), unpriced) or "")
            assert use_of(limit(kind, 10_000), unpriced).used is None
            assert use_of(limit(kind, 10_000), unpriced).is_spent


class TestLosses:
    @given(st.lists(money, min_size=1, max_size=4), positive)
    def test_a_loss_of_today_that_has_reached_its_limit_ends_entries(
        self, profits: list[Decimal], amount: Decimal
    ) -> None:
        figures = [replace(FLAT, profit_today=each) for each in profits]
        assert (breach(limit(K.DAILY_LOSS, amount), figures) is None) == (-sum(profits) < amount)

    @given(money, st.decimals(min_value=0, max_value=10_000, places=2), positive)
    def test_the_fall_is_measured_from_what_there_was_at_the_peak(
        self, profit: Decimal, peak: Decimal, capital: Decimal
    ) -> None:
        used = use_of(limit(K.DRAWDOWN, 10), [replace(FLAT, profit=profit, peak=peak, capital=capital)]).used
        top = max(profit, peak)
        if top > 0 or capital > 0:
            assert used == (max(top, D(0)) - profit) / (capital + max(top, D(0))) * 100
        assert used is not None and used >= 0

    def test_a_bot_that_lost_a_tenth_from_its_peak(self) -> None:
        figures = [replace(FLAT, profit=D(-20), peak=D(100))]
        assert breach(limit(K.DRAWDOWN, 10), figures) == (
            "everybody's fall from the peak is 10.91 %, the limit is 10.00 %"
        )
        assert breach(limit(K.DRAWDOWN, 11), figures) is None

    def test_unknown_profit_is_refused(self) -> None:
        for kind in (K.DAILY_LOSS, K.DRAWDOWN):
            figures = [FLAT, replace(FLAT, profit_today=None, profit=None)]
            assert "not known" in (breach(limit(kind, 50), figures) or "")

    def test_a_streak_is_of_the_bot_that_wants_in(self) -> None:
        figures = [replace(FLAT, losses=(AT,) * 2), replace(FLAT, bot_id=TWO, losses=(AT,) * 7)]
        assert breach(limit(K.CONSECUTIVE_LOSSES, 3), figures) is None
        assert breach(limit(K.CONSECUTIVE_LOSSES, 2), figures) == (
            "everybody's losses in a row is 2, the limit is 2"
        )
        assert use_of(limit(K.CONSECUTIVE_LOSSES, 3), figures).used == 7


class TestAfterAReset:
    """What a person has reset is measured from then on, and everything else as ever."""

    def test_a_fall_is_measured_from_what_there_was_then(self) -> None:
        figures = [replace(FLAT, profit=D(-50), peak=D(1_000)), replace(FLAT, bot_id=TWO, profit=D(0))]
        start = Start(AT, {ONE: D(-40)})
        use = use_of(limit(K.DRAWDOWN, 10), figures, start=start)
        assert use.used == D(10) / D(1_960) * 100
        assert use_of(limit(K.DRAWDOWN, 10), figures).is_spent

    @given(st.lists(st.integers(-60, 60), max_size=8))
    def test_only_later_losses_and_errors_count(self, minutes: list[int]) -> None:
        at = tuple(AT + timedelta(minutes=each) for each in minutes)
        figures = [replace(FLAT, losses=at, errors=at)]
        later = sum(each > 0 for each in minutes)
        for kind in (K.CONSECUTIVE_LOSSES, K.ERRORS_PER_HOUR):
            assert use_of(limit(kind, 5), figures, start=Start(AT, {})).used == later
            assert use_of(limit(kind, 5), figures).used == len(minutes)

    def test_of_another_scope_or_kind_it_changes_nothing(self) -> None:
        figures = [replace(FLAT, losses=(AT,) * 3)]
        starts = {(Scope(ADA), K.CONSECUTIVE_LOSSES): Start(AT, {}), (EVERYBODY, K.DRAWDOWN): Start(AT, {})}
        broken = first_breach([limit(K.CONSECUTIVE_LOSSES, 3)], figures, ENTRY, starts)
        assert broken is not None and broken.used == 3
        own = [limit(K.CONSECUTIVE_LOSSES, 3, Scope(ADA))]
        assert first_breach(own, figures, ENTRY, starts) is None

    def test_a_limit_is_reached_only_by_what_is_known(self) -> None:
        daily = limit(K.DAILY_LOSS, 5)
        assert reached(daily, [replace(FLAT, profit_today=None)]) is None
        assert reached(daily, [replace(FLAT, profit_today=D(-4))]) is None
        found = reached(daily, [replace(FLAT, profit_today=D(-5))])
        assert found is not None
        assert found.words == "everybody's loss of today is R 5.00, the limit is R 5.00"


class TestStablecoinsAndDepth:
    def test_what_hangs_on_a_stablecoin_is_cash_positions_and_what_is_bought_of_it(self) -> None:
        against = replace(FLAT, quote="USDT", exposure=D(300), cash=D(700))
        holds = replace(FLAT, bot_id=TWO, base="USDT", exposure=D(50), cash=D(9_999))
        other = replace(FLAT, bot_id=THREE, quote="USDC", exposure=D(1), cash=D(2_000))
        figures, most = [against, holds, other], limit(K.STABLECOIN_EXPOSURE, 1_100)
        assert use_of(most, figures).used == D(2_001), "of the coin on which the most hangs"
        entry = replace(ENTRY, quote="USDT")
        assert breach(most, figures, entry) is None, "it is 1,050, and the entry moves what is there"
        assert breach(limit(K.STABLECOIN_EXPOSURE, 1_049), figures, entry) == (
            "everybody's exposure in USDT is R 1050.00, the limit is R 1049.00"
        )
        buys = replace(ENTRY, base="USDT", value=D(51))
        assert breach(most, figures, buys) is not None and breach(most, figures, ENTRY) is None
        unknown = [replace(against, cash=None)]
        assert "not known" in (breach(most, unknown, entry) or "")

    def test_an_order_of_more_than_its_share_of_the_depth(self) -> None:
        most = limit(K.DEPTH_SHARE, 10)
        assert breach(most, [FLAT], replace(ENTRY, depth_share=D(10))) is None
        assert breach(most, [FLAT], replace(ENTRY, depth_share=D("10.01"))) == (
            "everybody's share of the visible depth is 10.01 %, the limit is 10.00 %"
        )
        assert "not known" in (breach(most, [FLAT]) or ""), "no book, no entry"


class TestPaceAndPairs:
    @given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 40))
    def test_orders_are_counted_over_all_whom_it_binds(self, one: int, two: int, most: int) -> None:
        figures = [
            replace(FLAT, orders_minute=one, orders_day=one),
            replace(FLAT, bot_id=TWO, orders_minute=two, orders_day=two),
        ]
        for kind in (K.ORDERS_PER_MINUTE, K.ORDERS_PER_DAY):
            assert (breach(limit(kind, most), figures) is None) == (one + two < most)

    def test_an_order_under_way_counts_for_the_next(self) -> None:
        after = FLAT.with_order(D(100))
        assert (after.exposure, after.orders_minute, after.orders_day) == (D(100), 1, 1)
        assert replace(FLAT, exposure=None).with_order(D(1)).exposure is None

    def test_a_pair_that_is_not_on_the_list(self) -> None:
        only = Limit(K.ALLOWED_PAIRS, Scope(ADA), names=("ETH/ZAR",))
        assert breach(only, [FLAT]) == "the user's pairs do not include BTC/ZAR"
        assert breach(only, [FLAT], replace(ENTRY, pair="ETH/ZAR")) is None
        assert breach(Limit(K.ALLOWED_PAIRS, EVERYBODY, names=()), [FLAT]) is not None

    def test_the_first_broken_one_is_named(self) -> None:
        limits = [limit(K.EXPOSURE, 1_000), limit(K.ORDER_VALUE, 5), limit(K.DAILY_LOSS, 5)]
        found = first_breach(limits, [replace(FLAT, profit_today=D(-9))], ENTRY)
        assert found is not None and found.limit.kind is K.ORDER_VALUE
        assert first_breach([], [], ENTRY) is None
