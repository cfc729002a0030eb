"""Puts a twin together: which exchanges have one, with real time and seeded randomness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

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
from amarktai.twins.server import RunningTwin, serving
from amarktai.twins.twin import Setting, Twin

TWINS: Final[Mapping[str, type[Twin]]] = {twin.name: twin for twin in (LunoTwin, BinanceTwin, KucoinTwin)}


@asynccontextmanager
async def running_twin(
    name: str,
    *,
    accounts: Sequence[Account],
    seed: str = "1",
    port: int = 0,
    markets: Sequence[Market] | None = None,
    recordings: Mapping[str, Path] | None = None,
    turn_s: float | None = 1.0,
    clock: Clock | None = None,
    limits_rates: bool = True,
) -> AsyncIterator[RunningTwin]:
    """Serve a twin on loopback while the block runs; port 0 takes a free one.

    ``recordings`` are recorded tickers by market; the other markets are synthetic, from ``seed``.
    ``turn_s`` None: the market moves only when ``twin.control.move_markets()`` says so.
    Raises: InvalidInput for an exchange that has no twin or a market it does not have.
    """
    kind = TWINS.get(name)
    if kind is None:
        raise InvalidInput("VALIDATION_ERROR", f"{name} has no twin", "There are: " + ", ".join(TWINS) + ".")
    setting = Setting(
        accounts, clock or SystemClock(), SeededRng(f"{name}/{seed}"),
        markets=markets, crowds=_crowds(kind, markets, recordings or {}), turn_s=turn_s,
        limits_rates=limits_rates,
    )  # fmt: skip
    async with serving(kind(setting), port) as running:
        yield running


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


def made_up_account(name: str, text: str, seed: str) -> Account:
    """Return an account from ``ASSET=AMOUNT,…`` with a key and secret made from the seed.

    Raises: InvalidInput when the text is not of that form.
    """
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
    rng = SeededRng(f"{name}/{seed}/{text}")
    return Account(
        key=rng.bytes(32).hex(),
        secret=rng.bytes(32).hex(),
        balances=balances,
        permissions=frozenset({Permission.READ, Permission.TRADE}),
        passphrase=rng.bytes(8).hex(),
    )


async def run_twin(
    name: str, accounts: Sequence[Account], *, seed: str, port: int, started: Callable[[RunningTwin], None]
) -> None:
    """Serve a twin until cancelled; ``started`` hears of it once it answers."""
    async with running_twin(name, accounts=accounts, seed=seed, port=port) as running:
        started(running)
        await asyncio.Event().wait()
