"""Any tree of video files."""

from __future__ import annotations

import os
from pathlib import Path

from praxino.catalogs.base import Catalog, Video
from praxino.catalogs.listing import looking_into
from praxino.catalogs.names import VIDEO_EXTENSIONS, group_of, is_hidden, is_picture, is_video
from praxino.errors import UserError
from praxino.printable import counted

# Up to this share of the videos, and one in any case, is taken for strays beside class folders.
STRAY = 0.1


class VideoFolder(Catalog):
    """All video files below a folder, sorted by their path below it, which is their id.

    A video is a file with a known extension (`names.VIDEO_EXTENSIONS`, any case), whatever is in it. Hidden files and
    folders (a leading dot) are left out. Links are followed; a folder that is reached several ways counts once, by its
    plain path if it has one.

    There are labels if every video lies in `<root>/<class>/<video>`, with two classes or more; a class's label is its
    place in the sorted order. Otherwise there are none. Files named as UCF101 names them have groups.

    Args:
        root: the folder; or one video file, whose id is its name.

    Raises:
        UserError: if there is no such folder, a folder below it cannot be read, or no video is found.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = str(root)
        self._folder = self.root
        if os.path.isfile(self.root):
            self._folder, name = os.path.split(self.root)
            if not is_video(name):
                known = " ".join(sorted(VIDEO_EXTENSIONS))
                raise UserError(f"{self.root} is no video file by its name (they end in {known}): pass a folder")
            self._paths = [name]
        elif not os.path.isdir(self.root):
            raise UserError(f"there is no folder {self.root}")
        else:
            self._paths = _videos_below(self.root)
        if not self._paths:
            known = " ".join(sorted(VIDEO_EXTENSIONS))
            pictures = any(is_picture(name) for _, _, names in os.walk(self.root) for name in names)
            others = "; there are pictures: --catalog ImageFolder takes them, in class folders" if pictures else ""
            raise UserError(f"no video below {self.root}: looked for files ending in {known}{others}")
        self.classes = _classes(self._paths)
        self._labels = {name: label for label, name in enumerate(self.classes)}
        of = f" of {len(self.classes)} class folders" if self.classes else f", no labels{_stray(self._paths)}"
        below = f"{counted(len(self._paths), 'video')}{of}, below {self.root}"
        self.found = f"the video {self.root}" if os.path.isfile(self.root) else below

    def __len__(self) -> int:
        return len(self._paths)

    def video(self, row: int) -> Video:
        path = self._paths[row]
        label = self._labels[path.split("/")[0]] if self.classes else None
        return Video(path, {"rgb": os.path.join(self._folder, path)}, label, group_of(path))


def _videos_below(root: str) -> list[str]:
    found: list[str] = []
    seen: set[tuple[int, int]] = set()
    plain, links = [""], list[str]()
    while plain or links:
        # Links last: a folder inside the tree keeps its own path, and a loop ends at what has been seen.
        folder = plain.pop() if plain else links.pop()
        at = os.path.join(root, folder)
        with looking_into(at):
            status = os.stat(at)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(at), key=lambda entry: entry.name, reverse=True)
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if is_hidden(entry.name):
                    continue
                if os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir():
                    (links if entry.is_symlink() else plain).append(path)
                elif is_video(entry.name) and _is_file(entry):
                    found.append(path)
    return sorted(found)


def _is_file(entry: os.DirEntry[str]) -> bool:
    # A broken link is a video that cannot be read, to be listed as such; a pipe or a socket is no video at all.
    if not entry.is_symlink():
        return entry.is_file()
    return os.path.isfile(entry.path) or not os.path.exists(entry.path)


def _classes(paths: list[str]) -> tuple[str, ...]:
    if any(path.count("/") != 1 for path in paths):
        return ()
    names = sorted({path.split("/")[0] for path in paths})
    return tuple(names) if len(names) > 1 else ()


def _stray(paths: list[str]) -> str:
    """The few videos, of many in class folders, because of which there are no labels; "" where that is not so."""
    stray = [path for path in paths if path.count("/") != 1]
    if not stray or len(stray) > max(1, STRAY * len(paths)):
        return ""
    classes = _classes([path for path in paths if path.count("/") == 1])
    if not classes:
        return ""
    more = f" and {counted(len(stray) - 1, 'other')}" if len(stray) > 1 else ""
    lie = "lies" if len(stray) == 1 else "lie"
    return f" ({stray[0]}{more} {lie} outside of the {len(classes)} class folders)"
