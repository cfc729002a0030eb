"""What an adapter needs of a key."""

from __future__ import annotations

from typing import Protocol


class Credentials(Protocol):
    """A key's secret parts; those that an exchange does not have are empty."""

    @property
    def api_key(self) -> str: ...

    @property
    def api_secret(self) -> str: ...

    @property
    def passphrase(self) -> str: ...
