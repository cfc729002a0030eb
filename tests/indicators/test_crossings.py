from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from amarktai.indicators.crossings import crosses_above, crosses_below

LEVELS = st.sampled_from([1.0, 2.0, 3.0, float("nan")])


@given(pair=hnp.arrays(np.float64, st.tuples(st.just(2), st.integers(0, 20)), elements=LEVELS))
def test_a_cross_is_beyond_now_and_not_before(pair: np.ndarray) -> None:
    value, threshold = pair
    above, below = crosses_above(value, threshold), crosses_below(value, threshold)
    for i in range(len(value)):
        assert above[i] == (i > 0 and value[i] > threshold[i] and value[i - 1] <= threshold[i - 1])
        assert below[i] == (i > 0 and value[i] < threshold[i] and value[i - 1] >= threshold[i - 1])
