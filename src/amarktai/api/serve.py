"""The HTTP server: one socket, bound before anything is promised, and Uvicorn on it."""

from __future__ import annotations

import errno
import socket
from typing import Any, Final

import psutil
import uvicorn
from starlette.types import ASGIApp

from amarktai.config import Settings
from amarktai.domain.errors import Unavailable

_BACKLOG: Final = 2_048
_LARGEST_MESSAGE_BYTES: Final = 4_096


def bind(settings: Settings) -> socket.socket:
    """Return a listening socket on the settings' address.

    Raises: Unavailable PORT_IN_USE, which names the process that has it and the setting to change.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _refusal(settings, error) from error
    listener.set_inheritable(True)
    return listener


def server(app: ASGIApp, settings: Settings, *, websocket_protocol: type[Any]) -> uvicorn.Server:
    """Return the server; run it with ``await server.serve(sockets=[bind(settings)])``."""
    config = uvicorn.Config(
        app,
        http="h11",  # bounds the size of what a stranger may send as headers, which httptools does not
        ws=websocket_protocol,
        ws_max_size=_LARGEST_MESSAGE_BYTES,
        ws_per_message_deflate=False,  # frames are built once for everybody
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        proxy_headers=settings.behind_tls_proxy,
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=5,
        lifespan="off",
    )
    return uvicorn.Server(config)


def _refusal(settings: Settings, error: OSError) -> Unavailable:
    address = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return Unavailable(
            "PORT_IN_USE",
            f"{address} is in use{_holder(settings.port)}.",
            "Stop that process, or choose another port with AMARKTAI_PORT or --port.",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return Unavailable(
            "PORT_FORBIDDEN",
            f"This user may not listen on {address}.",
            "Choose a port from 1024 on with AMARKTAI_PORT or --port.",
        )
    return Unavailable(
        "ADDRESS_UNUSABLE",
        f"{address} cannot be listened on: {error.strerror}.",
        "Correct AMARKTAI_HOST or --host.",
    )


def _holder(port: int) -> str:
    """Return who has the port, as far as the system lets us see."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        return ""
    return ""
