"""All frames of a derived stream in one pass: what comes out does not depend on how many are made at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prepared import Halves, Means

import videos
from praxino.catalogs.base import Video
from praxino.errors import UnreadableVideo, UserError
from praxino.prepare.walk import all_made, chunk_of
from praxino.streams.base import Canvas, Derived, FrameReader
from praxino.streams.frames import FrameFolder
from praxino.streams.video import VideoFile


class Numbered(FrameReader):
    """Frames that hold their numbers; some do not come out. It counts what is held of them."""

    def __init__(self, frames, missing=()):
        self.times = np.arange(frames) / 25
        self.missing = set(missing)

    def read(self, indices):
        raise AssertionError("all is read in order")

    def in_order(self, begin=0):
        for number in range(begin, len(self.times)):
            yield None if number in self.missing else np.full((2, 3, 3), number, np.uint8)


class Around(Derived):
    """Sums the numbers of the frames at given distances."""

    channels = 1

    def __init__(self, steps, fewer, first=False):
        self.of, self.steps, self.fewer, self.first = "rgb", steps, fewer, first
        self.most = 0

    def needs(self, wanted):
        near = [np.maximum(wanted + step, 0) for step in self.steps]
        return np.unique(np.concatenate([*near, *([np.zeros(1, np.int64)] if self.first else [])]))

    def make(self, pixels, wanted):
        self.most = max(self.most, len(pixels))
        rows = {int(frame[0, 0, 0]): int(frame[0, 0, 0]) for frame in pixels}
        assert sorted(rows) == self.needs(wanted).tolist()
        return np.array([_sum(self, k) for k in wanted], np.uint8)[:, None, None, None]


def _sum(provider, number):
    return sum(provider.needs(np.array([number])).tolist()) % 256


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_frame_is_a_function_of_its_number(data):
    frames = data.draw(st.integers(1, 40))
    steps = data.draw(st.sets(st.integers(-6, 3), min_size=1))
    provider = Around(sorted(steps), max(0, *steps), data.draw(st.booleans()))
    missing = data.draw(st.sets(st.integers(0, frames - 1), max_size=4))
    chunk = data.draw(st.one_of(st.none(), st.integers(1, 50)))
    made = all_made("v", Numbered(frames, missing), provider, chunk)
    if frames <= provider.fewer:
        with pytest.raises(UnreadableVideo, match=rf"it has {frames} frames?, and Around needs {provider.fewer + 1}"):
            list(made)
        return
    made = list(made)
    assert [one.number for one in made] == list(range(frames - provider.fewer))
    for one in made:
        whole = not missing & set(provider.needs(np.array([one.number])).tolist())
        assert (one.pixels is not None) == whole
        assert one.pixels is None or one.pixels[0, 0, 0] == _sum(provider, one.number)


def test_memory_does_not_grow_with_the_video():
    """No more frames are handed over at once than a chunk needs, however long the video is."""
    provider = Around([-5, 0, 1], 1)
    assert len(list(all_made("v", Numbered(256), provider))) == 255
    assert provider.most <= 64 + 6
    assert [chunk_of(*size) for size in ((240, 320), (1080, 1920), (4320, 7680), (8, 8))] == [64, 8, 1, 64]


@pytest.mark.parametrize("trap", ["plain", "open_gop", "packed", "turned", "overwritten", "truncated", "two_sizes"])
def test_one_pass_gives_what_reading_by_number_gives(tmp_path, trap):
    video = Video("v", {"rgb": str(videos.make(trap, tmp_path))})
    with VideoFile().open(video, Canvas(short_side=32)) as reader:
        in_order = list(reader.in_order())
        for number, frame in enumerate(in_order):
            pixels, present = reader.read([number])
            assert present[0]
            assert np.array_equal(pixels[0], frame)
        assert len(in_order) == len(reader.times)
        # Twice: the second pass begins at the start again.
        assert all(np.array_equal(a, b) for a, b in zip(reader.in_order(), in_order, strict=True))


def test_a_file_that_has_become_shorter_is_unreadable(tmp_path):
    path = videos.write(tmp_path / "v.mkv", 40)
    video = Video("v", {"rgb": str(path)})
    with VideoFile().open(video) as reader:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(UnreadableVideo, match=r"it breaks off after \d+ frames, and had 40 before"):
            list(reader.in_order())


def test_pictures_that_are_missing_are_none(tmp_path):
    from PIL import Image

    paths = [str(tmp_path / f"{k}.png") for k in range(5)]
    for k in (0, 1, 4):
        Image.fromarray(np.full((4, 5, 3), k, np.uint8)).save(paths[k])
    with FrameFolder().open(Video("v", {"rgb": tuple(paths)})) as reader:
        frames = list(reader.in_order())
    assert [None if frame is None else int(frame[0, 0, 0]) for frame in frames] == [0, 1, None, None, 4]


def test_what_was_found():
    made = list(all_made("v", Numbered(6), Halves(), 4))
    assert [one.found for one in made] == [True, False] * 2 + [True]


class Wrong(Means):
    """Makes one frame too few."""

    def make(self, pixels, wanted):
        return super().make(pixels, wanted)[:-1]


class Beyond(Means):
    """Needs a frame that is not there."""

    fewer = 0


class Floats(Means):
    """Makes no bytes."""

    def make(self, pixels, wanted):
        return super().make(pixels, wanted) / 255


class Listed(Means):
    """Makes no array."""

    def make(self, pixels, wanted):
        return super().make(pixels, wanted).tolist()


class NoPixels(Means):
    """Makes frames of no height."""

    def make(self, pixels, wanted):
        return super().make(pixels, wanted)[:, :0]


class OneFound(Means):
    """Says of one frame only whether there is something."""

    def found(self, pixels, wanted):
        return self.make(pixels, wanted), np.ones(1, np.bool_)


class OnlyFound(Means):
    """Says of all frames at once whether there is something."""

    def found(self, pixels, wanted):
        return self.make(pixels, wanted), True


class Silent(Means):
    """Says nothing of why it refuses."""

    def make(self, pixels, wanted):
        raise ValueError


def test_an_error_without_words_goes_by_its_name():
    with pytest.raises(UnreadableVideo, match=r"^v: ValueError$"):
        list(all_made("v", Numbered(6), Silent()))


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        (Wrong(), "Wrong makes 4 frames where 5 are wanted: correct its class"),
        (Beyond(), "Beyond needs the frames 0 to 6 of a video of 6: correct what it says in needs and fewer"),
        (Floats(), "the stream Floats says channels = 2, so its frames should be uint8"),
        (
            Listed(),
            "the stream Listed should give its frames as an array of NumPy, and gives a list: correct its class",
        ),
        (NoPixels(), r"and they are uint8 \[0, 3, 2\]"),
        (OneFound(), r"OneFound says by found of \[1\] frames whether it has found something, and there are 5"),
        (OnlyFound(), r"OnlyFound says by found of \[\] frames"),
    ],
)
def test_a_provider_that_is_wrong_is_told_by_name(provider, said):
    with pytest.raises(UserError, match=said):
        list(all_made("v", Numbered(6), provider))
