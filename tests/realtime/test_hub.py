"""Events reach their user's clients, in order, once, and nobody else's; resuming loses none."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from amarktai.ports.live import CLOSE_TOO_SLOW
from amarktai.realtime import hub as hub_module
from tests.realtime.conftest import ADA, BO, Listener, Stage


async def test_a_committed_event_reaches_every_client_of_its_user_and_no_other(stage: Stage) -> None:
    first, second, other = Listener(), Listener(), Listener()
    for user_id, listener in ((ADA, first), (ADA, second), (BO, other)):
        await stage.hub.attach(user_id, None, listener)
    await stage.emit(ADA)
    await first.until(2)
    await second.until(2)
    hello, event = first.messages
    assert hello["type"] == "hello" and hello["seq"] == 0 and hello["heartbeat_s"] == 5
    assert hello["resumed"] is False and hello["dashboard_sha"] == "abc"
    assert event["type"] == "feed_changed" and event["seq"] == 1 and event["platform"] == "luno"
    assert second.messages[1] == event and len(other.messages) == 1


async def test_a_client_resumes_without_loss_or_repetition(stage: Stage) -> None:
    await stage.emit(ADA, 5)
    listener = Listener()
    await stage.hub.attach(ADA, 2, listener)
    await stage.emit(ADA, 2)
    await listener.until(6)
    assert listener.messages[0]["resumed"] is True and listener.seqs() == [3, 4, 5, 6, 7]


async def test_events_during_the_resume_come_once_and_in_order(stage: Stage) -> None:
    await stage.emit(ADA, 50)
    listeners = [Listener() for _ in range(8)]
    await asyncio.gather(
        *(stage.hub.attach(ADA, after, listener) for after, listener in enumerate(listeners)),
        *(stage.emit(ADA, 3) for _ in range(10)),
    )
    for after, listener in enumerate(listeners):
        await listener.until(1 + 80 - after)
        assert listener.seqs() == list(range(after + 1, 81))


@pytest.mark.parametrize("after", [2, 11, 10**9])
async def test_what_cannot_be_resumed_is_said(stage: Stage, after: int) -> None:
    await stage.emit(ADA, 10)
    await stage.forget(ADA, 5)
    listener = Listener()
    await stage.hub.attach(ADA, after, listener)
    assert [m["type"] for m in listener.messages] == ["hello", "cannot_resume"]
    assert listener.messages[1]["oldest"] == 6 and listener.messages[0]["resumed"] is False
    await stage.emit(ADA)
    await listener.until(3)
    assert listener.seqs() == [11]


async def test_a_long_absence_is_not_replayed_event_by_event(stage: Stage) -> None:
    await stage.emit(ADA, hub_module.MAX_BACKLOG + 1)
    listener = Listener()
    await stage.hub.attach(ADA, 0, listener)
    assert [m["type"] for m in listener.messages] == ["hello", "cannot_resume"]


async def test_a_slow_client_is_dropped_and_the_others_are_served(stage: Stage) -> None:
    slow, quick = Listener(), Listener()
    await stage.hub.attach(ADA, None, slow)
    await stage.hub.attach(ADA, None, quick)
    slow.backlog = hub_module.MAX_BUFFERED_BYTES + 1
    await stage.emit(ADA)
    await quick.until(2)
    assert slow.dropped is not None and slow.dropped[0] == CLOSE_TOO_SLOW
    await stage.emit(ADA)
    await quick.until(3)
    assert len(slow.messages) == 2 and stage.hub.client_count == 1


async def test_a_detached_client_hears_nothing_more(stage: Stage) -> None:
    left, stays = Listener(), Listener()
    attachment = await stage.hub.attach(ADA, None, left)
    await stage.hub.attach(ADA, None, stays)
    attachment.detach()
    attachment.detach()
    await stage.emit(ADA)
    await stays.until(2)
    assert len(left.messages) == 1


async def test_the_wake_up_line_comes_back_and_nothing_is_lost(stage: Stage) -> None:
    listener = Listener()
    await stage.hub.attach(ADA, None, listener)
    await stage.emit(ADA)
    await listener.until(2)
    with psycopg.connect(stage.urls.app, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )
    await stage.emit(ADA)  # told of by nobody
    for _ in range(40):
        stage.clock.advance(1)
        await asyncio.sleep(0.01)
    await listener.until(3)
    assert listener.seqs() == [1, 2]


async def test_heartbeats_tell_the_sequence(stage: Stage) -> None:
    listener = Listener()
    await stage.hub.attach(ADA, None, listener)
    beating = asyncio.create_task(stage.hub.run())
    await asyncio.sleep(0)
    stage.clock.advance(5)
    await listener.until(2)
    beating.cancel()
    assert listener.messages[1]["type"] == "heartbeat" and listener.messages[1]["seq"] == 0


async def test_prices_come_together_and_never_as_events(stage: Stage) -> None:
    listener = Listener()
    await stage.hub.attach(ADA, None, listener)
    for price in range(50):
        stage.hub.tell_prices({"luno:BTC/ZAR": (price, 1), f"luno:{price}/ZAR": (1.5, 2)})
    await listener.until(2)
    message = listener.messages[1]
    assert message["type"] == "prices" and "seq" not in message
    assert message["prices"]["luno:BTC/ZAR"] == [49, 1] and len(message["prices"]) == 51


async def test_closing_tells_every_client(stage: Stage) -> None:
    listener = Listener()
    await stage.hub.attach(ADA, None, listener)
    await stage.hub.close()
    assert listener.dropped is not None and stage.hub.client_count == 0
