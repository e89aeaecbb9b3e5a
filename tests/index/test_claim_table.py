"""Keys looked up by row and rows by key say the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmedbot.index.claim_table import KeyRows

pytestmark = pytest.mark.core

NAMES = ("bone", "hip", "nerve", "unused")


@given(keys=st.lists(st.sets(st.sampled_from(NAMES[:3])), min_size=1, max_size=30))
def test_the_rows_of_a_key_are_those_that_have_it(keys: list[set[str]]) -> None:
    flat = np.array([NAMES.index(key) for own in keys for key in sorted(own)], dtype=np.int32)
    starts = np.cumsum([0, *map(len, keys)], dtype=np.int32)
    rows_of = KeyRows(NAMES, flat, starts)
    for name in (*NAMES, "never heard of"):
        assert rows_of.of(name).tolist() == [row for row, own in enumerate(keys) if name in own]
