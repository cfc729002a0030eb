"""The emergency stop: for one user and for everybody, by hand and by file, and what it leaves behind."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest

from amarktai.domain.bot import Bot, BotAction, BotStatus, RiskMode
from amarktai.domain.errors import Conflict
from amarktai.domain.instrument import Origin
from amarktai.domain.stop import LONGEST_REASON, EmergencyStop, StopSource
from amarktai.domain.user import Identity
from amarktai.services.bots import NewBot
from amarktai.services.emergency import PAUSED_BY_STOP, Emergency
from amarktai.storage.embedded import DatabaseUrls
from tests.fakes import HandStopFile
from tests.services.engine_desk import bot_service
from tests.trading import BTC_ZAR, ETH_ZAR, World, trading


def emergency(world: World, file: HandStopFile | None = None) -> Emergency:
    file = file or HandStopFile()
    return Emergency(world.store, world.clock, world.ids, bots=bot_service(world), file=file)


async def trader(world: World, number: int) -> tuple[Identity, Bot]:
    who = world.add_user(number)
    await world.fund(who, Decimal(50_000))
    return who, await world.add_bot(who, BTC_ZAR, Decimal(10_000))


async def stored(world: World, who: Identity, bot: Bot) -> Bot:
    async with world.store.unit_of_work(who.user_id) as unit:
        return await unit.bots.get(bot.id)


def told(urls: DatabaseUrls, who: Identity) -> list[str]:
    with psycopg.connect(urls.app) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, true)", [str(who.user_id)])
        rows = connection.execute("SELECT type FROM outbox WHERE type LIKE 'emergency%%' ORDER BY seq")
        return [row[0] for row in rows]


async def test_it_pauses_the_users_bots_and_nobody_elses(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        (ada, hers), (bo, his) = await trader(world, 1), await trader(world, 2)
        stops = emergency(world)
        status = await stops.engage(ada, everybody=False, reason="  the market is  odd ")
        again = await stops.engage(ada, everybody=False, reason="twice")
        bots = [await stored(world, ada, hers), await stored(world, bo, his)]
        his_status = await stops.status(bo.user_id)
    assert status["active"] and status["reason"] == again["reason"] == "the market is odd"
    assert len(again["history"]) == 1 and again["stops"][0]["scope"] == "user"
    assert [bot.status for bot in bots] == [BotStatus.PAUSED, BotStatus.ACTIVE]
    assert bots[0].pause_reason == PAUSED_BY_STOP
    assert not his_status["active"] and his_status["history"] == []
    assert (told(database_urls, ada), told(database_urls, bo)) == (["emergency_stop"], [])
    with psycopg.connect(database_urls.owner) as connection:
        facts = connection.execute("SELECT action FROM audit_log ORDER BY seq").fetchall()
    assert [fact[0] for fact in facts] == ["emergency_stop.engaged", "bot.pause"]


async def test_engaging_again_pauses_what_the_first_time_did_not_come_to(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who, bot = await trader(world, 1)
        stop = EmergencyStop(world.ids.new(), None, "odd", StopSource.FILE, world.now, "system:file")
        async with world.store.unit_of_work(who.user_id) as unit:  # and then the process is killed
            assert await unit.stops.engage(stop)
        file = HandStopFile()
        file.write("odd")
        assert not await emergency(world, file).heed_file()
        assert (await stored(world, who, bot)).status is BotStatus.PAUSED
    assert told(database_urls, who) == []


async def test_while_it_is_on_no_bot_starts_and_after_it_bots_stay_paused(
    database_urls: DatabaseUrls,
) -> None:
    async with trading(database_urls) as world:
        who, bot = await trader(world, 1)
        stops, bots = emergency(world), bot_service(world)
        await world.catalog.put_instruments([ETH_ZAR], Origin.LIVE, world.now)
        await stops.engage(who, everybody=False, reason=None)
        new = NewBot("New", "luno", "ETH/ZAR", "ema_cross", {}, None, RiskMode.SAFE, Decimal(9_000), True)
        with pytest.raises(Conflict, match="no reason given") as refused:
            await bots.create(who.user_id, new)
        with pytest.raises(Conflict) as not_resumed:
            await bots.act(who.user_id, bot.id, BotAction.RESUME)
        released = await stops.release(who, everybody=False)
        twice = await stops.release(who, everybody=False)
        after = await stored(world, who, bot)
        await bots.act(who.user_id, bot.id, BotAction.RESUME)
    assert refused.value.code == not_resumed.value.code == "EMERGENCY_STOP_ACTIVE"
    assert not released["active"] and released["history"][0]["released_by"] == f"user:{who.user_id}"
    assert twice["history"] == released["history"]
    assert after.status is BotStatus.PAUSED
    assert told(database_urls, who) == ["emergency_stop", "emergency_stop_deactivated"]


async def test_everybodys_stop_and_ones_own_are_two(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        (ada, hers), (bo, his) = await trader(world, 1), await trader(world, 2)
        stops = emergency(world)
        await stops.engage(ada, everybody=True, reason="all")
        await stops.engage(bo, everybody=False, reason="mine")
        both = await stops.status(bo.user_id)
        mine = await stops.release(bo, everybody=False)
        none = await stops.release(ada, everybody=True)
        bots = [await stored(world, ada, hers), await stored(world, bo, his)]
    assert [stop["scope"] for stop in both["stops"]] == ["everybody", "user"] and both["reason"] == "all"
    assert mine["active"] and [stop["scope"] for stop in mine["stops"]] == ["everybody"]
    assert not none["active"]
    assert {bot.status for bot in bots} == {BotStatus.PAUSED}
    assert told(database_urls, ada) == ["emergency_stop", "emergency_stop_deactivated"]


async def test_the_file_stops_everybody_once_and_is_gone_after_the_release(
    database_urls: DatabaseUrls,
) -> None:
    async with trading(database_urls) as world:
        who, bot = await trader(world, 1)
        file = HandStopFile()
        stops = emergency(world, file)
        heeded = [await stops.heed_file()]
        file.write("smoke in the room")
        heeded += [await stops.heed_file(), await stops.heed_file()]
        status, paused = await stops.status(who.user_id), await stored(world, who, bot)
        await stops.release(who, everybody=True)
        heeded.append(await stops.heed_file())
        engaged = await stops.engage_for_all("again", StopSource.COMMAND)
        released = [await stops.release_for_all(), await stops.release_for_all()]
    assert heeded == [False, True, False, False] and file.text is None
    assert status["stops"][0]["source"] == "file" and status["activated_by"] == "system:file"
    assert status["reason"] == "smoke in the room" and paused.status is BotStatus.PAUSED
    assert engaged and released == [True, False]


async def test_a_platform_without_people_has_nobody_to_stop(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        stops = emergency(world)
        assert not await stops.engage_for_all("early", StopSource.FILE)
        assert not await stops.release_for_all()
        file = HandStopFile()
        file.write("early")
        stops = emergency(world, file)
        assert not await stops.heed_file()
        who, bot = await trader(world, 1)
        assert await stops.heed_file()
        assert (await stored(world, who, bot)).status is BotStatus.PAUSED


async def test_nobody_is_kept_from_stopping_by_too_many_words(database_urls: DatabaseUrls) -> None:
    async with trading(database_urls) as world:
        who, bot = await trader(world, 1)
        status = await emergency(world).engage(who, everybody=False, reason="x" * 5_000)
        assert (await stored(world, who, bot)).status is BotStatus.PAUSED
    assert status["reason"] == "x" * LONGEST_REASON
