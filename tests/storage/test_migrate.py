"""The migrated database is the one that tables.py describes, and it keeps tenants apart."""

from __future__ import annotations

import threading

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from amarktai.domain.errors import BrokenInvariant, Unavailable
from amarktai.storage.embedded import DatabaseUrls, EmbeddedPostgres
from amarktai.storage.migrate import check_version, migrate, self_test, sqlalchemy_url, tenant_tables
from amarktai.storage.tables import metadata

USER = "00000000-0000-7000-8000-000000000001"
OTHER = "00000000-0000-7000-8000-000000000002"


def test_the_migrations_make_exactly_the_tables_that_the_program_uses(database_urls: DatabaseUrls) -> None:
    engine = create_engine(sqlalchemy_url(database_urls.owner), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_every_table_with_a_user_has_row_level_security(database_urls: DatabaseUrls) -> None:
    with psycopg.connect(database_urls.owner) as connection:
        found = dict(tenant_tables(connection))
    assert set(found) == {table.name for table in metadata.tables.values() if "user_id" in table.c}
    assert all(found.values()), [name for name, guarded in found.items() if not guarded]


def test_what_is_everybodys_keeps_no_platform_from_starting(database_urls: DatabaseUrls) -> None:
    with psycopg.connect(database_urls.app) as connection:
        connection.execute(
            "INSERT INTO emergency_stops (id, reason, source, engaged_at, engaged_by)"
            " VALUES (gen_random_uuid(), 'smoke', 'api', now(), 'ada')"
        )
    self_test(database_urls.app)


def test_migrating_twice_and_at_once_changes_nothing(blank_database_urls: DatabaseUrls) -> None:
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda: results.append(migrate(blank_database_urls.owner))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3 and len(set(results)) == 1 and results[0]


def test_a_newer_database_is_refused(database_urls: DatabaseUrls) -> None:
    with psycopg.connect(database_urls.owner) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match="9999"):
        migrate(database_urls.owner)
    with pytest.raises(Unavailable, match="9999"):
        check_version(database_urls.app)


def test_an_unmigrated_database_is_refused_without_an_owner(blank_database_urls: DatabaseUrls) -> None:
    with pytest.raises(Unavailable) as refusal:
        check_version(blank_database_urls.app)
    assert "AMARKTAI_DATABASE_OWNER_URL" in refusal.value.action


def test_the_self_test_passes_as_the_application(database_urls: DatabaseUrls) -> None:
    _add_user(database_urls, USER)
    check_version(database_urls.app)
    self_test(database_urls.app)


def test_the_self_test_refuses_superuser_and_owner(
    database_urls: DatabaseUrls, postgres: EmbeddedPostgres
) -> None:
    with pytest.raises(BrokenInvariant, match="ignores row-level security"):
        self_test(postgres.superuser_url(database_urls.owner.rsplit("/", 1)[1].partition("?")[0]))
    with pytest.raises(BrokenInvariant, match="owns the table"):
        self_test(database_urls.owner)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("ALTER TABLE bots DISABLE ROW LEVEL SECURITY", "bots lacks"),
        ("ALTER TABLE sessions NO FORCE ROW LEVEL SECURITY", "sessions lacks"),
        ("CREATE POLICY wide ON outbox_heads TO app USING (true)", "rows of the table outbox_heads"),
    ],
)
def test_the_self_test_refuses_an_open_table(database_urls: DatabaseUrls, damage: str, sentence: str) -> None:
    _add_user(database_urls, USER)
    with psycopg.connect(database_urls.app) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, true)", [USER])
        connection.execute("INSERT INTO outbox_heads (user_id, seq) VALUES (%s, 1)", [USER])
    with psycopg.connect(database_urls.owner) as connection:
        connection.execute(damage)
    with pytest.raises(BrokenInvariant, match=sentence):
        self_test(database_urls.app)


def test_one_tenant_neither_reads_nor_writes_anothers_rows(database_urls: DatabaseUrls) -> None:
    _add_user(database_urls, USER)
    _add_user(database_urls, OTHER)
    with psycopg.connect(database_urls.app) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, true)", [USER])
        connection.execute("INSERT INTO outbox_heads (user_id, seq) VALUES (%s, 1)", [USER])
    with psycopg.connect(database_urls.app) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, true)", [OTHER])
        assert connection.execute("SELECT * FROM outbox_heads").fetchall() == []
        assert connection.execute("UPDATE outbox_heads SET seq = 7").rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO outbox_heads (user_id, seq) VALUES (%s, 1)", [USER])


def test_the_application_cannot_change_the_schema_or_its_version(database_urls: DatabaseUrls) -> None:
    for statement in ("CREATE TABLE mine (x int)", "DROP TABLE bots", "DELETE FROM alembic_version"):
        with (
            psycopg.connect(database_urls.app) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement)


def test_the_auditor_reads_rows_but_no_secret_and_writes_nothing(database_urls: DatabaseUrls) -> None:
    _add_user(database_urls, USER)
    with psycopg.connect(database_urls.auditor, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM bots").fetchone() == (0,)
        assert connection.execute("SELECT email FROM users").fetchall() == [(f"{USER}@example.org",)]
        for statement in (
            "SELECT password_hash FROM users",
            "SELECT secret_hash FROM sessions",
            "SELECT secret_hash FROM access_tokens",
            "UPDATE users SET name = 'x'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def _add_user(urls: DatabaseUrls, user_id: str) -> None:
    with psycopg.connect(urls.app) as connection:
        connection.execute(
            "INSERT INTO users (id, email, name, password_hash, role, timezone, created_at)"
            " VALUES (%s, %s, 'A', 'x', 'trader', 'UTC', now())",
            [user_id, f"{user_id}@example.org"],
        )
