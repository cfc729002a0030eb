"""The built dashboard keeps to its size limits."""

from __future__ import annotations

import subprocess

from tools.build_ui import ROOT, build_ui, npm_command


def test_the_dashboard_is_within_its_limits() -> None:
    build_ui()
    (node, *_), _ = npm_command({})
    command = [node, "scripts/budget.ts", str(ROOT / "src" / "amarktai" / "api" / "ui")]
    result = subprocess.run(command, cwd=ROOT / "web", capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "script before the overview is usable" in result.stdout
