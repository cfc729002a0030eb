"""Write a new migration from the difference between storage/tables.py and the migrated database.

Usage: python tools/new_migration.py 0002 "what it does and why"
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from amarktai.storage.embedded import EmbeddedPostgres
from amarktai.storage.migrate import configuration, sqlalchemy_url


class SystemRng:
    """The operating system's randomness."""

    def bytes(self, count: int) -> bytes:
        return os.urandom(count)

    def uniform(self) -> float:
        return int.from_bytes(os.urandom(6)) / 2**48


def main(revision: str, message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder), SystemRng(), fast=True)
        urls = server.start()
        engine = create_engine(sqlalchemy_url(urls.owner), poolclass=NullPool)
        try:
            with engine.connect() as connection:
                config = configuration(connection)
                if any((Path(config.get_main_option("script_location") or "") / "versions").glob("0*.py")):
                    command.upgrade(config, "head")
                command.revision(config, message=message, rev_id=revision, autogenerate=True)
        finally:
            engine.dispose()
            server.stop()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
