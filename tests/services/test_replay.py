"""What a replay's specification refuses, and how it says what would be right."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from amarktai.domain.errors import InvalidInput
from amarktai.services.replay import load_spec

GOOD = """
title = "One bot"
seed = 7
since = 2024-01-01

[[feeds]]
kind = "candles"
path = "bars.csv"
platform = "binance"
pair = "BTC/USDT"
timeframe = "1h"

[[bots]]
name = "Cross"
platform = "binance"
pair = "BTC/USDT"
strategy = "ema_cross"
capital_zar = 12000
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "replay.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_specification_that_is_right_is_read(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, GOOD.replace("2024-01-01", "2024-01-01T00:00:00Z")))
    assert (spec.title, spec.seed, spec.funding) == ("One bot", 7, Decimal(12_000))
    assert spec.since_ts == 1_704_067_200_000_000_000


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("titel", "title"), ("capital_zr", "capital_zar"), ("stratgy", "strategy"), ("timefram", "timeframe")],
)
def test_an_unknown_key_is_refused_with_the_nearest_right_one(tmp_path: Path, wrong: str, right: str) -> None:
    text = GOOD.replace(f"{right} =", f"{wrong} =", 1)
    if right in {"title", "strategy"}:
        text = GOOD.replace(f"{right} =", f"{wrong} = 'x'\n{right} =", 1)
    with pytest.raises(InvalidInput) as refused:
        load_spec(write(tmp_path, text))
    assert refused.value.code == "REPLAY_SPEC"
    assert wrong in refused.value.detail
    assert refused.value.action == f"Did you mean {right!r}?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "\n[[bots", "is no TOML"),
        (GOOD.partition("[[bots]]")[0], "bots"),
        (GOOD.replace('"candles"', '"cadles"'), "feeds.0.kind"),
        (GOOD.replace('"binance"', '"binanze"'), "feeds.0.platform"),
        (GOOD.replace("12000", '"much"'), "bots.0.capital_zar"),
        (GOOD + "\nsnapshot_hours = 0\n", "snapshot_hours"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InvalidInput) as refused:
        load_spec(path)
    assert str(path) in refused.value.detail
    assert said in refused.value.detail
    assert refused.value.action


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"absent\.toml cannot be read"):
        load_spec(tmp_path / "absent.toml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "replay.toml"
    path.write_bytes(b"\xff\xfe\x00title")
    with pytest.raises(InvalidInput, match="is no TOML"):
        load_spec(path)
