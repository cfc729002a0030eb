"""Instruments: ids and their parts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amarktai.domain.errors import InvalidInput
from amarktai.domain.instrument import DISPLAY_NAMES, Fees, Instrument, Platform, split_instrument_id

codes = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=8)


@given(platform=st.sampled_from(Platform), base=codes, quote=codes)
def test_an_id_splits_into_what_it_was_made_of(platform: Platform, base: str, quote: str) -> None:
    step = Decimal("0.01")
    fees = Fees(Decimal(0), Decimal(0), "test")
    instrument = Instrument(platform, base, quote, step, step, step, step, fees)
    assert split_instrument_id(instrument.id) == (platform, instrument.symbol)


@pytest.mark.parametrize("text", ["", "luno", "luno:BTCZAR", "kraken:BTC/ZAR", "luno:A/B/C", "BTC/ZAR"])
def test_other_texts_are_refused_with_the_form(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        split_instrument_id(text)
    assert "venue:BASE/QUOTE" in refused.value.action


def test_every_platform_has_a_name_for_people() -> None:
    assert set(DISPLAY_NAMES) == set(Platform)
