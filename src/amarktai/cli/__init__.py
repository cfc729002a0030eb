"""The command line: ``amarktai --help`` explains every command."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

from amarktai.cli import books, data, exchanges, gate, operations, platform, rehearsal, replay, storm
from amarktai.cli.frame import app, err
from amarktai.domain.errors import AmarktaiError

__all__ = [
    "books",
    "data",
    "exchanges",
    "gate",
    "main",
    "operations",
    "platform",
    "rehearsal",
    "replay",
    "storm",
]


def main() -> None:
    """Run the command line; failures that a person can act on end with one clear message."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except AmarktaiError as error:
        _refuse(error)
    except ExceptionGroup as several:
        ours, others = several.split(AmarktaiError)
        if ours is None or others is not None:
            raise
        _refuse(_first(ours))
    except KeyboardInterrupt:
        sys.exit(130)


def _terminate(number: int, _: FrameType | None) -> NoReturn:
    """End as after Ctrl-C: what was started for the command, a database above all, is stopped."""
    sys.exit(128 + number)


def _refuse(error: AmarktaiError) -> NoReturn:
    err.print(f"[bold]{error.detail}[/bold]", highlight=False, soft_wrap=True)
    if error.action:
        err.print(error.action, highlight=False, soft_wrap=True)
    sys.exit(1)


def _first(several: ExceptionGroup[AmarktaiError]) -> AmarktaiError:
    """Return the first error of a group, however deep: what else failed failed with it."""
    first = several.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


@app.callback()
def about() -> None:
    """Every command takes its settings from AMARKTAI_* variables or <home>/amarktai.toml."""
