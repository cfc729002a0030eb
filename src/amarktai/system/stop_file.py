"""The file on disk that stops everybody: ``EMERGENCY_STOP`` in the data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from amarktai.domain.errors import Unavailable
from amarktai.domain.stop import said

STOP_FILE: Final = "EMERGENCY_STOP"


class DiskStopFile:
    """``ports.stops.StopFile``. An empty file, as ``touch`` makes one, does as well."""

    def __init__(self, home: Path) -> None:
        self.path = home / STOP_FILE

    def reason(self) -> str | None:
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        except OSError as error:  # doubt means no trade
            return f"the file {self.path} cannot be read ({error.strerror})"
        return said(text) or f"the file {self.path.name} is there"

    def write(self, reason: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(f"{reason}\n", encoding="utf-8")
        except OSError as error:
            raise Unavailable(
                "DATA_FOLDER",
                f"The file {self.path} cannot be written: {error.strerror}.",
                "Stop the platform itself: press Ctrl-C where it runs.",
            ) from error

    def remove(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(
                "DATA_FOLDER",
                f"The file {self.path} cannot be removed: {error.strerror}.",
                "Remove it by hand: as long as it is there, nothing that adds risk leaves.",
            ) from error
