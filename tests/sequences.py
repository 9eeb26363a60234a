"""Small sequences on the disk: a red square that moves over a grey picture, and what follows it by its colour."""

import math

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 48, 64


def walk(frames, seed=0, side=12):
    """Boxes float64 [frames, 4] of a square that walks about, all of it within the frame; corners counted from 0."""
    steps = np.random.default_rng(seed).integers(-3, 4, (frames, 2))
    corners = np.clip(np.cumsum(steps, axis=0) + np.array([20, 16]), 0, [WIDTH - side, HEIGHT - side])
    return np.concatenate([corners, np.full((frames, 2), side)], axis=1).astype(np.float64)


def frame(box, seed=0):
    """uint8 [48, 64, 3]: the square of a box over grey noise."""
    noise = np.random.default_rng(seed).integers(60, 160, (HEIGHT, WIDTH, 1))
    pixels = np.repeat(noise, 3, axis=2).astype(np.uint8)
    x, y, wide, high = box.astype(int)
    pixels[y : y + high, x : x + wide] = (230, 20, 20)
    return pixels


def write_frames(folder, boxes, digits=4):
    """PNG bytes under the names that the data sets have: Pillow looks at what is in a file."""
    folder.mkdir(parents=True)
    for number, box in enumerate(boxes, 1):
        Image.fromarray(frame(box, number)).save(folder / f"{number:0{digits}d}.jpg", "PNG")


def write_lines(path, rows):
    """One row of numbers in a line."""
    path.write_text("".join(",".join(f"{number:g}" for number in row) + "\n" for row in rows))


def write_otb(root, name, frames=10, seed=0, file="groundtruth_rect.txt"):
    """A sequence as OTB has it; its boxes."""
    boxes = walk(frames, seed)
    write_frames(root / name / "img", boxes)
    write_lines(root / name / file, boxes + np.array([1, 1, 0, 0]))
    return boxes


def write_got10k(part, name, frames=10, seed=0, cover=None):
    """A sequence as GOT-10k has it, and its line in the list; its boxes."""
    boxes = walk(frames, seed)
    write_frames(part / name, boxes, 8)
    write_lines(part / name / "groundtruth.txt", boxes + np.array([1, 1, 0, 0]))
    labels = np.full(frames, 8) if cover is None else np.array(cover)
    for label, numbers in (("cover", labels), ("absence", labels == 0), ("cut_by_image", labels < 8)):
        write_lines(part / name / f"{label}.label", numbers[:, None])
    (part / name / "meta_info.ini").write_text(f"[METAINFO]\nresolution: ({WIDTH}, {HEIGHT})\n")
    with (part / "list.txt").open("a") as names:
        names.write(f"{name}\n")
    return boxes


class ByColour:
    """Follows what is red; `off` says by how many pixels it errs from its second frame on."""

    def __init__(self, off=0.0):
        self.off = off
        self.confidence = math.nan
        self.seen = []

    def init(self, frame, box):
        assert frame.dtype == np.uint8
        assert frame.shape == (HEIGHT, WIDTH, 3)
        assert box.dtype == np.float64
        self.seen.append(frame.copy())

    def update(self, frame):
        self.seen.append(frame.copy())
        rows, columns = np.nonzero((frame[..., 0] > 200) & (frame[..., 1] < 60))
        if not len(rows):
            return np.zeros(4)
        x, y = columns.min(), rows.min()
        self.confidence = 0.5
        return np.array([x + self.off, y, np.ptp(columns) + 1, np.ptp(rows) + 1], np.float64)
