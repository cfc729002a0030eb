"""The dashboard's build: what makes it run again, what the footer shows, and what a failure says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.build_ui import STAMP, BuildFailed, build_sha, build_ui, npm_command, source_hash


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project whose dashboard "builds" by a script that Node runs without any package."""
    web = tmp_path / "web"
    web.mkdir()
    script = (
        "const fs = require('fs'); const out = process.env.UI_OUT_DIR;"
        "fs.mkdirSync(out, { recursive: true });"
        "fs.appendFileSync(out + '/builds.txt', process.env.BUILD_SHA + '\\n')"
    )
    (web / "build.cjs").write_text(script, encoding="utf-8")
    manifest = '{"name": "x", "scripts": {"build": "node build.cjs"}}'
    (web / "package.json").write_text(manifest, encoding="utf-8")
    lock = '{"name": "x", "lockfileVersion": 3, "packages": {"": {"name": "x"}}}'
    (web / "package-lock.json").write_text(lock, encoding="utf-8")
    (web / "node_modules").mkdir()
    return tmp_path


def builds(project: Path) -> list[str]:
    return (project / "src/amarktai/api/ui/builds.txt").read_text(encoding="utf-8").split()


def environment(**changes: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "BUILD_SHA": "a1b2c3d", **changes}


def test_a_second_build_of_the_same_source_does_nothing(project: Path) -> None:
    assert build_ui(project, environment())
    assert not build_ui(project, environment())
    assert (project / "src/amarktai/api/ui/build.json").read_text(encoding="utf-8") == '{"sha": "a1b2c3d"}'
    assert builds(project) == ["a1b2c3d"]


def test_a_changed_source_file_is_built_again(project: Path) -> None:
    build_ui(project, environment())
    (project / "web" / "index.html").write_text("<p>changed", encoding="utf-8")
    assert build_ui(project, environment())


def test_another_commit_is_built_again_because_the_footer_shows_it(project: Path) -> None:
    build_ui(project, environment())
    assert build_ui(project, environment(BUILD_SHA="ffff000"))
    assert builds(project) == ["a1b2c3d", "ffff000"]


def test_a_failed_build_leaves_no_stamp_and_says_what_to_do(project: Path) -> None:
    (project / "web" / "build.cjs").write_text("process.exit(3)", encoding="utf-8")
    with pytest.raises(BuildFailed, match="ended with 3"):
        build_ui(project, environment())
    assert not (project / "src/amarktai/api/ui" / STAMP).exists()


def test_installed_packages_are_no_source(project: Path) -> None:
    before = source_hash(project / "web", "x")
    (project / "web" / "node_modules" / "a.js").write_text("1", encoding="utf-8")
    assert source_hash(project / "web", "x") == before


def git(folder: Path, *arguments: str) -> str:
    options = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *options, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_sha_is_the_commit_and_marks_uncommitted_changes(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1", encoding="utf-8")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "a")
    head = git(tmp_path, "rev-parse", "--short=12", "HEAD")
    assert build_sha(tmp_path, {}) == head
    (tmp_path / "a").write_text("2", encoding="utf-8")
    assert build_sha(tmp_path, {}) == f"{head}+"
    assert build_sha(tmp_path, {"BUILD_SHA": "given"}) == "given"


def test_outside_a_repository_the_sha_is_unknown(tmp_path: Path) -> None:
    assert build_sha(tmp_path, {}) == "unknown"


def test_node_is_the_wheels_unless_the_systems_is_asked_for() -> None:
    command, folder = npm_command({})
    assert folder is not None
    assert all(Path(word).exists() for word in command)
    assert npm_command({"AMARKTAI_NODE": "system"})[1] is None
