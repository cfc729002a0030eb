"""The route class of everything behind the sign-in: it keeps answers by ``Idempotency-Key``."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.responses import Response

from amarktai.api.auth import identify, services_of
from amarktai.api.errors import error_response, status_of
from amarktai.api.models.base import SECRET
from amarktai.domain.errors import AmarktaiError
from amarktai.services.idempotency import Answer

HEADER: Final = "idempotency-key"
REPLAYED: Final = "Idempotency-Replayed"
_WRITES: Final = frozenset({"POST", "PATCH", "PUT", "DELETE"})

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class IdempotentRoute(APIRoute):
    """Answers a repeated write with the first one's answer, without doing it again.

    Failures of the server (5xx) and refusals of the request's form are not kept: nothing was done. Where
    the request or the answer holds a secret (``models.base.SECRET``) nothing is kept: the header is ignored.
    """

    @cached_property
    def holds_secrets(self) -> bool:
        """Return whether a field of the request's body or of the answer is marked as a secret."""
        types = [field.field_info.annotation for field in (self.body_field, self.response_field) if field]
        return any(_holds_secret(TypeAdapter(kind).json_schema()) for kind in types if kind is not None)

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        if not _WRITES & set(self.methods or ()) or self.holds_secrets:
            return handle

        async def handle_once(request: Request) -> Response:
            key = request.headers.get(HEADER)
            return await (handle(request) if key is None else _once(request, key, handle))

        return handle_once


def _holds_secret(schema: Any) -> bool:
    if isinstance(schema, dict):
        return SECRET.items() <= schema.items() or any(map(_holds_secret, schema.values()))
    return isinstance(schema, list) and any(map(_holds_secret, schema))


async def _once(request: Request, key: str, handle: Handler) -> Response:
    services = services_of(request)
    who = request.state.identity = await identify(request, services)
    place = f"{request.method} {request.url.path}?{request.url.query}".encode()
    earlier = await services.idempotency.begin(who, key, place, await request.body())
    if earlier is not None:
        return _response(earlier)
    try:
        response = await handle(request)
    except AmarktaiError as error:
        if status_of(error) >= 500:
            await services.idempotency.release(who, key)
            raise
        response = error_response(error)
    except (RequestValidationError, Exception):
        await services.idempotency.release(who, key)
        raise
    await services.idempotency.finish(who, key, Answer(response.status_code, bytes(response.body)))
    return response


def _response(answer: Answer) -> Response:
    media_type = "application/json" if answer.body else None
    return Response(answer.body, answer.status, {REPLAYED: "true"}, media_type)
