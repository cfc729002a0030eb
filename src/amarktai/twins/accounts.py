"""Who may trade on a twin, with what, and the balances that move. Exact: nothing is ever rounded here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Final

from amarktai.domain.errors import InvalidInput
from amarktai.domain.money import ZERO


class Permission(StrEnum):
    """What a key may do; each twin translates to its exchange's own words."""

    READ = "read"
    TRADE = "trade"
    WITHDRAW = "withdraw"
    TRANSFER = "transfer"


@dataclass(slots=True)
class Account:
    """One account with one key. The caller chooses everything: a twin has no default account.

    ``passphrase`` is KuCoin's. ``ip_allow`` holds addresses or networks; empty means any address.
    ``pays_fees_in`` names a third asset for fees where the exchange offers that (Binance: BNB).
    """

    key: str
    secret: str
    balances: Mapping[str, Decimal]
    permissions: frozenset[Permission] = frozenset({Permission.READ, Permission.TRADE})
    passphrase: str = ""
    ip_allow: tuple[str, ...] = ()
    pays_fees_in: str | None = None
    is_revoked: bool = False

    def allows(self, permission: Permission) -> bool:
        return permission in self.permissions

    def allows_address(self, address: str) -> bool:
        """Say whether the key may be used from this address."""
        if not self.ip_allow:
            return True
        caller = ip_address(address)
        return any(caller in ip_network(allowed, strict=False) for allowed in self.ip_allow)


@dataclass(slots=True)
class Balance:
    """One asset of one account. ``held`` is the part that open orders have reserved."""

    total: Decimal = ZERO
    held: Decimal = ZERO

    @property
    def available(self) -> Decimal:
        return self.total - self.held


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """A movement as the account's statement shows it: the state after it, and by how much."""

    account: str
    asset: str
    total: Decimal
    held: Decimal
    total_delta: Decimal
    held_delta: Decimal
    kind: str
    reference: str
    row: int


class InsufficientFunds(Exception):
    """The account does not have what the order needs."""


#: The rest of the world: it has whatever it sells, so that its balances may be negative.
CROWD: Final = "crowd"
#: Where fees go (and rebates come from).
VENUE: Final = "venue"
#: Where deposits come from and withdrawals go to.
OUTSIDE: Final = "outside"
_UNLIMITED: Final = frozenset({CROWD, VENUE, OUTSIDE})


@dataclass(slots=True)
class Balances:
    """Every balance of a twin. All movements are transfers, so that each asset always sums to zero."""

    listener: Callable[[BalanceChange], None] | None = None
    _of: dict[str, dict[str, Balance]] = field(default_factory=lambda: defaultdict(dict))
    _rows: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def of(self, account: str) -> Mapping[str, Balance]:
        """Return the account's balances by asset."""
        return self._of[account]

    def get(self, account: str, asset: str) -> Balance:
        """Return one balance; an asset that never moved has zero."""
        return self._of[account].setdefault(asset, Balance())

    def available(self, account: str, asset: str) -> Decimal:
        """Return what an order may use."""
        return self.get(account, asset).available

    def hold(self, account: str, asset: str, amount: Decimal, reference: str) -> None:
        """Reserve for an order. Raises: InsufficientFunds."""
        if account in _UNLIMITED or amount == 0:
            return
        balance = self.get(account, asset)
        if balance.available < amount:
            raise InsufficientFunds(f"{account} has {balance.available} {asset}, {amount} are needed")
        balance.held += amount
        self._tell(account, asset, ZERO, amount, "hold", reference)

    def release(self, account: str, asset: str, amount: Decimal, reference: str) -> None:
        """Give back what an order no longer needs."""
        if account in _UNLIMITED or amount == 0:
            return
        self.get(account, asset).held -= amount
        self._tell(account, asset, ZERO, -amount, "release", reference)

    def spend_held(self, payer: str, payee: str, asset: str, amount: Decimal, reference: str) -> None:
        """Pay out of what was reserved."""
        if payer not in _UNLIMITED:
            self.get(payer, asset).held -= amount
        self._transfer(payer, payee, asset, amount, -amount, "trade", reference)

    def pay(self, payer: str, payee: str, asset: str, amount: Decimal, kind: str, reference: str) -> None:
        """Pay out of what is available. A negative amount flows the other way (a rebate).

        Raises: InsufficientFunds.
        """
        if amount < 0:
            payer, payee, amount = payee, payer, -amount
        if amount == 0:
            return
        if payer not in _UNLIMITED and self.get(payer, asset).available < amount:
            raise InsufficientFunds(f"{payer} cannot pay {amount} {asset}")
        self._transfer(payer, payee, asset, amount, ZERO, kind, reference)

    def sums(self) -> dict[str, Decimal]:
        """Return each asset's total over everybody: zero, or something was made of nothing."""
        out: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for assets in self._of.values():
            for asset, balance in assets.items():
                out[asset] += balance.total
        return out

    def _transfer(
        self, payer: str, payee: str, asset: str, amount: Decimal, held_delta: Decimal, kind: str, ref: str
    ) -> None:
        self.get(payer, asset).total -= amount
        self.get(payee, asset).total += amount
        self._tell(payer, asset, -amount, held_delta, kind, ref)
        self._tell(payee, asset, amount, ZERO, kind, ref)

    def _tell(
        self, account: str, asset: str, total_delta: Decimal, held_delta: Decimal, kind: str, ref: str
    ) -> None:
        if account in _UNLIMITED or self.listener is None:
            return
        row = self._rows[account, asset] = self._rows[account, asset] + 1
        now = self.get(account, asset)
        self.listener(
            BalanceChange(account, asset, now.total, now.held, total_delta, held_delta, kind, ref, row)
        )


def check_accounts(accounts: list[Account], *, have_secrets: bool) -> dict[str, Account]:
    """Return the accounts by key. Raises: InvalidInput for a key given twice or an empty secret."""
    by_key = {account.key: account for account in accounts}
    if len(by_key) != len(accounts):
        raise InvalidInput("VALIDATION_ERROR", "Two accounts have the same key", "Give each its own key.")
    reserved = sorted(_UNLIMITED & by_key.keys())
    if reserved:
        raise InvalidInput("VALIDATION_ERROR", f"The key {reserved[0]} is reserved", "Choose another key.")
    for account in accounts:
        if not account.key or (have_secrets and not account.secret):
            raise InvalidInput("VALIDATION_ERROR", "An account has no key or secret", "Give it both.")
    return by_key
