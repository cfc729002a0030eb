"""A rehearsal's first hours over real sockets: exchange and ledger agree to the last unit."""

from __future__ import annotations

from pathlib import Path

import pytest

from amarktai.bootstrap.foundation import lay_foundation, real_time
from amarktai.bootstrap.rehearsals import MONEY, rehearse
from amarktai.bootstrap.replays import ReplayLogin, create_replay_user
from amarktai.config import load
from amarktai.domain.errors import Conflict
from amarktai.domain.money import ZERO
from amarktai.storage.embedded import DatabaseUrls

LOGIN = ReplayLogin("rehearsal@example.org", "violet-otter-candle-47")


@pytest.mark.timeout(600)
async def test_every_account_holds_what_the_ledger_says(database_urls: DatabaseUrls, tmp_path: Path) -> None:
    told: list[int] = []
    result = await rehearse(load({}, home=tmp_path), database_urls.app, LOGIN, 1, 48, told.append)
    assert told == list(range(1, 49))
    assert result.unsettled == 0
    assert {row.platform for row in result.tie_outs} == set(MONEY)
    assert [row for row in result.tie_outs if row.difference != ZERO] == []
    assert result.ok
    story = result.story
    assert story.undone == [] and len(story.happened) == 6 and story.alerted
    assert story.explained == story.deposits and len(story.deposits) == 1
    assert result.by_hand == story.bought and len(story.bought) == 1
    (halt,) = story.halts
    denied = [order["order"] for order in result.orders if order["order"]["state"] == "denied"]
    refused = [order for order in denied if order["reject_reason"].startswith("ACCOUNT_HALTED: ")]
    assert len(refused) == result.refused > 0
    assert {order["platform"] for order in refused} == {halt.platform}
    filled = [order for order in result.orders if order["fills"]]
    assert filled
    assert result.faults
    for order in result.orders:
        assert order["order"]["mode"] == "live"
        assert all(fill["origin"] == "synthetic" for fill in order["fills"])
        assert [event["to_state"] for event in order["events"]].count("sending") <= 1, "sent once (O2)"


async def test_a_database_that_is_somebodys_is_left_as_it_is(
    database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    clock, ids = real_time()
    settings = load({}, home=tmp_path)
    base = lay_foundation(settings, database_urls.app, clock, ids)
    try:
        owner = await create_replay_user(base, ReplayLogin("ada@example.org", LOGIN.password))
        with pytest.raises(Conflict, match="belongs to somebody"):
            await rehearse(settings, database_urls.app, LOGIN, 1, 1, lambda _: None)
        assert await base.store.user_ids() == [owner]
    finally:
        await base.close()
