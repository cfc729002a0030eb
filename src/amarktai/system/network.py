"""What this machine knows of its own place in the network."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

#: An address of documentation (RFC 5737): nothing is sent there, only the way out is looked up.
_FAR_AWAY: Final = ("198.51.100.1", 9)


def public_address() -> str | None:
    """Return this machine's address on its way out when that is a public one, None behind a router."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_FAR_AWAY)
        except OSError:  # no way out at all
            return None
        address: str = probe.getsockname()[0]
    return address if ipaddress.ip_address(address).is_global else None
