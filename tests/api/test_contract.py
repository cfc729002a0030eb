"""The OpenAPI document is true: generated requests, right and wrong, are answered as it says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.transport import Response as SchemathesisResponse
from schemathesis.generation.case import Case

from amarktai.api.app import create_api, openapi
from amarktai.api.serve import bind, server
from amarktai.config import load
from amarktai.realtime.protocol import FrameProtocol
from amarktai.storage.embedded import DatabaseUrls
from tests.api.populated import populated

#: Meaning as well as form is answered with 422 here, so a well-formed request need not be taken; and
#: a deleted bot stays readable, for its history is kept.
_LEFT_OUT = {"positive_data_acceptance", "use_after_free", "ensure_resource_availability"}
#: Would end the session that the test runs under, stream without end, or say 503 as documented.
_OWN_TESTS = {
    "/api/auth/logout",
    "/api/auth/password",
    "/api/auth/sessions/{session_id}",
    "/api/realtime/events",
    "/api/health/ready",
}

schema = schemathesis.openapi.from_dict(openapi())
load_all_checks()
_CHECKS: Any = CHECKS.get_by_names([name for name in CHECKS.get_all_names() if name not in _LEFT_OUT])


class Served:
    """The populated application, served on a thread of its own: schemathesis calls synchronously."""

    def __init__(self, urls: DatabaseUrls, folder: Path) -> None:
        self._urls = urls
        self._folder = folder
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self.origin = ""
        self.cookie = ""
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        assert self._ready.wait(60)

    async def _serve(self) -> None:
        async with populated(self._urls, self._folder) as made:
            listener = bind(load({}, port=0))
            running = server(made.world.app, load({}), websocket_protocol=FrameProtocol)
            serving = asyncio.create_task(running.serve(sockets=[listener]))
            self.origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
            self.cookie = made.owner.cookies["amarktai_session"]
            self._ready.set()
            await self._stop.wait()
            running.should_exit = True
            await serving

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)
        self._loop.close()


@pytest.fixture(scope="module")
def served(module_database_urls: DatabaseUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(module_database_urls, tmp_path_factory.mktemp("contract"))
    yield made
    made.close()


def test_the_document_is_the_servers_own() -> None:
    assert create_api().openapi() == openapi()
    assert str(openapi()["openapi"]).startswith("3.1")


@schema.parametrize()
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
def test_answers_are_as_documented(case: Case[Any], served: Served) -> None:
    if case.path in _OWN_TESTS:
        pytest.skip("has a test of its own")
    response: SchemathesisResponse = case.call(
        base_url=served.origin,
        headers={"Origin": served.origin},
        cookies={"amarktai_session": served.cookie},
    )
    case.validate_response(response, checks=_CHECKS)
