"""The query parameters of every list, and a page as the API shows it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from amarktai.services.paging import MAX_LIMIT, Page

Cursor = Annotated[
    str | None,
    Query(pattern=r"^[A-Za-z0-9_-]+$", max_length=400, description="``next_cursor`` of the page before."),
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items on the page.")]


def page(found: Page) -> dict[str, Any]:
    """Return the page's fields; ``total`` only where the list counts."""
    shown: dict[str, Any] = {"items": found.items, "next_cursor": found.next_cursor}
    return shown if found.total is None else {**shown, "total": found.total}
