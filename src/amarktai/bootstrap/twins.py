"""Puts a twin together: which exchanges have one, with real time and seeded randomness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, TypedDict, Unpack

from amarktai.domain.errors import InvalidInput
from amarktai.ports.clock import Clock
from amarktai.system.clock import SystemClock
from amarktai.system.rng import SeededRng
from amarktai.twins.accounts import Account, Permission
from amarktai.twins.binance.twin import BinanceTwin
from amarktai.twins.kucoin.twin import KucoinTwin
from amarktai.twins.luno.twin import LunoTwin
from amarktai.twins.market import Crowd, RecordedCrowd, read_quotes
from amarktai.twins.orders import Market
from amarktai.twins.ovex.twin import OvexTwin
from amarktai.twins.server import RunningTwin, serving
from amarktai.twins.twin import Setting, Twin
from amarktai.twins.valr.twin import ValrTwin

TWINS: Final[Mapping[str, type[Twin]]] = {
    twin.name: twin for twin in (LunoTwin, BinanceTwin, KucoinTwin, ValrTwin, OvexTwin)
}


class Options(TypedDict, total=False):
    """How a twin's world is made; what is left out is as below.

    ``seed`` "1"; ``port`` 0 takes a free one; ``clock`` the machine's; ``markets`` the exchange's usual
    ones; ``recordings`` (recorded tickers by market) none, so that all markets are synthetic; ``turn_s``
    1: how often the crowd moves, None: only when ``control.move_markets()`` says so; ``is_quiet`` False: True
    where nobody reads the market's streams; ``limits_rates`` True.
    """

    seed: str
    port: int
    clock: Clock
    markets: Sequence[Market]
    recordings: Mapping[str, Path]
    turn_s: float | None
    is_quiet: bool
    limits_rates: bool


@asynccontextmanager
async def running_twin(
    name: str, *, accounts: Sequence[Account], **options: Unpack[Options]
) -> AsyncIterator[RunningTwin]:
    """Serve a twin on loopback while the block runs.

    Raises: InvalidInput for an exchange that has no twin or a market it does not have.
    """
    kind = _kind(name)
    setting = Setting(
        accounts,
        options.get("clock") or SystemClock(),
        SeededRng(f"{name}/{options.get('seed', '1')}"),
        markets=options.get("markets"),
        crowds=_crowds(kind, options.get("markets"), options.get("recordings", {})),
        turn_s=options.get("turn_s", 1.0),
        is_quiet=options.get("is_quiet", False),
        limits_rates=options.get("limits_rates", True),
    )
    async with serving(kind(setting), options.get("port", 0)) as running:
        yield running


def _kind(name: str) -> type[Twin]:
    kind = TWINS.get(name)
    if kind is None:
        raise InvalidInput("VALIDATION_ERROR", f"{name} has no twin", "There are: " + ", ".join(TWINS) + ".")
    return kind


def _crowds(
    kind: type[Twin], markets: Sequence[Market] | None, recordings: Mapping[str, Path]
) -> dict[str, Crowd]:
    known = {market.symbol: market for market in markets or kind.default_markets}
    unknown = sorted(recordings.keys() - known.keys())
    if unknown:
        raise InvalidInput(
            "VALIDATION_ERROR", f"{kind.name}'s twin has no market {unknown[0]}",
            "There are: " + ", ".join(sorted(known)) + ".",
        )  # fmt: skip
    return {symbol: RecordedCrowd(known[symbol], read_quotes(path)) for symbol, path in recordings.items()}


def made_up_account(name: str, text: str, seed: str, rights: Sequence[str]) -> Account:
    """Return an account from ``ASSET=AMOUNT,…`` with a key made from the seed, in the exchange's form.

    Raises: InvalidInput when there is no such twin, the text is not of that form or a right is unknown.
    """
    unknown = sorted(set(rights) - {permission.value for permission in Permission})
    if unknown:
        raise InvalidInput(
            "VALIDATION_ERROR", f"{unknown[0]} is no right",
            "Choose from: " + ", ".join(Permission) + ".",
        )  # fmt: skip
    balances: dict[str, Decimal] = {}
    for part in text.split(","):
        asset, _, amount = part.partition("=")
        try:
            balances[asset.strip()] = Decimal(amount)
        except InvalidOperation as bad:
            raise InvalidInput(
                "VALIDATION_ERROR",
                f"--account {text!r}: {part!r} is not ASSET=AMOUNT",
                "For example --account ZAR=100000,XBT=1",
            ) from bad
    key, secret, passphrase = _kind(name).make_up_key(SeededRng(f"{name}/{seed}/{text}"))
    permissions = frozenset(Permission(right) for right in rights)
    return Account(key, secret, balances, permissions, passphrase)


async def run_twin(
    name: str, accounts: Sequence[Account], started: Callable[[RunningTwin], None], **options: Unpack[Options]
) -> None:
    """Serve a twin until cancelled; ``started`` hears of it once it answers."""
    async with running_twin(name, accounts=accounts, **options) as running:
        started(running)
        await asyncio.Event().wait()
