"""Exchanges: twins to practise on, and checks of the real ones."""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from amarktai.cli.frame import (
    JsonOption,
    PlatformArgument,
    app,
    out,
    pairs,
)
from amarktai.cli.platform import run_role
from amarktai.config import check_server_url, is_on_this_machine
from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import parse_platform
from amarktai.domain.provider import Credentials


@app.command()
def twin(
    exchange: PlatformArgument,
    account: Annotated[
        list[str], typer.Option("--account", help="ASSET=AMOUNT,… in the exchange's words; repeatable.")
    ],
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")],
    seed: Annotated[str, typer.Option(help="The same seed gives the same market and keys.")] = "1",
    right: Annotated[
        list[str] | None,
        typer.Option(
            "--right", help="read, trade, withdraw or transfer; repeatable.", show_default="read, trade"
        ),
    ] = None,
    recording: Annotated[
        list[str] | None,
        typer.Option("--recording", help="MARKET=tickers.csv, repeatable; other markets are synthetic."),
    ] = None,
) -> None:
    """Run a local server that speaks an exchange's protocol, with made-up money. Ctrl-C stops it."""
    from amarktai.bootstrap import twins

    rights = right or ["read", "trade"]
    accounts = [twins.made_up_account(exchange, text, seed, rights) for text in account]
    recordings = {market: Path(path) for market, path in pairs(recording).items()}
    work = twins.run_twin(exchange, accounts, _print_twin, seed=seed, port=port, recordings=recordings)
    run_role(work, None)


def _print_twin(running: Any) -> None:
    out.print(f"SYNTHETIC {running.twin.name} at {running.url}, streams at {running.ws_url}", highlight=False)
    out.print(f"Control: {running.control_url}", highlight=False)
    for account in running.twin.accounts.values():
        out.print(f"Key {account.key}", highlight=False, soft_wrap=True)
        if account.secret:
            out.print(f"  secret {account.secret}", highlight=False, soft_wrap=True)
        if account.passphrase:
            out.print(f"  passphrase {account.passphrase}", highlight=False)


venue_app = typer.Typer(help="Exchanges: try an adapter for real.", no_args_is_help=True)
app.add_typer(venue_app, name="venue")


@venue_app.command("check")
def venue_check(
    platform: PlatformArgument,
    pair: Annotated[str | None, typer.Option(help="The market to look at, e.g. BTC/ZAR.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Only what needs no key.")] = False,
    trade: Annotated[
        bool,
        typer.Option("--trade", help="Also place the smallest orders, far from the market, and cancel them."),
    ] = False,
    fill: Annotated[
        bool,
        typer.Option(
            "--fill", help="Also buy the least at the market and sell it again: costs fees and spread."
        ),
    ] = False,
    worth: Annotated[
        float | None,
        typer.Option(help="Buy for about so much (quote asset) with --fill, not for the least.", min=0.01),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Place real orders without asking; needed without a terminal.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="A twin's address instead of the exchange's.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Go through an exchange's adapter item by item; exit 1 when one fails.

    The key is asked for and kept nowhere; without a terminal its parts are read from standard input,
    a line each.
    """
    from amarktai.bootstrap import venue_check as checks

    exchange = parse_platform(platform)
    if url is not None:
        check_server_url(url)
    if (trade or fill) and not yes and not is_on_this_machine(url):
        _consent(trade=trade, fill=fill)
    key = None if public else _ask_key(checks.KEY_PARTS[exchange])
    symbol = (pair or checks.usual_symbol(exchange)).upper()
    wanted = checks.Wanted(
        exchange, symbol, key, url, places_an_order=trade, trades_at_market=fill,
        least_worth=None if worth is None else Decimal(str(worth)),
    )  # fmt: skip
    items = asyncio.run(_print_items(checks.check_venue(wanted), quiet=as_json))
    if as_json:
        out.print_json(json.dumps(items))
    if any(item["outcome"] == "failed" for item in items):
        raise typer.Exit(1)


def _consent(*, trade: bool, fill: bool) -> None:
    """Raises: InvalidInput where nobody can be asked."""
    deeds = ["places real orders and cancels them"] * trade + ["buys and sells with real money"] * fill
    if not sys.stdin.isatty():
        raise InvalidInput(
            "VALIDATION_ERROR", f"This {' and '.join(deeds)}", "Add --yes if that is what you want."
        )
    typer.confirm(f"This {' and '.join(deeds)}. Go on?", abort=True)


def _ask_key(parts: tuple[str, ...]) -> Credentials:
    if sys.stdin.isatty():
        return Credentials(*(typer.prompt(part, hide_input=True) for part in parts))
    lines = [line.strip() for line in sys.stdin.readlines()][: len(parts)]
    if len(lines) < len(parts) or not all(lines):
        raise InvalidInput(
            "VALIDATION_ERROR", "The key is not complete", f"Give one line each: {', '.join(parts)}."
        )
    return Credentials(*lines)


async def _print_items(items: Any, *, quiet: bool) -> list[dict[str, str]]:
    styles = {"passed": "green", "failed": "bold red"}
    seen = []
    async for item in items:
        seen.append({"name": item.name, "outcome": item.outcome.value, "detail": item.detail})
        if not quiet:
            mark = Text(f"{item.outcome.value:<10}", style=styles.get(item.outcome.value, "dim"))
            out.print(mark + Text(f"{item.name}: {item.detail}"), soft_wrap=True)
    return seen
