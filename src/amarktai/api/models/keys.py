"""Providers and their keys over HTTP. No answer holds any part of a key but its last characters."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from amarktai.api.models.base import Body, Instant, View
from amarktai.domain.provider import KeyStatus, ProviderId, ProviderType, Right, TestOutcome
from amarktai.ports.keys import AccountState
from amarktai.ports.providers import MAX_FIELD_LENGTH

KeyPart = Annotated[SecretStr, Field(min_length=1, max_length=MAX_FIELD_LENGTH)]


class KeyFieldView(View):
    name: str
    label: str
    pattern: str = Field(description="What the value looks like, as a regular expression of its whole.")
    hint: str


class KeyHelpView(View):
    page: str
    steps: list[str]
    rights: list[str] = Field(description="Rights to give the key, in the provider's words.")
    never: list[str] = Field(description="Rights that must stay off; a key with one is refused.")


class ProviderView(View):
    id: ProviderId
    type: ProviderType
    display_name: str
    required_fields: list[str]
    icon: str
    description: str
    fields: list[KeyFieldView]
    help: KeyHelpView
    tested_by: str
    stand_in: str | None = Field(description="The server that is asked instead of the provider, if any.")


class ProviderList(View):
    success: bool
    providers: list[ProviderView]
    total: int


class KeyView(View):
    """One provider's key. ``rights`` is null where the provider tells none."""

    provider: ProviderId
    display_name: str
    type: ProviderType
    status: KeyStatus
    status_display: str
    icon: str
    required_fields: list[str]
    created_at: Instant | None
    updated_at: Instant | None
    last_tested_at: Instant | None
    last_test_error: str | None
    hint: str | None = Field(description="The key's last four characters.")
    fingerprint: str | None
    outcome: TestOutcome | None
    message: str | None
    action: str | None
    latency_ms: int | None
    rights: list[Right] | None
    rights_complete: bool | None = Field(description="Whether these are all; some providers do not tell all.")
    warnings: list[str]
    is_ip_restricted: bool | None
    ip_allow_list: list[str]
    seen_ip: str | None = Field(description="The address that the provider says our call came from.")
    account_state: AccountState
    account_reason: str | None


class AllowAddress(View):
    """The address to allow at exchanges: null with how to find it where it is not known."""

    ip: str | None
    note: str


class KeyList(View):
    success: bool
    keys: list[KeyView]
    total: int
    address: AllowAddress


class _KeyParts(Body):
    provider: ProviderId
    api_secret: KeyPart | None = None
    passphrase: KeyPart | None = None

    def _parts(self, api_key: SecretStr | None) -> dict[str, str | None]:
        """Return the parts in clear: for the service, never for a log."""
        given = {"api_key": api_key, "api_secret": self.api_secret, "passphrase": self.passphrase}
        return {name: value.get_secret_value() if value else None for name, value in given.items()}


class SaveKey(_KeyParts):
    """Fields that the provider does not use may be left out; they are not kept."""

    api_key: KeyPart

    def parts(self) -> dict[str, str | None]:
        return self._parts(self.api_key)


class TestKey(_KeyParts):
    """Without ``api_key`` the saved key is tested; with it the given one, which is not kept."""

    __test__ = False  # not a test case, whatever its name

    api_key: KeyPart | None = None

    @model_validator(mode="after")
    def _whole_or_none(self) -> TestKey:
        if self.api_key is None and (self.api_secret or self.passphrase):
            raise ValueError("api_key is missing: send every part of the key, or none to test the saved one")
        return self

    def parts(self) -> dict[str, str | None]:
        return self._parts(self.api_key)


class KeySavedAnswer(View):
    success: bool
    message: str
    provider: ProviderId
    status: KeyStatus
    status_display: str


class KeyTestAnswer(View):
    """A test's result; ``success`` false is a result too, with HTTP status 200."""

    success: bool
    message: str
    action: str | None
    provider: ProviderId
    status: KeyStatus
    status_display: str
    outcome: TestOutcome
    latency_ms: int | None
    rights: list[Right] | None
    rights_complete: bool | None = Field(description="Whether these are all; some providers do not tell all.")
    warnings: list[str]
    is_ip_restricted: bool | None
    ip_allow_list: list[str]
    seen_ip: str | None


class KeyDeletedAnswer(View):
    success: bool
    message: str
    provider: ProviderId
