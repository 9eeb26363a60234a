"""Where the files of a video lie below the root of a stream that has been made of it."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from praxino.catalogs.names import is_video, spellings

MANIFEST = "manifest.jsonl"  # what `praxino prepare` leaves in a root


def place_of(id: str) -> str:
    """A video's place below a root: its id, without the ending of a video file and without a leading slash."""
    path = PurePosixPath(id)
    path = path.with_suffix("") if is_video(path.name) else path
    return "/".join(part for part in path.parts if part != path.anchor)


def places(root: str, id: str, bare: bool = False) -> list[str]:
    """Where a video's files may lie below a root, the likeliest first.

    A root that `praxino prepare` has filled has each video under its whole id, and nowhere else: what lies under a
    shorter name is another video's. Elsewhere a class folder in front of the video's name is enough.

    Args:
        root: of the stream.
        id: the video's.
        bare: the name alone is enough, too.
    """
    whole = place_of(id)
    if os.path.isfile(os.path.join(root, MANIFEST)):
        return [*spellings(whole)]
    *folders, name = whole.split("/")
    shorter = [*([name] if bare else []), "/".join([*folders[-1:], name])]
    return list(dict.fromkeys(one for place in (whole, *shorter) for one in spellings(place)))
