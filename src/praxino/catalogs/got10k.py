"""GOT-10k (Huang, Zhao, Huang: GOT-10k, 2019): ten thousand sequences of objects outdoors."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Self

from praxino.catalogs.base import Part
from praxino.catalogs.sequences import Place, Sequences, listed_sequences, said_of_absent
from praxino.errors import UserError
from praxino.printable import counted

FOLDERS: dict[Part, str] = {"train": "train", "test": "val"}


class GOT10k(Sequences):
    """Sequences `<part>/<name>/*.jpg` with boxes in `groundtruth.txt`, in the order of the part's `list.txt`.

    The root holds `train/` and `val/`, the parts "train" and "test", one of which may be absent; or it is one of these
    folders itself, and then every part is the whole. The data set's own `test/` has no boxes but the first, which its
    server keeps, so that nothing can be measured there. A line of boxes is `x,y,width,height`, the corner counted from
    1. `cover.label`, where it is there, says for each frame how much of the object is seen, 0 to 8. Names in the list
    without a folder are counted in `found`.

    Args:
        root: the data set's folder, or that of a part.

    Raises:
        UserError: if there is no such folder, it has no list, the list names nothing that is there, or a name twice.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = str(root)
        there = [folder for folder in (*FOLDERS.values(), "") if os.path.isfile(self._path(folder, "list.txt"))]
        if not there:
            raise UserError(f"GOT10k: {self.root} has no train/list.txt, no val/list.txt and no list.txt of its own")
        self._names: dict[str, list[str]] = {}
        said = []
        for folder in there[:-1] if there[-1] == "" and len(there) > 1 else there:
            self._names[folder], absent = listed_sequences(self._path(folder))
            listed = len(self._names[folder]) + len(absent)
            said.append(f"{counted(len(self._names[folder]), 'sequence')} in {self._path(folder)}")
            said[-1] += said_of_absent(absent, f"the {listed} in its list")
        self._shown = tuple(self._names)
        if not len(self):
            raise UserError(f"GOT10k: {self.root} has no folder of a sequence in its list")
        self.found = f"GOT10k: {', '.join(said)}"

    def __len__(self) -> int:
        return sum(len(self._names[folder]) for folder in self._shown)

    def place(self, row: int) -> Place:
        for folder in self._shown:
            names = self._names[folder]
            if row < len(names):
                inside = self._path(folder, names[row])
                cover = os.path.join(inside, "cover.label")
                return Place(
                    names[row],
                    inside,
                    os.path.join(inside, "groundtruth.txt"),
                    cover=cover if os.path.isfile(cover) else None,
                )
            row -= len(names)
        raise IndexError(row)

    def part(self, name: Part) -> Self:
        """The sequences of `train/`, of `val/` ("test"), or the former followed by the latter.

        Without these folders it is always the whole.

        Raises:
            UserError: if there are none.
        """
        part = copy.copy(self)
        part._shown = tuple(self._names) if name == "all" or "" in self._names else (FOLDERS[name],)
        if not set(part._shown) <= set(self._names) or not len(part):
            raise UserError(f"GOT10k: {self.root} has no sequences of the part {name} (looked for {FOLDERS[name]}/)")
        return part

    def _path(self, *names: str) -> str:
        return os.path.join(self.root, *(name for name in names if name))
