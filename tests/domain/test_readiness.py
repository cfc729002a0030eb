"""Each check of the live gate at its threshold: a hair inside is met, a hair outside is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain import readiness as r
from amarktai.domain.readiness import AccountFact, Check, Name, ProcessFact, Report, Status

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HAIR = timedelta(milliseconds=1)


def process(role: str, *, age: timedelta = timedelta(0), up: timedelta = timedelta(hours=1)) -> ProcessFact:
    return ProcessFact(role, NOW - up, NOW - age, {}, 0)


def everybody(age: timedelta = timedelta(0)) -> list[ProcessFact]:
    return [process(role, age=age) for role in r.ROLES]


def account(age: timedelta | None = timedelta(0), *, is_active: bool = True) -> AccountFact:
    return AccountFact("Luno of ada", is_active, "It agrees.", None if age is None else NOW - age)


class TestTheReport:
    @given(st.sets(st.sampled_from(list(Name))))
    def test_it_is_ready_only_when_every_check_is_there_and_met(self, names: set[Name]) -> None:
        report = Report(NOW, "b", [Check(name, Status.OK, "", "", "") for name in names])
        assert report.is_ready == (names == set(Name))

    @given(st.sampled_from(list(Name)))
    def test_one_failed_check_is_enough_and_is_named(self, bad: Name) -> None:
        checks = [Check(n, Status.FAILED if n is bad else Status.OK, "", "", "") for n in Name]
        report = Report(NOW, "b", checks)
        assert not report.is_ready and [check.name for check in report.open] == [bad]

    def test_a_fact_that_cannot_be_had_is_a_failure(self) -> None:
        check = r.unread(Name.DISK, "it is gone", "Look.")
        assert not check.is_met and "it is gone" in check.value

    def test_every_check_has_its_title(self) -> None:
        assert set(r.TITLES) == set(Name)


class TestProcesses:
    def test_all_report_in_time(self) -> None:
        assert r.judge_processes(everybody(r.BEAT_LIMIT), NOW).is_met
        assert not r.judge_processes(everybody(r.BEAT_LIMIT + HAIR), NOW).is_met
        assert not r.judge_processes([], NOW).is_met

    @pytest.mark.parametrize("role", r.ROLES)
    def test_a_missing_one_is_named(self, role: str) -> None:
        check = r.judge_processes([each for each in everybody() if each.role != role], NOW)
        assert not check.is_met and f"{role} does not report" in check.value

    def test_one_that_starts_again_and_again_is_no_running_one(self) -> None:
        starts = [process("engine", age=timedelta(minutes=5), up=timedelta(minutes=9))] * r.START_LIMIT
        assert r.judge_processes([*everybody(), *starts], NOW).is_met
        again = process("engine", up=timedelta(seconds=5))
        check = r.judge_processes([*everybody(), *starts, again], NOW)
        assert not check.is_met and "engine started 4 times" in check.value


class TestErrors:
    @given(st.lists(st.integers(0, 9), max_size=5))
    def test_the_worst_component_counts_and_not_the_sum(self, counts: list[int]) -> None:
        errors = {f"component {number}": count for number, count in enumerate(counts)}
        facts = [ProcessFact("api", NOW, NOW, errors, 0)]
        assert r.judge_errors(facts, NOW).is_met == (max(counts, default=0) < r.ERROR_LIMIT)

    def test_what_a_process_counted_before_the_window_is_over(self) -> None:
        facts = [ProcessFact("api", NOW, NOW - r.ERROR_WINDOW - HAIR, {"x": 99}, 3)]
        assert r.judge_errors(facts, NOW).is_met and r.judge_faults(facts, NOW).is_met

    def test_one_fault_of_the_program_is_one_too_many(self) -> None:
        check = r.judge_faults([ProcessFact("engine", NOW, NOW, {"x": 1}, 1)], NOW)
        assert not check.is_met and check.value == "1 in engine"


class TestTheMachine:
    @pytest.mark.parametrize(
        ("free", "total", "is_met"),
        [
            (r.FREE_BYTES, r.FREE_BYTES * 20, True),
            (r.FREE_BYTES, r.FREE_BYTES * 21, False),
            (r.FREE_BYTES - 1, r.FREE_BYTES, False),
            (0, 0, False),
        ],
    )
    def test_the_disk_has_room_in_bytes_and_in_share(self, free: int, total: int, is_met: bool) -> None:
        assert r.judge_disk(free, total).is_met == is_met

    @given(st.dictionaries(st.sampled_from("abc"), st.floats(-5, 5)))
    def test_the_furthest_clock_counts(self, differences: dict[str, float]) -> None:
        is_met = bool(differences) and max(map(abs, differences.values())) <= r.CLOCK_LIMIT_S
        assert r.judge_clock(differences).is_met == is_met

    @pytest.mark.parametrize(("took_ms", "is_met"), [(250.0, True), (250.1, False)])
    def test_the_database_answers_in_time(self, took_ms: float, is_met: bool) -> None:
        assert r.judge_database(took_ms, "18.4").is_met == is_met


class TestAccounts:
    def test_each_is_active_and_reconciled_lately(self) -> None:
        assert r.judge_accounts([account(r.RECONCILED_WITHIN)], NOW).is_met
        for bad in (account(r.RECONCILED_WITHIN + HAIR), account(None), account(is_active=False)):
            assert not r.judge_accounts([account(), bad], NOW).is_met

    def test_without_any_account_nothing_is_ready(self) -> None:
        assert not r.judge_accounts([], NOW).is_met

    @pytest.mark.parametrize(
        ("working", "refused", "is_met"),
        [(["Luno"], [], True), ([], [], False), (["Luno"], ["VALR"], False), ([], ["VALR"], False)],
    )
    def test_keys(self, working: list[str], refused: list[str], is_met: bool) -> None:
        assert r.judge_keys(working, [], refused).is_met == is_met
        assert r.judge_keys(working, ["KuCoin"], refused).is_met == is_met

    def test_doubt_may_last_for_a_minute(self) -> None:
        assert r.judge_orders(0, None, NOW).is_met
        assert r.judge_orders(2, NOW - r.DOUBT_LIMIT, NOW).is_met
        assert not r.judge_orders(2, NOW - r.DOUBT_LIMIT - HAIR, NOW).is_met
        assert not r.judge_orders(1, None, NOW).is_met


class TestWhatCommandsLeave:
    def test_the_audit_is_recent_and_without_a_difference(self) -> None:
        assert r.judge_profit(NOW - r.PROFIT_WITHIN, None, NOW).is_met
        assert not r.judge_profit(NOW - r.PROFIT_WITHIN - HAIR, None, NOW).is_met
        assert not r.judge_profit(NOW, "bot 1 is off", NOW).is_met
        assert not r.judge_profit(None, None, NOW).is_met

    def test_the_backup_is_recent(self) -> None:
        assert r.judge_backup(NOW - r.BACKUP_WITHIN, NOW).is_met
        assert not r.judge_backup(NOW - r.BACKUP_WITHIN - HAIR, NOW).is_met
        assert not r.judge_backup(None, NOW).is_met

    @pytest.mark.parametrize(
        ("at", "of_build", "hours", "build", "is_met"),
        [
            (NOW, "abc", 24.0, "abc", True),
            (NOW - r.REHEARSED_WITHIN - HAIR, "abc", 24.0, "abc", False),
            (NOW, "abc", 23.9, "abc", False),
            (NOW, "abd", 24.0, "abc", False),
            (NOW, "abc+", 24.0, "abc+", False),
            (None, None, 0.0, "abc", False),
        ],
    )
    def test_the_rehearsal_is_of_this_build_and_a_whole_day(
        self, at: datetime | None, of_build: str | None, hours: float, build: str, is_met: bool
    ) -> None:
        assert r.judge_rehearsal(at, of_build, hours, build, NOW).is_met == is_met

    def test_stop_limits_market_and_channels(self) -> None:
        assert r.judge_stop(None).is_met and not r.judge_stop("smoke").is_met
        assert r.judge_limits(["a", "b", "c"], ["a", "b"]).is_met
        assert r.judge_limits(["a"], ["a", "b"]).value == "missing: b"
        assert r.judge_market(is_sandbox=False).is_met and not r.judge_market(is_sandbox=True).is_met
        assert r.judge_market(is_sandbox=False, stand_ins=["luno"]).value == "servers in the place of luno"
        assert r.judge_answer(Name.SERVER, 3.0).is_met
