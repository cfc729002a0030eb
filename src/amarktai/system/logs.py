"""Structured logs to standard error: for people, or as JSON for programs."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

#: Fields that may hold what nobody else should read; their values never reach a log.
_SECRET_WORDS = ("password", "secret", "token", "cookie", "authorization", "api_key")


def configure_logs(level: str, style: str, role: str) -> None:
    """Set up logging for one process."""
    logging.basicConfig(level=level.upper(), stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for noisy in ("uvicorn", "uvicorn.error", "ccxt", "asyncio", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
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
            structlog.processors.format_exc_info,
            renderers[style],
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role)


def _mask(_logger: Any, _name: str, event: Any) -> Any:
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "***"
    return event
