"""Errors that a caller can act on.

AmarktaiError                 code, detail, action: the one shape that the API shows
├── InvalidInput              the request itself is wrong
├── NotFound                  absent, or another user's (the two look the same on purpose)
├── Conflict                  the object's state forbids it now
├── Unauthenticated           no valid session or token
├── Forbidden                 known user, missing right
├── RateLimited               too many tries
├── Unavailable               a part we need (database, exchange) does not answer
└── BrokenInvariant           our own promise is broken: stop, never continue
"""

from __future__ import annotations


class AmarktaiError(Exception):
    """A failure with a stable code, what happened, and what the user can do about it."""

    def __init__(self, code: str, detail: str, action: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.action = action


class InvalidInput(AmarktaiError):
    """The request is wrong as sent."""


class NotFound(AmarktaiError):
    """The object does not exist for this user."""


class Conflict(AmarktaiError):
    """The object's present state does not allow this."""


class Unauthenticated(AmarktaiError):
    """Nobody is signed in."""


class Forbidden(AmarktaiError):
    """The signed-in user may not do this."""


class RateLimited(AmarktaiError):
    """Too many attempts; ``retry_after_s`` says when to come back."""

    def __init__(self, code: str, detail: str, action: str, *, retry_after_s: int) -> None:
        super().__init__(code, detail, action)
        self.retry_after_s = retry_after_s


class Unavailable(AmarktaiError):
    """Something outside our process does not answer."""


class BrokenInvariant(AmarktaiError):
    """One of the promises O1–O20 or L1–L15 does not hold.

    Caught only to keep it with the bot or the order that broke it, which then rests and alerts.
    """

    def __init__(self, detail: str) -> None:
        super().__init__("BROKEN_INVARIANT", detail, "Stop trading and report this with the log.")
