"""The stand-in's keys and second factor: the real providers' metadata and row shapes, kept in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse

from amarktai.domain.provider import KeyRights, KeyTestResult, ProviderId, Right, TestOutcome
from amarktai.ports.keys import StoredKey, VenueAccount
from amarktai.ports.secrets import Sealed
from amarktai.providers.registry import load_providers
from amarktai.services.keys import key_view, provider_view, status_text, verdict_of
from tests.e2e import mock_market as market
from tests.fakes import HandClock

PROVIDERS = load_providers(HandClock())
SEALED = Sealed(UUID(int=7), "kek", b"", b"")
GOOD = KeyTestResult(
    TestOutcome.WORKS,
    "It accepts the key.",
    latency_ms=212,
    rights=KeyRights(frozenset({Right.VIEW, Right.TRADE}), is_ip_restricted=False),
)
RECOVERY = [f"abcd-efgh-ijkl-{n:04}" for n in range(10)]
Row = dict[str, Any]


@dataclass
class Secrets:
    """What the stand-in knows of keys: saved ones, what the next test says, whether a proof is fresh."""

    saved: dict[ProviderId, StoredKey] = field(default_factory=dict)
    halted: dict[ProviderId, VenueAccount] = field(default_factory=dict)
    result: KeyTestResult = GOOD
    fresh: bool = True
    totp: bool = False
    proofs: list[Row] = field(default_factory=list)
    bodies: list[Row] = field(default_factory=list)
    stand_ins: dict[ProviderId, str] = field(default_factory=dict)

    def rows(self) -> list[Row]:
        return [
            key_view(desk.provider, self.saved.get(name), self.halted.get(name))
            for name, desk in PROVIDERS.items()
        ]

    def save(self, provider: ProviderId, outcome: TestOutcome | None = None) -> None:
        now = market.NOW
        key = StoredKey(provider, SEALED, "wxyz", "0123456789ab", now, now)
        if outcome is not None:
            result = (
                GOOD if outcome is TestOutcome.WORKS else KeyTestResult(outcome, "It said no.", "Try again.")
            )
            key = StoredKey(
                provider, SEALED, "wxyz", "0123456789ab", now, now, now, outcome, verdict_of(result)
            )
        self.saved[provider] = key


def refused(status: int, code: str, detail: str) -> JSONResponse:
    return JSONResponse({"code": code, "detail": detail, "action": "Try again."}, status)


def key_routes(account: Any) -> APIRouter:
    api = APIRouter(prefix="/api/keys")
    secrets: Secrets = account.secrets

    @api.get("/providers")
    async def providers() -> Row:
        known = load_providers(HandClock(), secrets.stand_ins)
        rows = [provider_view(desk.provider) for desk in known.values()]
        return {"success": True, "providers": rows, "total": len(rows)}

    @api.get("/list")
    async def keys() -> Row:
        address = {"ip": "196.25.1.7", "note": "This machine's own address is public."}
        return {"success": True, "keys": secrets.rows(), "total": 8, "address": address}

    @api.post("/save")
    async def save(body: Row) -> Any:
        if not secrets.fresh:
            return refused(403, "STEP_UP_NEEDED", "This change needs a fresh proof.")
        secrets.bodies.append(body)
        secrets.save(ProviderId(body["provider"]))
        return {"success": True}

    @api.post("/test")
    async def test(body: Row) -> Row:
        provider, result = ProviderId(body["provider"]), secrets.result
        if "api_key" not in body:
            secrets.save(provider, result.outcome)
        known = PROVIDERS[provider].provider
        return {
            "success": result.outcome is TestOutcome.WORKS,
            "provider": provider,
            "status": result.status,
            "status_display": status_text(known, result.status, result.outcome),
            "outcome": result.outcome,
            **verdict_of(result),
        }

    @api.delete("/{provider}")
    async def delete(provider: ProviderId) -> Any:
        if not secrets.fresh:
            return refused(403, "STEP_UP_NEEDED", "This change needs a fresh proof.")
        secrets.saved.pop(provider, None)
        return {"success": True, "message": "Deleted.", "provider": provider}

    return api


def factor_routes(account: Any) -> APIRouter:
    api = APIRouter(prefix="/api/auth")
    secrets: Secrets = account.secrets

    @api.get("/factors")
    async def factors() -> Row:
        return {
            "totp_enabled": secrets.totp,
            "totp_since": market.ago(days=1) if secrets.totp else None,
            "recovery_codes_left": 10 if secrets.totp else 0,
            "step_up_with": "code" if secrets.totp else "password",
            "fresh_until": market.iso(market.NOW + timedelta(minutes=5)) if secrets.fresh else None,
            "server_time": market.iso(market.NOW),
        }

    @api.post("/step-up")
    async def step_up(body: Row) -> Any:
        secrets.proofs.append(body)
        if "wrong" in body.values():
            return refused(403, "PASSWORD_WRONG", "The password is wrong.")
        secrets.fresh = True
        return {"fresh_until": market.iso(market.NOW)}

    @api.post("/factors/totp", status_code=201)
    async def begin() -> Row:
        svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><path d="M0 0h2v2z"/></svg>'
        return {"secret": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "uri": "otpauth://totp/x", "svg": svg}

    @api.post("/factors/totp/confirm")
    async def confirm(body: Row) -> Row:
        if body["code"] != "123456":
            raise HTTPException(403)
        secrets.totp = True
        return {"recovery_codes": RECOVERY}

    @api.post("/factors/recovery-codes")
    async def renew() -> Row:
        return {"recovery_codes": RECOVERY}

    @api.delete("/factors/totp", status_code=204)
    async def disable() -> None:
        secrets.totp = False

    return api
