"""Write docs/venues/<name>.md from each exchange's own table of capabilities and open questions.

Usage: python -m tools.export_venues [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from amarktai.domain.instrument import DISPLAY_NAMES
from amarktai.domain.order import OrderType
from amarktai.ports.exchange import Capabilities, Support
from amarktai.venues.spec import VenueSpec, load_specs

FOLDER: Final = Path(__file__).parents[1] / "docs" / "venues"
_WORDS: Final = {
    Support.NATIVE: "yes",
    Support.EMULATED: "by the platform",
    Support.ABSENT: "no",
    Support.UNKNOWN: "unknown",
}


def pages() -> dict[Path, str]:
    """Return every page that has a table to be written from, as it should be."""
    return {
        FOLDER / f"{spec.platform}.md": render(spec, spec.capabilities)
        for spec in load_specs().values()
        if spec.capabilities is not None
    }


def render(spec: VenueSpec, capabilities: Capabilities) -> str:
    """Return one exchange's page."""
    name = DISPLAY_NAMES[spec.platform]
    parts = [
        f"# {name}",
        f"<!-- Written by tools/export_venues.py from src/amarktai/venues/exchanges/{spec.platform}. -->",
        spec.note,
        "\n".join(f"- {fact}" for fact in spec.facts),
        "## What it can do",
        _table(capabilities),
        _ttl(name, capabilities),
        "## What only the real exchange can tell",
        "No document answers these; an owner with an account can. Each step prints what the exchange "
        "says, and the exit code is 1 when one fails:",
        _commands(spec, capabilities),
        "\n".join(
            f"- [ ] {item.question} *Taken for now:* {item.assumed} *To see:* {item.check}"
            for item in spec.unverified
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _commands(spec: VenueSpec, capabilities: Capabilities) -> str:
    """Return what of the list a program can try, the cheapest first."""
    command = f"amarktai venue check {spec.platform}"
    lines = [f"{command:<38} # asks for the key, reads only"]
    if OrderType.LIMIT in capabilities.order_types:
        lines.append(f"{command + ' --trade':<38} # also the smallest orders, far from the market, cancelled")
    lines.append(f"{command + ' --fill':<38} # also buys the least and sells it again: costs fees and spread")
    return "\n".join(["```sh", *lines, "```"])


def _table(capabilities: Capabilities) -> str:
    rows = [f"| {what} | {_WORDS[row.support]} | {row.note} |" for what, row in capabilities.table.items()]
    return "\n".join(["| What | There? | How |", "|---|---|---|", *rows])


def _ttl(name: str, capabilities: Capabilities) -> str:
    """Return how late an order that got lost on its way could still appear."""
    ids = f"A client order id is unique among: {capabilities.client_id_scope}."
    if capabilities.request_ttl_ms is None:
        return f"{ids} {name} sets no end to how late a create that was sent can arrive."
    seconds = capabilities.request_ttl_ms / 1_000
    return f"{ids} {name} refuses a create that arrives more than {seconds:g} s after it was sent."


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with --check only compare them."""
    stale = [path for path, text in pages().items() if _read(path) != text]
    if "--check" in arguments:
        for path in stale:
            print(f"docs/venues/{path.name} is not up to date")
        return 1 if stale else 0
    for path in stale:
        path.write_text(pages()[path], encoding="utf-8")
    return 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
