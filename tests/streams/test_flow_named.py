"""Optical flow by Farneback's algorithm and TV-L1, and by a class of the user's: each is what it is called."""

import numpy as np
import pytest

import videos
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.streams.flow import DISFlow, PairwiseFlow, decode_flow, encode_flow
from praxino.streams.flow_named import FarnebackFlow, TVL1Flow

cv2 = pytest.importorskip("cv2")
CONTRIB = hasattr(getattr(cv2, "optflow", None), "DualTVL1OpticalFlow_create")
needs_contrib = pytest.mark.skipif(not CONTRIB, reason="opencv-contrib is in an environment of its own")
ALL = [FarnebackFlow, DISFlow, pytest.param(TVL1Flow, marks=needs_contrib)]


def moving(right, down, frames=3, size=(60, 80)):
    """A smooth texture that moves by so many pixels a frame, in whole ones."""
    texture = np.random.default_rng(0).integers(0, 256, (200, 220, 3), dtype=np.uint8)
    texture = cv2.GaussianBlur(texture, (0, 0), 2.5)
    at = [(60 - k * down, 60 - k * right) for k in range(frames)]
    return np.stack([texture[y : y + size[0], x : x + size[1]] for y, x in at])


@pytest.mark.parametrize("flow", ALL)
@pytest.mark.parametrize(("right", "down"), [(2, 0), (0, -2), (-1, 2)])
def test_what_moves_is_measured(flow, right, down):
    """u is the motion to the right, v the motion down."""
    made = flow(bound=5).make(moving(right, down), np.arange(2))
    assert made.shape == (2, 60, 80, 2)
    inner = decode_flow(made[:, 12:-12, 12:-12], 5)
    # Farneback's windows draw the flow to 0 where the texture is weak.
    assert np.abs(np.median(inner, (0, 1, 2)) - (right, down)).max() < 0.4


@pytest.mark.parametrize("flow", ALL)
def test_one_frame_alone_has_the_flow_that_it_has_among_others(flow):
    frames = moving(1, 1, 5)
    together = flow().make(frames, np.arange(4))
    for k in range(4):
        assert np.array_equal(flow().make(frames[k : k + 2], np.array([k]))[0], together[k])


def test_farneback_is_opencvs_with_these_numbers():
    frames = moving(2, 1, 2)
    one, other = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames)
    plain = cv2.calcOpticalFlowFarneback(one, other, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    assert np.array_equal(FarnebackFlow(bound=7).make(frames, np.arange(1))[0], encode_flow(plain, 7))
    settings = {"scale": 0.6, "levels": 2, "window": 9, "iterations": 2, "neighbourhood": 7, "sigma": 1.5}
    plain = cv2.calcOpticalFlowFarneback(one, other, None, 0.6, 2, 9, 2, 7, 1.5, 0)
    assert np.array_equal(FarnebackFlow(**settings).make(frames, np.arange(1))[0], encode_flow(plain, 20))


@needs_contrib
def test_tvl1_is_opencvs():
    frames = moving(1, 0, 2)
    one, other = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames)
    plain = cv2.optflow.DualTVL1OpticalFlow_create().calc(one, other, None)
    assert np.array_equal(TVL1Flow().make(frames, np.arange(1))[0], encode_flow(plain, 20))
    quick = TVL1Flow(scales=2, warps=1, epsilon=0.1).make(frames, np.arange(1))[0]
    assert not np.array_equal(quick, encode_flow(plain, 20))


@pytest.mark.skipif(CONTRIB, reason="opencv-contrib is there")
def test_without_contrib_tvl1_is_a_line():
    with pytest.raises(UserError, match=r"^TVL1Flow needs opencv-contrib-python-headless, which clashes with [^\n]*$"):
        TVL1Flow().make(moving(1, 0), np.arange(2))


class Nothing(PairwiseFlow):
    """A user's: no motion anywhere."""

    def __init__(self, of: str = "rgb", bound: float = 20.0, level: float = 0.0) -> None:
        super().__init__(of, bound)
        self.level = level

    def estimator(self, cv2):
        assert cv2.getNumThreads() == 1
        return lambda one, next: np.full((*one.shape, 2), self.level, np.float32)


def test_a_users_own():
    threads = cv2.getNumThreads()
    made = Nothing(level=10).make(moving(0, 0), np.arange(2))
    assert (made == 191).all()
    assert cv2.getNumThreads() == threads


def refuses(cv2):
    def estimate(one, next):
        raise cv2.error("what OpenCV says")

    return estimate


def test_what_opencv_refuses_is_a_reason(monkeypatch):
    monkeypatch.setattr(Nothing, "estimator", lambda self, cv2: refuses(cv2))
    with pytest.raises(ValueError, match="OpenCV computes no flow of its frames"):
        Nothing().make(moving(0, 0), np.arange(2))


@pytest.mark.parametrize("flow", [FarnebackFlow, TVL1Flow])
def test_frames_that_are_too_small_or_grey(flow):
    with pytest.raises(ValueError, match="12 pixels at least, not 8x9"):
        flow().make(np.zeros((2, 8, 9, 3), np.uint8), np.arange(1))
    with pytest.raises(ValueError, match="have 1 channels"):
        flow().make(np.zeros((2, 20, 20, 1), np.uint8), np.arange(1))


@pytest.mark.parametrize(
    ("flow", "arguments", "said"),
    [
        (FarnebackFlow, {"bound": 0}, "FarnebackFlow's bound must be above 0"),
        (FarnebackFlow, {"scale": 1}, "FarnebackFlow's scale must be between 0 and 1, not 1"),
        (FarnebackFlow, {"sigma": 0}, "FarnebackFlow's sigma must be above 0, not 0"),
        (FarnebackFlow, {"window": 0}, "FarnebackFlow's window must be 1 or more, not 0"),
        (TVL1Flow, {"epsilon": 0}, "TVL1Flow's epsilon must be above 0, not 0"),
        (TVL1Flow, {"warps": 0}, "TVL1Flow's warps must be 1 or more, not 0"),
        (TVL1Flow, {"bound": float("inf")}, "TVL1Flow's bound must be above 0 pixels, and finite, not inf"),
    ],
)
def test_refuses(flow, arguments, said):
    with pytest.raises(UserError, match=said):
        flow(**arguments)


@pytest.mark.parametrize("flow", [FarnebackFlow(bound=3, window=9), TVL1Flow(warps=2)])
def test_description(flow):
    assert describe(build(describe(flow))) == describe(flow)
    assert flow.channels == 2
    assert flow.fewer == 1


def test_while_loading_it_is_a_stream_like_any(tmp_path):
    pytest.importorskip("torch", reason="clips are loaded as tensors")
    from praxino.catalogs.base import Video
    from praxino.clips.dataset import load_clips
    from praxino.clips.samplers import EvenClips

    video = Video("v", {"rgb": str(videos.write(tmp_path / "v.mp4", 9))})
    loaded = load_clips(video, ("flow",), {"flow": FarnebackFlow()}, {}, EvenClips(1, 8), np.random.default_rng(0))
    assert loaded.streams["flow"].pixels.shape == (8, 64, 96, 2)
