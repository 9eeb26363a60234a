"""Pairs of frames of one sequence, and their crops: what a siamese head learns from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from praxino.catalogs.sequences import Sequences
from praxino.clips.dataset import ClipDataset, LoadedFrames, LoadedVideo
from praxino.clips.samplers import EvenClips
from praxino.errors import UnreadableVideo
from praxino.evaluations.tracking.augment import PairCrops
from praxino.evaluations.tracking.crops import EXTRA
from praxino.streams.base import Canvas, FrameReader, Stream
from praxino.streams.choose import Streams, stream_of
from praxino.streams.opencv import one_thread, opencv
from praxino.training.videos import RunVideos

EXEMPLAR, SEARCH = STREAMS = ("exemplar", "search")  # of a batch of pairs
RGB = "rgb"
# A box that is trained on, as CycleContrast's tracker filters GOT-10k.
LEAST_PIXELS, MOST_PIXELS = 20, 500  # of each side; the area is 20 at least, too
LEAST_SHARE, MOST_SHARE = 0.01, 0.5  # of the picture's side
MOST_SHAPE = 4  # longer side to shorter one
LEAST_COVER, COVER_SHARE = 1, 0.3
LEAST_FRAMES = 2
TOO_FEW = "has fewer than two frames whose boxes are trained on"


def frames_for_pairs(boxes: ArrayLike, height: int, width: int, cover: ArrayLike | None = None) -> NDArray[np.int64]:
    """The frames whose boxes a head is trained on: int64, ascending.

    Sides of 20 to 500 pixels, of 1 to 50 % of the picture's, none longer than four times the other; and a cover above 1
    and above 0.3 of the sequence's greatest.

    Args:
        boxes: [frames, 4].
        height, width: of the sequence's first picture.
        cover: [frames], as of `Sequences.cover`.
    """
    wide, high = np.asarray(boxes, np.float64)[:, 2:].T
    with np.errstate(invalid="ignore"):
        fits = (wide * high >= LEAST_PIXELS) & (np.minimum(wide, high) >= LEAST_PIXELS)
        fits &= np.maximum(wide, high) <= MOST_PIXELS
        for side, whole in ((wide, width), (high, height)):
            fits &= (side / whole >= LEAST_SHARE) & (side / whole <= MOST_SHARE)
        shape = wide / np.maximum(1, high)
        fits &= (shape >= 1 / MOST_SHAPE) & (shape <= MOST_SHAPE)
    if cover is not None and len(seen := np.asarray(cover)):
        fits &= seen > max(LEAST_COVER, COVER_SHARE * seen.max())
    return np.flatnonzero(fits)


def drawn_pair(
    frames: NDArray[np.int64], generator: np.random.Generator, apart: int = 100, tries: int = 100
) -> tuple[int, int]:
    """Two frames of a sequence, the earlier one first.

    Args:
        frames: which are in question, at least two. Of two, these are the pair.
        generator: what is drawn from.
        apart: the pair is nearer than so many frames.
        tries: so many draws of two different frames; where none fits, one frame twice.
    """
    if len(frames) == 2:
        return int(frames[0]), int(frames[1])
    for _ in range(tries):
        first, last = np.sort(generator.choice(frames, 2, replace=False))
        if last - first < apart:
            return int(first), int(last)
    one = int(generator.choice(frames))
    return one, one


def usable_frames(sequences: Sequences, row: int, reader: FrameReader) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The boxes of a sequence, float64 [frames, 4], and the frames of its open reader that are trained on."""
    boxes, frames = sequences.boxes(row), len(reader.times)
    # Readers of pictures and of video files say their size; of others the first frame does.
    height, width = getattr(reader, "height", None), getattr(reader, "width", None)
    if height is None or width is None:
        height, width = reader.read([0])[0].shape[1:3]
    found = frames_for_pairs(boxes, height, width, sequences.cover(row))
    return boxes, found[found < frames]


class PairDataset(ClipDataset):
    """Batches of training pairs: of each row the exemplar's and the search picture, as two streams.

    Both are cut in the loading processes. A frame that cannot be had is not present in its stream; its crop is of the
    pair's other frame, around the box that is there. Where neither comes out, another pair is taken.

    Args:
        sequences: the videos and their boxes.
        rows: of these, one a pair of an epoch: int64; each may stand there several times.
        crops: cuts them out.
        streams: reader of "rgb", where it is not told by the files.
        seed, shuffle: as of `ClipDataset`.
    """

    def __init__(
        self,
        sequences: Sequences,
        rows: NDArray[np.int64],
        crops: PairCrops,
        streams: Streams | None = None,
        seed: int = 0,
        shuffle: bool = True,
    ) -> None:
        super().__init__(RunVideos(sequences, rows), STREAMS, EvenClips(1, frames=1), streams, None, seed, shuffle)
        self.sequences = sequences
        self.rows = rows
        self.crops = crops

    def load(self, row: int, generator: np.random.Generator) -> LoadedVideo:
        """One pair: `numbers` and `times` [1, 2] are the exemplar's frame and the search picture's.

        Raises:
            UnreadableVideo: if it cannot be decoded, or has fewer than two frames with a box that is trained on.
        """
        sequence, video = int(self.rows[row]), self.videos[row]
        stream = stream_of(video, RGB, self.streams)
        assert isinstance(stream, Stream)
        with stream.open(video, Canvas()) as reader:
            boxes, frames = usable_frames(self.sequences, sequence, reader)
            if len(frames) < LEAST_FRAMES:
                raise UnreadableVideo(video.id, TOO_FEW)
            numbers = np.array(drawn_pair(frames, generator))
            pixels, present = reader.read(numbers)
            times = reader.times[numbers]
        shown = np.where(present, numbers, numbers[::-1])
        drawn = self.crops.drawn(generator)
        cut = (self.crops.exemplar_of, self.crops.search_of)
        with one_thread(opencv("A tracker", EXTRA)):
            made = [cut[k](pixels[k], boxes[shown[k]], drawn[k])[None] for k in range(2)]
        where = np.zeros((1, 1), np.int64)
        loaded = {name: LoadedFrames(made[k], present[[k]], where) for k, name in enumerate((EXEMPLAR, SEARCH))}
        return LoadedVideo(numbers[None], times[None], loaded)

    def said_of(self, error: UnreadableVideo, row: int) -> str:
        # The same words each time, so that they are said once: a sequence has many pairs, and another one of its own
        # may be what is taken.
        return f"{error.id}: a pair broke while loading ({error.reason}); another one is taken wherever this happens"
