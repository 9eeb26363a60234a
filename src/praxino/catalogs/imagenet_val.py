"""The classes of ImageNet's validation pictures, which come in one folder: by their numbers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.matlab import read_structs
from praxino.catalogs.names import first_repeated
from praxino.catalogs.text import lines_of, short, text_of
from praxino.errors import UserError

PICTURE = re.compile(r"ILSVRC2012_val_(\d{8})\.\w+", re.ASCII)
MOST_DIGITS = 9
GROUND_TRUTH = "ILSVRC2012_validation_ground_truth.txt"
SYNSETS = ("map_clsloc.txt", "meta_clsloc.mat", "meta.mat")
BELOW_ROOT = ("", "ILSVRC2012_devkit_t12/data", "devkit/data")


def labels_by_number(names: Iterable[str], classes: Sequence[str], folder: str, root: str) -> NDArray[np.int32]:
    """The label of each validation picture.

    Args:
        names: of the pictures.
        classes: wnids, by label.
        folder, root: as of `ground_truth`.

    Returns:
        int32 [pictures]: -1 where its class is none of `classes`, -2 where the ground truth does not tell: it is named
        in another way, or has too high a number.

    Raises:
        UserError: as `ground_truth`.
    """
    label_of = {wnid: label for label, wnid in enumerate(classes)}
    labels = {number: label_of.get(wnid, -1) for number, wnid in ground_truth(folder, root).items()}
    matches = (PICTURE.fullmatch(name) for name in names)
    return np.array([labels.get(int(match[1]), -2) if match else -2 for match in matches], np.int32)


def ground_truth(folder: str, root: str) -> dict[int, str]:
    """The class of each validation picture, by its number: a line of the ground truth says the number of a synset.

    The ground truth is `ILSVRC2012_validation_ground_truth.txt`, a number a line. The synsets are `map_clsloc.txt` of
    the development kit, lines of `wnid number words`, or else its `meta_clsloc.mat` or `meta.mat`.

    Args:
        folder: of the pictures, where the files may lie.
        root: of the data set, where they may lie as well, and in a development kit below it.

    Raises:
        UserError: if a file is missing, or of another form.
    """
    truth, synsets = _found(folder, root, (GROUND_TRUTH,)), _found(folder, root, SYNSETS)
    pairs = list(_of_text(synsets) if synsets.endswith(".txt") else _of_matlab(synsets))
    for what in ([number for number, _ in pairs], [wnid for _, wnid in pairs]):
        twice = first_repeated(map(str, what))
        if twice is not None:
            raise UserError(f"{synsets}: {short(twice)} is there twice")
    wnids = {str(number): wnid for number, wnid in pairs}
    found = {}
    for line, number in lines_of(text_of(truth)):
        if number not in wnids:
            raise UserError(f"{truth}, line {line}: {short(number)} is no number of a synset in {synsets}")
        found[line] = wnids[number]
    return found


def _found(folder: str, root: str, names: Sequence[str]) -> str:
    for name in names:
        for place in (folder, *(os.path.join(root, below) for below in BELOW_ROOT)):
            if os.path.isfile(path := os.path.join(place, name)):
                return path
    raise UserError(
        f"{folder} holds pictures and no class folders, and what tells their classes is missing, "
        f"{' or '.join(names)}: put it there or into {root}, or sort the pictures into class folders"
    )


def _of_text(path: str) -> Iterator[tuple[int, str]]:
    for line, text in lines_of(text_of(path)):
        wnid, number, *_ = (*text.split(maxsplit=2), "", "")
        if not (number.isascii() and number.isdecimal() and len(number) <= MOST_DIGITS):
            raise UserError(f"{path}, line {line}: expected `wnid number words`, not {short(text)}")
        yield int(number), wnid


def _of_matlab(path: str) -> Iterator[tuple[int, str]]:
    for row, (number, wnid) in enumerate(read_structs(path, "synsets", fields=2), 1):
        if not isinstance(number, float) or not number.is_integer() or not isinstance(wnid, str):
            raise UserError(f"{path}: struct {row} of synsets begins with {number!r} and {wnid!r}, no number and wnid")
        yield int(number), wnid
