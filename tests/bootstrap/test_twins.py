"""A twin as a process of its own, as a person runs it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys

import httpx


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_command_prints_what_a_person_needs_and_stops_on_interrupt() -> None:
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "amarktai",
        "twin",
        "luno",
        "--port",
        str(port),
        "--account",
        "ZAR=100,XBT=1",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        text = "".join(lines)
        assert f"SYNTHETIC luno at http://127.0.0.1:{port}" in text
        key = re.search(r"Key (\w+)", text)
        secret = re.search(r"secret (\w+)", text)
        assert key is not None and secret is not None
        balance = httpx.get(f"http://127.0.0.1:{port}/api/1/balance", auth=(key.group(1), secret.group(1)))
        assert {row["asset"] for row in balance.json()["balance"]} == {"ZAR", "XBT"}
        assert httpx.get(f"http://127.0.0.1:{port}/_twin").json()["result"]["exchange"] == "luno"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_an_account_must_be_given() -> None:
    command = [sys.executable, "-m", "amarktai", "twin", "luno", "--port", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "--account" in done.stderr
