"""Pictures in class folders: ImageNet, and whatever lies like it."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Catalog, Part, Video
from praxino.catalogs.imagenet_val import labels_by_number
from praxino.catalogs.picture_parts import FOLDERS, PicturePart, looked_for, part_folders
from praxino.catalogs.subset import listed_classes, listed_pictures, read_subset
from praxino.errors import UserError


class ImageFolder(Catalog):
    """Pictures `<class>/<picture>`, each a video of one frame, class by class in the order of names.

    A picture is a file that ends in .jpg, .jpeg or .png, in any case. Hidden files and folders are passed over. Other
    files, pictures outside of class folders, and class folders without pictures are counted in `found`.

    The root is a folder with `train/` and `val/` (or `test/`, where there is no `val/`), the parts "train" and "test",
    one of which may be absent; or it is a folder of class folders itself, and then every part is the whole. The classes
    are the folders of `train/` in the order of their names. Pictures of the other part whose class is not among them
    are left out and counted. A picture's id is its path below the root.

    `val/` may hold ImageNet's validation pictures without class folders, `ILSVRC2012_val_<number>.JPEG`. Their classes
    are then those of `ILSVRC2012_validation_ground_truth.txt` and a table of synsets, `map_clsloc.txt`,
    `meta_clsloc.mat` or `meta.mat`, which lie in `val/` or in the root, or in a development kit there
    (`ILSVRC2012_devkit_t12/data/`, `devkit/data/`). Without these files the pictures are left out, and the part "test"
    says what it needs.

    The names of many pictures are kept in the user's cache, and listed anew when a folder has changed.

    Args:
        root: the data set's folder, or that of a part.
        subset: a list of class folders, one a line, as ImageNet-100 has it: they alone are the classes. Or a list of
            pictures, by their paths below the root, or by their names where only one is called so: a part of which it
            names none stays whole.

    Raises:
        UserError: if there is no such folder or list, one cannot be read, or no picture is found; if the list names
            what is not there.
    """

    def __init__(self, root: str | Path, subset: str | Path | None = None) -> None:
        self.root = str(root)
        self.subset = None if subset is None else str(subset)
        folders = part_folders(self.root, "ImageFolder") or {"all": ""}
        parts = {part: PicturePart.of(self.root, folder) for part, folder in folders.items()}
        own = parts.get("train") or next(iter(parts.values()))
        if own.flat or not len(own.listing):
            raise UserError(
                f"ImageFolder: {own.place} has no class folders with pictures in them, <class>/<picture>.jpg"
            )
        if "all" in parts:
            _refuse_parts_as_classes(own)
        self.classes = own.listing.folders
        rows = self._read_subset(parts)
        self._untold: UserError | None = None
        self._parts = {name: self._labelled(part, rows.get(part.folder)) for name, part in parts.items()}
        self._shown = list(self._parts.values())
        if not len(self):
            raise UserError(f"ImageFolder: {self.root} has no picture of what is listed in {self.subset}")
        self.found = self._said(own.listing.folders)

    def __len__(self) -> int:
        return sum(len(part.rows) for part in self._shown)

    def video(self, row: int) -> Video:
        for part in self._shown:
            if row < len(part.rows):
                path = part.pictures.path(int(part.rows[row]))
                return Video(path, {"rgb": os.path.join(self.root, path)}, int(part.labels[row]))
            row -= len(part.rows)
        raise IndexError(row)

    def listed_frames(self, row: int) -> int:
        """One: a picture is a video of one frame."""
        return 1

    def part(self, name: Part) -> Self:
        """The pictures of `train/`, of `val/` or `test/`, or the former followed by the latter.

        Without these folders it is always the whole.

        Raises:
            UserError: if there are none, or nothing tells their classes.
        """
        named = [pictures for own, pictures in self._parts.items() if own == name]
        part = copy.copy(self)
        part._shown = list(self._parts.values()) if name == "all" or "all" in self._parts else named
        if not len(part):
            if self._untold is not None:
                raise self._untold
            for own in named:
                if len(own.pictures.listing):
                    raise UserError(
                        f"ImageFolder: {own.pictures.place} has pictures, but none for the part {name}: left out "
                        f"{own.left_out}"
                    )
            raise UserError(
                f"ImageFolder: {self.root} has no pictures of the part {name} (looked for {looked_for(name)})"
            )
        return part

    def _read_subset(self, parts: Mapping[str, PicturePart]) -> dict[str, NDArray[np.int64]]:
        """The rows that a list of pictures names, by folder of the part; a list of classes makes these the classes."""
        if self.subset is None:
            return {}
        listed = read_subset(self.subset)
        classes = listed_classes(self.subset, listed, self.classes)
        if classes is None:
            return listed_pictures(self.subset, listed, parts.values(), self.root)
        self.classes = classes
        return {}

    def _labelled(self, part: PicturePart, rows: NDArray[np.int64] | None) -> _Labelled:
        counts = {"in no class folder": part.loose, "that are no pictures": part.listing.others.sum()}
        try:
            labels = self._labels_of(part)
        except UserError as error:
            self._untold = UserError(f"ImageFolder: {error}")
            labels = np.full(len(part.listing), -2, np.int32)
        counts["of other classes"] = (labels == -1).sum()
        counts["whose class is not known"] = (labels == -2).sum()
        within = np.flatnonzero(labels >= 0)
        if rows is not None:
            counts["that are not listed"] = len(within) - len(rows := np.intersect1d(within, rows))
            within = rows
        left_out = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return _Labelled(part, within, labels[within], left_out)

    def _labels_of(self, part: PicturePart) -> NDArray[np.int32]:
        if not part.flat:
            return part.labels(self.classes)
        names = map(part.listing.name, range(len(part.listing)))
        return labels_by_number(names, self.classes, part.place, self.root)

    def _said(self, folders: tuple[str, ...]) -> str:
        where = " and ".join(f"{len(part.rows)} in {part.pictures.place}" for part in self._shown)
        classes = f"{len(self.classes)}" + (f" of {len(folders)}" if len(folders) > len(self.classes) else "")
        said = f"ImageFolder: pictures of {classes} classes, {where}"
        said += f", listed in {self.subset}" if self.subset else ""
        empty = len(self.classes) - len(np.unique(self._shown[0].labels))
        said += f"; no pictures of {empty} of them in {self._shown[0].pictures.place}" if empty else ""
        return said + "".join(f"; left out in {p.pictures.place}: {p.left_out}" for p in self._shown if p.left_out)


def _refuse_parts_as_classes(whole: PicturePart) -> None:
    named = [name for name, count in zip(whole.listing.folders, whole.listing.counts, strict=True) if count]
    if FOLDERS.issuperset(named):
        raise UserError(
            f"ImageFolder: {whole.place} has no class folders, train/<class>/<picture>.jpg: its pictures lie in "
            f"{' and '.join(f'{name}/' for name in named)} itself, which is the name of a part"
        )


@dataclass(frozen=True, eq=False)
class _Labelled:
    """The pictures of a part that are in, as columns.

    Attributes:
        pictures: all of the part's.
        rows: int64 [pictures], of those that are in.
        labels: int32 [pictures].
        left_out: what is, in words.
    """

    pictures: PicturePart
    rows: NDArray[np.int64]
    labels: NDArray[np.int32]
    left_out: str
