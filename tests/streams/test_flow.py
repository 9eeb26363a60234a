"""Optical flow on the fly: known motions, the levels of two-stream pictures, and what is refused."""

import builtins

import numpy as np
import pytest

import videos
from praxino.catalogs.base import Video
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.streams.flow import DISFlow
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
    wanted = np.arange(3)
    pixels = moved(4, down, right)
    for component, pixels_a_frame in (("u", right), ("v", down)):
        flow = DISFlow(component, bound=8, preset=preset)
        made = flow.make(flow.prepare(pixels, wanted), wanted)
        assert made.shape == (3, 96, 128, 3)
        assert (made == made[..., :1]).all()
        inside = made[:, 12:-12, 12:-12, 0].astype(float)
        # Half a pixel is 8 levels.
        assert abs(np.median(inside) - (127.5 + pixels_a_frame * 255 / 16)) < 8


def test_levels(cv2):
    flow = DISFlow("v", bound=10)
    shown = np.zeros((1, 1, 7, 2), np.float32)
    shown[0, 0, :, 1] = [0, 10, -10, 25, -25, 1, -1]
    # By hand: 255 * (x + 10) / 20, to the nearest whole number.
    assert flow.make(shown, np.arange(1))[0, 0, :, 0].tolist() == [128, 255, 0, 255, 0, 140, 115]
    assert (DISFlow("u").make(shown, np.arange(1)) == 128).all()


def test_frames_between_gaps_are_compared_with_their_next(cv2):
    """What is computed for a few frames is what is computed for all of them, in any order of calls."""
    pixels = np.concatenate([moved(6, 1, 2), moved(6, -3, 1)])
    flow = DISFlow()
    every = flow.prepare(pixels, np.arange(11))
    for wanted in ([0, 4, 5, 9], [3], [10]):
        wanted = np.array(wanted)
        needed = flow.needs(wanted)
        assert needed.tolist() == sorted({*wanted.tolist(), *(wanted + 1).tolist()})
        assert np.array_equal(flow.prepare(pixels[needed], wanted), every[wanted])


def test_opencvs_threads_are_as_they_were(cv2):
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(3)
        DISFlow().prepare(moved(2, 0, 1), np.arange(1))
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def test_the_probe_counts_one_frame_less(tmp_path):
    video = Video("a", {"rgb": str(videos.write(tmp_path / "a.mp4", 20))})
    streams = {"flow_u": DISFlow("u"), "flow_v": DISFlow("v")}
    opened = []

    class Counted(VideoFile):
        def probe(self, video, full=False):
            opened.append(video.id)
            return super().probe(video, full)

    for needed, frames in ((["rgb"], 20), (["flow_u"], 19), (["rgb", "flow_u", "flow_v"], 19)):
        opened.clear()
        found = probe([video], {"rgb": Counted(), **streams}, needed, 19)
        assert (found[0].frames, found[0].status) == (frames, "ok")
        assert opened == ["a"]
    assert probe([video], streams, ["flow_v"], 20)[0].reason == "it has 19 frames, and 20 are needed"


def test_a_stream_of_a_stream_is_refused(tmp_path):
    video = Video("a", {"rgb": str(videos.write(tmp_path / "a.mp4", 4))})
    with pytest.raises(UserError, match="flow_v is made from flow_u, which is made itself"):
        probe([video], {"flow_u": DISFlow(), "flow_v": DISFlow("v", of="flow_u")}, ["flow_v"], 1)
    found = probe([video], {"flow_u": DISFlow(of="depth")}, ["flow_u"], 1)
    assert (found[0].status, found[0].reason) == (
        "unreadable",
        "it has no depth, only rgb, and no stream is named that makes it",
    )


def test_description():
    flow = DISFlow("v", of="rgb", bound=5, preset="fast")
    again = build(describe(flow))
    assert (again.component, again.of, again.bound, again.preset) == ("v", "rgb", 5, "fast")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"component": "w"}, "u or v, not 'w'"), ({"bound": 0}, "above 0 pixels"), ({"preset": "slow"}, "fast or medium")],
)
def test_refuses(arguments, said):
    with pytest.raises(UserError, match=said):
        DISFlow(**arguments)


def test_small_frames_cannot_be_used(cv2):
    with pytest.raises(ValueError, match="12 pixels at least, not 11x40"):
        DISFlow().prepare(np.zeros((2, 11, 40, 3), np.uint8), np.arange(1))
    assert (DISFlow().prepare(np.zeros((2, 12, 12, 3), np.uint8), np.arange(1)) == 0).all()


def test_without_opencv_the_line_to_mend_it_is_said(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "cv2":
            raise ImportError("No module named 'cv2'")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r'pip install "praxino\[flow\]"'):
        DISFlow().prepare(moved(2, 0, 1), np.arange(1))
