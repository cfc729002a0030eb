"""Outside services that a user's keys open, and what is known of such a key: its rights, its test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from amarktai.domain.instrument import Platform


class ProviderId(StrEnum):
    """The eight services of the requirements: five exchanges, three for the assistant."""

    LUNO = "luno"
    BINANCE = "binance"
    KUCOIN = "kucoin"
    OVEX = "ovex"
    VALR = "valr"
    OPENAI = "openai"
    FLOKX = "flokx"
    FETCHAI = "fetchai"

    @property
    def platform(self) -> Platform | None:
        """Return the exchange that this provider is, None for the others."""
        return next((platform for platform in Platform if platform.value == self.value), None)


class ProviderType(StrEnum):
    AI = "ai"
    EXCHANGE = "exchange"


class Right(StrEnum):
    """What a key may do, in our words; each exchange's own words are mapped to these."""

    VIEW = "view"
    TRADE = "trade"
    MARGIN = "margin"
    FUTURES = "futures"
    OPTIONS = "options"
    EARN = "earn"
    TRANSFER = "transfer"
    WITHDRAW = "withdraw"
    LINK_BANK = "link_bank"


#: Rights with which money leaves the account. A key that has one is never kept.
FORBIDDEN: Final = frozenset({Right.TRANSFER, Right.WITHDRAW, Right.LINK_BANK})
#: All that the platform uses.
NEEDED: Final = frozenset({Right.VIEW, Right.TRADE})


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What an exchange says that a key may do.

    ``unknown`` are its words that we have no name for: they could mean anything, so they refuse.
    ``unchecked`` says in a sentence what could not be asked. ``ip_allow_list`` holds addresses or
    ranges where the exchange tells them; ``is_ip_restricted`` is None where it tells nothing.
    """

    found: frozenset[Right] = frozenset()
    unknown: tuple[str, ...] = ()
    unchecked: str | None = None
    is_ip_restricted: bool | None = None
    ip_allow_list: tuple[str, ...] = ()

    @property
    def danger(self) -> str | None:
        """Return the end of a sentence, why the key must not be kept; None when nothing speaks against."""
        forbidden = sorted(self.found & FORBIDDEN)
        if forbidden:
            return f"it may {' and '.join(_DEEDS[right] for right in forbidden)}"
        if self.unknown:
            return f"it has rights that we do not know: {', '.join(self.unknown)}"
        return None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what is not wrong but could be safer."""
        warnings = []
        extra = sorted(self.found - NEEDED - FORBIDDEN)
        if extra:
            warnings.append(f"The key may do more than trading needs: {', '.join(extra)}.")
        if self.is_ip_restricted is False:
            warnings.append("The key works from any address. Allow only this machine's.")
        if self.unchecked:
            warnings.append(self.unchecked)
        return tuple(warnings)


_DEEDS: Final = {
    Right.TRANSFER: "transfer money to other accounts",
    Right.WITHDRAW: "withdraw money",
    Right.LINK_BANK: "link bank accounts",
}


def map_rights(words: Mapping[str, bool], names: Mapping[str, Right | None]) -> KeyRights:
    """Return the rights behind an exchange's words.

    ``words`` maps each word to whether the key has it. A name of None is a word without a right (of
    a label, a time); a word that ``names`` lacks is unknown, and counts when the key has it.
    """
    granted = [word for word, has in words.items() if has]
    found = {right for word in granted if (right := names.get(word)) is not None}
    return KeyRights(frozenset(found), tuple(sorted(word for word in granted if word not in names)))


def map_words(words: Iterable[str], names: Mapping[str, Right | None]) -> KeyRights:
    """Return the rights behind a list of words; case, spaces and underscores do not tell words apart."""
    plain = {word.lower().replace(" ", "").replace("_", ""): word.strip() for word in words}
    spelt = {word: names[form] for form, word in plain.items() if form in names}
    return map_rights(dict.fromkeys(plain.values(), True), spelt)


class TestOutcome(StrEnum):
    """How a test ended. ``unsafe``: the key works, and may do what no key of ours should."""

    __test__ = False  # not a test case, whatever its name

    WORKS = "works"
    REFUSED = "refused"
    UNSAFE = "unsafe"
    UNREACHABLE = "unreachable"


class KeyStatus(StrEnum):
    """Where a user's key of one provider stands. The words are the requirements'."""

    NOT_CONFIGURED = "not_configured"
    SAVED_UNTESTED = "saved_untested"
    TEST_OK = "test_ok"
    TEST_FAILED = "test_failed"


STATUS_TEXTS: Final[Mapping[KeyStatus, str]] = {
    KeyStatus.NOT_CONFIGURED: "Not configured",
    KeyStatus.SAVED_UNTESTED: "Saved (untested)",
    KeyStatus.TEST_OK: "Test OK",
    KeyStatus.TEST_FAILED: "Test failed",
}


def status_after(outcome: TestOutcome | None) -> KeyStatus:
    """Return the status of a saved key whose latest test ended so (None: not tested yet)."""
    if outcome is None:
        return KeyStatus.SAVED_UNTESTED
    return KeyStatus.TEST_OK if outcome is TestOutcome.WORKS else KeyStatus.TEST_FAILED


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key's secret parts. Its text forms show nothing, so that no log or error can."""

    api_key: str = field(repr=False)
    api_secret: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)

    def __str__(self) -> str:
        return "Credentials(…)"


@dataclass(frozen=True, slots=True)
class KeyTestResult:
    """What a test found. ``message`` is for people and quotes the provider's own words where it has some.

    ``latency_ms`` is the first answer's time, None when none came. ``seen_ip`` is the address that
    the provider says the call came from.
    """

    outcome: TestOutcome
    message: str
    action: str = ""
    latency_ms: int | None = None
    rights: KeyRights | None = None
    seen_ip: str | None = None

    @property
    def status(self) -> KeyStatus:
        return status_after(self.outcome)
