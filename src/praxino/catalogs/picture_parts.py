"""The parts of a data set of pictures: folders train/ and val/ below its root, or the root itself."""

from __future__ import annotations

import os
from collections.abc import Mapping

from praxino.catalogs.listing import folders_in
from praxino.errors import UserError

# The later one is looked at where there is no earlier one.
PARTS = {"train": ("train",), "test": ("val", "test")}


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
