"""Where the recorded market data lies: AMARKTAI_DATA, else beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"


def recording(relative: str) -> Path:
    """Return a recording's path; the test is skipped where it is absent."""
    path = Path(os.environ.get("AMARKTAI_DATA", str(_DEFAULT))) / relative
    if not path.exists():
        pytest.skip(f"needs the recorded data: {path} is absent, set AMARKTAI_DATA")
    return path
