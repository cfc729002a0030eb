"""House rules that no other tool checks; ``make check`` runs it.

- A module over 500 lines (a test over 800) or a function over 70 lines says why on its first line
  (``# long: …``; for a function, in its ``def`` line's comment or the module's first line).
- No package or module with a name that says nothing.
- Every module of the pure layers has its test, where a newcomer looks for it.
- Generated files are up to date: settings page, OpenAPI, event types, the exchanges' pages.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "src" / "amarktai"
BANNED_NAMES: Final = frozenset({"utils", "util", "common", "helpers", "helper", "core", "manager", "misc"})
MIRRORED: Final = ("domain", "ledger", "indicators", "backtest")
#: Whose tests need a database and so stand with the service that uses them.
TESTED_WITH: Final = {"recomputation": "services/test_ledger_audit.py"}
GENERATORS: Final = (
    "tools.export_settings",
    "tools.export_openapi",
    "tools.export_events",
    "tools.export_venues",
)


def main() -> int:
    """Print every breach; return 1 when there is one."""
    problems = [*_sizes(), *_names(), *_mirrors(), *_generated()]
    for problem in problems:
        print(problem)
    if not problems:
        print("tidy: all house rules hold")
    return 1 if problems else 0


def _python_files() -> Iterator[Path]:
    for folder in ("src", "tests", "tools", "benchmarks"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def _sizes() -> Iterator[str]:
    for path in _python_files():
        if "migrations" in path.parts:
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        excused = bool(lines) and lines[0].startswith("# long:")
        limit = 800 if "tests" in path.parts else 500
        where = path.relative_to(ROOT)
        if len(lines) > limit and not excused:
            yield f"{where}: {len(lines)} lines, over {limit}; split it or say why first (# long: …)"
        yield from _long_functions(path, lines, excused=excused)


def _long_functions(path: Path, lines: list[str], *, excused: bool) -> Iterator[str]:
    for node in ast.walk(ast.parse("\n".join(lines))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.end_lineno is None:
            continue
        length = node.end_lineno - node.lineno + 1
        head = " ".join(lines[node.lineno - 1 : node.body[0].lineno - 1])
        if length > 70 and "long:" not in head and not excused and "tests" not in path.parts:
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            yield f"{where}: {node.name} has {length} lines, over 70; say why (# long: …)"


def _names() -> Iterator[str]:
    for path in _python_files():
        for part in (*path.relative_to(ROOT).parts[:-1], path.stem):
            if part in BANNED_NAMES:
                yield f"{path.relative_to(ROOT)}: {part!r} says nothing; name it for what it holds"


def _mirrors() -> Iterator[str]:
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    for layer in MIRRORED:
        for path in sorted((SOURCE / layer).rglob("*.py")):
            if (ROOT / "tests" / TESTED_WITH.get(path.stem, "absent")).exists():
                continue
            has_behaviour = "    return " in path.read_text(encoding="utf-8")
            if has_behaviour and path.stem != "__init__" and f"test_{path.stem}.py" not in tests:
                yield f"{path.relative_to(ROOT)}: there is no test_{path.stem}.py"


def _generated() -> Iterator[str]:
    for generator in GENERATORS:
        command = [sys.executable, "-m", generator, "--check"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stdout + done.stderr).strip().splitlines()
            yield f"{generator}: {said[-1] if said else 'failed'} (run it without --check)"


if __name__ == "__main__":
    sys.exit(main())
