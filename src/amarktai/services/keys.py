"""Users' keys of the eight providers: saving, testing, deleting, and showing them without showing them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from amarktai.domain.errors import Conflict, InvalidInput, NotFound
from amarktai.domain.provider import (
    STATUS_TEXTS,
    Credentials,
    KeyStatus,
    KeyTestResult,
    ProviderId,
    Right,
    TestOutcome,
    status_after,
)
from amarktai.domain.user import Identity
from amarktai.ports.accounts import Accounts, AccountUnit, AlertRow
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.events import Alert, EventPayload, KeyDeleted, KeySaved, KeyTested
from amarktai.ports.ids import Ids
from amarktai.ports.keys import KEY_PURPOSE, AccountState, StoredKey, VenueAccount
from amarktai.ports.providers import Provider, ProviderDesk, ProviderRegistry
from amarktai.ports.secrets import SecretPlace
from amarktai.services.audit import SYSTEM, AuditTrail
from amarktai.services.throttle import Throttle
from amarktai.services.vault import Vault

TESTS_PER_HOUR: Final = 60
_NOT_KEPT: Final = "Such a key is not kept."
_HINT_LENGTH: Final = 4
_FINGERPRINT_LENGTH: Final = 12
_ADDRESS_UNKNOWN: Final = (
    "This machine is behind a router, so the exchanges see the router's public address. Your internet "
    "provider or router page shows it; an exchange that refuses an address also names it in its answer."
)
_ADDRESS_KNOWN: Final = "This machine's own address is public, so exchanges see it unless a proxy is between."


class Keys:
    def __init__(
        self,
        accounts: Accounts,
        vault: Vault,
        registry: ProviderRegistry,
        audit: AuditTrail,
        *,
        clock: Clock,
        ids: Ids,
        own_address: Callable[[], str | None],
    ) -> None:
        self._accounts = accounts
        self._vault = vault
        self._registry = registry
        self._audit = audit
        self._throttle = Throttle(accounts, clock)
        self._clock = clock
        self._ids = ids
        self._own_address = own_address

    def list_providers(self) -> list[dict[str, Any]]:
        """Return the eight providers, without anything of a user's."""
        return [provider_view(desk.provider) for desk in self._registry.values()]

    async def list_keys(self, who: Identity) -> list[dict[str, Any]]:
        """Return a row for each of the eight providers, saved or not; no part of a key but its last four."""
        async with self._accounts.unit(who.user_id) as unit:
            saved = {key.provider: key for key in await unit.keys.list()}
            halted = await unit.venue_accounts.list()
        return [
            key_view(desk.provider, saved.get(name), halted.get(name.platform) if name.platform else None)
            for name, desk in self._registry.items()
        ]

    def address_to_allow(self) -> dict[str, str | None]:
        """Return the address that exchanges see, or why it is not known and how to find it."""
        address = self._own_address()
        return {"ip": address, "note": _ADDRESS_KNOWN if address else _ADDRESS_UNKNOWN}

    async def save(self, who: Identity, provider: ProviderId, given: Mapping[str, str | None]) -> None:
        """Encrypt and store a key in place of the present one.

        An exchange is asked first what the key may do. When it cannot be reached the key is stored all
        the same: nothing uses it before a test has passed.
        Raises: InvalidInput for a missing or misshapen field, and KEY_UNSAFE; RateLimited.
        """
        desk = self._registry[provider]
        credentials = desk.provider.credentials(given)
        if provider.platform is not None:
            result = await self._ask(who, desk, credentials)
            if result.outcome is TestOutcome.UNSAFE:
                raise InvalidInput("KEY_UNSAFE", f"{result.message} {_NOT_KEPT}", result.action)
        now, version = self._now(), self._ids.new()
        fingerprint = fingerprint_of(credentials)
        async with self._accounts.unit(who.user_id) as unit:
            place = SecretPlace(KEY_PURPOSE, who.user_id, provider, version)
            key = StoredKey(
                provider=provider,
                sealed=await self._vault.seal(unit, place, _pack(credentials)),
                hint=credentials.api_key[-_HINT_LENGTH:],
                fingerprint=fingerprint,
                created_at=now,
                updated_at=now,
            )
            await unit.keys.put(key)
            name = desk.provider.display_name
            event = KeySaved(message=f"{name}: key saved", provider=provider, display_name=name)
            await self._finish(
                unit, who, "key.saved", provider, [("key_saved", event)], after={"fingerprint": fingerprint}
            )

    async def test_given(
        self, who: Identity, provider: ProviderId, given: Mapping[str, str | None]
    ) -> KeyTestResult:
        """Test a key that is not kept; only the event is. Raises: InvalidInput; RateLimited."""
        desk = self._registry[provider]
        result = await self._ask(who, desk, desk.provider.credentials(given))
        async with self._accounts.unit(who.user_id) as unit:
            await unit.alerts.emit(
                [("key_tested", _tested(desk.provider, result, is_saved=False))], self._now()
            )
        return result

    async def test_saved(self, who: Identity, provider: ProviderId) -> KeyTestResult:
        """Test the saved key and remember what came of it. A passed test reopens a halted account.

        Raises: NotFound KEY_NOT_SAVED; Conflict KEY_CHANGED; RateLimited.
        """
        async with self._accounts.unit(who.user_id) as unit:
            stored = await unit.keys.get(provider)
        if stored is None:
            name = self._registry[provider].provider.display_name
            raise NotFound("KEY_NOT_SAVED", f"No key of {name} is saved.", "Save one, or send one to test.")
        result = await self._ask(who, self._registry[provider], self.open(who.user_id, stored))
        if not await self.record(who.user_id, who, stored, result):
            raise Conflict("KEY_CHANGED", "The key was changed during the test.", "Test it again.")
        return result

    def test_view(self, provider: ProviderId, result: KeyTestResult) -> dict[str, Any]:
        """Return a test's result as ``POST /api/keys/test`` answers it."""
        known = self._registry[provider].provider
        return {
            "success": result.outcome is TestOutcome.WORKS,
            "provider": provider,
            "status": result.status,
            "status_display": status_text(known, result.status, result.outcome),
            "outcome": result.outcome,
            **verdict_of(result),
        }

    async def delete(self, who: Identity, provider: ProviderId) -> bool:
        """Remove a key; False when there was none, which is as good."""
        name = self._registry[provider].provider.display_name
        async with self._accounts.unit(who.user_id) as unit:
            gone = await unit.keys.delete(provider)
            if gone is None:
                return False
            event = KeyDeleted(message=f"{name}: key deleted", provider=provider, display_name=name)
            before = {"fingerprint": gone.fingerprint}
            await self._finish(unit, who, "key.deleted", provider, [("key_deleted", event)], before=before)
        return True

    def open(self, user_id: UUID, stored: StoredKey) -> Credentials:
        """Decrypt a saved key. Raises: SecretUnreadable."""
        place = SecretPlace(KEY_PURPOSE, user_id, stored.provider, stored.sealed.version)
        return Credentials(**orjson.loads(self._vault.unseal(stored.sealed, place)))

    async def record(
        self, user_id: UUID, by: Identity | str, stored: StoredKey, result: KeyTestResult
    ) -> bool:
        """Store what a test of a saved key found, with all that follows from it, in one transaction.

        A key that may move money halts the account and raises an alert, whoever asked. False when the
        key was changed meanwhile: then nothing is stored.
        """
        provider, now = self._registry[stored.provider].provider, self._now()
        async with self._accounts.unit(user_id) as unit:
            verdict = verdict_of(result)
            if not await unit.keys.record_test(
                provider.id, stored.sealed.version, result.outcome, verdict, now
            ):
                return False
            events: list[tuple[str, EventPayload]] = [
                ("key_tested", _tested(provider, result, is_saved=True))
            ]
            after: dict[str, Any] = {"outcome": result.outcome, "rights": verdict["rights"]}
            after |= await self._follow_up(unit, by, stored, result, events)
            await self._finish(unit, by, "key.tested", provider.id, events, after=after)
        return True

    async def _follow_up(
        self,
        unit: AccountUnit,
        by: Identity | str,
        stored: StoredKey,
        result: KeyTestResult,
        events: list[tuple[str, EventPayload]],
    ) -> dict[str, Any]:
        """Halt or reopen the account and raise alerts; return what the audit log should say of it."""
        provider = self._registry[stored.provider].provider
        platform = stored.provider.platform
        if platform is None:
            return {}
        account = (await unit.venue_accounts.list()).get(platform)
        is_halted = account is not None and account.state is AccountState.HALTED
        if result.outcome is TestOutcome.UNSAFE and not is_halted:
            await unit.venue_accounts.put(
                VenueAccount(platform, AccountState.HALTED, result.message, self._now())
            )
            text = f"{provider.display_name} is halted. {result.message} {result.action}"
            events.append(await self._alert(unit, "key_unsafe", "critical", text))
            return {"account": AccountState.HALTED}
        if result.outcome is TestOutcome.WORKS and is_halted and isinstance(by, Identity):
            await unit.venue_accounts.put(VenueAccount(platform, AccountState.ACTIVE, None, self._now()))
            return {"account": AccountState.ACTIVE}
        was_good = stored.last_outcome is TestOutcome.WORKS
        if result.outcome is TestOutcome.REFUSED and was_good and by == SYSTEM:
            events.append(await self._alert(unit, "key_refused", "warning", result.message))
        return {}

    async def _alert(
        self, unit: AccountUnit, alert_type: str, severity: str, message: str
    ) -> tuple[str, EventPayload]:
        row = AlertRow(self._ids.new(), alert_type, severity, message, None, self._now(), None)
        await unit.alerts.insert(row)
        return "alert", Alert(message=message, alert_id=row.id, severity=severity, alert_type=alert_type)

    async def _finish(
        self,
        unit: AccountUnit,
        by: Identity | str,
        action: str,
        provider: ProviderId,
        events: list[tuple[str, EventPayload]],
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        await unit.alerts.emit(events, self._now())
        await self._audit.record(unit.audit, by, action, ("key", provider), before=before, after=after)

    async def _ask(self, who: Identity, desk: ProviderDesk, credentials: Credentials) -> KeyTestResult:
        """Ask the provider, not too often: its patience with this machine is everybody's."""
        key = f"key-test:{who.user_id.hex}"
        await self._throttle.count((key, TESTS_PER_HOUR), what="keys were tested in this hour")
        return await desk.tester.test(credentials)

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_ns())


def fingerprint_of(credentials: Credentials) -> str:
    """Return by what people tell keys apart: the beginning of a hash, too short to lead back."""
    return hashlib.sha256(credentials.api_key.encode()).hexdigest()[:_FINGERPRINT_LENGTH]


def provider_view(provider: Provider) -> dict[str, Any]:
    """Return a provider as ``GET /api/keys/providers`` shows it."""
    return {
        "id": provider.id,
        "type": provider.type,
        "display_name": provider.display_name,
        "required_fields": list(provider.required_fields),
        "icon": f"{provider.id}.svg",
        "description": provider.description,
        "fields": [
            {"name": field.name, "label": field.label, "pattern": field.pattern, "hint": field.format_hint}
            for field in provider.fields
        ],
        "help": {
            "page": provider.help.page,
            "steps": list(provider.help.steps),
            "rights": list(provider.help.rights),
            "never": list(provider.help.never),
        },
        "tested_by": provider.tested_by,
        "stand_in": provider.stand_in,
    }


def key_view(provider: Provider, key: StoredKey | None, account: VenueAccount | None) -> dict[str, Any]:
    """Return a provider's key as ``GET /api/keys/list`` shows it."""
    status = KeyStatus.NOT_CONFIGURED if key is None else status_after(key.last_outcome)
    verdict: Mapping[str, Any] = (key.last_test if key else None) or {}
    outcome = key.last_outcome if key else None
    failed = status is KeyStatus.TEST_FAILED
    return {
        "provider": provider.id,
        "display_name": provider.display_name,
        "type": provider.type,
        "status": status,
        "status_display": status_text(provider, status, outcome),
        "icon": f"{provider.id}.svg",
        "required_fields": list(provider.required_fields),
        "created_at": key.created_at if key else None,
        "updated_at": key.updated_at if key else None,
        "last_tested_at": key.last_tested_at if key else None,
        "last_test_error": verdict.get("message") if failed else None,
        "hint": key.hint if key else None,
        "fingerprint": key.fingerprint if key else None,
        "outcome": outcome,
        "message": verdict.get("message"),
        "action": verdict.get("action") or None,
        "latency_ms": verdict.get("latency_ms"),
        "rights": verdict.get("rights"),
        "rights_complete": verdict.get("rights_complete"),
        "warnings": verdict.get("warnings", []),
        "is_ip_restricted": verdict.get("is_ip_restricted"),
        "ip_allow_list": verdict.get("ip_allow_list", []),
        "seen_ip": verdict.get("seen_ip"),
        "account_state": account.state if account else AccountState.ACTIVE,
        "account_reason": account.reason if account else None,
    }


def status_text(provider: Provider, status: KeyStatus, outcome: TestOutcome | None) -> str:
    """Return the status in words; a silent provider and one that says no are not the same."""
    reasons = {
        TestOutcome.REFUSED: f"{provider.display_name} refused the key",
        TestOutcome.UNSAFE: "the key may do too much",
        TestOutcome.UNREACHABLE: f"could not reach {provider.display_name}",
    }
    reason = reasons.get(outcome) if outcome else None
    return f"{STATUS_TEXTS[status]}: {reason}" if reason else STATUS_TEXTS[status]


def verdict_of(result: KeyTestResult) -> dict[str, Any]:
    """Return what is kept of a test: conclusions, nothing that the provider sent as it stood."""
    rights = result.rights
    return {
        "message": result.message,
        "action": result.action,
        "latency_ms": result.latency_ms,
        "rights": [right for right in Right if right in rights.found] if rights else None,
        "rights_complete": rights.unchecked is None if rights else None,
        "warnings": list(rights.warnings) if rights else [],
        "is_ip_restricted": rights.is_ip_restricted if rights else None,
        "ip_allow_list": list(rights.ip_allow_list) if rights else [],
        "seen_ip": result.seen_ip,
    }


def _tested(provider: Provider, result: KeyTestResult, *, is_saved: bool) -> KeyTested:
    success = result.outcome is TestOutcome.WORKS
    return KeyTested(
        message=result.message if is_saved else f"A key that is not saved: {result.message}",
        provider=provider.id,
        display_name=provider.display_name,
        success=success,
        outcome=result.outcome,
        error=None if success else result.message,
        is_saved=is_saved,
    )


def _pack(credentials: Credentials) -> bytes:
    return orjson.dumps(
        {
            "api_key": credentials.api_key,
            "api_secret": credentials.api_secret,
            "passphrase": credentials.passphrase,
        }
    )
