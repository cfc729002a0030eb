"""One embedded PostgreSQL for the whole run, and a freshly migrated database for each who asks.

The server's folder travels to pytest-xdist's workers in the environment; the first that needs it
starts it and migrates a template, from which databases are cloned in milliseconds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from amarktai.storage.clones import clone, make_template
from amarktai.storage.embedded import DatabaseUrls, EmbeddedPostgres
from tests.fakes import SeededRng

_HOME = "PYTEST_POSTGRES_HOME"
_numbers = count(1)


# How long one example takes is the machine's load, not the code's correctness.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[_HOME] = tempfile.mkdtemp(prefix="amarktai-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and _HOME in os.environ:
        home = Path(os.environ.pop(_HOME))
        _server(home).stop()
        shutil.rmtree(home, ignore_errors=True)


def _server(home: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(home, SeededRng(str(home)), fast=True)


@pytest.fixture(scope="session")
def postgres() -> EmbeddedPostgres:
    """The run's server, with a migrated template database on it."""
    home = Path(os.environ[_HOME])
    server = _server(home)
    with (home / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server.start()
        make_template(server)
    return server


def _clone(server: EmbeddedPostgres, **options: str) -> AbstractContextManager[DatabaseUrls]:
    return clone(server, f"test_{os.getpid()}_{next(_numbers)}", **options)


@pytest.fixture
def database_urls(postgres: EmbeddedPostgres) -> Iterator[DatabaseUrls]:
    """A migrated, empty database of one test's own."""
    with _clone(postgres) as urls:
        yield urls


@pytest.fixture
def other_database_urls(postgres: EmbeddedPostgres) -> Iterator[DatabaseUrls]:
    """A second database like ``database_urls``: for tests that compare two histories."""
    with _clone(postgres) as urls:
        yield urls


@pytest.fixture
def superuser_url(postgres: EmbeddedPostgres, database_urls: DatabaseUrls) -> str:
    """The superuser's way into the test's own database: for damage that no role of ours can do."""
    return postgres.superuser_url(_database_of(database_urls))


@pytest.fixture(scope="module")
def module_database_urls(postgres: EmbeddedPostgres) -> Iterator[DatabaseUrls]:
    """A migrated database that the tests of one module share."""
    with _clone(postgres) as urls:
        yield urls


@pytest.fixture
def blank_database_urls(postgres: EmbeddedPostgres) -> Iterator[DatabaseUrls]:
    """A database without any table."""
    with _clone(postgres, template="template0") as urls:
        with psycopg.connect(postgres.superuser_url(_database_of(urls)), autocommit=True) as connection:
            connection.execute("ALTER SCHEMA public OWNER TO owner")
        yield urls


def _database_of(urls: DatabaseUrls) -> str:
    return urls.owner.rsplit("/", 1)[1].partition("?")[0]
