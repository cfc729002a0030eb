"""The stand of the eight providers, one for a module; each test finds it as new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.providers.stand import Stand, start_stand


@pytest.fixture(scope="session")
def running_stand() -> Iterator[Stand]:
    stand, stop = start_stand()
    yield stand
    stop()


@pytest.fixture
def stand(running_stand: Stand) -> Stand:
    running_stand.reset()
    return running_stand
