"""Optical flow on the fly: known motions, the levels of two-stream pictures, and what is refused."""

import builtins

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import videos
from praxino.catalogs.base import Video
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.streams.flow import DISFlow, decode_flow, encode_flow
from praxino.streams.probe import probe
from praxino.streams.video import VideoFile


def texture(height=96, width=128, seed=0):
    """Smooth noise that may be moved by whole pixels: uint8 [H, W, 3]."""
    coarse = np.random.default_rng(seed).random((height // 8, width // 8, 3))
    fine = np.kron(coarse, np.ones((8, 8, 1)))
    for axis in (0, 1):
        fine = sum(np.roll(fine, k, axis) for k in range(-4, 5)) / 9
    return (255 * fine).astype(np.uint8)


def moved(frames, down, right):
    return np.stack([np.roll(texture(), (k * down, k * right), (0, 1)) for k in range(frames)])


@pytest.fixture(scope="module")
def cv2():
    return pytest.importorskip("cv2", reason="OpenCV computes the flow")


@pytest.mark.parametrize("preset", ["ultrafast", "fast", "medium"])
@pytest.mark.parametrize(("down", "right"), [(0, 3), (-2, 0), (1, -4)])
def test_a_shift_is_found(cv2, preset, down, right):
    made = DISFlow(bound=8, preset=preset).make(moved(4, down, right), np.arange(3))
    assert made.shape == (3, 96, 128, 2)
    inside = np.median(made[:, 12:-12, 12:-12].astype(float), (0, 1, 2))
    # Half a pixel is 8 levels.
    assert (abs(inside - (127.5 + np.array([right, down]) * 255 / 16)) < 8).all()


def test_levels():
    # By hand: 255 * (x + 10) / 20, to the nearest whole number.
    shown = np.array([0, 10, -10, 25, -25, 1, -1], np.float32)
    assert encode_flow(shown, 10).tolist() == [128, 255, 0, 255, 0, 140, 115]
    # 0.5 and 1.5 exactly, in a bound of 127.5: to the even one.
    assert encode_flow(np.array([-127, -126, -125], np.float32), 127.5).tolist() == [0, 2, 2]


@given(bound=st.floats(0.1, 100), seed=st.integers(0, 1000))
def test_decoding_is_the_way_back(bound, seed):
    levels = np.arange(256, dtype=np.uint8)
    decoded = decode_flow(levels, bound)
    assert decoded.dtype == np.float32
    assert np.array_equal(encode_flow(decoded, bound), levels)
    flow = np.random.default_rng(seed).uniform(-bound, bound, 50).astype(np.float32)
    # Half a level, and what float32 loses of numbers up to the bound.
    assert np.abs(decode_flow(encode_flow(flow, bound), bound) - flow).max() <= bound / 255 * 1.0001 + 1e-6 * bound


def test_frames_between_gaps_are_compared_with_their_next(cv2):
    """What is computed for a few frames is what is computed for all of them, in any order of calls."""
    pixels = np.concatenate([moved(6, 1, 2), moved(6, -3, 1)])
    flow = DISFlow()
    every = flow.make(pixels, np.arange(11))
    for wanted in ([0, 4, 5, 9], [3], [10]):
        wanted = np.array(wanted)
        needed = flow.needs(wanted)
        assert needed.tolist() == sorted({*wanted.tolist(), *(wanted + 1).tolist()})
        assert np.array_equal(flow.make(pixels[needed], wanted), every[wanted])


def test_opencvs_threads_are_as_they_were(cv2):
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        DISFlow().make(moved(2, 0, 1), np.arange(1))
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def test_the_probe_counts_one_frame_less(tmp_path):
    video = Video("a", {"rgb": str(videos.write(tmp_path / "a.mp4", 20))})
    streams = {"flow": DISFlow(), "fast": DISFlow(preset="fast")}
    opened = []

    class Counted(VideoFile):
        def probe(self, video, full=False):
            opened.append(video.id)
            return super().probe(video, full)

    for needed, frames in ((["rgb"], 20), (["flow"], 19), (["rgb", "flow", "fast"], 19)):
        opened.clear()
        found = probe([video], {"rgb": Counted(), **streams}, needed, 19)
        assert (found[0].frames, found[0].status) == (frames, "ok")
        assert opened == ["a"]
    assert probe([video], streams, ["flow"], 20)[0].reason == "it has 19 frames, and 20 are needed"


def test_a_stream_of_a_stream_is_refused(tmp_path):
    video = Video("a", {"rgb": str(videos.write(tmp_path / "a.mp4", 4))})
    with pytest.raises(UserError, match="fast is made from flow, which is made itself"):
        probe([video], {"flow": DISFlow(), "fast": DISFlow(of="flow")}, ["fast"], 1)
    found = probe([video], {"flow": DISFlow(of="depth")}, ["flow"], 1)
    assert (found[0].status, found[0].reason) == (
        "unreadable",
        "it has no depth, only rgb, and no stream is named that makes it",
    )


def test_description():
    flow = DISFlow(of="rgb", bound=5, preset="fast")
    again = build(describe(flow))
    assert (again.of, again.bound, again.preset) == ("rgb", 5, "fast")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"bound": 0}, "above 0 pixels"),
        ({"bound": float("inf")}, "and finite, not inf"),
        ({"preset": "slow"}, "fast or medium"),
    ],
)
def test_refuses(arguments, said):
    with pytest.raises(UserError, match=said):
        DISFlow(**arguments)


def test_small_frames_cannot_be_used(cv2):
    with pytest.raises(ValueError, match="12 pixels at least, not 11x40"):
        DISFlow().make(np.zeros((2, 11, 40, 3), np.uint8), np.arange(1))
    assert (DISFlow().make(np.zeros((2, 12, 12, 3), np.uint8), np.arange(1)) == 128).all()


def test_without_opencv_the_line_to_mend_it_is_said(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "cv2":
            raise ImportError("No module named 'cv2'")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r'pip install "praxino\[flow\]"'):
        DISFlow().make(moved(2, 0, 1), np.arange(1))
