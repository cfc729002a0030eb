"""Structured logs to standard error: for people, or as JSON for programs; and how many were errors."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final

import structlog

from amarktai.domain.errors import BrokenInvariant
from amarktai.domain.readiness import ERROR_WINDOW

#: Fields that may hold what nobody else should read; their values never reach a log.
_SECRET_WORDS = ("password", "secret", "token", "cookie", "authorization", "api_key")
_ERRORS: Final = frozenset({"error", "critical", "exception"})
#: What only a mistake in the program raises.
_FAULTS: Final = (
    NameError, AttributeError, TypeError, LookupError, ArithmeticError, AssertionError, BrokenInvariant
)  # fmt: skip
_PACKAGE: Final = "amarktai."
#: A storm of errors is one long before so many, and must not fill the memory.
_MOST: Final = 10_000


class ErrorCounter:
    """Counts a process's logged errors by component, in a moving window."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: deque[tuple[float, str, bool]] = deque(maxlen=_MOST)

    def add(self, component: str, error: BaseException | None) -> None:
        """Count one; ``error`` is the exception behind it, where there is one."""
        name = component.removeprefix(_PACKAGE) or "other"
        self._seen.append((self._now(), name, isinstance(error, _FAULTS)))

    def health(self) -> dict[str, Any]:
        """Return errors by component and the faults among them, of the window that ends now."""
        oldest = self._now() - ERROR_WINDOW.total_seconds()
        while self._seen and self._seen[0][0] < oldest:
            self._seen.popleft()
        counts = Counter(name for _, name, _ in self._seen)
        return {"errors": dict(counts), "faults": sum(is_fault for _, _, is_fault in self._seen)}


#: Of this process, as its logs are.
ERRORS: Final = ErrorCounter()


class _NamedLogger(structlog.PrintLogger):
    """A logger that knows which module it belongs to."""

    def __init__(self, name: str = "") -> None:
        super().__init__(sys.stderr)
        self.name = name


class _LibraryErrors(logging.Handler):
    """Counts what libraries log as errors."""

    def emit(self, record: logging.LogRecord) -> None:
        ERRORS.add(record.name, record.exc_info[1] if record.exc_info else None)


def configure_logs(level: str, style: str, role: str) -> None:
    """Set up logging for one process."""
    logging.basicConfig(level=level.upper(), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for noisy in ("uvicorn", "uvicorn.error", "ccxt", "asyncio", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger().addHandler(_LibraryErrors(logging.ERROR))
    renderers: dict[str, Any] = {
        "json": structlog.processors.JSONRenderer(),
        "console": structlog.dev.ConsoleRenderer(colors=False),
    }
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _mask,
            _count,
            structlog.processors.format_exc_info,
            renderers[style],
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=_NamedLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role)


def _count(logger: Any, name: str, event: Any) -> Any:
    if name in _ERRORS:
        error = event.get("exc_info")
        if error is True:
            error = sys.exc_info()[1]
        ERRORS.add(getattr(logger, "name", ""), error if isinstance(error, BaseException) else None)
    return event


def _mask(_logger: Any, _name: str, event: Any) -> Any:
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "***"
    return event
