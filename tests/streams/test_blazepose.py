"""Keypoints and masks of networks that a test can foresee: a frame is a function of its number, and drawn in place."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose_networks import StandIn, Upright
from praxino.clips.derived import make as make_streams
from praxino.clips.derived import rows_for
from praxino.errors import UserError
from praxino.streams.base import Derived
from praxino.streams.blazepose import COCO, BlazePoseKeypoints, BlazePoseMask, Person
from praxino.streams.blazepose_region import Region
from praxino.streams.chains import chains_of, frames_of
from praxino.streams.heatmaps import draw_points

pytest.importorskip("cv2", reason="OpenCV cuts the regions")
FRAMES = np.random.default_rng(0).integers(0, 256, (70, 12, 16, 3), np.uint8)
BOTH = (BlazePoseKeypoints, BlazePoseMask)


def with_networks(stream, networks):
    stream.networks = lambda: networks
    return stream


def by_hand(stream, chain, numbers):
    """Frame by frame from the chain's beginning, by the words of the rule: the maps, and where somebody is."""
    networks, maps, present = StandIn(), [], []
    for number in numbers:
        region = None
        for k in range(number - number % chain, number + 1):
            if region is None:
                region = networks.search(FRAMES[k])
            pose = None if region is None else networks.look(FRAMES[k], region)
            seen = pose is not None and pose.flag >= 0.5
            where, region = region, None
            if seen:
                hips, top = where.to_frame(pose.points[[33, 34]])
                side = 2.5 * np.hypot(*(top - hips))
                beyond = np.maximum(-hips, hips - [16, 12]).max()
                if 1 <= side <= 160 and beyond < side / 2:
                    lean = np.arctan2(top[0] - hips[0], hips[1] - top[1])
                    region = Region(*map(float, (*hips, side, lean)))
        if seen:
            maps.append(stream.drawn(Person(pose, where), 12, 16))
        else:
            maps.append(np.zeros((12, 16, stream.channels), np.uint8))
        present.append(seen)
    return np.stack(maps), np.array(present)


@settings(deadline=None, max_examples=30)
@given(st.sets(st.integers(0, 69), min_size=1, max_size=20), st.integers(1, 20), st.sampled_from(BOTH), st.data())
def test_a_frame_is_a_function_of_its_number(numbers, chain, stream, data):
    """Whatever else is wanted, and in whatever pieces."""
    made = with_networks(stream("none", chain=chain), StandIn())
    wanted = np.array(sorted(numbers))
    needed = made.needs(wanted)
    assert set(wanted) <= set(needed.tolist())
    assert (np.diff(needed) > 0).all()
    maps, present = made.found(FRAMES[needed], wanted)
    cut = data.draw(st.integers(0, len(wanted)))
    for piece in (wanted[:cut], wanted[cut:]):
        if len(piece):
            some, there = made.found(FRAMES[made.needs(piece)], piece)
            at = np.searchsorted(wanted, piece)
            np.testing.assert_array_equal(some, maps[at])
            np.testing.assert_array_equal(there, present[at])
    want, seen = by_hand(made, chain, wanted.tolist())
    np.testing.assert_array_equal(present, seen)
    np.testing.assert_allclose(maps, want, atol=1)  # a region's place is rounded otherwise by hand
    np.testing.assert_array_equal(made.make(FRAMES[needed], wanted), maps)


def test_the_stand_in_sees_somebody_and_nobody():
    """Else the test above would say nothing."""
    made = with_networks(BlazePoseMask("none"), StandIn())
    every = np.arange(70)
    maps, present = made.found(FRAMES, every)
    assert 20 < present.sum() < 60
    assert not maps[~present].any()
    assert maps[present].any((1, 2, 3)).mean() > 0.9  # a region may be smaller than a pixel
    # What came before decides: from other beginnings other maps.
    other = with_networks(BlazePoseMask("none", chain=7), StandIn()).make(FRAMES, every)
    assert (other != maps).any((1, 2, 3)).mean() > 0.2
    # It searches where a chain begins and behind a frame without anybody, and nowhere else.
    networks = StandIn()
    with_networks(made, networks).make(FRAMES, every)
    behind = np.roll(~present, 1) | (every % 16 == 0)
    # And behind one who has left the frame.
    assert behind.sum() <= networks.searched < 50


def test_both_streams_of_the_same_frames_are_looked_at_once():
    """Of other frames, numbers or settings they are looked at anew."""
    networks, every = StandIn(), np.arange(40)
    keypoints, mask = (with_networks(stream("none"), networks) for stream in BOTH)
    alone = with_networks(BlazePoseMask("none"), StandIn()).found(FRAMES[:40], every)
    keypoints.make(FRAMES[:40], every)
    looked = networks.searched
    together = mask.found(FRAMES[:40].copy(), every)
    assert networks.searched == looked > 0
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one, other)
    changed = FRAMES[:40].copy()
    changed[0, 0, 0, 0] ^= 1
    for stream, frames, wanted in (
        (mask, changed, every),
        (mask, FRAMES[:32], every[:32]),
        (with_networks(BlazePoseMask("none", confidence=0.9), networks), FRAMES[:40], every),
        (with_networks(BlazePoseMask("none", chain=8), networks), FRAMES[:40], every),
    ):
        looked = networks.searched
        stream.make(frames, wanted)
        assert networks.searched > looked


@settings(deadline=None, max_examples=50)
@given(st.sets(st.integers(0, 300), min_size=1, max_size=20), st.integers(1, 40), st.integers(0, 40))
def test_chains(numbers, chain, lead):
    wanted = np.array(sorted(numbers))
    looked = set()
    for frames, some in chains_of(wanted, chain, lead):
        begin = some[0] - some[0] % chain
        assert (some // chain == some[0] // chain).all()
        assert frames.tolist() == list(range(max(0, begin - lead), some[-1] + 1))
        looked |= set(frames.tolist())
    assert sorted(looked) == frames_of(wanted, chain, lead).tolist()
    assert sorted(k for _, some in chains_of(wanted, chain, lead) for k in some) == wanted.tolist()


@settings(deadline=None, max_examples=40)
@given(st.integers(24, 200), st.integers(24, 200), st.integers(0, 1000))
def test_a_gaussian_is_brightest_at_its_keypoint(height, width, seed):
    """Its peak is in the pixel of the point, its sigma 2 pixels of 192: from the second moment of what is drawn."""
    side = min(height, width)
    sigma = max(2 * side / 192, 0.5)
    rng = np.random.default_rng(seed)
    reach = 5 * sigma
    points = rng.uniform([reach, reach], [width - reach, height - reach], (5, 2))
    maps = draw_points(points, height, width)
    assert (maps.shape, maps.dtype) == ((height, width, 5), np.uint8)
    for k, (x, y) in enumerate(points):
        levels = maps[..., k].astype(float)
        row, column = np.unravel_index(levels.argmax(), (height, width))
        # Two pixels between which the point lies are equally bright where they differ by less than a level.
        rounded = sigma**2 / (levels.max() - 1)
        assert abs(row + 0.5 - y) <= 0.5 + rounded
        assert abs(column + 0.5 - x) <= 0.5 + rounded
        middle = (levels.sum(0) * (np.arange(width) + 0.5)).sum() / levels.sum()
        assert abs(middle - x) < 0.1
        if sigma > 1:
            spread = np.sqrt((levels.sum(0) * (np.arange(width) + 0.5 - middle) ** 2).sum() / levels.sum())
            assert abs(spread - sigma) < 0.1 * sigma


def test_a_point_in_the_middle_of_a_pixel_is_255_there():
    maps = draw_points(np.array([[10.5, 20.5], [-40.0, 10.0]]), 192, 256)
    assert maps[20, 10, 0] == 255
    assert maps[20, 12, 0] == round(255 * np.exp(-0.5))
    assert not maps[..., 1].any()


def test_landmarks_become_cocos_keypoints_in_its_order():
    """By name: MediaPipe's 33 on one side, COCO's 17 on the other."""
    parts = "shoulder elbow wrist pinky index thumb hip knee ankle heel foot_index"
    sides = ("left", "right")
    mediapipe = ["nose", *(f"{side}_eye{part}" for side in sides for part in ("_inner", "", "_outer"))]
    pairs = ["ear", "mouth", *parts.split(" ")]
    mediapipe += [f"{side}_{part}" for part in pairs for side in sides]
    assert len(mediapipe) == 33
    pairs = ["eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"]
    coco = ["nose", *(f"{side}_{part}" for part in pairs for side in sides)]
    assert [mediapipe[k] for k in COCO] == coco
    # A frame of 40x60 lies in a square of 60 whose upper edge is 10 above it.
    points = np.stack([np.linspace(0.1, 0.9, 33), np.linspace(0.3, 0.7, 33)], 1)
    stream = with_networks(BlazePoseKeypoints("none"), Upright(points))
    maps = stream.make(np.zeros((1, 40, 60, 3), np.uint8), np.array([0]))
    for channel, name in enumerate(coco):
        x, y = points[mediapipe.index(name)] * 60 - [0, 10]
        row, column = np.unravel_index(maps[0, ..., channel].argmax(), (40, 60))
        assert abs(column + 0.5 - x) <= 0.51
        assert abs(row + 0.5 - y) <= 0.51


def test_a_mask_is_put_back_into_its_frame():
    """The right half of the square, of which a frame of 32x64 shows the middle rows."""
    mask = np.full((256, 256), -20.0, np.float32)
    mask[:, 128:] = 20
    mask[:128, 128:] = np.log(3)  # 0.75
    stream = with_networks(BlazePoseMask("none"), Upright(np.full((33, 2), 0.5), mask=mask))
    made, present = stream.found(np.zeros((1, 32, 64, 3), np.uint8), np.array([0]))
    assert present.tolist() == [True]
    assert (made[0, :, :31, 0] == 0).all()
    assert (made[0, :15, 34:62, 0] == 191).all()
    assert (made[0, 17:, 34:62, 0] == 255).all()


@pytest.mark.parametrize("stream", BOTH)
def test_nobody_is_zeros_and_not_present(stream):
    unsure = with_networks(stream("none", confidence=0.7), Upright(np.full((33, 2), 0.4), 0.69))
    wanted = np.arange(3)
    pixels = np.zeros((3, 24, 32, 3), np.uint8)
    maps, present = unsure.found(pixels, wanted)
    assert maps.shape == (3, 24, 32, stream.channels)
    assert not maps.any()
    assert not present.any()
    sure = with_networks(stream("none", confidence=0.69), Upright(np.full((33, 2), 0.4), 0.69))
    # On the way to a batch: not there where nobody is, and not where a frame of the chain is missing.
    rows = rows_for(wanted, [sure, unsure])
    made = make_streams({"a": sure, "b": unsure}, wanted, rows, pixels, np.array([True, False, True]))
    assert made["a"][1].tolist() == [True, False, False]
    assert made["b"][1].tolist() == [False] * 3


def test_streams_that_only_make_are_found_everywhere():
    class Plain(Derived):
        of = "rgb"

        def needs(self, wanted):
            return wanted

        def make(self, pixels, wanted):
            return pixels

    pixels, present = Plain().found(FRAMES[:3], np.arange(3))
    assert (pixels == FRAMES[:3]).all()
    assert present.all()


@pytest.mark.parametrize("stream", BOTH)
def test_settings(stream):
    one = stream("some.whl", "camera", 0.25, 8, "litert")
    again = pickle.loads(pickle.dumps(one))
    assert vars(again) == vars(one) == {
        "weights": "some.whl", "of": "camera", "confidence": 0.25, "chain": 8,
        "library": "litert",
    }  # fmt: skip
    for arguments, said in (
        ({"confidence": 1.5}, "takes a confidence from 0 to 1, not 1.5"),
        ({"confidence": float("nan")}, "takes a confidence from 0 to 1"),
        ({"chain": 0}, "takes a chain of at least 1 frame"),
    ):
        with pytest.raises(UserError, match=f"{stream.__name__} {said}"):
            stream("some.whl", **arguments)
    with pytest.raises(UserError, match=f"{stream.__name__}: unknown library 'lite'.*litert"):
        stream("some.whl", library="lite")
    with pytest.raises(ValueError, match="BlazePose needs frames in RGB, and those of rgb have 1 channels"):
        stream("none").make(np.zeros((1, 24, 24, 1), np.uint8), np.array([0]))


def test_opencvs_threads_are_as_they_were():
    import cv2

    before = cv2.getNumThreads()
    inside = []

    class Watched(Upright):
        def search(self, frame):
            inside.append(cv2.getNumThreads())
            return super().search(frame)

    try:
        cv2.setNumThreads(3)
        stream = with_networks(BlazePoseMask("none"), Watched(np.full((33, 2), 0.5)))
        stream.make(np.zeros((1, 24, 24, 3), np.uint8), np.array([0]))
        assert (inside, cv2.getNumThreads()) == ([1], 3)
    finally:
        cv2.setNumThreads(before)
