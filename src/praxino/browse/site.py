"""The page as files that need no server: a folder whose index.html a browser opens by a double click."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from praxino.browse.collection import LISTED, NEIGHBOURS, OWN, Collection
from praxino.errors import UserError
from praxino.files import encoded, make_folder, writing
from praxino.folders import folder_aside
from praxino.printable import printable
from praxino.search.there import refuse_nothing_there

INDEX = "index.html"
DATA = "data.js"
BEGIN = "window.PRAXINO_DATA = "  # of an earlier site, so that no other folder is replaced
PLACE = "<!--data-->"
PICTURES = {"frames": r"[0-9]+\.jpg", "moments": r"[0-9]+\.mp4"}  # folders, and the names in them
OF_SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini")  # which file managers leave in any folder
AT_ONCE = 64  # clips whose neighbours are looked for in one pass over the index

Missing = list[tuple[str, str]]


def write_site(
    collection: Collection, out: str | Path, progress: Callable[[int, int], None] | None = None
) -> tuple[Path, Missing]:
    """Writes the page, a frame and a moving preview of each clip, aside first.

    Args:
        collection: what is shown.
        out: the folder. One that is there is replaced if it is an earlier site and nothing else, or empty.
        progress: called with (clips done, clips).

    Returns:
        Its index.html; and (id, reason) of each video of which a clip has no picture or no moving preview.

    Raises:
        UserError: if the folder holds something else, lies in the index, cannot be written, or none of the videos is
            there.
    """
    out = Path(out)
    refuse_other(out)
    place = Path(os.path.realpath(out))
    if collection.index.folder.resolve() in place.parents:
        raise UserError(f"{out} lies in the index, whose next 'praxino embed' may remove it: pass another --out")
    videos = [collection.video(number) for number in range(len(collection.lines))]
    refuse_nothing_there(collection.index, videos, collection.root)
    make_folder(place.parent)
    with folder_aside(place) as aside:
        for asset in assets():
            (aside / asset.name).write_bytes(asset.read_bytes())
        page = (aside / INDEX).read_text(encoding="utf-8")
        (aside / INDEX).write_bytes(encoded(page.replace(PLACE, f'<script src="{DATA}"></script>')))
        notes = _pictures(collection, aside, progress or (lambda done, all: None))
        missing: dict[int, str] = {}
        for row, note in notes.items():
            missing.setdefault(collection.moment(row)[0], note)
        named = [(collection.ids[number], note) for number, note in sorted(missing.items())]
        (aside / DATA).write_bytes(encoded(_data(collection, notes, named)))
        _refuse_foreign(out, place)  # pictures take their time, and somebody may have come meanwhile
    return out / INDEX, named


def assets() -> list[Any]:
    """The page's own files, in the order of their names."""
    folder = files("praxino.browse") / "page"
    return sorted((one for one in folder.iterdir() if one.is_file()), key=lambda one: one.name)


def refuse_other(out: Path) -> None:
    """Refuses a place that holds anything but an earlier site, since all of it is replaced.

    Args:
        out: the folder; or a link to it, which stays one.

    Raises:
        UserError: that says what to pass in its place.
    """
    with writing(out):
        place = Path(os.path.realpath(out))
        _refuse_foreign(out, place)


def _refuse_foreign(out: Path, place: Path) -> None:
    if place == Path.cwd():
        raise UserError(f"--out '{out}' is the current folder, which cannot be replaced: pass another --out")
    if not place.exists():
        return
    if not place.is_dir():
        raise UserError(f"{out} is a file, and a site is a folder: pass another --out")
    if not any(place.iterdir()):
        return
    if not _is_site(place):
        raise UserError(f"{out} is there and holds no earlier site: pass another --out")
    if (other := _foreign(place)) is not None:
        raise UserError(f"{out} holds {other} beside an earlier site: move it elsewhere, or pass another --out")


def _is_site(folder: Path) -> bool:
    with suppress(OSError), (folder / DATA).open("rb") as file:
        return file.read(len(BEGIN)) == BEGIN.encode()
    return False


def _foreign(folder: Path) -> str | None:
    """The first name in a folder that no site has; None where there is none."""
    if not folder.is_dir():
        return "what is no folder"
    own = {*(asset.name for asset in assets()), DATA, *OF_SYSTEMS}
    for path in sorted(folder.iterdir()):
        if path.name in PICTURES:
            names = sorted(os.listdir(path)) if path.is_dir() else [""]
            odd = [name for name in names if not re.fullmatch(PICTURES[path.name], name) and name not in OF_SYSTEMS]
            if odd:
                return f"{path.name}/{odd[0]}"
        elif path.name not in own or not path.is_file():
            return path.name
    return None


def _pictures(collection: Collection, aside: Path, progress: Callable[[int, int], None]) -> dict[int, str]:
    """Writes frame and preview of each clip; for those of which one cannot be made, why."""
    from praxino.browse import previews

    notes: dict[int, str] = {}
    for name in PICTURES:
        (aside / name).mkdir()
    for row in range(len(collection)):
        progress(row, len(collection))
        number, start, end = collection.moment(row)
        video = collection.video(number)
        for place, make in ((f"frames/{row}.jpg", previews.frame), (f"moments/{row}.mp4", previews.moment)):
            made = make(video, start, end)
            if isinstance(made, str):
                notes[row] = printable(made)
            else:
                (aside / place).write_bytes(made)
    progress(len(collection), len(collection))
    return notes


def _data(collection: Collection, notes: dict[int, str], missing: Missing) -> str:
    """What the page reads in place of a server's answers."""
    clips, most = len(collection), NEIGHBOURS + OWN
    rows = np.full((clips, most), -1, "<i4")
    similarities, spans = np.zeros((clips, most), "<f4"), np.zeros((clips, most, 2), "<f4")
    for first in range(0, clips, AT_ONCE):
        some = range(first, min(first + AT_ONCE, clips))
        for row, hits in zip(some, collection.neighbours_of(some), strict=True):
            for place, hit in enumerate(hits):
                rows[row, place], similarities[row, place] = hit["row"], hit["similarity"]
                spans[row, place] = hit["start"], hit["end"]
    about = {
        **collection.about(), "missing": missing[:LISTED], "missing_count": len(missing),
        "server": False, "query": False,
    }  # fmt: skip
    arrays = collection.arrays() | {
        "neighbours": rows.tobytes(), "similarities": similarities.tobytes(), "spans": spans.tobytes(),
    }  # fmt: skip
    data = {"about": about, "notes": notes} | {name: base64.b64encode(one).decode() for name, one in arrays.items()}
    return f"{BEGIN}{json.dumps(data)};\n"
