"""The second factor and fresh proof."""

from __future__ import annotations

from fastapi import APIRouter

from amarktai.api.auth import Container, Person, Proven
from amarktai.api.errors import SIGNED_IN, responses
from amarktai.api.models.factors import Code, EnrolmentView, FactorsView, Proof, ProofAnswer, RecoveryCodes
from amarktai.api.routing import IdempotentRoute

router = APIRouter(
    prefix="/api/auth", tags=["second factor"], route_class=IdempotentRoute, responses=SIGNED_IN
)


@router.get("/factors")
async def read_factors(who: Person, services: Container) -> FactorsView:
    """Return whether a second factor is on, and until when this session's proof is fresh."""
    return FactorsView.model_validate(await services.factors.status(who))


@router.post("/step-up", responses=responses(429))
async def step_up(body: Proof, who: Person, services: Container) -> ProofAnswer:
    """Prove again that it is you; changes of keys and factors need that from a few minutes ago."""
    return ProofAnswer(
        fresh_until=await services.factors.step_up(who, password=body.password, code=body.code)
    )


@router.post("/factors/totp", status_code=201, responses=responses(409))
async def begin_totp(who: Proven, services: Container) -> EnrolmentView:
    """Make a seed for an authenticator app; one that was made before and never confirmed is forgotten."""
    return EnrolmentView.model_validate(await services.factors.begin(who))


@router.post("/factors/totp/confirm", responses=responses(409, 429))
async def confirm_totp(body: Code, who: Proven, services: Container) -> RecoveryCodes:
    """Switch the second factor on with a first code from the app."""
    return RecoveryCodes(recovery_codes=await services.factors.confirm(who, body.code))


@router.delete("/factors/totp", status_code=204, responses=responses(409))
async def disable_totp(who: Proven, services: Container) -> None:
    """Switch the second factor off."""
    await services.factors.disable(who)


@router.post("/factors/recovery-codes", responses=responses(409))
async def renew_recovery_codes(who: Proven, services: Container) -> RecoveryCodes:
    """Replace all recovery codes."""
    return RecoveryCodes(recovery_codes=await services.factors.renew_codes(who))
