"""Alembic's entry: run the migrations over the connection that ``storage.migrate`` holds."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from amarktai.storage.tables import metadata

connection: Connection | None = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("migrations run through amarktai.storage.migrate, which holds the lock")
context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
