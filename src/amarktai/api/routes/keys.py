"""Keys of the providers. Saving and deleting need a fresh proof; no answer holds a secret."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from amarktai.api.auth import Container, Proven, Who, Writer, writer
from amarktai.api.errors import PUBLIC, SIGNED_IN, responses
from amarktai.api.models.keys import (
    KeyDeletedAnswer,
    KeyList,
    KeySavedAnswer,
    KeyTestAnswer,
    ProviderList,
    SaveKey,
    TestKey,
)
from amarktai.api.routing import IdempotentRoute
from amarktai.domain.provider import STATUS_TEXTS, KeyStatus, ProviderId

public = APIRouter(prefix="/api/keys", tags=["keys"])
router = APIRouter(prefix="/api/keys", tags=["keys"], route_class=IdempotentRoute, responses=SIGNED_IN)
_MAY_WRITE = [Depends(writer)]


@public.get("/providers", responses=PUBLIC)
async def list_providers(services: Container) -> ProviderList:
    """Return the eight providers: what a key of theirs consists of, where to get it, which rights to give."""
    providers = services.keys.list_providers()
    return ProviderList.model_validate({"success": True, "providers": providers, "total": len(providers)})


@router.get("/list")
async def list_keys(who: Who, services: Container) -> KeyList:
    """Return all eight providers with the state of the user's key, saved or not."""
    keys = await services.keys.list_keys(who)
    answer = {"success": True, "keys": keys, "total": len(keys), "address": services.keys.address_to_allow()}
    return KeyList.model_validate(answer)


@router.post("/save", dependencies=_MAY_WRITE, responses=responses(429))
async def save_key(body: SaveKey, who: Proven, services: Container) -> KeySavedAnswer:
    """Encrypt and keep a key in place of the present one. KEY_UNSAFE: one that may move money is refused."""
    await services.keys.save(who, body.provider, body.parts())
    status = KeyStatus.SAVED_UNTESTED
    return KeySavedAnswer(
        success=True,
        message="Saved. Nothing uses the key before a test has passed.",
        provider=body.provider,
        status=status,
        status_display=STATUS_TEXTS[status],
    )


@router.post("/test", responses=responses(404, 409, 429))
async def test_key(body: TestKey, who: Writer, services: Container) -> KeyTestAnswer:
    """Ask whether a key works and what it may do. A failed test is a result: 200 with success false."""
    if body.api_key is None:
        result = await services.keys.test_saved(who, body.provider)
    else:
        result = await services.keys.test_given(who, body.provider, body.parts())
    return KeyTestAnswer.model_validate(services.keys.test_view(body.provider, result))


@router.delete("/{provider:provider}", dependencies=_MAY_WRITE, responses=responses(404))
async def delete_key(provider: ProviderId, who: Proven, services: Container) -> KeyDeletedAnswer:
    """Forget a key. Doing so again is as good."""
    was_there = await services.keys.delete(who, provider)
    message = "Deleted." if was_there else "There was no key."
    return KeyDeletedAnswer(success=True, message=message, provider=provider)
