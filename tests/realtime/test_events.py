"""No event without an emitter, and none that the dashboard does not handle."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from amarktai.ports.events import EVENTS, EventPayload
from amarktai.realtime.relay import OUTBOX_CHANNEL, PRICES_CHANNEL
from amarktai.storage import outbox, prices
from tools.export_events import TARGET, render

ROOT = Path(__file__).parents[2]
EMITTERS = ("services", "workers")


def _strings_of_emitters() -> set[str]:
    """Return every string constant in the code that emits; docstrings cannot match a name."""
    found: set[str] = set()
    for layer in EMITTERS:
        for path in (ROOT / "src" / "amarktai" / layer).glob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
    return found


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_emitted_somewhere(name: str) -> None:
    assert name in _strings_of_emitters(), f"nobody emits {name}: remove it or emit it"


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_handled_by_the_dashboard(name: str) -> None:
    handlers = (ROOT / "web" / "src" / "live" / "events.ts").read_text(encoding="utf-8")
    assert re.search(rf"^  {name}: ", handlers, re.MULTILINE), (
        f"web/src/live/events.ts does not handle {name}"
    )


def test_the_dashboards_types_are_the_registrys() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(), "run python -m tools.export_events"


def test_payload_fields_never_hide_the_envelopes() -> None:
    for name, payload in EVENTS.items():
        assert issubclass(payload, EventPayload)
        assert not {"type", "seq", "at"} & set(payload.model_fields), name


def test_writers_and_relay_mean_the_same_channels() -> None:
    assert (outbox.CHANNEL, prices.CHANNEL) == (OUTBOX_CHANNEL, PRICES_CHANNEL)
