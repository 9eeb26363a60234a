"""Hashes of frames, and the part of two videos that agrees best, against a slow plain version."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from praxino.search.alignment import agreement, best_run
from praxino.search.hashes import BITS, MIRRORED, PER_SECOND, Hashes, bits_of, signs_of


def hashes(bits, said=None):
    """Hashes of frames whose inner parts are like nothing."""
    times = np.arange(len(bits)) / PER_SECOND
    inner = np.random.default_rng([len(bits), 1, 2]).integers(0, 256, bits.shape, np.uint8)
    return Hashes(times, bits, inner, np.ones(len(bits), bool) if said is None else said)


def drawn(seed, steps):
    return np.random.default_rng(seed).integers(0, 256, (steps, 8), np.uint8)


@settings(max_examples=60, deadline=None)
@given(arrays(np.int8, st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 6)), elements=st.integers(-4, 4)))
def test_the_best_run_is_that_of_all_runs(rows):
    """Against every run along every diagonal of every matrix."""
    height, ways, width = rows.shape
    sums = {
        (way, first, other, length): sum(int(rows[first + k, way, other + k]) for k in range(length))
        for way in range(ways)
        for first in range(height)
        for other in range(width)
        for length in range(1, min(height - first, width - other) + 1)
    }
    run = best_run(rows.astype(np.float32))
    assert run.sum == max(0, *sums.values())
    if run.length:
        assert sums[run[1:]] == run.sum
    else:
        assert max(sums.values()) <= 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(8, 40), st.integers(0, 30), st.integers(0, 30), st.booleans())
def test_a_part_is_found_where_it_was_put(seed, length, here, there, mirrored):
    common, one, other = drawn(seed, length), drawn(seed + 1, here + length + 5), drawn(seed + 2, there + length + 9)
    one[here : here + length] = common
    shown = np.packbits(signs_of(common) * (MIRRORED if mirrored else 1) > 0, axis=1)
    other[there : there + length] = shown
    found = agreement(hashes(one), hashes(other), 12)
    assert (found.start, found.other_start) == (here / PER_SECOND, there / PER_SECOND)
    assert (found.end, found.other_end) == ((here + length - 1) / PER_SECOND, (there + length - 1) / PER_SECOND)
    assert (found.steps, found.distance, found.mirrored) == (length, 0, mirrored)
    assert found.share == length / min(len(one), len(other))


def test_flat_frames_say_nothing():
    bits, flat = drawn(0, 40), np.zeros(40, bool)
    assert agreement(hashes(bits, flat), hashes(bits, flat), 12) is None
    said = np.arange(40) >= 20
    found = agreement(hashes(bits, said), hashes(bits, said), 12)
    assert (found.start, found.share, found.steps) == (20 / PER_SECOND, 1, 20)
    assert agreement(hashes(bits), hashes(bits, flat), 12) is None
    between = np.ones(40, bool)
    between[15:18] = False  # a black moment in both does not end what agrees
    assert agreement(hashes(bits, between), hashes(bits, between), 12).end == 39 / PER_SECOND


def test_bits_are_those_of_the_cosine_transform_and_of_a_mirror():
    noise = np.random.default_rng(0).integers(0, 256, (3, 6, 7), np.uint8)
    pictures = [np.asarray(Image.fromarray(one).resize((40, 40), Image.Resampling.BICUBIC), float) for one in noise]
    for picture in pictures:
        wanted = [
            sum(
                picture[y, x] * np.cos(np.pi / 40 * down * (y + 0.5)) * np.cos(np.pi / 40 * across * (x + 0.5))
                for y in range(40)
                for x in range(40)
            )
            > 0
            for down, across in [(0, 1), (0, 2), (1, 0), (1, 1), (3, 5), (7, 7)]
        ]
        signs = signs_of(bits_of(picture[None].astype(np.float32)))[0]
        assert [signs[at] > 0 for at in (0, 1, 7, 8, 28, 62)] == wanted
    grey = np.stack(pictures).astype(np.float32)
    assert signs_of(bits_of(grey)).shape == (3, BITS)
    assert np.array_equal(signs_of(bits_of(grey[:, :, ::-1])), signs_of(bits_of(grey)) * MIRRORED)
