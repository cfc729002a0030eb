"""Limits that a benchmark holds its figures to: one line each, and the exit code for ``make bench``."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Limits:
    """Figures beside their limits, in the order in which they were measured."""

    missed: list[str] = field(default_factory=list)

    def at_most(self, what: str, value: float, limit: float, unit: str = "") -> None:
        self._tell(what, value, limit, unit, "at most", value <= limit)

    def at_least(self, what: str, value: float, limit: float, unit: str = "") -> None:
        self._tell(what, value, limit, unit, "at least", value >= limit)

    def holds(self, what: str, is_met: bool) -> None:
        print(f"{what}: {'met' if is_met else 'MISSED'}")
        if not is_met:
            self.missed.append(what)

    @property
    def exit_code(self) -> int:
        return 1 if self.missed else 0

    def _tell(self, what: str, value: float, limit: float, unit: str, kind: str, is_met: bool) -> None:
        verdict = "met" if is_met else "MISSED"
        ratio = f", ratio {value / limit:.2f}" if limit else ""
        print(f"{what}: {value:,.4g}{unit} ({kind} {limit:,g}{unit}{ratio}, {verdict})")
        if not is_met:
            self.missed.append(what)
