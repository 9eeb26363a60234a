"""Catalogs of pictures through the loader: which files make a batch, and what a huge one costs it."""

from itertools import islice

import numpy as np
import pytest
from PIL import Image

import videos
from praxino.catalogs.imagefolder import ImageFolder
from praxino.catalogs.r2v2 import R2V2
from praxino.clips.dataset import BatchKey, ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.clips.related import RelatedFrames
from praxino.clips.samplers import RandomClip
from praxino.errors import UnreadableVideo
from praxino.streams.base import Canvas

IDS = ["-_xY_z0-9ab", "AA2pFq9pFTA", "_a-_b_c_d-e", "zz9-Qw_rTy1"]


def picture(number, height=videos.HEIGHT, width=videos.WIDTH):
    return Image.fromarray(videos.frame(number, height, width))


@pytest.fixture
def r2v2(tmp_path):
    """Four videos of four frames; the frame that shows k is the (k % 4)-th of the (k // 4)-th video."""
    for k in range(16):
        path = tmp_path / IDS[k // 4][:2] / f"{IDS[k // 4]}_{(k % 4) * 30 + 7:06d}.jpg"
        path.parent.mkdir(exist_ok=True)
        picture(k).save(path, format="PNG")
    return tmp_path


def test_a_batch_of_related_frames(r2v2):
    sampler = RelatedFrames(set_size=None, candidates=2, exclude_query=True)
    dataset = ClipDataset(R2V2(r2v2), ["rgb"], sampler, shuffle=True, seed=3)
    seen = set()
    for batch in islice(ClipLoader(dataset, batch_size=4).batches(), 5):
        frames = batch.streams["rgb"]
        assert batch.numbers.shape == frames.where.shape == (4, 3, 1)
        shown = np.array([videos.number(frame) for frame in frames.pixels.numpy()])
        assert (shown[frames.where.numpy()] == batch.index[:, None, None].numpy() * 4 + batch.numbers.numpy()).all()
        assert all(len(set(numbers)) == 3 for numbers in batch.numbers[..., 0].tolist())
        seen |= set(map(tuple, batch.numbers[..., 0].tolist()))
    # 24 ordered choices of 3 out of 4, in 20 draws.
    assert len(seen) > 6


def test_four_named_frames_are_the_whole_set(r2v2):
    """A set of four, wherever it would lie in a video of many frames, is all of a video of four."""
    for seed in range(10):
        one, other = (
            ClipDataset(R2V2(r2v2), ["rgb"], sampler, seed=seed)[BatchKey(0, 0, 4, 0, 4)].numbers
            for sampler in (RelatedFrames(), RelatedFrames(set_size=None))
        )
        assert one.tolist() == other.tolist()


def test_too_few_frames(r2v2):
    (r2v2 / "AA" / "AA2pFq9pFTA_000007.jpg").unlink()
    dataset = ClipDataset(R2V2(r2v2), ["rgb"], RelatedFrames())
    with pytest.raises(UnreadableVideo, match="AA2pFq9pFTA: has 3 frames, and the sampler needs 4"):
        dataset.load(1, np.random.default_rng(0))
    assert dataset.load(2, np.random.default_rng(0)).numbers.shape == (2, 1)


def test_one_huge_picture_in_a_batch(tmp_path):
    for k, (height, width) in enumerate([(64, 96), (96, 64), (1200, 1500), (64, 96)]):
        (tmp_path / "train" / f"n{k % 2}").mkdir(parents=True, exist_ok=True)
        picture(k, height, width).save(tmp_path / "train" / f"n{k % 2}" / f"{k}.PNG")
    catalog = ImageFolder(tmp_path)

    def batch(canvas):
        dataset = ClipDataset(catalog, ["rgb"], RandomClip(frames=1), canvas={"rgb": canvas}, shuffle=False)
        return dataset[BatchKey(0, 0, 4, 0, 4)]

    full, small = batch(Canvas()), batch(Canvas(longest=100))
    assert small.label.tolist() == full.label.tolist() == [0, 0, 1, 1]
    assert full.streams["rgb"].pixels.shape[1:3] == (1200, 1500)
    assert small.streams["rgb"].pixels.shape[1:3] == (96, 100)
    for row, frame in enumerate(catalog[k].id for k in range(4)):
        height, width = small.streams["rgb"].size[row].tolist()
        if frame.endswith("2.PNG"):
            assert (height, width) == (80, 100)
        else:
            np.testing.assert_array_equal(
                small.streams["rgb"].pixels[row, :height, :width], full.streams["rgb"].pixels[row, :height, :width]
            )
