"""What every command shares: the program, its two consoles, and common options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from amarktai import config
from amarktai.domain.errors import InvalidInput

app = typer.Typer(
    name="amarktai",
    help="Crypto trading bots with one true profit in rand. Start with: amarktai up",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
out = Console()
err = Console(stderr=True)

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Data folder (AMARKTAI_HOME).", show_default="var")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")]


def settings_of(command: str, **overrides: Any) -> config.Settings:
    """Return the settings of the environment and the folder, what the command line says on top.

    From here on logs go to standard error as the settings say, under the command's name.
    """
    from amarktai.bootstrap.foundation import start_logs

    settings = config.load(os.environ, **overrides)
    start_logs(settings, command)
    return settings


PlatformArgument = Annotated[str, typer.Argument(help="luno, binance, kucoin, ovex or valr.")]
PairArgument = Annotated[str, typer.Argument(help="For example BTC/USDT.")]
TimeframeArgument = Annotated[str, typer.Argument(help="1m, 5m, 15m, 30m, 1h, 4h or 1d.")]


def shown_counts(counts: dict[str, int]) -> str:
    """Return counts as people read them: ``filled 12, canceled 3``."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def shown_amount(amount: str | None) -> str:
    """Return an amount in rand; what is not known is said to be unknown."""
    return "unknown" if amount is None else f"R {float(amount):,.2f}"


def pairs(given: list[str] | None) -> dict[str, str]:
    """Return {name: value} of arguments written as name=value. Raises: InvalidInput."""
    found: dict[str, str] = {}
    for item in given or []:
        name, separator, value = item.partition("=")
        if not separator:
            raise InvalidInput(
                "VALIDATION_ERROR", f"{item!r} is not name=value", "Write it with an equals sign."
            )
        found[name] = value
    return found


def seeds_of(text: str) -> list[int]:
    """Return the seeds written as 7 or as 1..20. Raises: InvalidInput."""
    first, _, last = text.partition("..")
    try:
        numbers = list(range(int(first), int(last or first) + 1))
    except ValueError:
        numbers = []
    if not numbers:
        raise InvalidInput("VALIDATION_ERROR", f"{text!r} is no seed", "Give one as 7, several as 1..20.")
    return numbers


def build_of(command: str) -> str:
    """Return what a command that takes long works on: as it is before, whatever changes on disk meanwhile.

    A name that ends with ``+`` has changes that no commit has.
    """
    from amarktai.bootstrap import readiness

    return readiness.build_name(readiness.build_info(settings_of(command)))
