"""The embedded PostgreSQL starts, survives a kill, and lets nobody in without a password."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import psutil
import psycopg
import pytest

from amarktai.domain.errors import Unavailable
from amarktai.storage.embedded import EmbeddedPostgres
from tests.fakes import SeededRng


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedPostgres:
    return EmbeddedPostgres(tmp_path_factory.mktemp("home with spaces"), SeededRng(), fast=True)


@pytest.fixture(autouse=True)
def _stopped_at_the_end(server: EmbeddedPostgres) -> object:
    yield
    server.stop()


def test_it_starts_stops_and_keeps_its_data(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.start().owner) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (x int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    server.stop()
    assert not server.is_running()
    server.stop()  # a second stop is no error
    with psycopg.connect(server.start().owner) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM kept").fetchone() == (True,)


def test_a_second_start_adopts_the_running_server(server: EmbeddedPostgres) -> None:
    first = server.start()
    pid = _pid(server)
    other = EmbeddedPostgres(server.data_folder.parent, SeededRng("other"), fast=True)
    assert other.start() == first and _pid(server) == pid


def test_it_recovers_from_a_killed_server_and_a_reused_process_id(server: EmbeddedPostgres) -> None:
    server.start()
    pid = _pid(server)
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
    assert not server.is_running()
    pid_file = server.data_folder / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(str(pid), str(os.getpid()), 1))
    with psycopg.connect(server.start().app) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_nobody_enters_without_a_password_and_nothing_listens_on_tcp(server: EmbeddedPostgres) -> None:
    urls = server.start()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(urls.app.replace(urls.app.split(":")[2].partition("@")[0], "wrong"))
    assert psutil.Process(_pid(server)).net_connections(kind="tcp") == []
    with psycopg.connect(server.superuser_url()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        folder = connection.execute("SHOW unix_socket_directories").fetchone()
    assert folder is not None and stat.S_IMODE(Path(folder[0]).stat().st_mode) == 0o700
    assert stat.S_IMODE((server.data_folder.parent / "postgres-passwords.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(server.data_folder.stat().st_mode) == 0o700
    assert "@" not in repr(urls)


def test_the_roles_are_as_weak_as_they_must_be(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.start().app) as connection:
        rows = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles"
            " WHERE rolname IN ('owner', 'app', 'auditor')"
        ).fetchall()
    assert len(rows) == 3
    assert not any(any(rights) for _, *rights in rows)


def test_a_long_path_still_gets_a_socket(tmp_path: Path) -> None:
    deep = EmbeddedPostgres(tmp_path / ("d" * 60) / ("e" * 60), SeededRng(), fast=True)
    try:
        with psycopg.connect(deep.start().app) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        deep.stop()


def test_an_unusable_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable) as refusal:
        EmbeddedPostgres(tmp_path / "file" / "home", SeededRng()).start()
    assert "cannot be written" in refusal.value.detail and "AMARKTAI_HOME" in refusal.value.action


def test_a_full_disk_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refusal:
        EmbeddedPostgres(tmp_path, SeededRng(), min_free_mb=10**9).start()
    assert "MB left" in refusal.value.detail and "AMARKTAI_HOME" in refusal.value.action


def test_lost_passwords_are_named(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, SeededRng("one"), fast=True)
    server.start()
    (tmp_path / "postgres-passwords.json").unlink()
    try:
        with pytest.raises(Unavailable, match="refuses our login"):
            EmbeddedPostgres(tmp_path, SeededRng("two"), fast=True).start()
    finally:
        server.stop()


def _pid(server: EmbeddedPostgres) -> int:
    return int((server.data_folder / "postmaster.pid").read_text().splitlines()[0])
