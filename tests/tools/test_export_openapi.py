"""The dashboard's types are generated from a committed document that must follow the API."""

from __future__ import annotations

from pathlib import Path

from tools.export_openapi import render

COMMITTED = Path(__file__).resolve().parents[2] / "web" / "openapi.json"


def test_the_committed_document_is_current() -> None:
    message = "Run: python -m tools.export_openapi web/openapi.json, then npm run types in web/"
    assert COMMITTED.read_text(encoding="utf-8") == render(), message
