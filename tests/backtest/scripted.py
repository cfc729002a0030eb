"""A signal strategy whose signals are given, to drive the kernel and the event loop alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amarktai.domain.bar import Bars
from amarktai.strategies.contract import Exits, GateSeries, Op, Signals, Strategy


@dataclass(frozen=True)
class Script:
    """Entry and exit signals by bar, and the exits."""

    entry: tuple[bool, ...]
    exit: tuple[bool, ...]
    exits: Exits
    warmup: int


def script(
    count: int,
    *,
    entry: Sequence[int] = (),
    exit_: Sequence[int] = (),
    exits: Exits | None = None,
    warmup: int = 1,
) -> Script:
    """Return a script with signals on the bars of these indexes."""
    return Script(
        tuple(index in entry for index in range(count)),
        tuple(index in exit_ for index in range(count)),
        exits or Exits(),
        warmup,
    )


def _signals(bars: Bars, params: Script) -> Signals:
    entry, exit_ = (np.array(row, dtype=np.float64) for row in (params.entry, params.exit))
    return Signals((GateSeries("entry", entry, Op.ABOVE, 0.5),), (GateSeries("exit", exit_, Op.ABOVE, 0.5),))


SCRIPTED = Strategy(
    id="scripted",
    title="Scripted",
    description="Follows a script.",
    source="this file",
    params=Script,
    warmup=lambda params: params.warmup,
    signals=_signals,
    exits=lambda params: params.exits,
)
