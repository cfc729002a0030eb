"""The control API: what the world and the exchange's operators do to a twin.

In Python as methods, over HTTP under ``/_twin``. It has no password: a twin listens on loopback only,
and holds nothing but made-up money.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from amarktai.domain.errors import AmarktaiError, InvalidInput, NotFound
from amarktai.domain.money import ZERO
from amarktai.domain.order import Side
from amarktai.twins.accounts import Account, InsufficientFunds, Permission
from amarktai.twins.calls import Answer
from amarktai.twins.faults import Fault, FaultKind, Operation
from amarktai.twins.orders import Kind, NewOrder, Order
from amarktai.twins.rules import Refused
from amarktai.twins.twin import Twin

PREFIX: Final = "/_twin"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ArmFault(_Body):
    """POST /_twin/faults"""

    kind: FaultKind
    operation: Operation | None = None
    key: str | None = None
    skip: int = Field(default=0, ge=0)
    count: int | None = Field(default=1, ge=1)
    seconds: float = Field(default=0.0, ge=0)
    chance: float = Field(default=1.0, gt=0, le=1)


class MoveFunds(_Body):
    """POST /_twin/deposit; a negative amount is a withdrawal."""

    key: str
    asset: str
    amount: Decimal


class SetRights(_Body):
    """POST /_twin/permissions"""

    key: str
    permissions: list[Permission] | None = None
    ip_allow: list[str] | None = None
    is_revoked: bool | None = None


class ManualTrade(_Body):
    """POST /_twin/trade: the account's owner trades by hand, at the market or at ``price``."""

    key: str
    market: str
    side: Side
    quantity: Decimal = Field(gt=0)
    price: Decimal | None = Field(default=None, gt=0)


class Restart(_Body):
    """POST /_twin/restart"""

    seconds: float = Field(default=0.0, ge=0)
    cancel_all: bool = False


class SetBook(_Body):
    """POST /_twin/book: the crowd's whole book, as [price, quantity] pairs."""

    market: str
    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]


class CrowdTakes(_Body):
    """POST /_twin/crowd: the crowd buys or sells at the market."""

    market: str
    side: Side
    quantity: Decimal = Field(gt=0)


class Suspend(_Body):
    """POST /_twin/suspend"""

    market: str
    is_suspended: bool = True


class Control:
    """Acts on one twin. Every method is immediate."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin

    def arm(
        self,
        kind: FaultKind | str,
        operation: Operation | str | None = None,
        *,
        key: str | None = None,
        skip: int = 0,
        count: int | None = 1,
        seconds: float = 0.0,
        chance: float = 1.0,
    ) -> Fault:
        """Arm a fault. Raises: InvalidInput when that kind cannot strike that operation."""
        fault = Fault(
            FaultKind(kind),
            None if operation is None else Operation(operation),
            key=key, skip=skip, count=count, seconds=seconds, chance=chance,
        )  # fmt: skip
        if fault.kind is FaultKind.STALE:
            fault.snapshot = self._twin.exchange.snapshot()
        return self._twin.faults.arm(fault)

    def clear(self, number: int | None = None) -> None:
        """Disarm one fault, or all."""
        self._twin.faults.clear(number)

    def deposit(self, key: str, asset: str, amount: Decimal) -> None:
        """Credit an account; a negative amount withdraws. Raises: NotFound, InvalidInput."""
        self._account(key)
        try:
            self._twin.exchange.deposit(key, asset, amount, self._now(), "by hand")
        except InsufficientFunds as short:
            raise InvalidInput("INSUFFICIENT_FUNDS", str(short), "Withdraw less.") from short

    def set_rights(
        self,
        key: str,
        *,
        permissions: frozenset[Permission] | None = None,
        ip_allow: tuple[str, ...] | None = None,
        is_revoked: bool | None = None,
    ) -> None:
        """Change what a key may do and from where, or revoke it. What is None stays."""
        account = self._account(key)
        if permissions is not None:
            account.permissions = permissions
        if ip_allow is not None:
            account.ip_allow = ip_allow
        if is_revoked is not None:
            account.is_revoked = is_revoked

    def trade(
        self, key: str, market: str, side: Side | str, quantity: Decimal, price: Decimal | None = None
    ) -> Order:
        """Trade by hand for an account, past its key. Raises: NotFound, InvalidInput when it is refused."""
        self._account(key)
        self._market(market)
        kind = Kind.MARKET if price is None else Kind.LIMIT
        wish = NewOrder(key, market, Side(side), kind, quantity, price=price)
        try:
            return self._twin.exchange.submit(wish, self._now())
        except Refused as refusal:
            raise InvalidInput("VALIDATION_ERROR", refusal.reason.value, "Change the order.") from refusal

    def cancel_all(self, key: str | None = None, reason: str = "by the exchange") -> list[Order]:
        """Cancel an account's live orders, or everybody's, as an exchange's operator does."""
        return self._twin.exchange.cancel_all(key, None, self._now(), reason)

    def restart(self, *, seconds: float = 0.0, cancel_all: bool = False) -> None:
        """Break every connection and answer nothing for ``seconds``."""
        if cancel_all:
            self.cancel_all(reason="restart")
        for connection in list(self._twin.connections):
            connection.cut_off()
        self._twin.down_until_ns = self._now() + round(seconds * 1e9)

    def disconnect(self, key: str | None = None) -> None:
        """Break an account's stream connections, or all."""
        connections = self._twin.connections if key is None else self._twin.connections_of(key)
        for connection in list(connections):
            connection.cut_off()

    def set_book(self, market: str, bids: dict[Decimal, Decimal], asks: dict[Decimal, Decimal]) -> None:
        """Replace the crowd's book (price -> quantity)."""
        self._market(market)
        self._twin.exchange.set_crowd_book(market, bids, asks, self._now())

    def crowd_takes(self, market: str, side: Side | str, quantity: Decimal) -> None:
        """Let the crowd buy or sell at the market."""
        self._market(market)
        self._twin.exchange.crowd_takes(market, Side(side), quantity, self._now())

    def suspend(self, market: str, *, is_suspended: bool = True) -> None:
        """Stop or resume trading in a market."""
        self._market(market)
        suspended = self._twin.exchange.suspended
        (suspended.add if is_suspended else suspended.discard)(market)

    def move_markets(self) -> None:
        """Let every crowd take one turn."""
        self._twin.move_markets()

    def balances(self, key: str) -> dict[str, tuple[Decimal, Decimal]]:
        """Return (total, held) by asset: what a ledger of this account must agree with."""
        self._account(key)
        return {asset: (b.total, b.held) for asset, b in self._twin.exchange.balances.of(key).items()}

    def state(self) -> dict[str, Any]:
        """Return the twin's books, accounts and faults, for people and for scripts."""
        exchange = self._twin.exchange
        sums = {asset: str(total) for asset, total in exchange.balances.sums().items() if total}
        return {
            "exchange": self._twin.name,
            "markets": {symbol: _top(self._twin, symbol) for symbol in exchange.markets},
            "accounts": {key: self._describe(account) for key, account in self._twin.accounts.items()},
            "faults": [describe_fault(fault) for fault in self._twin.faults.all()],
            "connections": len(self._twin.connections),
            "imbalance": sums,
        }

    def _describe(self, account: Account) -> dict[str, Any]:
        balances = {
            asset: {"total": str(total), "held": str(held)}
            for asset, (total, held) in self.balances(account.key).items()
        }
        return {
            "permissions": sorted(account.permissions),
            "ip_allow": list(account.ip_allow),
            "is_revoked": account.is_revoked,
            "balances": balances,
            "orders": len(self._twin.exchange.orders_of[account.key]),
            "live_orders": len(self._twin.exchange.live_orders(account.key)),
            "fills": len(self._twin.exchange.fills_of[account.key]),
        }

    def _account(self, key: str) -> Account:
        account = self._twin.accounts.get(key)
        if account is None:
            raise NotFound("NOT_FOUND", "No account has that key", "GET /_twin lists the accounts.")
        return account

    def _market(self, symbol: str) -> None:
        if symbol not in self._twin.exchange.markets:
            known = ", ".join(sorted(self._twin.exchange.markets))
            raise NotFound("NOT_FOUND", f"There is no market {symbol}", f"There are: {known}.")

    def _now(self) -> int:
        return self._twin.clock.now_ns()


def describe_fault(fault: Fault) -> dict[str, Any]:
    """Return a fault as the control API shows it."""
    return {
        "number": fault.number,
        "kind": fault.kind,
        "operation": fault.operation,
        "key": fault.key,
        "skip": fault.skip,
        "count": fault.count,
        "seconds": fault.seconds,
        "chance": fault.chance,
        "struck": fault.struck,
    }


def _top(twin: Twin, symbol: str) -> dict[str, str | None]:
    book = twin.exchange.books[symbol]
    bid, ask = book.bids.best(), book.asks.best()
    return {
        "bid": None if bid is None else str(bid.price),
        "ask": None if ask is None else str(ask.price),
        "last": None if book.last is None else str(book.last),
    }


class ControlApi:
    """The same over HTTP: JSON in, JSON out, errors as ``{code, detail, action}``."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._actions: dict[tuple[str, str], Callable[[bytes], Any]] = {
            ("GET", ""): lambda _: control.state(),
            ("GET", "/faults"): lambda _: control.state()["faults"],
            ("POST", "/faults"): self._arm,
            ("DELETE", "/faults"): lambda _: control.clear(),
            ("POST", "/deposit"): self._deposit,
            ("POST", "/permissions"): self._rights,
            ("POST", "/trade"): self._trade,
            ("POST", "/restart"): self._restart,
            ("POST", "/disconnect"): lambda _: control.disconnect(),
            ("POST", "/book"): self._book,
            ("POST", "/crowd"): self._crowd,
            ("POST", "/suspend"): self._suspend,
            ("POST", "/move"): lambda _: control.move_markets(),
        }

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Do what is asked and answer it."""
        action = self._actions.get((method, path.removeprefix(PREFIX).rstrip("/")))
        if action is None:
            known = ", ".join(f"{verb} {PREFIX}{rest}" for verb, rest in self._actions)
            return _error(404, "NOT_FOUND", f"{method} {path} does nothing", f"There are: {known}.")
        try:
            return Answer({"done": True, "result": action(body or b"{}")})
        except ValidationError as error:
            return _error(422, "VALIDATION_ERROR", str(error), "Correct the body.")
        except NotFound as error:
            return _error(404, error.code, error.detail, error.action)
        except AmarktaiError as error:
            return _error(422, error.code, error.detail, error.action)

    def _arm(self, body: bytes) -> Any:
        asked = ArmFault.model_validate_json(body)
        return describe_fault(self._control.arm(**dict(asked)))

    def _deposit(self, body: bytes) -> None:
        self._control.deposit(**dict(MoveFunds.model_validate_json(body)))

    def _rights(self, body: bytes) -> None:
        asked = SetRights.model_validate_json(body)
        self._control.set_rights(
            asked.key,
            permissions=None if asked.permissions is None else frozenset(asked.permissions),
            ip_allow=None if asked.ip_allow is None else tuple(asked.ip_allow),
            is_revoked=asked.is_revoked,
        )

    def _trade(self, body: bytes) -> Any:
        order = self._control.trade(**dict(ManualTrade.model_validate_json(body)))
        return {"order_id": order.id, "state": order.state, "filled": str(order.filled)}

    def _restart(self, body: bytes) -> None:
        self._control.restart(**dict(Restart.model_validate_json(body)))

    def _book(self, body: bytes) -> None:
        asked = SetBook.model_validate_json(body)
        for _, quantity in [*asked.bids, *asked.asks]:
            if quantity <= ZERO:
                raise InvalidInput("VALIDATION_ERROR", "A quantity is not positive", "Leave that level out.")
        self._control.set_book(asked.market, dict(asked.bids), dict(asked.asks))

    def _crowd(self, body: bytes) -> None:
        self._control.crowd_takes(**dict(CrowdTakes.model_validate_json(body)))

    def _suspend(self, body: bytes) -> None:
        asked = Suspend.model_validate_json(body)
        self._control.suspend(asked.market, is_suspended=asked.is_suspended)


def _error(status: int, code: str, detail: str, action: str) -> Answer:
    return Answer({"code": code, "detail": detail, "action": action}, status)
