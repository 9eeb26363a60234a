"""Checks of CycleContrast's, and so of MoCo's, augmentation, and of the test's pictures on UCF101."""

import golden_items
import numpy as np
import torch
from golden_items import Item
from torch import Tensor

from praxino.rng import Rng
from praxino.views import pixels
from praxino.views.blur import blur
from praxino.views.colour import Blur, ColourJitter, Grey, Normalise
from praxino.views.geometry import Flip, RandomResizedCrop, ResizeShorterSide

KINDS = ("brightness", "contrast", "saturation", "hue")


def as_clip(picture: np.ndarray) -> Tensor:
    """A picture [H, W, 3] as one clip of one frame: [1, 1, 3, 1, H, W]."""
    return torch.from_numpy(picture).movedim(-1, 0)[None, None, :, None]


def picture_of(clip: Tensor) -> Tensor:
    """[1, 1, 3, 1, H, W] -> [H, W, 3]."""
    return clip[0, 0, :, 0].movedim(0, -1)


def switch(on: bool) -> Tensor:
    return torch.tensor(bool(on)).view(1, 1, 1)


def corners(**pictures: Tensor) -> dict[str, Tensor]:
    """The first 24 rows and columns of pictures, which are stored; and the whole, as another folder may hold it."""
    cut = {name: picture[:24, :24] for name, picture in pictures.items()}
    return cut | {f"{name}_whole": picture for name, picture in pictures.items()}


def resized_crop(item: Item) -> None:
    clip, box = as_clip(item.input("image")), given_box(item)
    item.compare(image=picture_of(RandomResizedCrop(item.scalars["size"]).apply(clip, box=box)))


def given_box(item: Item) -> Tensor:
    return torch.tensor([item.scalars[name] for name in ("top", "left", "height", "width")]).view(1, 1, 1, 4)


def colour(item: Item) -> None:
    rows = as_clip(item.input("image")).flatten(0, 1)
    changed = {
        name: picture_of(getattr(pixels, name)(rows, torch.tensor(item.scalars[name], dtype=torch.float64))[None])
        for name in KINDS[:3]
    }
    item.compare(**corners(**changed))


def hue(item: Item) -> None:
    rows = as_clip(item.input("image")).flatten(0, 1)
    shifts = torch.tensor(item.scalars["hue"], dtype=torch.float64).view(-1, 1, 1, 1, 1)
    turned = pixels.hue(rows.repeat(len(shifts), 1, 1, 1, 1), shifts)
    item.compare(**corners(**{f"hue{k}": picture_of(one[None, None]) for k, one in enumerate(turned)}))


def grayscale(item: Item) -> None:
    item.compare(**corners(image=picture_of(Grey().apply(as_clip(item.input("image")), on=switch(True)))))


def blurred(item: Item) -> None:
    rows = as_clip(item.input("image")).flatten(0, 1)
    sigma = torch.tensor(item.scalars["sigma"], dtype=torch.float64).view(-1, 1, 1, 1, 1)
    found = blur(rows.repeat(len(sigma), 1, 1, 1, 1), sigma)
    item.compare(**corners(**{f"blur{k}": picture_of(one[None, None]) for k, one in enumerate(found)}))


def flip_normalize(item: Item) -> None:
    x = Flip().apply(as_clip(item.input("image")), on=switch(True))
    item.compare(tensor=Normalise().apply(x)[0, 0, :, 0])


def pipeline(item: Item) -> None:
    given = item.scalars
    order = torch.tensor([KINDS.index(name) for name in given["order"]]).view(1, 1, 1, -1)
    numbers = torch.tensor([given[name] for name in KINDS], dtype=torch.float64).view(1, 1, 1, -1)
    sigma = torch.tensor(given["sigma"], dtype=torch.float64).view(1, 1, 1)
    x = RandomResizedCrop(given["size"], scale=(0.2, 1.0)).apply(as_clip(item.input("image")), box=given_box(item))
    x = ColourJitter(0.4, 0.4, 0.4, 0.1, p=0.8).apply(x, numbers=numbers, order=order, on=switch(True))
    x = Grey(p=0.2).apply(x, on=switch(given["grayscale"]))
    x = Blur(0.1, 2.0, p=0.5).apply(x, number=sigma, on=switch(True))
    x = Flip(p=0.5).apply(x, on=switch(given["flip"]))
    assert x.dtype == torch.uint8
    item.compare(tensor=Normalise().apply(x)[0, 0, :, 0])


def ucf_test_transform(item: Item) -> None:
    clip, crop = as_clip(item.input("image")), item.scalars["crop"]
    operation = ResizeShorterSide(int(crop / 0.875), crop)
    size = torch.tensor(clip.shape[-2:]).expand(1, 1, 1, 2)
    picture = picture_of(operation.apply(clip, **operation.draw(Rng(0), (1, 1, 1), size)))
    item.compare(image=picture[::2, ::2], image_whole=picture, shape=picture.shape)


CHECKS: dict[str, golden_items.Check] = {
    "aug_resized_crop": resized_crop,
    "aug_color": colour,
    "aug_hue": hue,
    "aug_grayscale": grayscale,
    "aug_blur": blurred,
    "aug_flip_normalize": flip_normalize,
    "aug_pipeline": pipeline,
    "ucf_test_transform": ucf_test_transform,
}
