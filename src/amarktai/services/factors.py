"""The second factor: an authenticator app with recovery codes, and fresh proof before risky changes."""

from __future__ import annotations

import base64
import hmac
import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import pyotp
import segno

from amarktai.domain.errors import AmarktaiError, Conflict, Forbidden, NotFound, Unauthenticated
from amarktai.domain.user import Identity, User
from amarktai.ports.accounts import Accounts, AccountUnit
from amarktai.ports.clock import Clock, to_datetime
from amarktai.ports.factors import TOTP_PURPOSE, StoredTotp
from amarktai.ports.ids import Ids
from amarktai.ports.rng import Rng
from amarktai.ports.secrets import SecretPlace
from amarktai.services.audit import SYSTEM, AuditTrail
from amarktai.services.passwords import Passwords
from amarktai.services.secrets import hash_secret
from amarktai.services.throttle import Throttle
from amarktai.services.vault import Vault

ISSUER: Final = "Amarktai"
STEP_S: Final = 30
DIGITS: Final = 6
RECOVERY_CODES: Final = 10
_SEED_BYTES: Final = 20
_CODE_BYTES: Final = 10
_GROUP: Final = 4


@dataclass(frozen=True, slots=True)
class FactorRules:
    """How often codes may be tried in an hour, and for how long a proof is fresh."""

    tries_per_account: int
    fresh_for: timedelta


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs, told this once: the seed, as text, address and picture."""

    secret: str
    uri: str
    svg: str


class Factors:
    """One authenticator per user. Its seed is encrypted like a key; recovery codes are only hashes."""

    def __init__(
        self,
        accounts: Accounts,
        vault: Vault,
        passwords: Passwords,
        audit: AuditTrail,
        rules: FactorRules,
        *,
        clock: Clock,
        ids: Ids,
        rng: Rng,
    ) -> None:
        self._accounts = accounts
        self._vault = vault
        self._passwords = passwords
        self._audit = audit
        self._rules = rules
        self._throttle = Throttle(accounts, clock)
        self._clock = clock
        self._ids = ids
        self._rng = rng

    async def status(self, who: Identity) -> dict[str, Any]:
        """Return what the user has switched on, and until when their present proof is fresh."""
        async with self._accounts.unit(who.user_id) as unit:
            totp = await unit.factors.totp()
            left = await unit.factors.codes_left()
        is_on = totp is not None and totp.confirmed_at is not None
        return {
            "totp_enabled": is_on,
            "totp_since": totp.confirmed_at if totp else None,
            "recovery_codes_left": left if is_on else 0,
            "step_up_with": "code" if is_on else "password",
            "fresh_until": self._fresh_until(who),
            "server_time": self._now(),
        }

    async def pass_at_sign_in(self, user: User, code: str | None) -> None:
        """Let a user pass who has no second factor, or whose code is right. The caller counts tries.

        Raises: Unauthenticated SECOND_FACTOR_NEEDED or SECOND_FACTOR_WRONG.
        """
        async with self._accounts.unit(user.id) as unit:
            totp = await unit.factors.totp(lock=True)
            if totp is None or totp.confirmed_at is None:
                return
            if code is None:
                raise _code_needed(Unauthenticated)
            await self._use(unit, user, totp, code, Unauthenticated)

    async def step_up(self, who: Identity, *, password: str | None, code: str | None) -> datetime:
        """Take a fresh proof: a code where a second factor is on, else the password. Return its end.

        Raises: Forbidden SECOND_FACTOR_NEEDED, SECOND_FACTOR_WRONG or PASSWORD_WRONG; RateLimited.
        """
        key = f"step-up:{who.user_id.hex}"
        await self._throttle.count((key, self._rules.tries_per_account), what="proofs have failed")
        now = self._now()
        async with self._accounts.unit(who.user_id) as unit:
            totp = await unit.factors.totp(lock=True)
            if totp is not None and totp.confirmed_at is not None:
                if code is None:
                    raise _code_needed(Forbidden)
                await self._use(unit, who.user, totp, code, Forbidden)
            else:
                await self._check_password(unit, who, password)
            await self._mark_fresh(unit, who, now)
            await unit.attempts.clear(key)
            await self._audit.record(unit.audit, who, "session.stepped_up", ("session", str(who.session_id)))
        return now + self._rules.fresh_for

    def require_fresh(self, who: Identity) -> None:
        """Raises: Forbidden STEP_UP_NEEDED when the session's proof is too old for a risky change."""
        until = self._fresh_until(who)
        if until is None:
            minutes = round(self._rules.fresh_for.total_seconds() / 60)
            raise Forbidden(
                "STEP_UP_NEEDED",
                f"This change needs proof from the last {minutes} minutes that it is you.",
                "Confirm with your second factor, or your password while you have none, and try again.",
            )

    async def begin(self, who: Identity) -> Enrolment:
        """Make a new seed; it counts once a code of it was given. Raises: Conflict FACTOR_ENABLED."""
        seed = base64.b32encode(self._rng.bytes(_SEED_BYTES)).decode()
        place = SecretPlace(TOTP_PURPOSE, who.user_id, TOTP_PURPOSE, self._ids.new())
        async with self._accounts.unit(who.user_id) as unit:
            sealed = await self._vault.seal(unit, place, seed.encode())
            totp = await unit.factors.totp(lock=True)
            if totp is not None and totp.confirmed_at is not None:
                raise Conflict(
                    "FACTOR_ENABLED",
                    "The second factor is on already.",
                    "Switch it off first to set up another.",
                )
            await unit.factors.put_totp(StoredTotp(sealed, self._now()))
        uri = pyotp.TOTP(seed).provisioning_uri(name=who.user.email, issuer_name=ISSUER)
        return Enrolment(seed, uri, _qr_code(uri))

    async def confirm(self, who: Identity, code: str) -> list[str]:
        """Switch the second factor on with a first code; return the recovery codes, told this once.

        Raises: Conflict FACTOR_NOT_BEGUN; Forbidden SECOND_FACTOR_WRONG; RateLimited.
        """
        key = f"factor:{who.user_id.hex}"
        await self._throttle.count((key, self._rules.tries_per_account), what="codes were wrong")
        now = self._now()
        async with self._accounts.unit(who.user_id) as unit:
            totp = await unit.factors.totp(lock=True)
            if totp is None or totp.confirmed_at is not None:
                raise Conflict("FACTOR_NOT_BEGUN", "There is nothing to confirm.", "Start the set-up again.")
            await self._use_totp(unit, who.user, totp, _plain(code), Forbidden)
            await unit.factors.confirm_totp(now)
            codes = await self._new_codes(unit, now)
            await self._mark_fresh(unit, who, now)
            await unit.attempts.clear(key)
            await self._audit.record(unit.audit, who, "factor.enabled", ("user", who.user_id))
        return codes

    async def renew_codes(self, who: Identity) -> list[str]:
        """Replace all recovery codes; return the new ones, told this once. Raises: Conflict FACTOR_OFF."""
        async with self._accounts.unit(who.user_id) as unit:
            totp = await unit.factors.totp(lock=True)
            if totp is None or totp.confirmed_at is None:
                raise _off()
            codes = await self._new_codes(unit, self._now())
            await self._audit.record(unit.audit, who, "factor.codes_renewed", ("user", who.user_id))
        return codes

    async def disable(self, who: Identity) -> None:
        """Switch the second factor off. Raises: Conflict FACTOR_OFF."""
        async with self._accounts.unit(who.user_id) as unit:
            if not await unit.factors.remove():
                raise _off()
            await self._audit.record(unit.audit, who, "factor.disabled", ("user", who.user_id))

    async def reset(self, email: str) -> None:
        """Remove somebody's lost factor and end their sessions: for who sits at the machine itself.

        Raises: NotFound; Conflict FACTOR_OFF.
        """
        async with self._accounts.unit(None) as unit:
            found = await unit.users.by_email(email.strip().lower())
        if found is None:
            raise NotFound("NOT_FOUND", f"Nobody has the address {email}.", "Check it and try again.")
        user = found[0]
        async with self._accounts.unit(user.id) as unit:
            if not await unit.factors.remove():
                raise _off()
            await unit.sessions.revoke_all(self._now())
            await self._audit.record(
                unit.audit, SYSTEM, "factor.reset", ("user", user.id), reason="reset from the command line"
            )

    async def _use(
        self, unit: AccountUnit, user: User, totp: StoredTotp, code: str, refusal: type[AmarktaiError]
    ) -> None:
        """Use a code up, of the app or of recovery."""
        plain = _plain(code)
        if plain.isdigit():
            await self._use_totp(unit, user, totp, plain, refusal)
        elif not await unit.factors.use_code(hash_secret(plain), self._now()):
            raise _code_wrong(refusal)

    async def _use_totp(
        self, unit: AccountUnit, user: User, totp: StoredTotp, code: str, refusal: type[AmarktaiError]
    ) -> None:
        """Accept the code of this half minute, or of the one before for those who typed slowly; once."""
        place = SecretPlace(TOTP_PURPOSE, user.id, TOTP_PURPOSE, totp.sealed.version)
        generator = pyotp.TOTP(self._vault.unseal(totp.sealed, place).decode())
        now_step = self._clock.now_ns() // (STEP_S * 1_000_000_000)
        fits = [
            step
            for step in (now_step, now_step - 1)
            if hmac.compare_digest(generator.generate_otp(step).encode(), code.encode())
        ]
        if not fits:
            raise _code_wrong(refusal)
        if totp.last_step is not None and fits[0] <= totp.last_step:
            raise refusal(
                "SECOND_FACTOR_USED",
                "This code was used already.",
                "Wait for the app's next code and use that.",
            )
        await unit.factors.use_step(fits[0])

    async def _check_password(self, unit: AccountUnit, who: Identity, password: str | None) -> None:
        found = await unit.users.get(who.user_id)
        if not await self._passwords.verify(found[1] if found else None, password or ""):
            raise Forbidden("PASSWORD_WRONG", "The password is wrong.", "Check it and try again.")

    async def _mark_fresh(self, unit: AccountUnit, who: Identity, now: datetime) -> None:
        if who.session_id is not None:
            await unit.sessions.step_up(who.session_id, now)

    async def _new_codes(self, unit: AccountUnit, now: datetime) -> list[str]:
        codes = [
            base64.b32encode(self._rng.bytes(_CODE_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)
        ]
        await unit.factors.replace_codes([hash_secret(code) for code in codes], now)
        return [_grouped(code) for code in codes]

    def _fresh_until(self, who: Identity) -> datetime | None:
        if who.stepped_up_at is None:
            return None
        until = who.stepped_up_at + self._rules.fresh_for
        return until if self._now() < until else None

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_ns())


def _plain(code: str) -> str:
    """Return a code without what people put between its groups."""
    return "".join(code.split()).replace("-", "").lower()


def _grouped(code: str) -> str:
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def _qr_code(uri: str) -> str:
    """Return the QR code as an SVG document, dark on light whatever the theme: cameras want that."""
    out = io.BytesIO()
    segno.make(uri, error="m").save(
        out,
        kind="svg",
        xmldecl=False,
        border=4,
        dark="#000000",
        light="#ffffff",
        svgclass=None,
        lineclass=None,
    )
    return out.getvalue().decode().strip()


def _code_needed(refusal: type[AmarktaiError]) -> AmarktaiError:
    return refusal(
        "SECOND_FACTOR_NEEDED",
        "This account has a second factor.",
        "Give the code of your authenticator app, or one of your recovery codes.",
    )


def _code_wrong(refusal: type[AmarktaiError]) -> AmarktaiError:
    return refusal(
        "SECOND_FACTOR_WRONG",
        "The code is wrong.",
        "Check that your phone's clock is right; codes change every 30 seconds.",
    )


def _off() -> Conflict:
    return Conflict("FACTOR_OFF", "There is no second factor.", "Set one up first.")
