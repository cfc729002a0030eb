"""The eight providers together, in the order in which people see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from amarktai.domain.provider import ProviderId
from amarktai.ports.clock import Clock
from amarktai.ports.providers import Provider, ProviderDesk, ProviderRegistry
from amarktai.providers import binance, fetchai, flokx, kucoin, luno, openai, ovex, valr
from amarktai.providers.http import ProviderHttp
from amarktai.providers.tester import HttpTester

_KNOWN: Final[tuple[tuple[Provider, str, type[HttpTester]], ...]] = tuple(
    (module.PROVIDER, module.BASE_URL, module.Tester)
    for module in (luno, binance, kucoin, ovex, valr, openai, flokx, fetchai)
)


def load_providers(clock: Clock, base_urls: Mapping[ProviderId, str] | None = None) -> ProviderRegistry:
    """Return every provider with its tester. ``base_urls`` name servers that take a provider's place."""
    elsewhere = base_urls or {}
    return {
        provider.id: ProviderDesk(
            replace(provider, stand_in=elsewhere.get(provider.id)),
            tester(ProviderHttp(provider.display_name, elsewhere.get(provider.id, base_url), clock)),
        )
        for provider, base_url, tester in _KNOWN
    }
