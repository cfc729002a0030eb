"""Write the API's OpenAPI document, from which the dashboard's client is generated.

Usage: python -m tools.export_openapi [FILE]   (default: standard output)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from amarktai.api.app import openapi


def render() -> str:
    """Return the document as stable text."""
    return json.dumps(openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(render(), encoding="utf-8")
    else:
        sys.stdout.write(render())
