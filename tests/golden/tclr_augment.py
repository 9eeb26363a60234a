"""Checks of TCLR's augmentation and of its evaluation's clips.

Its frames are blue, green, red. Ours are red, green, blue: the frames are turned, the operations take luma and hue as
the original does (`channel_order="bgr"`), and what comes out is turned back.
"""

import golden_items
import numpy as np
import torch
from golden_items import Item
from torch import Tensor

from praxino.clips.modes import TemporalModes
from praxino.clips.samplers import RandomClip, consecutive, mirrored
from praxino.rng import Rng
from praxino.views import pixels
from praxino.views.gated import Erase, GatedJitter, GreyOrDrop
from praxino.views.geometry import CentreCrop, Flip, SquareCrop
from praxino.views.pipeline import Operation
from praxino.views.resample import resample

PRETRAIN = (GatedJitter(channel_order="bgr"), GreyOrDrop(channel_order="bgr"))
LINEAR = (
    GatedJitter(0.1, 0.1, 0.1, 0.05, p=0.15, p_contrast=0.125, channel_order="bgr"),
    GreyOrDrop(p_grey=0.1, p_drop=0.0, gamma=0.15, channel_order="bgr"),
)


def as_clip(frame: np.ndarray) -> Tensor:
    """A frame [H, W, 3], blue first, as one clip of red, green, blue: [1, 1, 3, 1, H, W]."""
    return torch.from_numpy(frame).movedim(-1, 0).flip(0)[None, None, :, None]


def frame_of(clip: Tensor) -> Tensor:
    """[1, 1, 3, 1, H, W] -> [H, W, 3], blue first."""
    return clip[0, 0, :, 0].flip(0).movedim(0, -1)


def drawn(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).view(1, 1, 1, -1)


def operations(item: Item) -> None:
    given = item.scalars
    clip = as_clip(item.fill("frame"))
    rows = clip.flatten(0, 1)

    def changed(change, *names: str) -> dict[str, Tensor]:
        of = pixels.taking("bgr", change)
        return {name: frame_of(of(rows, drawn(given[name]).view(-1, 1, 1, 1, 1))[None]) for name in names}

    grey = pixels.taking("bgr", pixels.grey)(rows)
    exponents = {name: torch.tensor([given[name]], dtype=torch.float64) for name in ("gamma", "gamma_high")}
    levels = {name: pixels.gamma_levels(exponent)[0].round().clamp(max=255) for name, exponent in exponents.items()}
    box, upsized = given["crop"], given.get("upsized", (40, 50))
    box = [box[name] for name in ("top", "left", "height", "width")]
    erased = [given["erase"][name] for name in ("row", "col", "height", "width")]
    whole = (0, 0, *clip.shape[-2:])
    on = torch.ones(1, 1, 1, dtype=torch.bool)
    item.compare(
        **changed(pixels.contrast, "contrast", "contrast_low"),
        **changed(pixels.hue, "hue", "hue_negative"),
        **changed(pixels.saturation, "saturation", "saturation_low"),
        **changed(pixels.brightness, "brightness", "brightness_low"),
        grey=frame_of(grey[None]),
        **{
            name: frame_of(pixels.gamma(grey, exponent.view(-1, 1, 1, 1, 1))[None])
            for name, exponent in exponents.items()
        },
        **{f"{name}_rounded": frame_of(level.to(torch.uint8)[grey.long()][None]) for name, level in levels.items()},
        resized_crop=frame_of(resample(clip, box, tuple(given["size"]))),
        upsized=frame_of(resample(clip, whole, tuple(upsized))),
        channel_drop=frame_of(pixels.without_channel(rows, torch.tensor(2 - given["channel"]))[None]),
        hflip=frame_of(Flip().apply(clip, on=on)),
        erase=frame_of(Erase().apply(clip, box=torch.tensor(erased).view(1, 1, 1, 4), on=on)),
    )


def floats(clip: Tensor) -> Tensor:
    """What the loader of the original gives: [3, h, w] in [0, 1], blue first."""
    return frame_of(clip).movedim(-1, 0).float() / 255


def chain(jitter: GatedJitter, grey_or_drop: GreyOrDrop, p_erase: float) -> golden_items.Check:
    def check(item: Item) -> None:
        given = item.scalars
        frame = item.fill("blocks")
        height, width = given["ori_h"], given["ori_w"]
        repeats = height // frame.shape[0], width // frame.shape[1]
        clip = as_clip(frame.repeat(repeats[0], 0).repeat(repeats[1], 1))
        size = torch.tensor(clip.shape[-2:]).expand(1, 1, 1, 2)

        def augmented(case: dict) -> Tensor:
            gates = case["gates"]
            crop = SquareCrop(given["reso"], scale=(case["c"], case["c"]), everywhere=False)
            box = crop.draw(Rng(0), (1, 1, 1), size)["box"].clone()
            box[..., 0], box[..., 1] = case["y0"], case["x0"]
            numbers = drawn(*(case[name] for name in ("contrast", "hue", "saturation", "brightness")))
            erased = [case[name] for name in ("erase_row", "erase_col", "erase_height", "erase_width")]
            x = crop.apply(clip, box=box)
            x = jitter.apply(x, gates=drawn(*gates[:4]), numbers=numbers)
            x = grey_or_drop.apply(
                x,
                gates=drawn(*gates[4:6]),
                gamma=drawn(case["gamma"])[..., 0],
                channel=torch.tensor(2 - case["channel"]).view(1, 1, 1),
            )
            x = Flip().apply(x, on=torch.tensor(gates[6] > 0.5).view(1, 1, 1))
            on = torch.tensor(gates[7] < p_erase).view(1, 1, 1)
            return floats(Erase().apply(x, box=torch.tensor(erased).view(1, 1, 1, 4), on=on))

        item.compare(**{f"case{k}": augmented(case) for k, case in enumerate(given["cases"])})

    return check


def transform_eval(item: Item) -> None:
    given = item.scalars
    clip = as_clip(item.fill("blocks").repeat(16, 0).repeat(16, 1))
    size = torch.tensor(clip.shape[-2:]).expand(1, 1, 1, 2)

    def seen(operation: Operation, flip: int = 0) -> Tensor:
        x = operation.apply(clip, **operation.draw(Rng(0), (1, 1, 1), size))
        return floats(Flip().apply(x, on=torch.tensor(flip != 0).view(1, 1, 1)))

    crops = zip(given["crop_factors"], given["hflip"], strict=True)
    cases = {f"case{k}": seen(CentreCrop(given["reso"], share), flip) for k, (share, flip) in enumerate(crops)}
    item.compare(**cases, full=seen(CentreCrop(112, 0.8)))


def or_dropped(wanted: np.ndarray, length: int) -> np.ndarray:
    """The clips `wanted` [clips, frames] of what could be decoded; -1 where mirroring once does not complete one."""
    enough = (wanted < length).sum(1, keepdims=True) > wanted.shape[1] // 2
    return np.where(enough, mirrored(wanted, length), -1)


def linear_train(item: Item) -> None:
    skip = item.scalars["fix_skip"]
    sampler = RandomClip(stride=skip, drop_last_frames=2)
    frames = []
    for announced, decodable, start in item.scalars["cases"]:
        wanted = sampler.numbers(max(announced, sampler.min_frames), [start])
        frames.append(or_dropped(wanted, decodable if announced >= sampler.min_frames else 0)[0])
        # What is drawn from: the original's integers below announced - 32.
        assert announced < sampler.min_frames or sampler.places(announced) == announced - 32
    item.compare(frames=frames)


def temporal_modes(item: Item) -> None:
    sampler = TemporalModes(item.scalars["num_modes"], stride=item.scalars["fix_skip"])
    frames = []
    for announced, decodable in item.scalars["cases"]:
        wanted = consecutive(sampler.starts(announced), sampler.frames, sampler.stride)
        frames.append(or_dropped(wanted, decodable))
        if announced == decodable >= sampler.min_frames:
            assert np.array_equal(sampler.numbers(announced), frames[-1])
    item.compare(frames=frames)


CHECKS: dict[str, golden_items.Check] = {
    "augment_ops": operations,
    "augment_chain_pretrain": chain(*PRETRAIN, p_erase=0.5),
    "augment_chain_linear": chain(*LINEAR, p_erase=0.25),
    "transform_eval": transform_eval,
    "sampler_linear_train": linear_train,
    "sampler_linear_test": temporal_modes,
    "sampler_retrieval": temporal_modes,
}
