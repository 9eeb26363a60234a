"""Videos of different numbers of clips and sizes of frames, one of them broken; and the slow plain way with them."""

import numpy as np
import torch

from praxino.backbones.r3d import R3D
from praxino.catalogs.base import Catalog, Video
from praxino.clips.dataset import collate, load_clips
from praxino.clips.samplers import Sampler
from praxino.encoders.encoder import Encoder
from praxino.errors import UnreadableVideo
from praxino.evaluations.features import VideoFeatures
from praxino.rng import Rng
from praxino.streams.base import Canvas, FrameReader, Stream
from praxino.views.geometry import Resize
from praxino.views.motion import Residual
from praxino.views.pipeline import View

FRAMES = 4
# Clips, height and width of each video; without clips it is broken.
UNEVEN = [(2, 20, 24), (1, 40, 30), (7, 20, 24), (0, 9, 9), (1, 17, 33), (3, 20, 24), (3, 20, 24), (5, 40, 30)]


class Uneven(Catalog):
    """A video for each (clips, height, width); labels by turns."""

    classes = ("even", "odd")

    def __init__(self, videos=UNEVEN):
        self.videos = videos

    def __len__(self):
        return len(self.videos)

    def video(self, row):
        clips, height, width = self.videos[row]
        return Video(f"video{row}", {"rgb": f"{row} {clips} {height} {width}"}, row % 2, f"group{row // 2}")


class Reader(FrameReader):
    def __init__(self, seed, frames, height, width):
        self.times = np.arange(frames) / 25
        noise = np.random.default_rng(seed)
        self.pixels = noise.integers(0, 256, (frames, height, width, 3), np.uint8)

    def read(self, indices):
        return self.pixels[indices], np.ones(len(indices), bool)


class UnevenStream(Stream):
    """Computed from what the catalog says; remembers which videos were opened."""

    def __init__(self):
        self.opened = []

    def open(self, video, canvas=Canvas()):  # noqa: B008
        row, clips, height, width = map(int, video.files["rgb"].split())
        self.opened.append(row)
        if not clips:
            raise UnreadableVideo(video.id, "broke")
        return Reader(row, 2 * clips + 2, height, width)


class AsManyAsFit(Sampler):
    """Clips of 4 frames that share half of them with the next: as many as a video has room for."""

    min_frames = FRAMES

    def __call__(self, times, rng):
        return 2 * np.arange(len(times) // 2 - 1)[:, None] + np.arange(FRAMES)


def uneven_encoder(classes=(), **more):
    torch.manual_seed(3)
    resize = Resize(32, 32, crop=24)
    views = {"rgb": View([resize]), "residual": View([resize, Residual()])}
    streams = {"rgb": UnevenStream()}
    given = {"views": views, "sampler": AsManyAsFit(), "streams": streams, "classes": classes, **more}
    return Encoder(R3D(width=4), **given).eval()


@torch.no_grad()
def one_by_one(videos, embeds, needed, sampler, streams=None, canvas=None, *, clips_apart=False, **ignored):
    """What `extract` gives, each video through the embeds by itself with all its clips at once."""
    vectors, rows, left_out = {name: [] for name in embeds}, [], []
    for row in range(len(videos)):
        try:
            loaded = load_clips(
                videos[row], needed, streams or {}, canvas or {}, sampler, Rng(0, "evaluation", row).shared()
            )
        except UnreadableVideo as error:
            left_out.append((error.id, error.reason))
            continue
        rows.append(row)
        for name, embed in embeds.items():
            clips = embed(collate([loaded], [row], [videos[row].label]))
            vectors[name].append((clips if clips_apart else clips.mean(0)).numpy())
    found = [videos[row] for row in rows]
    return {
        name: VideoFeatures(
            np.stack(made), np.array([v.label for v in found]), [v.id for v in found], [v.group for v in found],
            np.array(rows), left_out,
        )
        for name, made in vectors.items()
    }  # fmt: skip
