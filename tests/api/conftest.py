"""The whole application over a real database, without a server: requests go straight in."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from amarktai.api.app import create_app
from amarktai.api.build import BuildInfo
from amarktai.api.services import Services
from amarktai.bootstrap.foundation import Foundation
from amarktai.bootstrap.web import build_services
from amarktai.config import load
from amarktai.domain.provider import ProviderId
from amarktai.providers.registry import load_providers
from amarktai.realtime.hub import Hub
from amarktai.services.accounts import AccountRules, AccountServices, build_account_services
from amarktai.services.factors import FactorRules
from amarktai.services.passwords import Passwords
from amarktai.services.sessions import SessionRules
from amarktai.storage.accounts import PgAccounts
from amarktai.storage.database import Database
from amarktai.storage.embedded import DatabaseUrls
from amarktai.storage.events import PgEvents
from amarktai.system.ids import TimeIds
from amarktai.system.key_ring import VariableKeyRing
from tests.fakes import HandClock, SeededRng
from tests.trading import World as Desk
from tests.trading import trading

BASE = "http://127.0.0.1:8000"
PASSWORD = "violet-otter-candle-47"
EMAIL = "ada@example.org"
ENCRYPTION_KEY = base64.b64encode(SeededRng("encryption").bytes(32)).decode()
#: Nothing listens on the discard port, so every provider refuses the connection at once.
SILENT = dict.fromkeys(ProviderId, "http://127.0.0.1:9")


@dataclass(frozen=True)
class World:
    """A running application and what tests reach behind it."""

    app: ASGIApp
    services: Services
    accounts: AccountServices
    database: Database
    clock: HandClock
    hub: Hub
    desk: Desk

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
    async with open_world(database_urls, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def open_world(
    urls: DatabaseUrls, folder: Path, base_urls: Mapping[ProviderId, str] | None = None
) -> AsyncIterator[World]:
    """Compose the application as the platform does, with time moved by hand and quick passwords.

    No provider is ever asked for real: without ``base_urls`` all of them are out of reach.
    """
    async with trading(urls) as desk:
        settings = load({}, home=folder)
        rng = SeededRng()
        ids = TimeIds(desk.clock, rng)
        base = Foundation(settings, desk.clock, ids, desk.database, desk.store, desk.catalog)
        rules = SessionRules(
            timedelta(hours=12), timedelta(days=30), tries_per_account=6, tries_per_address=30
        )
        accounts = build_account_services(
            PgAccounts(desk.database),
            Passwords(rng, memory_kib=64, time_cost=1),
            AccountRules(rules, FactorRules(6, timedelta(minutes=5)), timedelta(days=7)),
            VariableKeyRing(ENCRYPTION_KEY),
            clock=desk.clock,
            ids=ids,
            rng=rng,
        )
        hub = Hub(PgEvents(desk.database), clock=desk.clock, dashboard_sha=lambda: "abc")
        build = BuildInfo("abc", "main", None, "test", "here", folder / "ui")
        services = build_services(base, hub, build, accounts, load_providers(desk.clock, base_urls or SILENT))
        app = create_app(services, ui_folder=folder / "ui")
        yield World(app, services, accounts, desk.database, desk.clock, hub, desk)
        await hub.close()
