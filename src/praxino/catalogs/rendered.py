"""Videos that are no files: each is drawn when it is read, from its number alone."""

from __future__ import annotations

import re
import reprlib
from typing import NamedTuple

from praxino.catalogs.base import Catalog, Files, Video
from praxino.errors import UserError
from praxino.printable import counted

MOST_VIDEOS = 10**9
MOST_FRAMES = 10**6  # of a video: eleven hours
LARGEST_SEED = 2**63 - 1  # as of a run
NAME = re.compile(r"rendered:(?P<seed>-?[0-9]{1,19})/(?P<number>[0-9]{1,9})/(?P<frames>[0-9]{1,7})")


class Rendering(NamedTuple):
    """Which rendered video: the seed of its set, its number in it, and how many frames it has."""

    seed: int
    number: int
    frames: int


class Rendered(Catalog):
    """Made-up moving scenes, as many as wanted, with nothing on the disk: the same seed gives the same ones.

    Textured surfaces, a camera that may pan, zoom, turn and shake, and before it pieces, crowds and figures that drift,
    swing, spin, stop and change their shape. Meant for a training that must not see a real video. A video's id is its
    seed and number. `--probe listed` opens none of them before the training.

    Args:
        videos: how many.
        seed: of all of them.
        frames: of each, 25 a second.

    Raises:
        UserError: if a number is out of range.
    """

    def __init__(self, videos: int = 100_000, seed: int = 0, frames: int = 64) -> None:
        _refuse_other("videos", videos, 1, MOST_VIDEOS)
        _refuse_other("frames", frames, 1, MOST_FRAMES)
        _refuse_other("seed", seed, -LARGEST_SEED, LARGEST_SEED)
        self.videos = videos
        self.seed = seed
        self.frames = frames
        are, each = ("is", "") if videos == 1 else ("are", " each")
        self.found = f"{counted(videos, 'video')} that {are} rendered when read, {counted(frames, 'frame')}{each}"

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


def _refuse_other(name: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise UserError(f"Rendered takes {name} from {least} to {most}, not {reprlib.repr(number)}")
