"""The pages of the exchanges follow their tables."""

from __future__ import annotations

from dataclasses import replace

from amarktai.domain.instrument import Platform
from amarktai.venues.spec import load_specs
from tools.export_venues import main, pages, render


def test_the_generated_pages_are_current() -> None:
    assert main(["--check"]) == 0


def test_every_capability_and_every_open_question_is_on_the_page() -> None:
    assert {"valr.md", "ovex.md"} <= {path.name for path in pages()}
    for spec in load_specs().values():
        if spec.capabilities is None:
            continue
        text = render(spec, spec.capabilities)
        assert all(row.note in text for row in spec.capabilities.table.values())
        assert all(item.question in text and item.check in text for item in spec.unverified)
        assert text.count("- [ ]") == len(spec.unverified) > 0


def test_how_late_a_lost_order_can_appear_is_said() -> None:
    spec = load_specs()[Platform.VALR]
    assert spec.capabilities is not None
    assert "sets no end" in render(spec, spec.capabilities)
    assert "more than 5 s" in render(spec, replace(spec.capabilities, request_ttl_ms=5_000))
