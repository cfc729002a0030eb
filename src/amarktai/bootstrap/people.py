"""The services of people: accounts, sessions, second factors and keys, for every process that needs them."""

from __future__ import annotations

from datetime import timedelta

from amarktai.bootstrap.foundation import Foundation, lay_foundation, real_time
from amarktai.config import Settings
from amarktai.ports.providers import ProviderRegistry
from amarktai.ports.secrets import KeyRingSource
from amarktai.services.accounts import AccountRules, AccountServices, build_account_services
from amarktai.services.factors import FactorRules
from amarktai.services.keys import Keys
from amarktai.services.passwords import Passwords
from amarktai.services.sessions import SessionRules
from amarktai.services.vault import RotationReport
from amarktai.storage.accounts import PgAccounts
from amarktai.system.key_ring import FileKeyRing, VariableKeyRing
from amarktai.system.network import public_address
from amarktai.system.rng import SystemRng


def build_accounts(base: Foundation) -> AccountServices:
    """Return the services of people, sessions, second factors and tokens."""
    settings, rng = base.settings, SystemRng()
    sessions = SessionRules(
        timedelta(minutes=settings.session_idle_minutes),
        timedelta(days=settings.session_absolute_days),
        tries_per_account=settings.login_tries_per_account,
        tries_per_address=settings.login_tries_per_address,
    )
    factors = FactorRules(settings.login_tries_per_account, timedelta(minutes=settings.step_up_minutes))
    rules = AccountRules(sessions, factors, timedelta(days=settings.invite_days))
    return build_account_services(
        PgAccounts(base.database),
        Passwords(rng),
        rules,
        key_ring(settings),
        clock=base.clock,
        ids=base.ids,
        rng=rng,
    )


def build_keys(base: Foundation, accounts: AccountServices, providers: ProviderRegistry) -> Keys:
    """Return the service of the providers' keys."""
    return Keys(
        PgAccounts(base.database),
        accounts.vault,
        providers,
        accounts.audit,
        clock=base.clock,
        ids=base.ids,
        own_address=public_address,
    )


def key_ring(settings: Settings) -> KeyRingSource:
    """Return where the key-encryption key is: the environment, or a file beside the data folder."""
    if settings.api_key_encryption_key is not None:
        return VariableKeyRing(settings.api_key_encryption_key.get_secret_value())
    home = settings.home.absolute()
    return FileKeyRing(settings.key_file or home.with_name(f"{home.name}.key"), home, SystemRng())


async def rotate_keys(settings: Settings, app_url: str) -> RotationReport:
    """Wrap every saved secret with a new key-encryption key, while the platform runs."""
    base = lay_foundation(settings, app_url, *real_time())
    try:
        return await build_accounts(base).vault.rotate()
    finally:
        await base.close()


async def reset_factor(settings: Settings, app_url: str, email: str) -> None:
    """Remove somebody's lost second factor."""
    base = lay_foundation(settings, app_url, *real_time())
    try:
        await build_accounts(base).factors.reset(email)
    finally:
        await base.close()
