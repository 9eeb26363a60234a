"""How gaps are filled as CoCon does it: held against the rule, entry by entry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxino.streams.gaps import filled_as_cocon, sources_as_cocon


def slowly(entries):
    for _ in range(2):
        entries = [entries[k - 1] if entry is None else entry for k, entry in enumerate(entries)]
    return entries


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_two_passes(present):
    want = slowly([k if there else None for k, there in enumerate(present)])
    assert sources_as_cocon(present).tolist() == [-1 if source is None else source for source in want]


def test_a_gap_of_three_ends_in_zeros_and_the_first_takes_the_last():
    pictures = [None, np.full((2, 3), 7, np.uint8), None, None, None, np.full((2, 3), 9, np.uint8)]
    filled = filled_as_cocon(pictures)
    assert [picture[0, 0] for picture in filled] == [9, 7, 7, 7, 0, 9]
    assert all(picture.shape == (2, 3) and picture.dtype == np.uint8 for picture in filled)


def test_nothing_cannot_be_filled():
    with pytest.raises(ValueError, match="none of the pictures is there"):
        filled_as_cocon([None, None])
