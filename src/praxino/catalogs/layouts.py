"""How a data set of listed videos may lie on a disk, and where each one is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import PurePosixPath

from praxino.catalogs.listing import looking_into
from praxino.catalogs.names import VIDEO_EXTENSIONS, is_hidden, is_video, spellings

FOLDERS = ("videos", "video", "jpegs_256", "frames", "rgb")
FLOW_FOLDERS = ("tvl1_flow/", "flow/", "")


@dataclass(frozen=True)
class Layout:
    """One way to lie below a root.

    Attributes:
        folder: below the root; "" is the root itself.
        by_class: whether there is a folder a class.
        frames: whether a video is a folder of frames, and not a file.
    """

    folder: str
    by_class: bool
    frames: bool

    def __str__(self) -> str:
        parts = [self.folder, "<class>" if self.by_class else "", "<video>", "<frame>.jpg" if self.frames else ""]
        return "/".join(part for part in parts if part)

    def present(self, root: str, classes: Iterable[str]) -> set[str]:
        """Paths below the root of all that may be a video of this layout.

        Raises:
            UserError: if a folder is there and cannot be read.
        """
        places = [self.folder]
        if self.by_class:
            places = [_join(self.folder, spelled) for name in classes for spelled in spellings(name)]
        return {_join(place, name) for place in places for name in self._names(os.path.join(root, place))}

    def paths(self, listed: str) -> list[str]:
        """Where a video listed as `Class/name.ext` may be in this layout, the likeliest first."""
        path = PurePosixPath(listed)
        endings = [""] if self.frames else [path.suffix, *sorted(VIDEO_EXTENSIONS - {path.suffix})]
        folders = spellings(path.parent.name) if self.by_class else ("",)
        return [
            _join(self.folder, folder, stem + ending)
            for folder, stem, ending in product(folders, spellings(path.stem), endings)
        ]

    def _names(self, place: str) -> list[str]:
        with looking_into(place):
            try:
                with os.scandir(place) as entries:
                    shown = [entry for entry in entries if not is_hidden(entry.name)]
                    return [e.name for e in shown if (e.is_dir() if self.frames else is_video(e.name))]
            except (FileNotFoundError, NotADirectoryError):
                return []


@dataclass(frozen=True)
class Located:
    """Where the listed videos are.

    Attributes:
        root: the folder.
        layout: how they lie below it.
        paths: of each video, below the root; where it is not there, the likeliest.
        absent: how many are not there.
    """

    root: str
    layout: Layout
    paths: list[str]
    absent: int

    def path(self, row: int) -> str:
        """The file or folder of the video of this row."""
        return os.path.join(self.root, self.paths[row])

    def __str__(self) -> str:
        absent = f"; {self.absent} of them are not on the disk" if self.absent else ""
        return os.path.join(self.root, str(self.layout)) + absent


def locate(
    root: str, listed: Sequence[str], classes: Sequence[str], folders: Sequence[str], frames: bool | None
) -> Located | None:
    """Finds the layout that holds most of the listed videos.

    Args:
        root: the data set's folder.
        listed: `Class/name.ext` of each video.
        classes: names of the class folders.
        folders: below the root, where the videos may be; "" is the root itself.
        frames: whether to look for folders of frames; None: for both, files first.

    Returns:
        None if no layout holds any.

    Raises:
        UserError: if a folder is there and cannot be read.
    """
    best: tuple[Layout, list[str | None]] | None = None
    most = 0
    for is_frames, folder, by_class in product((False, True) if frames is None else (frames,), folders, (True, False)):
        layout = Layout(folder, by_class, is_frames)
        present = layout.present(root, classes)
        if len(present) <= most:
            continue
        places = [next((path for path in layout.paths(video) if path in present), None) for video in listed]
        count = sum(place is not None for place in places)
        if count > most:
            best, most = (layout, places), count
    if best is None:
        return None
    layout, places = best
    paths = [place or layout.paths(video)[0] for place, video in zip(places, listed, strict=True)]
    return Located(root, layout, paths, places.count(None))


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)
