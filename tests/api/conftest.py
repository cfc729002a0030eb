"""The whole application over a real database, without a server: requests go straight in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from starlette.types import ASGIApp

from amarktai.api.app import create_app
from amarktai.api.build import BuildInfo
from amarktai.api.services import Services
from amarktai.config import load
from amarktai.realtime.hub import Hub
from amarktai.services.accounts import AccountRules, AccountServices, build_account_services
from amarktai.services.alerts import Alerts
from amarktai.services.passwords import Passwords
from amarktai.services.sessions import SessionRules
from amarktai.services.system import EventHistory, System
from amarktai.storage.accounts import PgAccounts
from amarktai.storage.alerts import PgAlerting
from amarktai.storage.database import Database
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.events import PgEvents
from amarktai.storage.system import PgSystem
from tests.fakes import HandClock, SeededIds, SeededRng

BASE = "http://127.0.0.1:8000"
PASSWORD = "violet-otter-candle-47"
EMAIL = "ada@example.org"


@dataclass(frozen=True)
class World:
    """A running application and what tests reach behind it."""

    app: ASGIApp
    services: Services
    accounts: AccountServices
    database: Database
    clock: HandClock
    hub: Hub

    def client(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 5), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=BASE, headers={"Origin": BASE, **headers})

    async def set_up(self) -> httpx.AsyncClient:
        """Make the first admin and return their browser."""
        token = await self.accounts.setup.prepare()
        client = self.client()
        body = {"token": token, "name": "Ada", "email": EMAIL, "password": PASSWORD, "timezone": "UTC"}
        answer = await client.post("/api/setup", json=body)
        assert answer.status_code == 201, answer.text
        return client

    async def join(self, admin: httpx.AsyncClient, email: str, role: str = "trader") -> httpx.AsyncClient:
        """Invite somebody, accept for them, and return their browser."""
        invited = await admin.post("/api/invites", json={"role": role})
        body = {
            "token": invited.json()["invite_token"],
            "name": email.partition("@")[0],
            "email": email,
            "password": PASSWORD,
            "timezone": "Africa/Johannesburg",
        }
        client = self.client()
        answer = await client.post("/api/invites/accept", json=body)
        assert answer.status_code == 201, answer.text
        return client


@pytest.fixture
async def world(database_urls: DatabaseUrls, tmp_path: Path) -> AsyncIterator[World]:
    clock = HandClock()
    ids, rng = SeededIds(clock), SeededRng()
    database = Database(database_urls.app, pool_size=4)
    settings = load({})
    rules = SessionRules(timedelta(hours=12), timedelta(days=30), tries_per_account=6, tries_per_address=30)
    accounts = build_account_services(
        PgAccounts(database),
        Passwords(rng, memory_kib=64, time_cost=1),
        AccountRules(rules, timedelta(days=7)),
        clock=clock,
        ids=ids,
        rng=rng,
    )
    events = PgEvents(database)
    hub = Hub(events, clock=clock, dashboard_sha=lambda: "abc")
    unbuilt = cast(Any, None)
    services = Services(
        settings=settings,
        clock=clock,
        setup=accounts.setup,
        sessions=accounts.sessions,
        users=accounts.users,
        invites=accounts.invites,
        tokens=accounts.tokens,
        audit=accounts.audit,
        idempotency=accounts.idempotency,
        alerts=Alerts(PgAlerting(database), clock=clock),
        system=System(PgSystem(database), clock=clock, market="live"),
        events=EventHistory(events),
        live=hub,
        build=BuildInfo("abc", "main", None, "test", "here", tmp_path / "ui"),
        bots=unbuilt,
        bot_views=unbuilt,
        trades=unbuilt,
        orders=unbuilt,
        ledger=unbuilt,
        profits=unbuilt,
        platforms=unbuilt,
        wallet=unbuilt,
        markets=unbuilt,
    )
    app = create_app(services, ui_folder=tmp_path / "ui")
    yield World(app, services, accounts, database, clock, hub)
    await hub.close()
    await database.close()
