"""The parts of a data set of pictures: folders train/ and val/ below its root, or the root itself."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.listing import Listing, folders_in, list_pictures
from praxino.errors import UserError

# The later one is looked at where there is no earlier one.
PARTS = {"train": ("train",), "test": ("val", "test")}
FOLDERS = frozenset(folder for folders in PARTS.values() for folder in folders)


def looked_for(part: str) -> str:
    """The folders in which a part's pictures may lie, in words."""
    return ", or where it is not there ".join(f"{folder}/" for folder in PARTS[part])


def part_folders(root: str, name: str) -> Mapping[str, str]:
    """Part -> its folder below the root; none where the root is a part itself, whose folders hold the pictures.

    A folder called `train`, `val` or `test` is a part if it has folders, or where another one is: a class may be called
    so, too.

    Args:
        root: the data set's folder.
        name: of the catalog, for messages.

    Raises:
        UserError: if there is no such folder, or it cannot be read.
    """
    if not os.path.isdir(root):
        raise UserError(f"{name}: there is no folder {root}")
    inner, _ = folders_in(root)
    found = {part: next((folder for folder in folders if folder in inner), "") for part, folders in PARTS.items()}
    there = {part: folder for part, folder in found.items() if folder}
    return there if any(folders_in(os.path.join(root, folder))[0] for folder in there.values()) else {}


@dataclass(frozen=True, eq=False)
class PicturePart:
    """All pictures of one part.

    Attributes:
        folder: the part's, below the root; "" is the root.
        place: this folder.
        listing: of its class folders, or of itself.
        flat: whether it holds the pictures itself, and has no folders.
        loose: how many pictures lie beside its folders.
    """

    folder: str
    place: str
    listing: Listing
    flat: bool
    loose: int

    @classmethod
    def of(cls, root: str, folder: str) -> PicturePart:
        """The part in a folder below the root.

        Raises:
            UserError: if a folder cannot be read.
        """
        place = os.path.join(root, folder) if folder else root
        inner, loose = folders_in(place)
        flat = bool(loose and not inner)
        return cls(folder, place, list_pictures(place, [""] if flat else inner), flat, 0 if flat else loose)

    def labels(self, classes: Sequence[str]) -> NDArray[np.int32]:
        """The label of each picture by its folder: int32 [pictures], -1 where that is none of the classes."""
        labels = {name: label for label, name in enumerate(classes)}
        of_folders = np.array([labels.get(folder, -1) for folder in self.listing.folders], np.int32)
        return np.repeat(of_folders, self.listing.counts)

    def path(self, row: int) -> str:
        """The picture's path below the root."""
        path = self.listing.path(row)
        return f"{self.folder}/{path}" if self.folder else path
