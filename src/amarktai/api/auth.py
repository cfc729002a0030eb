"""Who asks: session cookies for browsers, bearer tokens for programs, and the check against forgery."""

from __future__ import annotations

from typing import Annotated, Final, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from amarktai.api.services import Services
from amarktai.config import Settings
from amarktai.domain.errors import Forbidden, Unauthenticated
from amarktai.domain.user import Identity, Role
from amarktai.services.sessions import Client, SignedIn

COOKIE: Final = "amarktai_session"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_cookie_scheme = APIKeyCookie(name=COOKIE, auto_error=False, description="Session of a signed-in browser")
_bearer_scheme = HTTPBearer(auto_error=False, description="Personal access token (amk_…)")


def services_of(request: Request) -> Services:
    """Return the container that the application was made with."""
    return cast(Services, request.app.state.services)


async def container(request: Request) -> Services:
    """Return the container as a dependency; a plain function would be sent to a thread each time."""
    return services_of(request)


def client_of(connection: HTTPConnection) -> Client:
    """Return address and user agent of the other side."""
    ip = connection.client.host if connection.client else None
    return Client(ip, connection.headers.get("user-agent"))


def cookie_name(settings: Settings) -> str:
    """Return the cookie's name; over TLS the prefix binds it to the host."""
    return f"__Host-{COOKIE}" if settings.behind_tls_proxy else COOKIE


def set_cookie(response: Response, settings: Settings, signed_in: SignedIn) -> None:
    """Hand the session to the browser."""
    response.set_cookie(
        cookie_name(settings),
        signed_in.cookie,
        max_age=settings.session_absolute_days * 86_400,
        path="/",
        secure=settings.behind_tls_proxy,
        httponly=True,
        samesite="strict",
    )


def clear_cookie(response: Response, settings: Settings) -> None:
    """Take the session from the browser."""
    response.delete_cookie(
        cookie_name(settings), path="/", secure=settings.behind_tls_proxy, httponly=True, samesite="strict"
    )


def is_same_site(connection: HTTPConnection, settings: Settings) -> bool | None:
    """Return whether a browser says that the request is from our own pages; None when nothing says."""
    origin = connection.headers.get("origin")
    if origin is not None:
        return origin in settings.public_origins or urlsplit(origin).netloc == connection.headers.get("host")
    site = connection.headers.get("sec-fetch-site")
    return None if site is None else site == "same-origin"


async def identify(connection: HTTPConnection, services: Services) -> Identity:
    """Return who asks. Raises: Unauthenticated; Forbidden for a forged cross-site request."""
    header = connection.headers.get("authorization")
    if header is not None:
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer":
            raise Unauthenticated(
                "UNAUTHENTICATED", "Only bearer tokens are understood.", "Send Authorization: Bearer amk_…"
            )
        return await services.sessions.identify_token(token.strip(), client_of(connection))
    cookie = connection.cookies.get(cookie_name(services.settings))
    if cookie is None:
        raise Unauthenticated("UNAUTHENTICATED", "You are not signed in.", "Sign in and try again.")
    method = connection.scope.get("method", "GET")
    if method not in _SAFE_METHODS and not is_same_site(connection, services.settings):
        raise _cross_site()
    return await services.sessions.identify_cookie(cookie, client_of(connection))


async def signed_in(
    request: Request,
    services: Annotated[Services, Depends(container)],
    _cookie: Annotated[str | None, Depends(_cookie_scheme)],
    _bearer: Annotated[object, Depends(_bearer_scheme)],
) -> Identity:
    """Return the user who asks; once per request, however many parts need to know."""
    known = getattr(request.state, "identity", None)
    if known is None:
        known = request.state.identity = await identify(request, services)
    return cast(Identity, known)


async def writer(who: Annotated[Identity, Depends(signed_in)]) -> Identity:
    """Return the user if they may change something."""
    if not who.may_write:
        raise Forbidden(
            "FORBIDDEN",
            "Viewers and read-only tokens change nothing.",
            "Ask an admin for the role trader, or use a token with the scope trade.",
        )
    return who


async def person(who: Annotated[Identity, Depends(signed_in)]) -> Identity:
    """Return the user if they are at a browser: what concerns the account itself is not for tokens."""
    if who.session_id is None:
        raise Forbidden(
            "FORBIDDEN", "Access tokens cannot change the account.", "Sign in with the browser for this."
        )
    return who


async def proven(
    who: Annotated[Identity, Depends(person)], services: Annotated[Services, Depends(container)]
) -> Identity:
    """Return the user at a browser who proved a moment ago that it is they."""
    services.factors.require_fresh(who)
    return who


async def admin(who: Annotated[Identity, Depends(signed_in)]) -> Identity:
    """Return the user if they administer the platform."""
    if not who.is_admin:
        raise Forbidden("FORBIDDEN", "Only admins at a browser can do this.", "Ask an admin.")
    return who


async def monitor(who: Annotated[Identity, Depends(signed_in)]) -> Identity:
    """Return the user if they are an admin, at a browser or by an API token: a program that only looks."""
    if who.user.role is not Role.ADMIN:
        raise Forbidden("FORBIDDEN", "Only admins, and their API tokens, can read this.", "Ask an admin.")
    return who


async def own_pages_only(request: Request, services: Annotated[Services, Depends(container)]) -> None:
    """Refuse cross-site browsers on public writes; programs say nothing about their site."""
    if is_same_site(request, services.settings) is False:
        raise _cross_site()


def _cross_site() -> Forbidden:
    return Forbidden(
        "CROSS_SITE",
        "The request does not come from our own pages.",
        "Open the dashboard itself and try again.",
    )


Who = Annotated[Identity, Depends(signed_in)]
Monitor = Annotated[Identity, Depends(monitor)]
Writer = Annotated[Identity, Depends(writer)]
Person = Annotated[Identity, Depends(person)]
Proven = Annotated[Identity, Depends(proven)]
Admin = Annotated[Identity, Depends(admin)]
Container = Annotated[Services, Depends(container)]
