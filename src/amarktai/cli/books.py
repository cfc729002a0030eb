"""The ledger, the encryption of keys, and people's accounts, from the machine itself."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from amarktai.cli.frame import (
    HomeOption,
    JsonOption,
    app,
    err,
    out,
    settings_of,
)


@app.command()
def audit(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Recompute every figure from the fills; exit 1 and name the first difference when there is one."""
    from amarktai.bootstrap import data as tools
    from amarktai.bootstrap import foundation

    settings = settings_of("audit", home=home)
    with foundation.borrowed_database(settings) as urls:
        report = asyncio.run(tools.audit(urls.app))
    facts = {
        "ok": report.ok,
        "users": report.users,
        "entries": report.entries,
        "fills": report.fills,
        "round_trips": report.round_trips,
        "first_difference": report.first_difference,
    }
    if as_json:
        out.print_json(json.dumps(facts))
    elif report.ok:
        counts = f"{report.entries:,} entries, {report.fills:,} fills, {report.round_trips:,} round trips"
        out.print(f"All figures follow from the fills: {counts}.", highlight=False)
    else:
        err.print(f"First difference: {report.first_difference}", highlight=False)
    if not report.ok:
        raise typer.Exit(1)


keys_app = typer.Typer(help="The encryption of saved API keys.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")


@keys_app.command("rotate")
def keys_rotate(home: HomeOption = None) -> None:
    """Wrap every saved secret with a new encryption key while the platform runs. Stopped, call it again."""
    from amarktai.bootstrap import foundation, people

    settings = settings_of("keys rotate", home=home)
    with foundation.borrowed_database(settings) as urls:
        report = asyncio.run(people.rotate_keys(settings, urls.app))
    out.print(
        f"{report.rewrapped:,} secrets wrapped anew; the encryption key is {report.kek_id} now. Back it up.",
        highlight=False,
    )


users_app = typer.Typer(help="People's accounts, from the machine itself.", no_args_is_help=True)
app.add_typer(users_app, name="users")


@users_app.command("reset-factor")
def users_reset_factor(
    email: Annotated[str, typer.Argument(help="The account's e-mail address.")], home: HomeOption = None
) -> None:
    """Remove somebody's lost second factor and end their sessions; the password stays."""
    from amarktai.bootstrap import foundation, people

    settings = settings_of("users reset-factor", home=home)
    with foundation.borrowed_database(settings) as urls:
        asyncio.run(people.reset_factor(settings, urls.app, email))
    out.print(f"{email} signs in with the password alone now, and can set up a new factor.", highlight=False)
