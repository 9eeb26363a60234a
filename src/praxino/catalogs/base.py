"""Which videos there are, and what is known of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, overload

Part = Literal["train", "test", "all"]
Files = str | tuple[str, ...]


@dataclass(frozen=True)
class Video:
    """One item of a catalog: a file, a folder of frames, a few named frames, or an image (a video of one frame).

    Attributes:
        id: unique and stable: the path below the root.
        files: stream name -> a file, a folder of frames, or the very frames in order.
        label: 0-based class; None where there is none.
        group: videos cut from one source share a group (UCF101's gXX); a group is never split.
    """

    id: str
    files: Mapping[str, Files]
    label: int | None = None
    group: str | None = None


class Catalog(Sequence[Video]):
    """A list of videos. Videos are made on access and not held, so that a catalog of millions stays small.

    A new one is a class with `__len__`, `video(row)` and, where there are lists, `part` and
    `listed_frames`.

    Attributes:
        classes: names of the classes, by label; empty where there are no labels.
        found: one line that says what the catalog found on the disk (which layout, which lists).
    """

    classes: tuple[str, ...] = ()
    found: str = ""

    @abstractmethod
    def video(self, row: int) -> Video:
        """The video of this row, 0 <= row < len(self)."""

    def listed_frames(self, row: int) -> int | None:
        """How many frames the catalog's list says that the video of this row has; None where it does not say.

        A run that takes the catalog's word (`--probe listed`) opens no video before it trains.
        """
        return None

    def wholes(self) -> Sequence[Video]:
        """Videos of which this catalog's are stretches: a probe looks at each file once before it looks at these."""
        return ()

    def part(self, name: Part) -> Catalog:
        """The catalog of one part of the official lists; without lists every part is the whole."""
        return self

    @overload
    def __getitem__(self, row: int) -> Video: ...

    @overload
    def __getitem__(self, row: slice) -> list[Video]: ...

    def __getitem__(self, row: int | slice) -> Video | list[Video]:
        if isinstance(row, slice):
            return [self.video(r) for r in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of a catalog of {len(self)} videos")
        return self.video(row % len(self))
