"""Rate limits as exchanges keep them: a weight allowed in each fixed window of time."""

from __future__ import annotations

from dataclasses import dataclass, field

_NS = 1_000_000_000


@dataclass(slots=True)
class Meter:
    """Counts what each caller used in the present window."""

    limit: int
    window_s: int
    _used: dict[str, tuple[int, int]] = field(default_factory=dict)

    def charge(self, caller: str, weight: int, now_ns: int) -> bool:
        """Count a call; return False when it goes over the limit (it counts nevertheless)."""
        window = now_ns // (self.window_s * _NS)
        began, used = self._used.get(caller, (window, 0))
        used = used + weight if began == window else weight
        self._used[caller] = (window, used)
        return used <= self.limit

    def used(self, caller: str, now_ns: int) -> int:
        """Return what the caller used in the present window."""
        began, used = self._used.get(caller, (0, 0))
        return used if began == now_ns // (self.window_s * _NS) else 0

    def reset_ms(self, now_ns: int) -> int:
        """Return the milliseconds until the window ends."""
        window_ns = self.window_s * _NS
        return (window_ns - now_ns % window_ns) // 1_000_000


@dataclass(slots=True)
class Bans:
    """Addresses that nothing is answered to for a while."""

    _until: dict[str, int] = field(default_factory=dict)

    def ban(self, address: str, seconds: float, now_ns: int) -> None:
        self._until[address] = now_ns + round(seconds * _NS)

    def left_s(self, address: str, now_ns: int) -> int:
        """Return the whole seconds that are left of a ban, rounded up; 0 when there is none."""
        return max(0, -((now_ns - self._until.get(address, 0)) // _NS))
