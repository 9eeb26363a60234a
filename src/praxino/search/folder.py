"""The folder of an index: what it holds, its header, and which vectors are valid.

```
index.json            the header; it names the folder with the data
data-4f1c.../         named by its content: vectors.npy, seconds.npy, owners.npy, manifest.jsonl
graph.usearch         of an approximate search, once there was one
.parts/               what an `embed` that goes on, or was killed, has computed so far
```

New data come into a folder of their own, and the header is replaced at the end: whoever reads sees the old index or the
new one, and a kill at any time leaves one of the two.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from praxino.errors import UserError
from praxino.files import read_text, write_text
from praxino.printable import printable

VERSION = 1
HEADER = "index.json"
PARTS = ".parts"
DATA = "data-"  # before the name of a folder of data
FORMAT = "praxino_index"  # under which the header has the version
# Of what is read, since a file may have been edited.
KINDS: Mapping[str, tuple[type, ...]] = {
    "encoder": (str,), "place": (str, type(None)), "view": (str,), "every": (float, int, type(None)),
    "sampler": (dict,), "root": (str,), "dim": (int,), "clips": (int,), "videos": (int,),
    "data": (str, type(None)), "files": (dict,),
}  # fmt: skip


@dataclass(frozen=True)
class Header:
    """What all clips of an index have in common, and where its data are.

    Attributes:
        encoder: checksum of the weights, as it stands in encoder.json.
        place: where the encoder was; None where it was given as an object.
        view: of the encoder.
        every: seconds from one clip to the next; None where the sampler takes them.
        sampler: takes the clips, as plain data.
        root: the folder of the videos.
        dim: numbers of a vector; 0 until there are any.
        clips: rows that a search looks at: those of videos that are there.
        videos: lines of the manifest.
        data: name of the folder of data; None until the first `embed` has ended.
        files: name of each file of data -> its bytes.
    """

    encoder: str
    place: str | None
    view: str
    every: float | None
    sampler: Mapping[str, Any]
    root: str
    dim: int = 0
    clips: int = 0
    videos: int = 0
    data: str | None = None
    files: Mapping[str, int] = field(default_factory=dict)

    def refuse_other(self, folder: Path, now: Header) -> None:
        """Refuses to go on with another encoder, view or clips.

        Raises:
            UserError: that says what differs.
        """
        said = {"encoder": "by another encoder", "view": f"of the view '{self.view}'", "every": _clips(self)}
        for name, what in said.items():
            if getattr(self, name) != getattr(now, name):
                raise UserError(f"{folder} is an index {what}: pass the same again, or another --out")
        if self.sampler != now.sampler:
            raise UserError(f"{folder} is an index with clips of another sampler: pass the same, or another --out")


def _clips(header: Header) -> str:
    return "without --every" if header.every is None else f"with --every {header.every:g}"


def write_header(folder: Path, header: Header) -> None:
    """Replaces the header: from then on the index is what it says.

    Raises:
        UserError: if it cannot be written.
    """
    write_text(folder / HEADER, json.dumps({FORMAT: VERSION, **asdict(header)}, indent=1) + "\n")


def _no_index(folder: Path) -> str:
    """Why there is none in a place, and what makes one."""
    if folder.is_dir():  # mostly that of the videos
        return f"is no index: 'praxino embed --videos {folder} --out vectors/' makes one of the videos in it"
    what = "is a file, and an index is a folder" if folder.exists() else "is not there"
    return f"{what}: 'praxino embed [RUN] --videos DIR --out vectors/' makes one"


def read_header(folder: Path) -> Header:
    """The header of an index.

    Raises:
        UserError: if there is no index, it is of another version, or damaged.
    """
    path = folder / HEADER
    if not path.is_file():
        raise UserError(f"{folder} {_no_index(folder)}")
    try:
        said = json.loads(read_text(path))
        version = said.pop(FORMAT)
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise damaged(folder, f"{HEADER} cannot be read, {type(error).__name__}") from None
    if version != VERSION:
        raise UserError(
            f"{folder} is an index of version {printable(version)[:20]}, and this praxino reads {VERSION}: make it "
            "anew by 'praxino embed' with another --out, or use the praxino that made it"
        )
    names = {one.name for one in fields(Header)}
    wrong = sorted(names ^ set(said)) or [name for name, kinds in KINDS.items() if type(said[name]) not in kinds]
    if wrong or (wrong := _out_of_range(said)):
        raise damaged(folder, f"{HEADER} says nothing right of '{printable(wrong[0])}'")
    return Header(**said)


def _out_of_range(said: Mapping[str, Any]) -> list[str]:
    """Names of what no index says."""
    every, data, files = (said[name] for name in ("every", "data", "files"))
    right = {
        **{name: said[name] >= 0 for name in ("dim", "clips", "videos")},
        "every": every is None or 0 < every < math.inf,
        "data": data is None or re.fullmatch(f"{DATA}[0-9a-z]+", data) is not None,
        "files": all(type(size) is int and re.fullmatch(r"[a-z]+\.[a-z]+", name) for name, size in files.items()),
    }
    return [name for name, is_right in right.items() if not is_right]


def damaged(folder: Path, what: str) -> UserError:
    """The line for an index that cannot be used."""
    return UserError(f"the index {folder} is damaged ({what}): make it anew by 'praxino embed' with another --out")
