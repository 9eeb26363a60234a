"""What the names of video files tell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

VIDEO_EXTENSIONS = frozenset(
    f".{ending}"
    for ending in (
        *("3g2", "3gp", "asf", "avi", "divx", "dv", "f4v", "flv", "gif", "m2ts", "m2v", "m4v", "mjpeg", "mjpg", "mkv"),
        *(
            "mov",
            "mp4",
            "mpe",
            "mpeg",
            "mpg",
            "mts",
            "mxf",
            "ogm",
            "ogv",
            "rm",
            "rmvb",
            "ts",
            "vob",
            "webm",
            "wmv",
            "y4m",
        ),
    )
)
PICTURE_EXTENSIONS = (".jpg", ".jpeg", ".png")
UCF_NAME = re.compile(r"v_(\w+)_(g\d+)_c\d+")
HANDSTAND = re.compile("hand(s)tand(?=pushups)", re.IGNORECASE)


def is_video(name: str) -> bool:
    """Whether a file of this name is taken for a video: by its extension alone."""
    return PurePosixPath(name).suffix.lower() in VIDEO_EXTENSIONS


def is_picture(name: str) -> bool:
    """Whether a file of this name is taken for a picture, so for a frame: by its extension alone."""
    return name.lower().endswith(PICTURE_EXTENSIONS)  # a path's suffix would take ten times as long


def is_hidden(name: str) -> bool:
    """Whether what is called so in a folder is passed over: a leading dot, as macOS's `._img_00001.jpg`."""
    return name.startswith(".")


def group_of(name: str) -> str | None:
    """The group of a video named as UCF101 names them, `v_<Class>_gXX_cYY`: "<Class>_gXX"; None for other names.

    UCF101 cut the clips of one group of a class from one source. Groups of different classes have nothing in common.
    """
    match = UCF_NAME.fullmatch(PurePosixPath(name).stem)
    return f"{match[1]}_{match[2]}" if match else None


def spellings(name: str) -> tuple[str, ...]:
    """A name of UCF101 and, where it has one, its other spelling.

    The class folder is called HandstandPushups and its videos v_HandStandPushups_..., but archives of frames spell
    those v_HandstandPushups_... as well.
    """
    match = HANDSTAND.search(name)
    if match is None:
        return (name,)
    at = match.start(1)
    return (name, name[:at] + name[at].swapcase() + name[at + 1 :])


def first_repeated(names: Iterable[str]) -> str | None:
    """The first name that stood before, or None."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
