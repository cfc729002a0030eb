"""The only place that knows HTTP status codes, and the one shape of every error."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from amarktai.api.paths import pattern_of
from amarktai.domain.errors import (
    AmarktaiError,
    BrokenInvariant,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

_log = structlog.get_logger(__name__)

#: Our errors and their status, most specific first.
STATUS: Final[tuple[tuple[type[AmarktaiError], int], ...]] = (
    (InvalidInput, 422),
    (NotFound, 404),
    (Conflict, 409),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (RateLimited, 429),
    (Unavailable, 503),
    (BrokenInvariant, 500),
)
_CODES: Final = {
    401: ("UNAUTHENTICATED", "Sign in and try again."),
    403: ("FORBIDDEN", "Ask an admin for the right to do this."),
    404: ("NOT_FOUND", "Check the address."),
    405: ("METHOD_NOT_ALLOWED", "Use one of the methods that the Allow header names."),
    413: ("TOO_LARGE", "Send less at once."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "Send JSON with Content-Type: application/json."),
}
_MEANINGS: Final = {
    401: "Nobody is signed in",
    403: "Not allowed for this user, this token or from this origin",
    404: "Absent, or another user's",
    409: "The present state forbids it",
    422: "The request is wrong as sent",
    429: "Too many tries; Retry-After says when to come back",
    503: "A part that is needed (database, exchange) does not answer",
}


class Error(BaseModel):
    """What went wrong and what to do about it."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(description="Stable name of the error, in capital letters.", examples=["NOT_FOUND"])
    detail: str = Field(description="What happened, as a sentence.")
    action: str = Field(description="What the user can do about it; may be empty.")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of these error statuses."""
    return {status: {"model": Error, "description": _MEANINGS[status]} for status in statuses}


#: What every route behind the sign-in can answer.
SIGNED_IN: Final = responses(401, 403, 422, 503)
PUBLIC: Final = responses(422, 503)


def status_of(error: AmarktaiError) -> int:
    """Return the HTTP status of one of our errors."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def error_response(error: AmarktaiError) -> Response:
    """Return the answer that tells this error."""
    status = status_of(error)
    headers = {}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.retry_after_s)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(status, error.code, error.detail, error.action, headers)


def plain_error(status: int, code: str, detail: str, action: str) -> Response:
    """Return an error that arises before any route is reached."""
    return _answer(status, code, detail, action, {})


def install(app: FastAPI) -> None:
    """Make every failure of ``app`` come out in the one shape."""
    app.add_exception_handler(AmarktaiError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(_: Request, error: Exception) -> Response:
    assert isinstance(error, AmarktaiError)
    if isinstance(error, BrokenInvariant):
        _log.error("broken invariant", detail=error.detail, exc_info=error)
    return error_response(error)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _answer(422, "VALIDATION_ERROR", _explain(error.errors()), "Correct the request.", {})


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.BAD_REQUEST:  # a body that is not even text
        return _answer(422, "VALIDATION_ERROR", str(error.detail), "Correct the request.", {})
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods_of(request))
    code, action = _CODES.get(error.status_code, ("HTTP_ERROR", ""))
    return _answer(error.status_code, code, str(error.detail), action, headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("unexpected error", path=request.url.path, exc_info=error)
    return _answer(
        500,
        "INTERNAL",
        "The server failed in a way that it did not foresee.",
        "Try again; if it stays so, report it with the log.",
        {},
    )


def _methods_of(request: Request) -> list[str]:
    """Return every method of this address; the framework names those of one route alone."""
    path, methods = request.url.path, set()
    for pattern, operations in request.app.openapi()["paths"].items():
        if pattern_of(pattern).fullmatch(path):
            methods |= {method.upper() for method in operations}
    return sorted(methods)


def _answer(status: int, code: str, detail: str, action: str, headers: dict[str, str]) -> JSONResponse:
    return JSONResponse({"code": code, "detail": detail, "action": action}, status, headers)


def _explain(problems: Sequence[Any]) -> str:
    """Name each wrong field, without repeating what was sent."""
    parts = []
    for problem in problems[:5]:
        place = ".".join(str(step) for step in problem["loc"] if step not in ("body", "query", "path"))
        text = str(problem["msg"]).removeprefix("Value error, ")
        parts.append(f"{place}: {text}" if place else text)
    return "; ".join(parts)
