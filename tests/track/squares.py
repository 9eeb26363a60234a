"""Videos of a green square that moves over grey, a tracker that finds it by its colour, and what an output shows."""

import csv
from fractions import Fraction

import av
import numpy as np

from praxino.evaluations.tracking.box_drawn import BRIGHT

GREEN = (20, 200, 40)
SIDE = 40


def place(number):
    """Column and row of the square's left upper corner in a frame."""
    return 30 + 2 * number, 20 + number


def picture(number, size=(160, 240)):
    """uint8 [H, W, 3]; the left half of the ground is dark, the right one light."""
    pixels = np.full((*size, 3), 60, np.uint8)
    pixels[:, size[1] // 2 :] = 220
    x, y = place(number)
    pixels[y : y + SIDE, x : x + SIDE] = GREEN
    return pixels


def write(path, frames=30, size=(160, 240), times=None, rate=25, turn=0):
    """A video of the square, in full colour resolution.

    Args:
        times: of each frame, in milliseconds.
        turn: the frames are stored turned counter-clockwise by as many quarters.
    """
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=rate, options={"crf": "12", "preset": "veryfast"})
        stream.pix_fmt = "yuv444p"
        base = Fraction(1, 1000 if times else rate)
        stream.codec_context.time_base = base
        stream.height, stream.width = size[::-1] if turn % 2 else size
        for k in range(frames):
            pixels = np.ascontiguousarray(np.rot90(picture(k, size), turn))
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = (times[k] if times else k), base
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


class ByColour:
    """The box of all green pixels; sure by how many there are. It remembers what it was given."""

    def __init__(self):
        self.confidence = float("nan")
        self.begun = None
        self.frames = 0

    def init(self, frame, box):
        assert frame.flags.c_contiguous
        self.begun = (frame.copy(), box.copy())

    def update(self, frame):
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous
        self.frames += 1
        red, green, blue = frame.astype(int).transpose(2, 0, 1)
        rows, columns = np.nonzero((green > red + 90) & (green > blue + 90))
        x, y = columns.min(), rows.min()
        self.confidence = len(rows) / SIDE**2
        return np.array([x, y, columns.max() + 1 - x, rows.max() + 1 - y], np.float64)


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def shown(path):
    """Frames uint8 [H, W, 3] of a file, and their seconds."""
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
    return [frame.to_ndarray(format="rgb24") for frame in frames], [frame.time for frame in frames]


def drawn_box(pixels, around):
    """x, y, width, height of the bright line that is drawn near a place; what is written above it is left out."""
    x, y = around
    near = (np.abs(pixels.astype(int) - BRIGHT).sum(-1) < 200)[max(0, y - 3) : y + SIDE + 6]
    rows = np.flatnonzero(near[:, max(0, x - 3) : x + SIDE + 6].sum(1) > SIDE // 2)
    columns = np.flatnonzero(near.sum(0) > SIDE // 2)
    top = max(0, y - 3)
    return [columns[0], rows[0] + top, columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]]
