"""The commands that look after secrets, as processes of their own over a running database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from amarktai.storage.embedded import DatabaseUrls
from tests.key_rings import key_text

USER = "00000000-0000-7000-8000-000000000001"


def run(home: Path, urls: DatabaseUrls, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "amarktai", *words, "--home", str(home)]
    environment = {"AMARKTAI_DATABASE_URL": urls.app, "PATH": "", "COLUMNS": "200", **variables}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_keys_rotate_makes_a_new_key_beside_the_data(home: Path, database_urls: DatabaseUrls) -> None:
    first = run(home, database_urls, "keys", "rotate")
    assert first.returncode == 0 and "0 secrets wrapped anew" in first.stdout, first.stderr
    file = home.with_name("data.key")
    assert file.stat().st_mode & 0o777 == 0o600 and list(home.iterdir()) == []
    before = file.read_text()
    assert run(home, database_urls, "keys", "rotate").returncode == 0
    assert file.read_text() != before and before.strip() not in first.stdout


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"API_KEY_ENCRYPTION_KEY": "hunter2"}, "is not base64 of 32 bytes"),
        ({"API_KEY_ENCRYPTION_KEY": key_text("one")}, "none to rotate to"),
        ({"AMARKTAI_KEY_FILE": "{home}/inside.key"}, "inside the data folder"),
    ],
)
def test_a_wrong_encryption_key_is_refused_in_one_sentence(
    home: Path, database_urls: DatabaseUrls, variables: dict[str, str], sentence: str
) -> None:
    given = {name: value.replace("{home}", str(home)) for name, value in variables.items()}
    done = run(home, database_urls, "keys", "rotate", **given)
    assert done.returncode == 1 and sentence in done.stderr and "Traceback" not in done.stderr
    assert not any(value in done.stderr for name, value in given.items() if name.startswith("API_KEY"))


def test_a_lost_factor_is_reset_from_the_machine(home: Path, database_urls: DatabaseUrls) -> None:
    nobody = run(home, database_urls, "users", "reset-factor", "ada@example.org")
    assert nobody.returncode == 1 and "Nobody has the address" in nobody.stderr
    with psycopg.connect(database_urls.app) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, true)", [USER])
        connection.execute(
            "INSERT INTO users (id, email, name, password_hash, role, timezone, created_at)"
            " VALUES (%s, 'ada@example.org', 'A', 'x', 'trader', 'UTC', now())",
            [USER],
        )
        connection.execute(
            "INSERT INTO totp_factors (user_id, version, kek_id, wrapped_key, ciphertext, created_at,"
            " confirmed_at) VALUES (%s, %s, 'k', '', '', now(), now())",
            [USER, USER],
        )
    done = run(home, database_urls, "users", "reset-factor", "Ada@example.org")
    assert done.returncode == 0 and "password alone" in done.stdout, done.stderr
    with psycopg.connect(database_urls.app) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, true)", [USER])
        assert connection.execute("SELECT count(*) FROM totp_factors").fetchone() == (0,)
        facts = connection.execute("SELECT action, actor FROM audit_log").fetchall()
    assert facts == [("factor.reset", "system")]
