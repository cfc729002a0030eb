"""The dashboard's event types follow the registry."""

from __future__ import annotations

import pytest

from amarktai.ports.events import EVENTS
from tools.export_events import main, render, typescript_type


def test_the_generated_file_is_current() -> None:
    assert main(["--check"]) == 0


def test_every_event_is_in_the_interface() -> None:
    text = render()
    assert [name for name in EVENTS if f"  {name}: {{" not in text] == []


def test_rows_are_typed_by_their_field_and_optional_fields_may_be_null() -> None:
    assert typescript_type("bot", EVENTS["bot_created"].model_fields["bot"].annotation) == "Bot"
    assert typescript_type("bot_id", EVENTS["alert"].model_fields["bot_id"].annotation) == "string | null"


def test_a_type_without_a_rule_is_refused() -> None:
    with pytest.raises(TypeError, match="no TypeScript type"):
        typescript_type("x", complex)
