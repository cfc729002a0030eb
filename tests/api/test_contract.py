"""The OpenAPI document is true: generated requests, right and wrong, are answered as it says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from amarktai.api.app import create_api, openapi
from amarktai.storage.embedded import DatabaseUrls
from tests.api.populated import Populated, populated

schema = schemathesis.openapi.from_dict(openapi())
#: Form and meaning are both answered with 422 here, so acceptance of every well-formed request is
#: not promised; the others hold for every answer.
_LEFT_OUT = {"positive_data_acceptance"}
#: Would end the session that the test runs under, or stream without end.
_OWN_TESTS = {
    "/api/auth/logout",
    "/api/auth/password",
    "/api/auth/sessions/{session_id}",
    "/api/realtime/events",
}


class Served:
    """The populated application on a thread of its own; schemathesis calls synchronously."""

    def __init__(self, urls: DatabaseUrls, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._world = populated(urls, folder)
        self.made: Populated = self.run(self._world.__aenter__())

    def run(self, work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(120)

    def close(self) -> None:
        self.run(self._world.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def _serve(urls: DatabaseUrls, folder: Path) -> Iterator[Served]:
    served = Served(urls, folder)
    yield served
    served.close()


@pytest.fixture(scope="module")
def served(module_database_urls: DatabaseUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with _serve(module_database_urls, tmp_path_factory.mktemp("contract")) as made:
        yield made


def test_the_document_is_the_servers_own() -> None:
    assert create_api().openapi() == openapi()
    assert openapi()["openapi"].startswith("3.1")


@schema.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_as_documented(case: Any, served: Served) -> None:
    if case.path in _OWN_TESTS:
        pytest.skip("has a test of its own")
    checks = [check for name, check in CHECKS._items.items() if name not in _LEFT_OUT]
    assert checks and case is not None
