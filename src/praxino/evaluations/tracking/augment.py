"""What a siamese head is trained on: crops around the object, the object a little off the middle and of another size.

The augmentation of SiamFC's successors as CycleContrast's tracker has it: resized by one of five interpolations,
stretched a little, cropped at a random place near the middle. Colours stay, and nothing is mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from praxino.errors import UserError, check_numbers, check_within
from praxino.evaluations.tracking.crops import (
    EXTRA,
    INTERPOLATIONS,
    Interpolation,
    bordered,
    centre_and_size,
    crop,
    flag,
    mean_colour,
    side_of,
)
from praxino.streams.opencv import opencv


@dataclass(frozen=True)
class Drawn:
    """What is random about one crop.

    Attributes:
        cropped, stretched: interpolations of the two resizes.
        stretch: share by which the second makes the picture larger.
        top, left: how far the crop begins below and right of where it could, in pixels.
    """

    cropped: Interpolation
    stretched: Interpolation
    stretch: float
    top: int
    left: int


class PairCrops:
    """Cuts the exemplar and the search picture of a training pair out of two frames.

    The search picture may be wider, by `shift` on each side, for parts of it in which the object is off the middle.
    Both are cut by the same rule: a square of the object's side times instance / exemplar, resized to `instance`;
    stretched; of that the middle without `margin` pixels; of that a part of `margin` pixels less at a random place. Of
    the exemplar then the middle.

    Args:
        exemplar, instance: sides of the tracker's crops, in pixels.
        context: as of `Tracker`.
        margin: in pixels: the search picture's side is instance - 2 margin. Published: 8.
        stretch: largest share by which a picture is made larger or smaller, 0 to below 1. Published: 0.05.
        shift: in pixels: the search picture is wider by it on each side. Published: 0.

    Raises:
        UserError: if a number will not do.
    """

    def __init__(
        self,
        exemplar: int = 120,
        instance: int = 255,
        context: float = 0.5,
        margin: int = 8,
        stretch: float = 0.05,
        shift: int = 0,
    ) -> None:
        check_numbers(exemplar=exemplar)
        check_within(0, context=context, shift=shift)
        check_within(1, margin=margin)
        if not 0 <= stretch < 1:
            raise UserError(f"--crops.stretch must be from 0 to below 1, not {stretch}")
        if instance - 2 * margin < exemplar:
            raise UserError(f"--crops.instance {instance} less twice the margin {margin} is below the exemplar's side, "
                            f"{exemplar}: pass a larger instance")  # fmt: skip
        self.exemplar = exemplar
        self.instance = instance
        self.context = context
        self.margin = margin
        self.stretch = stretch
        self.shift = shift

    @property
    def search(self) -> int:
        """The side of the search picture, in pixels."""
        return self._whole - 2 * self.margin

    @property
    def _whole(self) -> int:
        return self.instance + 2 * self.shift

    def drawn(self, generator: np.random.Generator) -> tuple[Drawn, Drawn]:
        """What is random about the exemplar and about the search picture.

        One generator draws for both: the interpolations of the two crops; then for each of the two that of its stretch,
        the share, and its place.
        """
        cropped = [_one_of(INTERPOLATIONS, generator) for _ in range(2)]
        drawn = []
        for interpolation in cropped:
            stretched = _one_of(INTERPOLATIONS, generator)
            share = float(generator.uniform(-self.stretch, self.stretch))
            room = min(self.margin, self._middle(share) - self.search)
            top, left = (int(one) for one in generator.integers(0, max(0, room) + 1, 2))
            drawn.append(Drawn(interpolation, stretched, share, top, left))
        return drawn[0], drawn[1]

    def exemplar_of(self, frame: NDArray[np.uint8], box: ArrayLike, drawn: Drawn) -> NDArray[np.uint8]:
        """uint8 [exemplar, exemplar, 3] of a frame uint8 [H, W, 3]; the box from 0."""
        picture = self.search_of(frame, box, drawn)
        first = round((self.search - self.exemplar) / 2)
        return picture[first : first + self.exemplar, first : first + self.exemplar]

    def search_of(self, frame: NDArray[np.uint8], box: ArrayLike, drawn: Drawn) -> NDArray[np.uint8]:
        """uint8 [search, search, 3] of a frame uint8 [H, W, 3]; the box from 0."""
        cv2 = opencv("A tracker", EXTRA)
        centre, size = centre_and_size(box)
        side = side_of(size, self.context) * self._whole / self.exemplar
        picture = crop(frame, centre, side, self._whole, drawn.cropped)
        stretched = self._stretched(drawn.stretch)
        picture = cv2.resize(picture, (stretched, stretched), interpolation=flag(drawn.stretched))
        first = round((stretched - (self._whole - self.margin)) / 2)
        if first < 0:
            picture, first = bordered(picture, (-first, -first), (-first, -first), mean_colour(picture)), 0
        top, left = first + drawn.top, first + drawn.left
        return picture[top : top + self.search, left : left + self.search]

    def _stretched(self, share: float) -> int:
        return round(self._whole * (1 + share))

    def _middle(self, share: float) -> int:
        """The side of the part in the middle, out of which the last crop is taken."""
        stretched, wanted = self._stretched(share), self._whole - self.margin
        first = round((stretched - wanted) / 2)
        # Of a padded picture, where half a pixel is rounded to the even one, there may be one fewer than wanted.
        return min(wanted, stretched - 2 * first if first < 0 else stretched - first)


def _one_of(words: tuple[Interpolation, ...], generator: np.random.Generator) -> Interpolation:
    return words[int(generator.integers(len(words)))]
