"""The address that is told to people is a public one, or none."""

from __future__ import annotations

import ipaddress

from amarktai.system.network import public_address


def test_only_a_public_address_is_told() -> None:
    address = public_address()
    assert address is None or ipaddress.ip_address(address).is_global
