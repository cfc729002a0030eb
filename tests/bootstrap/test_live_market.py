"""The live market of stand-ins: what another server says in an exchange's place is never called real."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

from amarktai.bootstrap.foundation import lay_foundation, real_time
from amarktai.bootstrap.live_market import open_live_market
from amarktai.bootstrap.twins import TWINS, made_up_account, running_twin
from amarktai.config import load
from amarktai.domain.instrument import Origin, Platform
from amarktai.ports.feed import FeedState
from amarktai.storage.embedded import DatabaseUrls


async def test_twins_in_the_exchanges_place_make_a_market_that_is_labelled(
    database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        urls = {}
        for name, kind in TWINS.items():
            account = made_up_account(name, f"{kind.default_markets[0].quote}=1", "1", ["read"])
            twin = await stack.enter_async_context(running_twin(name, accounts=[account]))
            urls[name] = twin.url
        environ = {"AMARKTAI_PROVIDER_URLS": json.dumps(urls), "AMARKTAI_RECORD_FEEDS": "false"}
        base = lay_foundation(load(environ, home=tmp_path), database_urls.app, *real_time())
        stack.push_async_callback(base.close)
        live = await open_live_market(base, lambda _: False)
        feed, status_of, unverified = live.feed, live.status_of, live.unverified
        stack.push_async_callback(feed.close)
        assert feed.origin is Origin.SYNTHETIC and not unverified
        seen: set[Platform] = set()
        async for batch in feed.batches():
            seen |= {feed.instruments[index].venue for index in batch.instrument}
            if seen == set(Platform):
                break
        statuses = [status_of(platform) for platform in Platform]
        assert {status.state for status in statuses} == {FeedState.LIVE}
        assert all(status.message.startswith("Made-up prices") for status in statuses)
