"""Write the API's OpenAPI document, from which the dashboard's client is generated.

Usage: python -m tools.export_openapi [--check]   (writes web/openapi.json, or only compares)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from amarktai.api.app import openapi

TARGET: Final = Path(__file__).resolve().parent.parent / "web" / "openapi.json"


def render() -> str:
    """Return the document as stable text."""
    return json.dumps(openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the document; with --check only say whether it is up to date."""
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(render(), encoding="utf-8")
        return 0
    if TARGET.read_text(encoding="utf-8") == render():
        return 0
    print(f"{TARGET.name} is stale: run python -m tools.export_openapi, then npm run types in web/")
    return 1


if __name__ == "__main__":
    sys.exit(main())
