"""The machine that the platform runs on, as readiness asks it."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from amarktai.domain.errors import Unavailable
from amarktai.ports.stops import StopFile

_PATIENCE_S: Final = 3.0
_START: Final = "Start the platform: amarktai up."


@dataclass(frozen=True, slots=True)
class LocalMachine:
    """Implements ports.readiness.Machine. ``address`` tells where the server listens, None if unknown."""

    build: str
    home: Path
    address: Callable[[], Awaitable[str | None]]
    file: StopFile
    stand_ins: tuple[str, ...] = ()

    async def disk(self) -> tuple[int, int]:
        folder = self.home.expanduser().absolute()
        while not folder.exists():
            folder = folder.parent
        usage = shutil.disk_usage(folder)
        return usage.free, usage.total

    async def ask_server(self) -> None:
        await self._ask("/api/health/ping", HTTPStatus.OK)

    async def ask_realtime(self) -> None:
        """Whoever has no session is turned away by the channel itself, so it is there."""
        await self._ask("/api/realtime/events", HTTPStatus.UNAUTHORIZED)

    def stop_file(self) -> str | None:
        return self.file.reason()

    async def _ask(self, path: str, expected: HTTPStatus) -> None:
        address = await self.address()
        if address is None:
            raise Unavailable("SERVER_DOWN", "no server reports where it listens", _START)
        try:
            async with httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False) as client:
                answer = await client.get(f"{address}{path}")
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise Unavailable("SERVER_DOWN", f"{address} does not answer: {reason}", _START) from error
        if answer.status_code != expected:
            raise Unavailable("SERVER_DOWN", f"{address}{path} answers {answer.status_code}", _START)
