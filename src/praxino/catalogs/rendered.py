"""Videos that are no files: each is drawn when it is read, from its number alone."""

from __future__ import annotations

import re
from typing import NamedTuple

from praxino.catalogs.base import Catalog, Files, Video
from praxino.errors import check_numbers

NAME = re.compile(r"rendered:(?P<seed>-?\d+)/(?P<number>\d+)/(?P<frames>\d+)")


class Rendering(NamedTuple):
    """Which rendered video: the seed of its set, its number in it, and how many frames it has."""

    seed: int
    number: int
    frames: int


class Rendered(Catalog):
    """Made-up moving scenes, as many as wanted, with nothing on the disk: the same seed gives the same ones.

    Textured surfaces, a camera that may pan, zoom, turn and shake, and before it pieces, crowds and figures that drift,
    swing, spin, stop and change their shape. Meant for a training that shall see no real video. A video's id is its
    seed and number. `--probe listed` opens none of them before the training.

    Args:
        videos: how many.
        seed: of all of them.
        frames: of each, 25 a second.

    Raises:
        UserError: if `videos` or `frames` is below 1.
    """

    def __init__(self, videos: int = 100_000, seed: int = 0, frames: int = 64) -> None:
        check_numbers(videos=videos, frames=frames)
        self.videos = videos
        self.seed = seed
        self.frames = frames
        self.found = f"{videos} videos that are rendered when they are read, {frames} frames each"

    def __len__(self) -> int:
        return self.videos

    def video(self, row: int) -> Video:
        return Video(f"rendered-{self.seed}-{row}", {"rgb": f"rendered:{self.seed}/{row}/{self.frames}"})

    def listed_frames(self, row: int) -> int | None:
        return self.frames


def rendering_of(files: Files) -> Rendering | None:
    """Which rendered video files are the name of; None where they are real ones."""
    match = NAME.fullmatch(files) if isinstance(files, str) else None
    return None if match is None else Rendering(*(int(part) for part in match.groups()))
