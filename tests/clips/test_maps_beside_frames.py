"""Maps of keypoints beside a video's frames: the same moments, the length of the shorter one, aligned views."""

import numpy as np
import pytest
import torch

import videos
from praxino.batch import Frames
from praxino.catalogs.base import Video
from praxino.clips.dataset import collate, load_clips
from praxino.clips.samplers import EvenClips
from praxino.rng import Rng
from praxino.streams.maps import HeatMaps, Masks
from praxino.streams.probe import probe
from praxino.views.geometry import Flip
from praxino.views.keypoints import KeypointFlip
from praxino.views.nearest import NearestCrop
from praxino.views.pipeline import View


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """21 frames, and files of the even numbers up to 20 in which each map is the number."""
    root = tmp_path_factory.mktemp("data")
    video = Video("Class/a.mp4", {"rgb": str(videos.write(root / "a.mp4", 21))})
    for folder, name, key, shape in (
        ("heatmaps", "heatmap", "hm", (17, 12, 16)),
        ("segmasks", "segmask", "seg", (6, 8)),
    ):
        (root / folder / "Class" / "a").mkdir(parents=True)
        for number in range(2, 21, 2):
            values = np.full(shape, 10 * number, np.uint8)
            np.savez(root / folder / "Class" / "a" / f"{name}_{number:05d}.npz", **{key: values})
    streams = {"keypoints": HeatMaps(str(root)), "mask": Masks(str(root))}
    names = ("rgb", *streams)
    assert probe([video], streams, names, 20)[0].frames == 20
    return load_clips(video, names, streams, {}, EvenClips(2, 10), np.random.default_rng(0))


def test_maps_are_of_the_frames_beside_them(loaded):
    of_rgb, keypoints, mask = (loaded.streams[name] for name in ("rgb", "keypoints", "mask"))
    assert keypoints.present.all()
    assert mask.present.all()
    for clip, row in zip(loaded.numbers, of_rgb.where, strict=True):
        for number, at in zip(clip, row, strict=True):
            assert videos.number(of_rgb.pixels[at]) == number
            # File k is of frame k - 1, and between two files is their mean.
            shown = 10 * (number + 1) if number else 20
            assert (keypoints.pixels[at] == shown).all()
            assert (mask.pixels[at] == shown).all()


def test_views_are_mirrored_and_cut_together(loaded):
    batch = collate([loaded] * 8, list(range(8)), [0] * 8)
    # The place of each pixel instead of its value, at both sizes: what is cut and mirrored can then be told.
    for name, (height, width) in {"rgb": (24, 32), "keypoints": (12, 16)}.items():
        frames = batch.streams[name]
        columns = torch.arange(width) * 240 // width
        pixels = columns.to(torch.uint8)[None, None, :, None].expand(len(frames.pixels), height, -1, 1)
        channels = {"rgb": 3, "keypoints": 17}[name]
        size = torch.tensor([height, width]).expand(len(pixels), 2)
        batch.streams[name] = Frames(
            pixels.expand(-1, -1, -1, channels).contiguous(), size, frames.present, frames.where
        )
    pictures = View([NearestCrop(12), Flip()])(batch, Rng(3))
    maps = View([NearestCrop(6), KeypointFlip()], "keypoints")(batch, Rng(3))
    assert pictures.shape[-1] == 12
    assert maps.shape[-1] == 6
    left = [view[:, :, 0, 0, 0, 0] for view in (pictures, maps)]
    right = [view[:, :, 0, 0, 0, -1] for view in (pictures, maps)]
    mirrored = [a > b for a, b in zip(left, right, strict=True)]
    assert mirrored[0].equal(mirrored[1])
    assert mirrored[0].unique().tolist() == [False, True]
    middles = [(a + b) / 2 for a, b in zip(left, right, strict=True)]
    # The same place at either size, to a pixel of the smaller stream: 15 levels of 255.
    assert (middles[0] - middles[1]).abs().max() <= 15 / 255
    assert middles[0].std() > 15 / 255
