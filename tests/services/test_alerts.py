"""Alerts and feed notices reach the users they concern, and stay where they are stored."""

from __future__ import annotations

import pytest

from amarktai.domain.errors import NotFound
from amarktai.domain.instrument import Origin, Platform
from amarktai.ports.feed import FeedState
from amarktai.services.alerts import Alerts, Notices
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.events import PgEvents
from tests.trading import trading


async def test_an_alert_is_stored_and_told_to_its_user_alone(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        ada, bo = world.add_user(1), world.add_user(2)
        alerting = PgAlerting(world.database)
        notices = Notices(alerting, clock=world.clock, ids=world.ids)
        first = await notices.alert(ada.user_id, "feed_stale", "warning", "Luno is silent")
        world.clock.advance(1)
        second = await notices.alert(ada.user_id, "engine_down", "critical", "The engine stopped")
        alerts = Alerts(alerting, clock=world.clock)
        page = await alerts.list_alerts(ada, cursor=None, limit=1)
        assert [row["id"] for row in page.items] == [second] and page.next_cursor
        rest = await alerts.list_alerts(ada, cursor=page.next_cursor, limit=1)
        assert [row["id"] for row in rest.items] == [first] and rest.next_cursor is None
        assert (await alerts.list_alerts(bo, cursor=None, limit=9)).items == []
        events = await PgEvents(world.database).after(ada.user_id, 0, 9)
        assert [event.type for event in events] == ["alert", "alert"]
        assert events[0].payload["alert_id"] == str(first) and events[0].payload["alert_type"] == "feed_stale"


async def test_acknowledging_leaves_its_fact_in_the_same_transaction_or_none(
    database_urls: DatabaseUrls,
) -> None:
    async with trading(database_urls) as world:
        ada, bo = world.add_user(1), world.add_user(2)
        alerting = PgAlerting(world.database)
        alert_id = await Notices(alerting, clock=world.clock, ids=world.ids).alert(
            ada.user_id, "feed_stale", "warning", "Luno is silent"
        )
        alerts = Alerts(alerting, clock=world.clock)
        with pytest.raises(NotFound):
            await alerts.acknowledge(bo, alert_id)
        await alerts.acknowledge(ada, alert_id)
        async with alerting.alerts(ada.user_id) as store:
            facts = [row.fact for row in await store.audit.read(0, 100)]
        told = [(fact.action, fact.object_id, fact.actor) for fact in facts if fact.object_type == "alert"]
        assert told == [("alert.acknowledged", str(alert_id), f"user:{ada.user_id}")]


async def test_a_feeds_change_is_told_to_everybody(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        users = [world.add_user(1), world.add_user(2)]
        notices = Notices(PgAlerting(world.database), clock=world.clock, ids=world.ids)
        await notices.feed_changed(Platform.LUNO, FeedState.UNREACHABLE, Origin.LIVE, "Luno does not answer")
        for user in users:
            events = await PgEvents(world.database).after(user.user_id, 0, 9)
            assert [event.type for event in events] == ["feed_changed"]
            assert events[0].payload["state"] == "unreachable"
