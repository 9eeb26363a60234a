"""Training pairs: which frames, which crops, and the same ones in whichever process."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from praxino.clips.loader import ClipLoader
from praxino.errors import UnreadableVideo, UserError
from praxino.evaluations.tracking.augment import Drawn, PairCrops
from praxino.evaluations.tracking.crops import INTERPOLATIONS, crop
from praxino.evaluations.tracking.pairs import PairDataset, drawn_pair, frames_for_pairs
from tracked import MovingSequences, MovingStream, moving

cv2 = pytest.importorskip("cv2")
sides = st.one_of(st.floats(0, 700), st.sampled_from([19.9, 20, 80, 320, 160, 500, 500.1, float("nan")]))


def fits(width, height, frame_height, frame_width, cover, greatest):
    """The rule as the text has it, one box at a time."""
    if not width * height >= 20 or not (width >= 20 and height >= 20) or width > 500 or height > 500:
        return False
    if not (0.01 <= width / frame_width <= 0.5 and 0.01 <= height / frame_height <= 0.5):
        return False
    return 0.25 <= width / max(1, height) <= 4 and (cover is None or cover > max(1, 0.3 * greatest))


@given(st.lists(st.tuples(sides, sides, st.integers(0, 8)), max_size=8), st.sampled_from([(240, 320), (1000, 900)]),
       st.booleans())  # fmt: skip
def test_frames_are_those_of_the_rule(boxes, size, labelled):
    cover = [one[2] for one in boxes] if labelled else None
    found = frames_for_pairs(np.array([[5, 5, w, h] for w, h, _ in boxes]).reshape(-1, 4), *size, cover)
    greatest = max(cover or [0])
    expected = [k for k, (w, h, c) in enumerate(boxes) if fits(w, h, *size, c if labelled else None, greatest)]
    assert found.tolist() == expected


@given(st.lists(st.integers(0, 400), min_size=3, max_size=30, unique=True).map(sorted), st.integers(0, 99))
def test_a_pair_is_two_near_frames_the_earlier_one_first(frames, seed):
    first, last = drawn_pair(np.array(frames), np.random.default_rng(seed))
    assert {first, last} <= set(frames)
    assert first < last < first + 100 or first == last
    if first == last:  # 100 draws in vain: there are few such pairs, or none
        pairs = [later - one < 100 for one in frames for later in frames if later > one]
        assert np.mean(pairs) < 0.2


def test_pairs_that_are_special():
    generator = np.random.default_rng(0)
    assert drawn_pair(np.array([3, 900]), generator) == (3, 900)
    found = {drawn_pair(np.array([0, 200, 400]), generator) for _ in range(50)}
    assert found == {(0, 0), (200, 200), (400, 400)}
    near = {drawn_pair(np.arange(0, 6), generator) for _ in range(300)}
    assert near == {(a, b) for a in range(6) for b in range(a + 1, 6)}


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 999), st.sampled_from([(120, 255, 8, 0.05), (32, 63, 1, 0.5), (16, 40, 12, 0.0), (30, 50, 3, 0.9)])
)
def test_crops_have_their_sides_whatever_is_drawn(seed, numbers):
    exemplar, instance, margin, stretch = numbers
    crops = PairCrops(exemplar, instance, margin=margin, stretch=stretch)
    frames, boxes = moving(frames=1, seed=seed % 3)
    drawn = crops.drawn(np.random.default_rng(seed))
    z, x = crops.exemplar_of(frames[0], boxes[0], drawn[0]), crops.search_of(frames[0], boxes[0], drawn[1])
    assert (z.shape, x.shape) == ((exemplar, exemplar, 3), (instance - 2 * margin,) * 2 + (3,))


def test_draws_are_of_the_published_ranges():
    drawn = [one for seed in range(400) for one in PairCrops().drawn(np.random.default_rng(seed))]
    for interpolations in ({one.cropped for one in drawn}, {one.stretched for one in drawn}):
        assert interpolations == set(INTERPOLATIONS)
    shares = np.array([one.stretch for one in drawn])
    assert -0.05 <= shares.min() < -0.045 < 0.045 < shares.max() <= 0.05
    assert {one.top for one in drawn} == {one.left for one in drawn} == set(range(9))


def test_without_stretch_a_crop_is_a_part_of_the_trackers():
    """247 of 255 pixels in the middle begin at 4; the part of 239 begins `top` and `left` further."""
    frames, boxes = moving(frames=1)
    (x, y, width, height), crops = boxes[0], PairCrops()
    plain = Drawn("linear", "nearest", 0.0, 3, 7)
    side = np.sqrt((height + width) * (height + width)) * 255 / 120  # of a square object
    whole = crop(frames[0], (y + (height - 1) / 2, x + (width - 1) / 2), side, 255)
    assert (crops.search_of(frames[0], boxes[0], plain) == whole[7:246, 11:250]).all()
    assert (crops.exemplar_of(frames[0], boxes[0], plain) == whole[67:187, 71:191]).all()


def dataset(rows, sequences=None, **more):
    return PairDataset(sequences or MovingSequences(), np.asarray(rows), PairCrops(), {"rgb": MovingStream()}, **more)


def test_a_batch_holds_two_streams_and_which_frames_they_are_of():
    frames, boxes = moving(seed=2)
    data = dataset([2, 2, 5])
    generator, again = (np.random.default_rng(7) for _ in range(2))
    loaded = data.load(0, generator)
    pair = drawn_pair(np.arange(12), again)
    drawn = data.crops.drawn(again)
    assert loaded.numbers.tolist() == [list(pair)]
    assert loaded.times.tolist() == [[one / 25 for one in pair]]
    expected = data.crops.exemplar_of(frames[pair[0]], boxes[pair[0]], drawn[0])
    assert (loaded.streams["exemplar"].pixels == expected).all()
    expected = data.crops.search_of(frames[pair[1]], boxes[pair[1]], drawn[1])
    assert (loaded.streams["search"].pixels == expected).all()
    batch = next(iter(ClipLoader(data, 3).batches()))
    assert [*batch.streams["exemplar"].clips().shape] == [3, 1, 1, 120, 120, 3]
    assert [*batch.streams["search"].clips().shape] == [3, 1, 1, 239, 239, 3]
    assert [*batch.numbers.shape] == [3, 1, 2]


def test_loading_processes_change_nothing():
    batches = []
    for workers in (0, 2):
        loader = ClipLoader(dataset(np.tile(np.arange(6), 2), seed=3), 4, workers)
        source = loader.batches()
        batches.append([next(source) for _ in range(4)])
        source.close()
    for one, other in zip(*batches, strict=True):
        assert torch.equal(one.index, other.index)
        assert torch.equal(one.numbers, other.numbers)
        assert all(torch.equal(one.streams[name].pixels, other.streams[name].pixels) for name in one.streams)
    assert not torch.equal(batches[0][0].index, batches[0][3].index)


def test_sequences_without_pairs_are_unreadable_and_replaced():
    data = dataset(np.arange(6), MovingSequences(small=(1,)))
    with pytest.raises(UnreadableVideo, match="fewer than two frames whose boxes are trained on"):
        data.load(1, np.random.default_rng(0))
    batches = [batch for batch, _ in zip(ClipLoader(data, 2).batches(), range(3), strict=False)]
    replaced = [line for batch in batches for line in batch.replaced]
    assert len(replaced) == 1
    assert replaced[0].startswith("moving01: a pair broke while loading (has fewer than two frames")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"instance": 130}, "is below the exemplar's side"),
        ({"margin": 0}, "--margin must be 1 or more"),
        ({"stretch": 1.0}, "stretch must be from 0"),
        ({"context": -1.0}, "--context must be 0 or more"),
    ],
)
def test_crops_that_cannot_be_are_refused(more, said):
    with pytest.raises(UserError, match=said):
        PairCrops(**more)
