"""Running the platform: everything together, or one role alone."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Annotated, Any

import typer

from amarktai.cli.frame import (
    HomeOption,
    app,
    out,
    settings_of,
)

PortOption = Annotated[int | None, typer.Option("--port", help="Port (AMARKTAI_PORT).", show_default="8000")]
HostOption = Annotated[
    str | None, typer.Option("--host", help="Address (AMARKTAI_HOST).", show_default="127.0.0.1")
]


@app.command()
def up(home: HomeOption = None, host: HostOption = None, port: PortOption = None) -> None:
    """Start everything on this machine: database, API with dashboard, engine and jobs. Ctrl-C stops it."""
    from amarktai.api.serve import bind
    from amarktai.bootstrap import foundation, people
    from amarktai.bootstrap.web import prepare_first_admin
    from amarktai.workers.supervisor import Role, Supervisor

    settings = settings_of("up", home=home, host=host, port=port)
    listener = bind(settings)
    out.print("Starting the database …", highlight=False)
    database, urls = foundation.start_database(settings)
    try:
        token = asyncio.run(prepare_first_admin(settings, urls.app))
        _greet(settings.host, listener.getsockname()[1], token)
        if token is not None:
            out.print(
                f"The encryption key of saved API keys is in {people.key_ring(settings).place}: back it up, "
                "apart from the data.",
                highlight=False,
                soft_wrap=True,
            )
        common = ["--home", str(settings.home)]
        roles = [
            Role("api", ["api", *common, "--descriptor", str(listener.fileno())], [listener.fileno()]),
            Role("engine", ["engine", *common]),
            Role("jobs", ["jobs", *common]),
        ]
        keep = foundation.database_keeper(database)
        asyncio.run(Supervisor(roles, foundation.real_time()[0], keep).run())
        out.print("Stopped.", highlight=False)
    finally:
        if database is not None:
            database.stop()


def _greet(host: str, port: int, token: str | None) -> None:
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    out.print(f"Amarktai starts at [bold]{address}[/bold]", highlight=False)
    if token is not None:
        out.print("First start: open this link to create the admin. It works once.", highlight=False)
        out.print(f"  {address}/setup?token={token}", highlight=False, soft_wrap=True)


#: A descriptor that the supervisor keeps open: its end tells a role that the supervisor is gone.
LifelineOption = Annotated[int | None, typer.Option(hidden=True)]


@app.command()
def api(
    home: HomeOption = None,
    host: HostOption = None,
    port: PortOption = None,
    descriptor: Annotated[int | None, typer.Option(hidden=True)] = None,
    lifeline: LifelineOption = None,
) -> None:
    """Run only the API with the dashboard, against a database that runs already."""
    from amarktai.api.serve import bind
    from amarktai.bootstrap import foundation
    from amarktai.bootstrap.web import run_api

    settings = settings_of("api", home=home, host=host, port=port)
    listener = bind(settings) if descriptor is None else socket.socket(fileno=descriptor)
    run_role(run_api(settings, foundation.attach_database(settings), listener), lifeline)


@app.command()
def engine(home: HomeOption = None, lifeline: LifelineOption = None) -> None:
    """Run only the trading engine, against a database that runs already."""
    from amarktai.bootstrap import foundation
    from amarktai.bootstrap.trading import run_engine
    from amarktai.workers.engine import StartAnew
    from amarktai.workers.supervisor import START_ANEW

    settings = settings_of("engine", home=home)
    try:
        run_role(run_engine(settings, foundation.attach_database(settings)), lifeline)
    except* StartAnew:
        sys.exit(START_ANEW)


@app.command()
def jobs(home: HomeOption = None, lifeline: LifelineOption = None) -> None:
    """Run only the housekeeping jobs, against a database that runs already."""
    from amarktai.bootstrap import foundation
    from amarktai.bootstrap.jobs import run_jobs

    settings = settings_of("jobs", home=home)
    run_role(run_jobs(settings, foundation.attach_database(settings)), lifeline)


@app.command("emergency-stop")
def emergency_stop(
    reason: Annotated[str | None, typer.Option(help="Why; people read it in the dashboard.")] = None,
    release: Annotated[bool, typer.Option("--release", help="Release the stop instead.")] = False,
    home: HomeOption = None,
) -> None:
    """Stop everybody's bots at once, also while the database is down. Positions can still be closed."""
    from amarktai.bootstrap import foundation, stopping

    settings = settings_of("emergency-stop", home=home)
    file = stopping.change_file(settings, reason, release=release)
    if not release:
        out.print(
            f"Stopped: nothing that adds risk leaves as long as {file} is there.",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    app_url = foundation.running_database(settings)
    if app_url is None:
        after = "The stop is released when it runs and this is said again." if release else "Bots pause then."
        out.print(f"No database runs in {settings.home}. {after}", highlight=False, soft_wrap=True)
        return
    asyncio.run(stopping.change_stop(settings, app_url, reason, release=release))
    out.print("Released. Bots stay paused." if release else "Bots are paused.", highlight=False)


def run_role(work: Coroutine[Any, Any, None], lifeline: int | None) -> None:
    """Run one role until SIGTERM, Ctrl-C or the supervisor's end, which all end it cleanly."""
    from amarktai.bootstrap.event_loop import run_loop

    async def until_told() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        if lifeline is not None:
            loop.add_reader(lifeline, _let_go, loop, lifeline, task)
        with suppress(asyncio.CancelledError):
            await task

    run_loop(until_told())


def _let_go(loop: asyncio.AbstractEventLoop, lifeline: int, task: asyncio.Future[None]) -> None:
    """Nothing is ever written to the lifeline, so that it is readable means that it has ended."""
    loop.remove_reader(lifeline)
    task.cancel()
