"""Second factors and fresh proof over HTTP."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from amarktai.api.models.accounts import Password
from amarktai.api.models.base import SECRET, Body, Instant, ShortText, View


class FactorsView(View):
    """What is on, and until when this session's proof is fresh (null: it is not)."""

    totp_enabled: bool
    totp_since: Instant | None
    recovery_codes_left: int
    step_up_with: Literal["code", "password"]
    fresh_until: Instant | None
    server_time: Instant = Field(description="Compare it with the phone's clock when codes are refused.")


class EnrolmentView(View):
    """Told this once; the seed counts once it is confirmed with a code."""

    secret: str = Field(description="The seed, for typing into an app (base32).", json_schema_extra=SECRET)
    uri: str = Field(description="The same as an otpauth address.")
    svg: str = Field(description="The same as a QR code, an SVG document.")


class Code(Body):
    code: ShortText = Field(json_schema_extra=SECRET)


class RecoveryCodes(View):
    recovery_codes: list[str] = Field(
        description="Told this once; each works once instead of a code.", json_schema_extra=SECRET
    )


class Proof(Body):
    """A code where a second factor is on, else the password."""

    password: Password | None = None
    code: ShortText | None = None


class ProofAnswer(View):
    fresh_until: Instant
