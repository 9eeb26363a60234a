"""Small things to be tracked: a network of one layer, and frames in which a picture moves over another one."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from praxino.backbones.base import Backbone
from praxino.catalogs.base import Video
from praxino.catalogs.sequences import Sequences
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.errors import UnreadableVideo
from praxino.streams.base import Canvas, FrameReader, Probed, Stream
from praxino.views.pipeline import View

FROM_ONE = (1, 1, 0, 0)  # files of boxes count the corner from 1


class OneLayer(Backbone):
    """A convolution of `width` random kernels of sum 0, and a ReLU: cells lie `stride` pixels apart."""

    def __init__(self, width: int = 16, stride: int = 8) -> None:
        super().__init__()
        self.width = width
        self.stride = stride
        self.dim = width
        kernels = torch.randn(width, 3, 11, 11)
        self.weight = nn.Parameter(kernels - kernels.mean((1, 2, 3), keepdim=True))

    def forward(self, x):
        maps = F.conv2d(x.transpose(1, 2).flatten(0, 1), self.weight, stride=self.stride, padding=5).relu()
        return maps.unflatten(0, (len(x), x.shape[2])).transpose(1, 2)


def encoder_on(backbone, operations=(), frames=1, **more):
    return Encoder(backbone.eval(), {"rgb": View(list(operations))}, EvenClips(1, frames=frames), **more)


def toy_encoder(seed=0, **more):
    torch.manual_seed(seed)
    return encoder_on(OneLayer(**more))


def moving(frames=12, step=(2.0, 3.0), grows=1.0, seed=0, size=(120, 160), side=24):
    """Frames uint8 [frames, H, W, 3] of a coloured patch over another pattern, and its boxes float64 [frames, 4]."""
    import cv2

    generator = np.random.default_rng(seed)
    ground = cv2.resize(generator.integers(0, 90, (15, 20, 3), dtype=np.uint8), size[::-1])
    patch = generator.integers(60, 256, (6, 6, 3), dtype=np.uint8)
    shown, boxes = [], []
    for number in range(frames):
        own = round(side * grows**number)
        y, x = round(30 + step[0] * number), round(40 + step[1] * number)
        frame = ground.copy()
        top, left = y - own // 2, x - own // 2
        frame[top : top + own, left : left + own] = cv2.resize(patch, (own, own), interpolation=cv2.INTER_LINEAR)
        shown.append(frame)
        boxes.append([left, top, own, own])
    return np.stack(shown), np.array(boxes, np.float64)


def overlaps(found, boxes):
    """Intersection over union of boxes, one by one."""
    found, boxes = np.asarray(found), np.asarray(boxes)
    low = np.maximum(found[:, :2], boxes[:, :2])
    high = np.minimum(found[:, :2] + found[:, 2:], boxes[:, :2] + boxes[:, 2:])
    inner = np.maximum(high - low, 0).prod(1)
    return inner / (found[:, 2:].prod(1) + boxes[:, 2:].prod(1) - inner)


class MovingReader(FrameReader):
    height, width = 120, 160

    def __init__(self, frames):
        self.frames = frames
        self.times = np.arange(len(frames)) / 25

    def read(self, indices):
        return self.frames[np.asarray(indices)], np.ones(len(indices), bool)


class MovingStream(Stream):
    """The frames of `moving`; the video's file is its seed. Those whose id holds a word of `broken` do not open."""

    def __init__(self, broken: tuple[str, ...] = ()) -> None:
        self.broken = broken

    def open(self, video, canvas=Canvas()):  # noqa: B008
        if any(word in video.id for word in self.broken):
            raise UnreadableVideo(video.id, "broke")
        return MovingReader(moving(seed=int(video.files["rgb"]))[0])

    def probe(self, video, full=False):
        return Probed(12)


class MovingSequences(Sequences):
    """So many sequences of `moving`, from a seed on; of those in `small` the boxes are too small to be trained on."""

    def __init__(self, sequences: int = 6, first: int = 0, small: tuple[int, ...] = ()) -> None:
        self.sequences = sequences
        self.first = first
        self.small = small

    def __len__(self):
        return self.sequences

    def place(self, row):
        raise AssertionError("it lies nowhere")

    def video(self, row):
        return Video(f"moving{self.first + row:02d}", {"rgb": str(self.first + row)})

    def boxes(self, row):
        boxes = moving(seed=self.first + row)[1]
        return boxes / [1, 1, 2, 2] if row in self.small else boxes

    def cover(self, row):
        return None


def write_sequences(root, names="ABCD", **more):
    """Sequences of `moving` as a folder in the layout of OTB: of each its own name."""
    import cv2

    for seed, name in enumerate(names):
        (root / name / "img").mkdir(parents=True)
        frames, boxes = moving(seed=seed, **more)
        for number, frame in enumerate(frames, 1):
            assert cv2.imwrite(str(root / name / "img" / f"{number:04d}.png"), frame[..., ::-1])
        lines = [",".join(f"{one:g}" for one in np.add(box, FROM_ONE)) for box in boxes]
        (root / name / "groundtruth_rect.txt").write_text("\n".join(lines) + "\n")
    return root
