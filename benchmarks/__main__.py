"""Run every benchmark: ``make bench``. Each prints its ratios and says which limits it met."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = (
    "benchmarks.engine",
    "benchmarks.events",
    "benchmarks.summary",
    "benchmarks.kernel",
    "benchmarks.venues",
    "benchmarks.reconcile",
    "benchmarks.live",
    "benchmarks.twins",
    "benchmarks.dashboard",
)


def main() -> int:
    failed = []
    for name in BENCHMARKS:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", name], check=False).returncode:
            failed.append(name)
    print("limits missed in: " + ", ".join(failed) if failed else "every limit is met")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
