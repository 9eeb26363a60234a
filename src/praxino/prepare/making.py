"""One view of one video after the other, its files in folders aside: what each process of `prepare` does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from praxino.catalogs.base import Catalog, Video
from praxino.errors import UnreadableVideo
from praxino.files import writing
from praxino.prepare.forms import Form
from praxino.prepare.manifest import FAILED, MADE, Record
from praxino.prepare.sources import identity, versions
from praxino.prepare.walk import all_made
from praxino.streams.base import Canvas, Derived, Stream
from praxino.streams.choose import opened_for
from praxino.streams.opening import unreadable
from praxino.streams.places import place_of

ASIDE = ".part"  # below a root: what is not whole yet
PROVIDED = "what is made"  # no name that a stream has

T = TypeVar("T")


@dataclass(frozen=True)
class View:
    """What is to be made of each video.

    Attributes:
        name: of the stream.
        folder: the root of the stream.
        provider: makes the frames.
        form: of the files.
        settings: what else decides about the files, as plain data.
    """

    name: str
    folder: Path
    provider: Derived
    form: Form
    settings: Mapping[str, Any]


class OneView:
    """Makes a view of a video, in a folder aside: {folder's number}/{file}.

    Args:
        view: what is made.
        streams, canvas: as of `praxino.prepare.views.prepare_views`.
    """

    def __init__(self, view: View, streams: Mapping[str, Stream], canvas: Canvas) -> None:
        self.view, self.streams, self.canvas = view, streams, canvas
        self.root = view.folder
        # A folder of this run's own: processes that outlive a killed one for a moment may still write.
        self.aside = view.folder / ASIDE / str(os.getpid())
        self.made_with = versions()

    def source(self, video: Video) -> dict[str, int]:
        """What tells the video's file from a later one; {} without one."""
        files = video.files.get(self.view.provider.of)
        return {} if files is None else identity(files)

    def steps(self, video: Video, aside: Path) -> Generator[None, None, Record]:
        """Makes the view of a video, a frame at each step; what has become of it comes last."""
        source = self.source(video)
        try:
            return (yield from self._made(video, source, aside))
        except UnreadableVideo as error:
            shutil.rmtree(aside, ignore_errors=True)
            return Record(video.id, FAILED, source, self.made_with, reason=error.reason)

    def _made(self, video: Video, source: Mapping[str, int], aside: Path) -> Generator[None, None, Record]:
        frames = missing = found = written = 0
        size = None
        form = self.view.form
        with writing(self.root):
            for folder, _ in enumerate(form.folders(place_of(video.id))):
                (aside / str(folder)).mkdir(parents=True)
        ((_, stream),) = opened_for(video, [PROVIDED], {**self.streams, PROVIDED: self.view.provider}).items()
        with stream.open(video, self.canvas) as reader:
            for one in all_made(video.id, reader, self.view.provider):
                frames += 1
                found += one.pixels is not None and one.found
                if one.pixels is None:
                    missing += 1
                else:
                    size = size or form.size(*one.pixels.shape[:2])
                    with unreadable(video.id):
                        files = form.files(one.number, one.pixels)
                    for folder, name, data in files:
                        written += len(data)
                        with writing(self.root):
                            (aside / str(folder) / name).write_bytes(data)
                yield
        if missing == frames:
            raise UnreadableVideo(video.id, "none of its frames comes out")
        return Record(video.id, MADE, source, self.made_with, frames, missing, found, size, written)


class Making:
    """What becomes of the video of a row: the views that are wanted of it, all in step.

    In step, so that what several of them compute of the same frames is computed once.
    """

    def __init__(self, videos: Catalog, views: Sequence[OneView]) -> None:
        self.videos, self.views = videos, views

    def __getitem__(self, key: tuple[int, tuple[int, ...]]) -> tuple[int, dict[int, Record]]:
        row, wanted = key
        video = self.videos[row]
        steps = [self.views[one].steps(video, self.views[one].aside / str(row)) for one in wanted]
        return row, dict(zip(wanted, in_step(steps), strict=True))


def in_step(generators: Sequence[Generator[None, None, T]]) -> list[T]:
    """Advances all of them by a step, and again, until each has ended; gives what they return."""
    returned: dict[int, T] = {}
    while len(returned) < len(generators):
        for number, generator in enumerate(generators):
            if number not in returned:
                try:
                    next(generator)
                except StopIteration as end:
                    returned[number] = end.value
    return [returned[number] for number in range(len(generators))]
