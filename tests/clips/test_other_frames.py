"""Readers whose frames are not what their stream says."""

import numpy as np
import pytest

from praxino.clips.dataset import ClipDataset
from praxino.clips.in_turn import loaded_videos
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import EvenClips
from praxino.errors import UserError
from praxino.streams.base import Canvas, FrameReader, Stream
from toys import ToyCatalog, ToyPair, ToySampler


class Says(Stream):
    """Says three channels, and gives what it is told."""

    def __init__(self, pixels) -> None:
        self.pixels = pixels

    def open(self, video, canvas=Canvas()):  # noqa: B008
        return SaysReader(self.pixels)


class SaysReader(FrameReader):
    times = np.arange(20) / 25

    def __init__(self, pixels):
        self.pixels = pixels

    def read(self, indices):
        return self.pixels[indices], np.ones(len(indices), bool)


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.zeros((20, 6, 8, 2), np.uint8), r"uint8 \[6, 8, 2\]"),
        (np.zeros((20, 6, 8), np.uint8), r"uint8 \[6, 8\]"),
        (np.zeros((20, 6, 8, 3), np.float32), r"float32 \[6, 8, 3\]"),
    ],
)
@pytest.mark.parametrize("workers", [0, 1])
def test_a_reader_that_gives_other_frames_than_its_stream_says_is_told_in_a_line(pixels, said, workers):
    said = rf"^the stream rgb says channels = 3, so its frames should be uint8 \[H, W, 3\], and they are {said}: .*$"
    dataset = ClipDataset(ToyCatalog(), ("rgb",), ToySampler(), {"rgb": Says(pixels)})
    batches = ClipLoader(dataset, 4, workers).batches()
    with pytest.raises(UserError, match=said):
        next(batches)
    batches.close()
    # Also where another stream would be made of it, and it is an evaluation that reads.
    streams = {"rgb": Says(pixels), "pair": ToyPair()}
    with pytest.raises(UserError, match=said):
        list(loaded_videos(ToyCatalog(), ("pair",), EvenClips(1, 4), streams, {}))
