"""The lists of operations on the page of MoCo's augmentation, against Pillow for one picture after the other.

What is done in which order, and how strongly, is written out here once more, from chapters 2 and 9 of CycleContrast's
specification.
"""

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageFilter
from test_colour import hue_by_pillow
from test_geometry import batch_of, noise

from moco_page import on_the_page
from praxino.described import arguments
from praxino.rng import Rng

JITTER = (
    lambda image, f: ImageEnhance.Brightness(image).enhance(f),
    lambda image, f: ImageEnhance.Contrast(image).enhance(f),
    lambda image, f: ImageEnhance.Color(image).enhance(f),
    hue_by_pillow,
)
CROP = {"size": 224, "ratio": (3 / 4, 4 / 3), "exact": True, "rounded": True}
COLOUR = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "order": "random"}
TEST = [("ResizeShorterSide", {"size": 256, "crop": 224, "exact": True}), ("Normalise", {})]
CHAINS = {
    "MoCo v2": [
        ("RandomResizedCrop", CROP | {"scale": (0.2, 1.0)}),
        ("ColourJitter", COLOUR | {"hue": 0.1, "p": 0.8}),
        ("Grey", {"p": 0.2}),
        ("Blur", {"low": 0.1, "high": 2.0, "p": 0.5}),
        ("Flip", {"p": 0.5}),
        ("Normalise", {}),
    ],
    "MoCo v1": [
        ("RandomResizedCrop", CROP | {"scale": (0.2, 1.0)}),
        ("Grey", {"p": 0.2}),
        ("ColourJitter", COLOUR | {"hue": 0.4, "p": 1.0}),
        ("Flip", {"p": 0.5}),
        ("Normalise", {}),
    ],
    "Linear evaluation on ImageNet: training": [
        ("RandomResizedCrop", CROP | {"scale": (0.08, 1.0)}),
        ("Flip", {"p": 0.5}),
        ("Normalise", {}),
    ],
    "Linear evaluation on ImageNet: test": TEST,
    "Fine-tuning on UCF101: training": [
        ("RandomResizedCrop", CROP | {"scale": (0.08, 1.0)}),
        ("Flip", {"p": 0.5}),
        ("ColourJitter", COLOUR | {"hue": 0.2, "p": 1.0}),
        ("Normalise", {}),
    ],
    "Fine-tuning on UCF101: test": TEST,
}


def resized(image, size):
    """Width first, as every Pillow before the 13th."""
    return image.resize((size[0], image.height), Image.Resampling.BILINEAR).resize(size, Image.Resampling.BILINEAR)


def by_pillow(picture, chain, drawn):
    """A picture [H, W, 3] through a chain, with what each of its operations drew: floats [3, h, w]."""
    image = Image.fromarray(picture)
    for (name, said), one in zip(chain, drawn, strict=True):
        if name == "RandomResizedCrop":
            top, left, height, width = one["box"].tolist()
            image = resized(image.crop((left, top, left + width, top + height)), (224, 224))
        elif name == "ResizeShorterSide":
            short = min(image.size)
            image = resized(image, tuple(said["size"] * side // short for side in image.size))
            left, top = (round((side - said["crop"]) / 2) for side in image.size)
            image = image.crop((left, top, left + said["crop"], top + said["crop"]))
        elif name == "ColourJitter":
            for kind in one["order"].tolist() if one["on"] else []:
                image = JITTER[kind](image, one["numbers"][kind].item())
        elif name == "Grey":
            image = image.convert("L").convert("RGB") if one["on"] else image
        elif name == "Blur":
            image = image.filter(ImageFilter.GaussianBlur(one["number"].item())) if one["on"] else image
        elif name == "Flip":
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if one["on"] else image
    x = np.asarray(image, np.float32).transpose(2, 0, 1) / 255
    mean, std = np.float32([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
    return (x - mean[:, None, None]) / std[:, None, None]


@pytest.mark.parametrize("heading", CHAINS)
def test_the_operations_and_their_numbers(heading):
    operations = on_the_page(heading).operations
    assert [type(operation).__name__ for operation in operations] == [name for name, _ in CHAINS[heading]]
    for operation, (_, said) in zip(operations, CHAINS[heading], strict=True):
        assert {name: arguments(operation)[name] for name in said} == said
        assert operation.per == "clip"


@pytest.mark.parametrize("heading", CHAINS)
def test_pixels_are_pillows(heading):
    frames = 3 if "UCF101" in heading else 1
    clips = 12 // frames
    view, pictures = on_the_page(heading), noise(clips, frames, 50, 67, 3)
    batch = batch_of(pictures)
    drawn = view.draw(batch, Rng(4))
    got = view.apply(batch, drawn)
    assert got.shape == (clips, 1, 3, frames, 224, 224)
    for clip, frame in np.ndindex(clips, frames):
        numbers = [{name: value[min(clip, len(value) - 1), 0, 0] for name, value in one.items()} for one in drawn]
        want = by_pillow(pictures[clip, frame].numpy(), CHAINS[heading], numbers)
        # The same bytes; the last division is rounded once more or less.
        assert np.abs(got[clip, 0, :, frame].numpy() - want).max() < 1e-5


@pytest.mark.parametrize("heading", ["MoCo v1", "MoCo v2"])
def test_each_clip_has_draws_of_its_own(heading):
    """Two clips of one frame, and two videos: nothing but by chance the same."""
    view = on_the_page(heading)
    for one in view.draw(batch_of(noise(40, 2, 50, 67, 3), clips=2), Rng(1)):
        for name, value in one.items():
            assert value.shape[:3] == (40, 2, 1), name
            if value.unique().numel() > 1:  # the jitter of v1 is always on
                assert not torch.equal(value[:, 0], value[:, 1]), name
                assert not torch.equal(value[:20], value[20:]), name
