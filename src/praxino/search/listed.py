"""Which list of a catalog the videos of an index stand in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from praxino.catalogs.base import Catalog, Part, Video
from praxino.errors import UserError
from praxino.streams.stretch import whole

PARTS: tuple[Part, ...] = ("train", "test")


class Listed:
    """The lists for training and for testing.

    A video of the index is one of the catalog's where their files are the same, or else their ids.

    Args:
        catalog: that has the lists.
        videos: of the index.

    Raises:
        UserError: if both lists have the same videos, or none of these.
    """

    def __init__(self, catalog: Catalog, videos: Sequence[Video]) -> None:
        self.known: dict[str, set[str]] = {}
        kept = []
        for part in PARTS:
            listed = catalog.part(part)
            keys = [_keys(listed[row]) for row in range(len(listed))]
            kept.append({one[-1] for one in keys})
            for key in (key for one in keys for key in one):
                self.known.setdefault(key, set()).add(part)
        if kept[0] == kept[1]:
            raise UserError(
                f"the catalog {type(catalog).__name__} has no lists for training and testing, so no pair crosses them: "
                "pass one that has, such as --catalog UCF101 --catalog.root DIR"
            )
        if not any(self.part_of(video) for video in videos):
            raise UserError(
                f"none of the videos of the index stands in the lists of {type(catalog).__name__} (the first: "
                f"{videos[0].id}): let its root be the folder of these videos"
            )

    def part_of(self, video: Video) -> str:
        """train, test, "train and test", or empty where no list has the video."""
        found = next((self.known[key] for key in _keys(video) if key in self.known), set())
        return " and ".join(part for part in PARTS if part in found)


def _keys(video: Video) -> list[str]:
    return [*(f"file {os.path.realpath(path)}" for path in _files(video)), f"id {video.id}"]


def _files(video: Video) -> Iterator[str]:
    for files in video.files.values():
        place = whole(files)
        yield place if isinstance(place, str) else place[0]
