"""VALR's own documented answers (recorded from its Postman collection), by route and example."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from tests.recordings import recording

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def examples() -> list[dict[str, Any]]:
    path = recording("rest_ws_fixtures/valr/valr_rest_examples.json")
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


def bodies_of(route: str, method: str = "GET") -> list[tuple[int, Any]]:
    """Return (status, body) of every example of a route, written as VALR writes it (``:orderId``)."""
    found = []
    for item in examples():
        address = re.sub(r"^(\{\{apiBaseUrl\}\}|https://api\.valr\.com)", "", item["url"]).split("?")[0]
        if address == route and item["method"] == method and item["body"]:
            body = json.loads(_COMMENT.sub("", item["body"]), parse_float=Decimal)
            found.append((item["status"], body))
    assert found, f"no example of {route}"
    return found
