"""Which build runs: the program's commit, and the commit of the dashboard that is served."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

#: The dashboard's build writes this file beside its pages: ``{"sha": …, "built_at": …}``.
STAMP: Final = "build.json"
_ROOT: Final = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """The program's build as read at start, and where the dashboard's stamp is."""

    sha: str | None
    branch: str | None
    build_time: str | None
    environment: str
    host: str
    ui_folder: Path

    @property
    def dashboard_sha(self) -> str | None:
        """The commit that the served dashboard was built from; read each time, for it can be rebuilt."""
        try:
            stamp = json.loads((self.ui_folder / STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        sha = stamp.get("sha") if isinstance(stamp, dict) else None
        return sha if isinstance(sha, str) else None

    def view(self) -> dict[str, Any]:
        """Return what ``GET /api/system/build`` shows."""
        expected = self.dashboard_sha
        note = (
            "A page that shows another commit is older than the served one: reload it."
            if expected
            else "The dashboard is not built; python -m tools.build_ui builds it."
        )
        return {
            "success": True,
            "backend": {
                "sha": self.sha,
                "branch": self.branch,
                "build_time": self.build_time,
                "python_version": platform.python_version(),
            },
            "frontend": {"expected_sha": expected, "note": note},
            "deployment": {"environment": self.environment, "host": self.host},
        }


def read_build(environ: Mapping[str, str], *, environment: str, host: str, ui_folder: Path) -> BuildInfo:
    """Return the build from ``BUILD_SHA``, ``BUILD_BRANCH`` and ``BUILD_TIME``, else from git.

    A tree with uncommitted changes shows a ``+`` after its commit.
    """
    sha, branch, at = (environ.get(f"BUILD_{name}") for name in ("SHA", "BRANCH", "TIME"))
    if sha is None and (_ROOT / ".git").exists():
        sha = _git("rev-parse", "--short=12", "HEAD")
        if sha and _git("status", "--porcelain", "--untracked-files=no"):
            sha += "+"
        branch = branch or _git("rev-parse", "--abbrev-ref", "HEAD")
        at = at or _git("log", "-1", "--format=%cI")
    return BuildInfo(sha, branch, at, environment, host, ui_folder)


def _git(*arguments: str) -> str | None:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", str(_ROOT), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
