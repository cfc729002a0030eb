"""The order's state machine: every pair of state and event, and what holds along every path."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.order import LATE_FILL, NEXT, TERMINAL, UNSENT, OrderEvent, OrderState, next_state

FILLS = (OrderEvent.FILL, OrderEvent.FILL_ALL)
SENT = frozenset(OrderState) - UNSENT - {OrderState.MANUAL}


@pytest.mark.parametrize(("state", "event"), list(product(OrderState, OrderEvent)))
def test_every_move_is_in_the_table_or_refused(state: OrderState, event: OrderEvent) -> None:
    if (state, event) in NEXT:
        assert next_state(state, event) is NEXT[state, event]
    else:
        with pytest.raises(BrokenInvariant, match=f"{state} cannot take {event}"):
            next_state(state, event)


def test_only_a_claim_lets_an_order_be_sent_and_nothing_leads_back() -> None:
    assert [key for key, after in NEXT.items() if after is OrderState.SENDING] == [
        (OrderState.PLANNED, OrderEvent.CLAIM)
    ]
    assert OrderState.PLANNED not in NEXT.values()


def test_silence_never_ends_an_order() -> None:
    for (_, event), after in NEXT.items():
        if event in {OrderEvent.LOSE, OrderEvent.LOSE_CANCEL}:
            assert after not in TERMINAL


@pytest.mark.parametrize("state", sorted(SENT - {OrderState.FILLED}))
@pytest.mark.parametrize("event", FILLS)
def test_no_order_that_was_sent_refuses_a_fill(state: OrderState, event: OrderEvent) -> None:
    assert next_state(state, event) not in UNSENT


@pytest.mark.parametrize("state", sorted(UNSENT))
@pytest.mark.parametrize("event", FILLS)
def test_a_fill_of_an_order_that_never_left_is_refused(state: OrderState, event: OrderEvent) -> None:
    with pytest.raises(BrokenInvariant):
        next_state(state, event)


def test_a_terminal_order_moves_by_late_fills_only() -> None:
    moves = {(state, event) for state, event in NEXT if state in TERMINAL}
    refusals = {(state, OrderEvent.REFUSE_FILL) for state in TERMINAL - UNSENT}
    assert moves == set(product(LATE_FILL, FILLS)) | refusals
    assert {NEXT[move] for move in refusals} == {OrderState.RESURRECTED}


@given(st.lists(st.sampled_from(OrderEvent), max_size=30))
def test_along_every_path_an_order_is_claimed_before_anything_of_the_venue(events: list[OrderEvent]) -> None:
    state, claimed = OrderState.PLANNED, False
    for event in events:
        if (state, event) in NEXT:
            claimed = claimed or event is OrderEvent.CLAIM
            state = next_state(state, event)
        assert claimed is (state not in UNSENT)
