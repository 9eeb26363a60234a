"""What `Encoder.embed` takes: videos, pictures, folders, frames in memory. All else is refused in one line."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import videos
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.errors import UnreadableVideo, UserError
from praxino.streams.base import Canvas, Derived
from praxino.views.pipeline import View
from toys import ToyBackbone

FRAMES = np.stack([videos.frame(k, 24, 32) for k in range(9)])


class Later(Derived):
    """Each frame is the one after it."""

    of = "rgb"
    fewer = 1

    def needs(self, wanted):
        return np.union1d(wanted, wanted + 1)

    def make(self, prepared, wanted):
        return prepared[np.searchsorted(self.needs(wanted), wanted + 1)]


def encoder(frames=4, short="refuse", **more):
    torch.manual_seed(0)
    view = View([], stream="later" if "streams" in more else "rgb")
    return Encoder(ToyBackbone(), {"seen": view}, EvenClips(2, frames, short=short), **more)


def refused(one, given):
    with pytest.raises((UserError, UnreadableVideo)) as told:
        one.embed(given)
    line = str(told.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(("shift", "more"), [(0, {}), (1, {"streams": {"later": Later()}})])
def test_frames_in_memory_are_a_video(shift, more):
    one = encoder(**more).eval()
    clips = np.stack([FRAMES[shift:][:4], FRAMES[shift:][4:8] if shift else FRAMES[5:9]])
    with torch.no_grad():
        own = one.backbone(torch.from_numpy(clips).movedim(-1, 1).float() / 255).amax((2, 3, 4))
    assert np.allclose(one.embed(FRAMES), own, atol=1e-6)
    assert np.array_equal(one.embed(FRAMES), one.embed(np.asfortranarray(FRAMES)))


@pytest.mark.parametrize("canvas", [{}, {"rgb": Canvas(short_side=12)}, {"rgb": Canvas(exact=(30, 30))}])
def test_they_are_taken_like_a_folder_of_pictures(tmp_path, canvas):
    for k, frame in enumerate(FRAMES):
        Image.fromarray(frame).save(tmp_path / f"{k}.png")
    one = encoder(canvas=canvas)
    assert np.array_equal(one.embed(FRAMES), one.embed(tmp_path))
    assert np.array_equal(one.embed(FRAMES), one.embed(str(tmp_path)))


DTYPES = ["uint8", "uint8", "int64", "float32", "float64", "bool", "int8", "object"]
SHAPES = st.lists(st.sampled_from([0, 1, 3, 4, 5, 9]), max_size=5)


@settings(max_examples=60, deadline=None)
@given(dtype=st.sampled_from(DTYPES), shape=SHAPES)
def test_other_arrays_are_refused(dtype, shape):
    right = dtype == "uint8" and len(shape) == 4 and shape[3] == 3 and 0 not in shape
    array = np.zeros(shape, dtype)
    if not right:
        line = refused(encoder(), array)
        assert "uint8 [T, H, W, 3]" in line
        assert str(list(shape)) in line
    elif shape[0] < 4:
        assert "the array" in refused(encoder(), array)
    else:
        assert encoder().embed(array).shape == (2, 6)


@pytest.mark.parametrize("given", [None, 7, [1, 2], b"x.mp4", torch.zeros(4, 8, 8, 3, dtype=torch.uint8), {}])
def test_what_is_no_path_and_no_array_is_refused(given):
    assert "give a path, or frames as a NumPy array uint8 [T, H, W, 3]" in refused(encoder(), given)


def test_a_picture_is_a_video_of_one_frame(tmp_path):
    path = tmp_path / "one.png"
    Image.fromarray(FRAMES[0]).save(path)
    line = refused(encoder(), path)
    assert line.startswith(f"{path} is a picture, a video of one frame, and the encoder's clips need 4 frames")
    one = encoder(frames=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(one.embed(path), one.embed(FRAMES[:1]))
    assert "the array holds one frame, and the encoder's clips need 4" in refused(encoder(), FRAMES[:1])
    one = encoder(short="repeat")
    with pytest.warns(UserWarning, match=r"one\.png is a picture.* clips have 4: it is repeated") as told:
        vectors = one.embed(path)
    assert len(told) == 1
    assert told[0].filename == __file__
    assert np.array_equal(vectors, one.embed(FRAMES[[0, 0, 0, 0]]))
    with pytest.warns(UserWarning, match=r"the array holds one frame.* clips have 4: it is repeated"):
        assert np.array_equal(vectors, one.embed(FRAMES[:1]))


def test_what_is_not_there_and_what_holds_no_frames(tmp_path):
    one = encoder()
    for name in ("none.mp4", "none.png", "none"):
        assert "none" in refused(one, tmp_path / name)
    assert "no JPEG or PNG pictures" in refused(one, tmp_path)


@pytest.mark.parametrize("name", ["train.txt", "list.csv", "notes.md"])
def test_a_text_file_is_no_video(tmp_path, name):
    path = tmp_path / name
    path.write_text("v_one_g01_c01.avi 1\nv_two_g01_c02.avi 2\n" * 40, encoding="utf-8")
    assert "it is a text file, not a video" in refused(encoder(), path)
