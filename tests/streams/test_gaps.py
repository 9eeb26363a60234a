"""How gaps are filled as CoCon does it: held against the rule, entry by entry."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from praxino.streams.gaps import filled_in_clips, sources_as_cocon


def slowly(entries):
    for _ in range(2):
        entries = [entries[k - 1] if entry is None else entry for k, entry in enumerate(entries)]
    return entries


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_two_passes(present):
    want = slowly([k if there else None for k, there in enumerate(present)])
    assert sources_as_cocon(present).tolist() == [-1 if source is None else source for source in want]


def test_a_gap_of_three_ends_in_zeros_and_the_first_takes_the_last():
    """Each clip by itself; what fills a gap is not present."""
    pixels = np.array([0, 7, 0, 0, 0, 9, 5], np.uint8)[:, None, None, None].repeat(2, 1).repeat(3, 2)
    present = pixels[:, 0, 0, 0] > 0
    clips = np.array([[0, 1, 2, 3, 4, 5], [1, 5, 6, 6, 2, 1]])
    filled, there, where = filled_in_clips(pixels, present, clips)
    assert filled[where][:, :, 0, 0, 0].tolist() == [[9, 7, 7, 7, 0, 9], [7, 9, 5, 5, 5, 7]]
    assert there[where].tolist() == present[clips].tolist()
    assert filled.dtype == np.uint8


def test_clips_without_gaps_stay_as_they_are():
    pixels, present = np.ones((3, 2, 2, 2), np.uint8), np.array([True, False, True])
    where = np.array([[0, 2, 2]])
    assert filled_in_clips(pixels, present, where) == (pixels, present, where)
