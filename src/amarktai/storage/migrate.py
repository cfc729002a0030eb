"""Bring the database to this program's version, and prove that tenants are apart before serving.

Migrations run as the role ``owner`` under an advisory lock, so that of several processes that
start at once one migrates and the others wait.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from amarktai.domain.errors import BrokenInvariant, Unavailable

CODE: Final = "DATABASE_UNAVAILABLE"
_LOCK: Final = 0x616D6172  # "amar"
logging.getLogger("alembic").setLevel(logging.WARNING)  # its steps are no news to people
_MIGRATIONS: Final = Path(__file__).parent / "migrations"


def migrate(owner_url: str) -> str:
    """Apply every missing migration and return the revision that the database then has.

    Raises: Unavailable when the database does not answer or is newer than this program.
    """
    engine = create_engine(sqlalchemy_url(owner_url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.commit()
            _refuse_newer(connection)
            command.upgrade(configuration(connection), "head")
            return _revision(connection) or ""
    except OperationalError as error:
        raise Unavailable(
            CODE, f"The database does not answer: {error.orig}", "Check that it runs and its URL is right."
        ) from error
    finally:
        engine.dispose()  # closes the session, which gives the lock back


def knows(revision: str) -> bool:
    """Return whether this program can bring a database at ``revision`` to its own version."""
    return revision in {script.revision for script in _script().walk_revisions()}


def check_version(app_url: str) -> None:
    """Refuse a database that is not at this program's version (external servers without an owner URL).

    Raises: Unavailable with the command that migrates it.
    """
    with psycopg.connect(app_url) as connection:
        found = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
        row = (
            connection.execute("SELECT version_num FROM alembic_version").fetchone()
            if found and found[0]
            else None
        )
    head = _script().get_current_head()
    if row is None or row[0] != head:
        raise Unavailable(
            CODE,
            f"The database is at version {row[0] if row else 'none'}, this program needs {head}.",
            "Set AMARKTAI_DATABASE_OWNER_URL so that it can be migrated at start.",
        )


def self_test(app_url: str) -> None:
    """Connect as the platform will and prove that row-level security binds it.

    Raises: BrokenInvariant when the role is superuser, bypasses row-level security, owns a table or
    sees a user's row without a tenant.
    """
    with psycopg.connect(app_url) as connection:
        role = connection.execute(
            "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        if role is None or role[1] or role[2]:
            raise BrokenInvariant(f"The database role {role and role[0]} ignores row-level security.")
        owned = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user"
        ).fetchone()
        if owned is not None:
            raise BrokenInvariant(f"The database role {role[0]} owns the table {owned[0]}.")
        for table, is_guarded in tenant_tables(connection):
            if not is_guarded:
                raise BrokenInvariant(f"The table {table} lacks row-level security.")
            seen = connection.execute(
                # What is everybody's, as an emergency stop can be, has no user.
                sql.SQL("SELECT 1 FROM {} WHERE user_id IS NOT NULL LIMIT 1").format(sql.Identifier(table))
            ).fetchone()
            if seen is not None:
                raise BrokenInvariant(f"Without a tenant, rows of the table {table} can be seen.")


def tenant_tables(connection: psycopg.Connection[tuple[object, ...]]) -> list[tuple[str, bool]]:
    """Return every table with a ``user_id`` and whether it has RLS enabled, forced and a policy."""
    rows = connection.execute(
        """
        SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity
               AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'user_id' AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') ORDER BY c.relname
        """
    ).fetchall()
    return [(str(name), bool(guarded)) for name, guarded in rows]


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for our migrations, over ``connection`` when one is given."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def sqlalchemy_url(url: str) -> str:
    """Return the URL with the psycopg driver named."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme in {"postgres", "postgresql"} else url


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(configuration())


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(connection: Connection) -> None:
    revision = _revision(connection)
    connection.rollback()
    if revision is not None and not knows(revision):
        raise Unavailable(
            CODE,
            f"The database is at version {revision}, which this program does not know.",
            "Update Amarktai: a newer version has used this data.",
        )
