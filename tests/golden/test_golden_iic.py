"""Golden items of IIC, and of VCOP and VCP, which share its code."""

import random
import tempfile
from operator import itemgetter
from pathlib import Path

import golden_items
import iic_finetune
import iic_methods
import iic_networks
import numpy as np
import pytest
import torch
from golden_items import Item

from praxino.catalogs.ucf101 import UCF101
from praxino.clips.samplers import EvenClips, RandomClip
from praxino.evaluations.joint import SideBySide
from praxino.evaluations.metrics import nearest_rows, retrieval
from praxino.rng import Rng
from praxino.training.schedules import Step
from praxino.views import motion
from praxino.views.geometry import Resize

LISTS = golden_items.SHARED / "data/splits/ucf101"


def residual(rescale: bool, sign: int = 1) -> golden_items.Check:
    def check(item: Item) -> None:
        item.compare(y=motion.residual(item.tensor("x"), rescale=rescale, sign=sign))

    return check


def repeat(item: Item) -> None:
    item.compare(y=motion.repeat(item.tensor("x"), torch.tensor(item.scalars["frames"])))


def shuffle(item: Item) -> None:
    first, step = torch.tensor(item.scalars["draws"]).unbind(1)
    item.compare(y=motion.shuffle(item.tensor("x"), first, step))


def resized(item: Item) -> None:
    height, width, crop = (item.scalars[name] for name in ("height", "width", "crop"))
    operation = Resize(height, width, crop)
    frame = torch.from_numpy(item.input("frame"))
    pixels = frame.movedim(-1, 0)[None, None, :, None]  # [B, n, C, T, H, W], one of each but C, H and W
    drawn = operation.draw(Rng(0), (1, 1, 1), torch.tensor(frame.shape[:2]).expand(1, 1, 1, 2))

    def cropped(**more: torch.Tensor) -> torch.Tensor:
        y = operation.apply(pixels, **drawn | more)
        assert y.dtype == torch.uint8
        return y[0, 0, :, 0].float() / 255

    values = {"y": cropped()}
    if "box" in item.scalars:
        values["box"] = cropped(corner=torch.tensor(item.scalars["box"]).expand(1, 1, 1, 2))
    every = {f"{name}_rows": value[:, ::16, ::4] for name, value in values.items()}
    item.compare(**values, **every)


def clip_starts(item: Item) -> None:
    # Lengths of the original are one less than the files: flow has one frame less.
    sampler = EvenClips(item.scalars["clips"], item.scalars["clip_len"], drop_last_frames=1, short="wrap")
    starts = [sampler.starts(frames) for frames in item.scalars["n_frames"]]
    item.compare(starts=np.stack(starts))
    for frames, some in zip(item.scalars["n_frames"], starts, strict=True):
        if frames < sampler.min_frames:
            continue
        numbers = sampler.numbers(frames)
        files = list(range(frames))
        assert numbers.tolist() == [[files[start + i] for i in range(numbers.shape[1])] for start in some]
        if (some >= 0).all():
            sane = EvenClips(item.scalars["clips"], item.scalars["clip_len"], drop_last_frames=1)
            assert np.array_equal(sane.numbers(frames), numbers)


def train_start_range(item: Item) -> None:
    sampler = RandomClip(item.scalars["clip_len"], drop_last_frames=1)
    lengths = item.scalars["n_frames"]
    item.compare(range=[[0, sampler.places(frames) - 1] for frames in lengths])
    for frames in lengths:
        # The range is what is really drawn from: its ends come up, nothing beyond them does.
        many = RandomClip(sampler.frames, clips=100 * sampler.places(frames), drop_last_frames=1)
        drawn = many(np.arange(frames) / 25, np.random.default_rng(0))[:, 0]
        assert (drawn.min(), drawn.max()) == (0, sampler.places(frames) - 1)


def video_ids_and_labels(item: Item) -> None:
    if not LISTS.is_dir():
        pytest.skip("the official lists are not beside the repository")
    videos, folders = item.scalars["videos"], item.scalars["folder"]
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        (root / "split").symlink_to(LISTS.resolve())
        for folder in folders:
            (root / "jpegs_256" / folder).mkdir(parents=True)
        catalog = UCF101(root).part("train")
        rows = [catalog[row] for row in item.scalars["list_rows"]]
        assert [row.id for row in rows] == videos
        assert [Path(str(row.files["rgb"])).name for row in rows] == folders
        assert all(Path(str(row.files["rgb"])).is_dir() for row in rows)
    labels = np.array([row.label for row in rows])
    # The original's retrieval counts classes from 1, its recognition from 0; only equality matters there.
    item.compare(label=labels, retrieval_label=labels + 1)


def clip_crop_boxes(item: Item) -> None:
    # Pins the original's machinery: before each frame Python's generator is seeded with the clip's number, then RGB, u
    # and v frame draw a corner each, top before left, of a 112x112 box in 128x171 pixels. Ours draws one box a clip.
    boxes = []
    for seed in item.scalars["s"]:
        random.seed(seed)
        boxes.append([[random.randint(0, 128 - 112), random.randint(0, 171 - 112)] for _ in ("rgb", "u", "v")])
    item.compare(boxes=boxes)
    # Our resize takes such a corner out of the 128x171 pixels.
    frame = torch.randint(0, 256, (1, 1, 3, 1, 90, 110), dtype=torch.uint8)
    whole, cut = Resize(128, 171), Resize(128, 171, crop=112, at="random")
    size = torch.tensor([90, 110]).expand(1, 1, 1, 2)
    resized = whole.apply(frame, **whole.draw(Rng(0), (1, 1, 1), size))
    drawn = cut.draw(Rng(0), (1, 1, 1), size)
    for top, left in (corner for clip in boxes for corner in clip):
        got = cut.apply(frame, **drawn | {"corner": torch.tensor([top, left]).expand(1, 1, 1, 2)})
        assert torch.equal(got, resized[..., top : top + 112, left : left + 112])


def lr_schedule_pretrain(item: Item) -> None:
    schedule = Step(item.scalars["milestones"], item.scalars["gamma"])
    epochs = item.size(item.entry["outputs"][0])
    item.compare(lr=[item.scalars["lr"] * schedule(epoch, epochs) for epoch in range(epochs)])


def retrieval_of(*suffixes: str) -> golden_items.Check:
    def check(item: Item) -> None:
        labels = {part: item.fill(f"{part}_label") for part in ("train", "test")}

        def features(part: str) -> np.ndarray:
            views = [
                item.fill(f"{part}_noise{suffix}")
                + item.scalars["signal"] * item.fill(f"proto{suffix}")[labels[part] - 1][:, None]
                for suffix in suffixes
            ]
            # One video after another, as they come in an evaluation, its views side by side.
            clips = [torch.from_numpy(view.astype(np.float64)) for view in views]
            beside = SideBySide({str(n): itemgetter(n) for n in range(len(clips))}, "joint")
            return np.stack([beside(video).mean(0).numpy() for video in zip(*clips, strict=True)])

        cuts = item.scalars["k"]
        test, train = features("test"), features("train")
        found = retrieval(test, train, labels["test"], labels["train"], cuts)
        hits = dict(zip(found.k, found.hits.sum(axis=0), strict=True))
        width = item.size("nearest") // len(labels["test"]) if "nearest" in item.entry["outputs"] else 10
        item.compare(
            accuracy=[found.accuracy[cut] for cut in cuts],
            hits=[hits[cut] for cut in cuts],
            nearest=nearest_rows(test, train, width)[0],
        )

    return check


CHECKS: dict[str, golden_items.Check] = {
    "resize_center_crop": resized,
    "resize_small": resized,
    "intra_repeat": repeat,
    "intra_shuffle": shuffle,
    "intra_shuffle_uneven": shuffle,
    "residual_pretrain": residual(rescale=True),
    "residual_finetune": residual(rescale=False),
    "vcp_residual": residual(rescale=True, sign=-1),
    "test_clip_starts": clip_starts,
    "retrieval_clip_starts": clip_starts,
    "train_start_range": train_start_range,
    "video_ids_and_labels": video_ids_and_labels,
    "clip_crop_boxes": clip_crop_boxes,
    "lr_schedule_pretrain": lr_schedule_pretrain,
    "retrieval_single": retrieval_of(""),
    "retrieval_merged": retrieval_of("", "2"),
    "alias_table": iic_methods.alias_table,
    "nce_softmax_iic": iic_methods.banks("softmax"),
    "nce_softmax_cmc": iic_methods.banks("softmax"),
    "nce_exp_iic": iic_methods.banks("nce"),
    "nce_exp_cmc": iic_methods.banks("nce"),
    "iic_train_step_r3d": iic_methods.train_step,
    "iic_train_step_r3d_grads": iic_methods.train_step,
    "cmc_train_step_c3d": iic_methods.train_step,
    "cmc_train_step_c3d_grads": iic_methods.train_step,
    "iic_train_step_r21d": iic_methods.train_step,
    "iic_train_step_r21d_grads": iic_methods.train_step,
    **iic_networks.CHECKS,
    **iic_finetune.CHECKS,
}


@pytest.mark.golden
@golden_items.each_item("iic")
def test_item(item):
    golden_items.run(item, CHECKS)
