"""First run and sign-in: the public routes."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from amarktai.api.auth import Container, Who, clear_cookie, client_of, own_pages_only, set_cookie
from amarktai.api.errors import PUBLIC, SIGNED_IN, responses
from amarktai.api.models.accounts import Login, NewAccount, SetupState, UserAnswer
from amarktai.services.sessions import SignedIn
from amarktai.services.users import NewUser, user_view

router = APIRouter(prefix="/api", tags=["sign-in"])


@router.get("/setup", responses=PUBLIC)
async def read_setup(services: Container) -> SetupState:
    """Say whether the first admin is still to be made."""
    return SetupState(needed=await services.setup.is_needed())


@router.post(
    "/setup", status_code=201, dependencies=[Depends(own_pages_only)], responses=PUBLIC | responses(403, 409)
)
async def complete_setup(
    body: NewAccount, request: Request, response: Response, services: Container
) -> UserAnswer:
    """Make the first admin with the setup token and sign them in."""
    signed_in = await services.setup.complete(body.token, new_user(body), client_of(request))
    return _greet(signed_in, response, services)


@router.post(
    "/auth/login", dependencies=[Depends(own_pages_only)], responses=PUBLIC | responses(401, 403, 429)
)
async def login(body: Login, request: Request, response: Response, services: Container) -> UserAnswer:
    """Open a session. 401 SECOND_FACTOR_NEEDED: the password is right, send it again with a code."""
    signed_in = await services.sessions.sign_in(body.email, body.password, client_of(request), body.code)
    return _greet(signed_in, response, services)


@router.post("/auth/logout", status_code=204, responses=SIGNED_IN)
async def logout(who: Who, response: Response, services: Container) -> None:
    """End the session that asks."""
    await services.sessions.sign_out(who)
    clear_cookie(response, services.settings)


@router.post(
    "/invites/accept",
    status_code=201,
    dependencies=[Depends(own_pages_only)],
    responses=PUBLIC | responses(403, 404, 409),
)
async def accept_invite(
    body: NewAccount, request: Request, response: Response, services: Container
) -> UserAnswer:
    """Make the account that an invitation is for and sign it in."""
    signed_in = await services.invites.accept(body.token, new_user(body), client_of(request))
    return _greet(signed_in, response, services)


def new_user(body: NewAccount) -> NewUser:
    """Return what the person said of themselves."""
    return NewUser(name=body.name, email=body.email, password=body.password, timezone=body.timezone)


def _greet(signed_in: SignedIn, response: Response, services: Container) -> UserAnswer:
    set_cookie(response, services.settings, signed_in)
    return UserAnswer.model_validate({"user": user_view(signed_in.user)})
