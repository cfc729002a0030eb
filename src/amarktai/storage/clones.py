"""Migrated, empty databases by the dozen: one template on a server, cloned in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from amarktai.storage.embedded import DatabaseUrls, EmbeddedPostgres, make_database
from amarktai.storage.migrate import migrate

_TEMPLATE = "amarktai_template"
_FRESH = "amarktai_fresh"


def make_template(server: EmbeddedPostgres) -> None:
    """Make the template unless it is there. One caller at a time."""
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_TEMPLATE]).fetchone()
        if known is not None:
            return
        make_database(connection, _FRESH)
        with psycopg.connect(server.superuser_url(_FRESH), autocommit=True) as fresh:
            fresh.execute("ALTER SCHEMA public OWNER TO owner")
        migrate(server.urls(_FRESH).owner)
        connection.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(_FRESH), sql.Identifier(_TEMPLATE)
            )
        )


@contextmanager
def clone(server: EmbeddedPostgres, name: str, *, template: str = _TEMPLATE) -> Iterator[DatabaseUrls]:
    """Lend a database like the template, and drop it afterwards."""
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER owner TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        try:
            yield server.urls(name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
