"""Write a new migration from the difference between storage/tables.py and the migrated database.

    python -m tools.new_migration "what it does and why"

It takes the next number. Read what it wrote, and add what no table shows: policies, grants, triggers.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from amarktai.storage.embedded import EmbeddedPostgres
from amarktai.storage.migrate import configuration, sqlalchemy_url
from amarktai.system.rng import SystemRng


def main(message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder), SystemRng(), fast=True)
        urls = server.start()
        engine = create_engine(sqlalchemy_url(urls.owner), poolclass=NullPool)
        try:
            with engine.connect() as connection:
                config = configuration(connection)
                command.upgrade(config, "head")
                head = ScriptDirectory.from_config(config).get_current_head() or "0"
                command.revision(config, message=message, rev_id=f"{int(head) + 1:04}", autogenerate=True)
        finally:
            engine.dispose()
            server.stop()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
