"""Around the routes: hosts, sizes, headers, error shapes, health, and the dashboard's files."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import insert

from amarktai.api.app import MAX_BODY_BYTES, create_app
from amarktai.api.build import STAMP, read_build
from amarktai.storage import tables as t
from amarktai.storage.embedded import EmbeddedPostgres
from tests.api.conftest import BASE, World

ERROR_FIELDS = {"code", "detail", "action"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost:8000", 200),
        ("[::1]:8000", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("[", 421),
    ],
)
async def test_only_this_machines_names_are_answered(world: World, host: str, status: int) -> None:
    answer = await world.client().get("/api/setup", headers={"Host": host})
    assert answer.status_code == status
    assert status == 200 or answer.json()["code"] == "HOST_UNKNOWN"


async def test_every_answer_carries_the_security_headers(world: World) -> None:
    client = world.client()
    for path in ("/", "/bots", "/api/setup", "/api/auth/me", "/api/none", "/api/openapi.json"):
        headers = (await client.get(path)).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        if path.startswith("/api"):
            assert headers["cache-control"] == "no-store"


async def test_failures_have_one_shape(world: World) -> None:
    client = world.client()
    for method, path, status in (
        ("GET", "/api/none", 404),
        ("GET", "/api", 404),
        ("PUT", "/api/setup", 405),
        ("POST", "/", 405),
        ("GET", "/api/auth/me", 401),
        ("GET", "/api/bots/not-an-id", 404),
        ("GET", "/api/candles", 401),
        ("GET", "/api/setup%00", 422),
        ("GET", "/api/setup?x=%00", 422),
    ):
        answer = await client.request(method, path)
        assert answer.status_code == status and set(answer.json()) == ERROR_FIELDS, path
        assert answer.headers["content-type"] == "application/json"
        assert status != 405 or "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"email":1}', b'{"email":"a@b"', b"{}" * 10]
)
async def test_malformed_bodies_are_explained_without_repeating_them(world: World, content: bytes) -> None:
    answer = await world.client().post(
        "/api/auth/login", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422 and answer.json()["code"] == "VALIDATION_ERROR"


async def test_large_bodies_are_refused(world: World) -> None:
    body = b'{"email":"' + b"x" * MAX_BODY_BYTES + b'"}'
    answer = await world.client().post(
        "/api/auth/login", content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")


async def test_health_says_what_is_missing(world: World) -> None:
    client = world.client()
    ping = (await client.get("/api/health/ping")).json()
    assert (ping["status"], ping["db"]) == ("healthy", "connected")
    silent = await client.get("/api/health/ready")
    assert silent.status_code == 503 and "engine" in silent.json()["issues"][0]
    async with world.database.transaction(None) as connection:
        await connection.execute(
            insert(t.worker_heartbeats).values(
                role="engine", instance="one", pid=7, started_at=world.desk.now, beat_at=world.desk.now
            )
        )
    assert (await client.get("/api/health/ready")).json() == {"ready": True, "issues": []}
    world.clock.advance(31)
    assert (await client.get("/api/health/ready")).status_code == 503


async def test_a_database_that_went_away_is_told_honestly(world: World, postgres: EmbeddedPostgres) -> None:
    admin = await world.set_up()
    name = world.desk.urls.app.rsplit("/", 1)[1].partition("?")[0]
    with psycopg.connect(postgres.superuser_url(), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
    try:
        for path in ("/api/health/ping", "/api/auth/me"):
            answer = await admin.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
        assert (await admin.get("/api/health/ready")).status_code == 503
    finally:
        with psycopg.connect(postgres.superuser_url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name))
            )
    assert (await admin.get("/api/auth/me")).status_code == 200


async def test_the_system_tells_its_mode_and_build(world: World) -> None:
    admin = await world.set_up()
    mode = (await admin.get("/api/system/mode")).json()
    assert (mode["mode"], mode["paperTrading"], mode["liveTrading"]) == ("paper", True, False)
    build = (await world.client().get("/api/system/build")).json()
    assert build["backend"]["sha"] == "abc" and build["frontend"]["expected_sha"] is None
    status = (await admin.get("/api/system/status")).json()
    assert status["database"]["size_bytes"] > 0 and status["processes"] == []


def test_the_build_comes_from_the_environment_or_git(tmp_path: Path) -> None:
    given = {"BUILD_SHA": "s", "BUILD_BRANCH": "b", "BUILD_TIME": "t"}
    build = read_build(given, environment="e", host="h", ui_folder=tmp_path)
    assert (build.sha, build.branch, build.build_time) == ("s", "b", "t")
    assert read_build({}, environment="e", host="h", ui_folder=tmp_path).view()["success"] is True
    (tmp_path / STAMP).write_text("{not json")
    assert build.dashboard_sha is None
    (tmp_path / STAMP).write_text('{"sha": "f00"}')
    assert build.dashboard_sha == "f00"


@pytest.fixture
def dashboard(world: World, tmp_path: Path) -> httpx.AsyncClient:
    ui = tmp_path / "built"
    (ui / "assets").mkdir(parents=True)
    (ui / "index.html").write_text("<!doctype html><title>A</title>")
    script = b"console.log('x')" * 100
    (ui / "assets" / "app-1a2b.js").write_bytes(script)
    (ui / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(script))
    (ui / "assets" / "app-1a2b.js.br").write_bytes(b"brotli")
    (ui / "favicon.svg").write_text("<svg/>")
    (ui / ".source-hash").write_text("secret")
    app = create_app(world.services, ui_folder=ui)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE)


async def test_a_missing_dashboard_says_how_to_build_it(world: World) -> None:
    answer = await world.client().get("/")
    assert answer.status_code == 503 and "python -m tools.build_ui" in answer.text
    assert (await world.client().get("/api/setup")).status_code == 200


async def test_pages_of_the_application_get_the_index(dashboard: httpx.AsyncClient) -> None:
    for path in ("/", "/bots", "/bots/0199-x/trades", "/index.html"):
        answer = await dashboard.get(path)
        assert answer.status_code == 200 and "<title>A" in answer.text, path
        assert answer.headers["cache-control"] == "no-cache"
    etag = answer.headers["etag"]
    assert (await dashboard.get("/", headers={"If-None-Match": f'W/{etag}, "x"'})).status_code == 304


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [("br, gzip", "br"), ("gzip", "gzip"), ("identity", None), ("br;q=0, gzip", "gzip"), ("", None)],
)
async def test_assets_come_compressed_and_for_ever(
    dashboard: httpx.AsyncClient, accepts: str, encoding: str | None
) -> None:
    async with dashboard.stream("GET", "/assets/app-1a2b.js", headers={"Accept-Encoding": accepts}) as answer:
        assert answer.headers.get("content-encoding") == encoding
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["content-type"].startswith("text/javascript")
        assert len(b"".join([part async for part in answer.aiter_raw()])) > 0


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/none.js",
        "/.source-hash",
        "/assets/..%2f..%2fapp.py",
        "/..%2f..%2fetc%2fpasswd.txt",
    ],
)
async def test_only_built_files_are_served(dashboard: httpx.AsyncClient, path: str) -> None:
    answer = await dashboard.get(path)
    assert answer.status_code == 404 and "secret" not in answer.text


async def test_a_new_build_is_served_without_a_restart(dashboard: httpx.AsyncClient, tmp_path: Path) -> None:
    ui = tmp_path / "built"
    assert (await dashboard.get("/assets/new-9.js")).status_code == 404
    (ui / "assets" / "new-9.js").write_text("1")
    (ui / STAMP).write_text('{"sha": "new"}')
    os.utime(ui / STAMP, ns=(1, 1))
    assert (await dashboard.get("/assets/new-9.js")).status_code == 200


async def test_head_has_no_body(dashboard: httpx.AsyncClient) -> None:
    answer = await dashboard.head("/favicon.svg")
    assert answer.status_code == 200 and answer.content == b"" and answer.headers["content-length"] == "6"
