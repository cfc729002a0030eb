"""The stop file on a real disk: what it says, and that one which cannot be read stops as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from amarktai.domain.errors import Unavailable
from amarktai.system.stop_file import STOP_FILE, DiskStopFile


def test_it_is_there_or_not_and_says_why(tmp_path: Path) -> None:
    file = DiskStopFile(tmp_path / "home")
    assert file.reason() is None
    file.remove()
    file.write("the exchange  is\nodd")
    assert file.reason() == "the exchange is odd"
    file.remove()
    assert file.reason() is None


def test_touch_makes_one_too(tmp_path: Path) -> None:
    (tmp_path / STOP_FILE).touch()
    assert DiskStopFile(tmp_path).reason() == "the file EMERGENCY_STOP is there"
    (tmp_path / STOP_FILE).write_bytes(b"\xff\xfe" + b"x" * 5_000)
    assert 0 < len(DiskStopFile(tmp_path).reason() or "") <= 200


def test_one_that_cannot_be_read_stops(tmp_path: Path) -> None:
    file = DiskStopFile(tmp_path)
    file.path.mkdir()
    assert "cannot be read" in (file.reason() or "")
    with pytest.raises(Unavailable, match="cannot be written"):
        file.write("now")
    with pytest.raises(Unavailable, match="cannot be removed"):
        file.remove()
