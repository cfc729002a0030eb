"""A rotation in a process of its own that kills itself at its n-th step: run by ``test_vault``.

Steps are what reaches the disk: statements of the database and changes of the key file.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from sqlalchemy import event

from amarktai.storage.embedded import DatabaseUrls
from amarktai.system.key_ring import FileKeyRing
from tests.fakes import SeededRng
from tests.services.secret_desk import secret_desk


async def main(url: str, place: str, last_step: int) -> None:
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps > last_step:
            os.kill(os.getpid(), signal.SIGKILL)

    class DyingRing(FileKeyRing):
        def begin_rotation(self):  # type: ignore[no-untyped-def]
            count()
            ring = super().begin_rotation()
            count()
            return ring

        def finish_rotation(self) -> None:
            count()
            super().finish_rotation()

    path = Path(place)
    ring = DyingRing(path, path.parent / "data", SeededRng(f"rotation {last_step}"))
    async with secret_desk(DatabaseUrls(owner="", app=url, auditor=""), ring) as desk:
        engine = desk.database._engine.sync_engine
        event.listen(engine, "after_cursor_execute", lambda *_: count())
        event.listen(engine, "commit", count)
        await desk.accounts.vault.rotate()


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
