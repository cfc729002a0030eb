"""The documents lead where they say, and name every event and every error code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from amarktai.ports.events import EVENTS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_RAISED = re.compile(
    r"\b(?:InvalidInput|NotFound|Conflict|Unauthenticated|Forbidden|RateLimited|Unavailable)"
    r'\(\s*"([A-Z_]+)"'
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_event_is_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert [name for name in EVENTS if f"`{name}`" not in text] == []


def test_every_error_code_is_documented() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src" / "amarktai").rglob("*.py")]
    raised = {code for source in sources for code in _RAISED.findall(source)}
    assert len(raised) > 40
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert sorted(code for code in raised if f"`{code}`" not in text) == []
