"""Finds the library's strategies: every module in ``strategies/library`` exports one ``STRATEGY``."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache

from amarktai.domain.errors import BrokenInvariant, NotFound
from amarktai.strategies import library
from amarktai.strategies.contract import Strategy


@cache
def _scan() -> dict[str, Strategy]:
    found: dict[str, Strategy] = {}
    for module_info in pkgutil.iter_modules(library.__path__):
        module = importlib.import_module(f"{library.__name__}.{module_info.name}")
        item = getattr(module, "STRATEGY", None)
        if not isinstance(item, Strategy):
            raise BrokenInvariant(f"{module.__name__} exports no STRATEGY")
        if item.id in found:
            raise BrokenInvariant(f"two strategies have the id {item.id!r}")
        found[item.id] = item
    return dict(sorted(found.items()))


def strategies() -> dict[str, Strategy]:
    """Return every strategy of the library by id, in the order of their ids."""
    return dict(_scan())


def strategy(strategy_id: str) -> Strategy:
    """Return one strategy.

    Raises: NotFound naming the nearest id.
    """
    known = _scan()
    try:
        return known[strategy_id]
    except KeyError:
        near = difflib.get_close_matches(strategy_id, known, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]!r}?" if near else f"Choose one of {', '.join(known)}."
        raise NotFound("NOT_FOUND", f"There is no strategy {strategy_id!r}", hint) from None
