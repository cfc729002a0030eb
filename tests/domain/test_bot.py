"""What each status allows, and how much one position may use."""

from __future__ import annotations

from itertools import product

import pytest

from amarktai.domain.bot import (
    ALLOWED,
    BOT_CAPS,
    LEADS_TO,
    STAKE_PERCENT,
    BotAction,
    BotStatus,
    RiskMode,
    allows,
)
from amarktai.domain.instrument import Platform


@pytest.mark.parametrize(("status", "action"), list(product(BotStatus, BotAction)))
def test_an_allowed_action_changes_the_status(status: BotStatus, action: BotAction) -> None:
    if allows(status, action):
        assert LEADS_TO[action] is not status


def test_a_deleted_bot_stays_deleted() -> None:
    assert not any(allows(BotStatus.DELETED, action) for action in BotAction)
    assert all(allows(status, BotAction.DELETE) for status in BotStatus if status is not BotStatus.DELETED)


def test_every_status_but_deleted_can_become_active_again() -> None:
    for status in (BotStatus.PAUSED, BotStatus.STOPPED):
        assert LEADS_TO[BotAction.START] is BotStatus.ACTIVE
        assert status in ALLOWED[BotAction.START]


def test_riskier_modes_stake_more_and_never_everything() -> None:
    shares = [STAKE_PERCENT[mode] for mode in RiskMode]
    assert shares == sorted(set(shares))
    assert shares[0] > 0 and shares[-1] < 100


def test_every_platform_has_its_cap() -> None:
    assert set(BOT_CAPS) == set(Platform)
    assert BOT_CAPS[Platform.LUNO] == 5
