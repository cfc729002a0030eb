"""Providers as a port: what is known of each, and the test that a key of theirs is put to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from amarktai.domain.errors import InvalidInput
from amarktai.domain.provider import Credentials, KeyTestResult, ProviderId, ProviderType

MAX_FIELD_LENGTH: Final = 512


@dataclass(frozen=True, slots=True)
class KeyField:
    """One part of a key: its name in requests, how the provider calls it, and what it looks like."""

    name: str
    label: str
    pattern: str
    format_hint: str

    def check(self, value: str) -> None:
        """Raises: InvalidInput that says what the value should look like, without repeating it."""
        if not re.fullmatch(self.pattern, value):
            raise InvalidInput(
                "KEY_FORMAT",
                f"{self.label}: this does not look like one. {self.format_hint}",
                "Copy it again, whole and without spaces.",
            )


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """Where a key is made and how. ``never`` names the rights that must stay off."""

    page: str
    steps: tuple[str, ...]
    rights: tuple[str, ...]
    never: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as people see it. ``tested_by`` says what a test does and cannot tell.

    ``stand_in`` is the server that is asked instead of the provider, where the settings name one.
    """

    id: ProviderId
    type: ProviderType
    display_name: str
    description: str
    fields: tuple[KeyField, ...]
    help: KeyHelp
    tested_by: str
    stand_in: str | None = None

    @property
    def required_fields(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def credentials(self, given: Mapping[str, str | None]) -> Credentials:
        """Return the parts that this provider uses, checked; parts that it does not use are dropped.

        Raises: InvalidInput KEY_FIELD_MISSING or KEY_FORMAT.
        """
        parts: dict[str, str] = {}
        for field in self.fields:
            value = (given.get(field.name) or "").strip()
            if not value:
                raise InvalidInput(
                    "KEY_FIELD_MISSING",
                    f"{self.display_name} needs the field {field.name} ({field.label}).",
                    "Fill it in and try again.",
                )
            field.check(value)
            parts[field.name] = value
        return Credentials(**parts)


class KeyTester(Protocol):
    async def test(self, credentials: Credentials) -> KeyTestResult:
        """Ask the provider whether the key works and what it may do. Never moves money.

        Every failure of the provider or of the way to it is a result; nothing of theirs is raised.
        """


@dataclass(frozen=True, slots=True)
class ProviderDesk:
    """A provider and its tester."""

    provider: Provider
    tester: KeyTester


ProviderRegistry = Mapping[ProviderId, ProviderDesk]
