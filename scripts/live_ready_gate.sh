#!/usr/bin/env bash
# The live gate as a script: prints every check, exits 0 when live trading may be switched on, 1 when not.
#
#   scripts/live_ready_gate.sh [--home FOLDER] [--json]
#
# It asks the platform that runs in the data folder, and says what is missing when none does.
set -u
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
if [ -x "$here/.venv/bin/python" ]; then
  python="$here/.venv/bin/python"
else
  python="$(command -v python3)" || { echo "Python is missing: run make setup." >&2; exit 1; }
fi
if ! "$python" -c "import amarktai" 2>/dev/null; then
  echo "Amarktai is not installed here: run make setup." >&2
  exit 1
fi
"$python" -m amarktai ready "$@" || exit 1
