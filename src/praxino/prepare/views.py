"""Derived streams of all videos of a catalog, written into files: by several processes, and gone on with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from praxino.catalogs.base import Catalog, Part, Video
from praxino.catalogs.rendered import rendering_of
from praxino.clips.loading_process import Handed
from praxino.clips.waiting import Awaited
from praxino.described import describe
from praxino.errors import UserError, check_within
from praxino.files import make_folder, writing
from praxino.lock import NAME, lock
from praxino.prepare.making import ASIDE, Making, OneView, View
from praxino.prepare.manifest import FAILED, JOURNAL, MADE, Manifest, Record
from praxino.prepare.sources import described, refuse_shared_places
from praxino.printable import are, counted
from praxino.streams.base import Canvas, Stream
from praxino.streams.places import MANIFEST, place_of
from praxino.streams.stretch import whole

OWN = {ASIDE, NAME, MANIFEST, f"{MANIFEST}.part", JOURNAL}  # what lies in a root beside the videos
SHOWN = 3  # ids that a line names


@dataclass
class Prepared:
    """What there is now of the videos of a catalog.

    Attributes:
        folder: the root of the stream.
        records: of the catalog's videos, in its order.
        before: how many of them had been made before.
        anew: how many were made again, since their files have changed or the views were gone.
        notes: what is odd, a line each.
    """

    folder: Path
    records: list[Record] = field(default_factory=list)
    before: int = 0
    anew: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def made(self) -> list[Record]:
        """Those that are there."""
        return [record for record in self.records if record.status == MADE]

    @property
    def failed(self) -> list[Record]:
        """Those of which nothing could be made."""
        return [record for record in self.records if record.status == FAILED]


def prepare_views(
    views: Sequence[View],
    catalog: Catalog,
    canvas: Canvas,
    *,
    part: Part = "all",
    streams: Mapping[str, Stream] | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> list[Prepared]:
    """Makes streams of all videos that they have not been made of, and writes each below its folder.

    A video's files are written aside and renamed when all are there, then it is noted in the manifest. So what is
    interrupted anywhere is gone on with by the same call, and leaves the same bytes, whether views are made together
    or one after the other.

    Args:
        views: what is made.
        catalog: the videos.
        canvas: at which the providers get the frames.
        part: of the catalog.
        streams: name -> stream, of those that are not to be read as usual.
        workers: processes; 0: this one alone.
        progress: called with (videos done, videos to do).

    Returns:
        What there is of each view.

    Raises:
        UserError: if something else lies or is made in a folder, two videos would share a folder of files, a provider
            gives other frames than the form takes, the disk refuses, or nothing can be made of any video.
    """
    check_within(0, workers=workers)
    videos = catalog.part(part)
    if not len(videos):
        raise UserError(f"there are no videos to prepare: the part '{part}' of the catalog is empty")
    with ExitStack() as stack:
        works = [stack.enter_context(_Work(videos, OneView(view, streams or {}, canvas))) for view in views]
        _make(videos, works, workers, progress or (lambda done, videos: None))
        return [work.finish() for work in works]


class _Work:
    """One view: its folder, which no other process fills meanwhile, its manifest, and what there is of it."""

    def __init__(self, videos: Catalog, one: OneView) -> None:
        view = one.view
        if view.provider.channels != view.form.channels:
            raise UserError(
                f"--provider: {type(view.provider).__name__} makes {view.provider.channels} channels, and {view.name} "
                f"has {view.form.channels}"
            )
        try:
            streams = describe(dict(one.streams))
        except TypeError as error:
            raise UserError(str(error)) from None
        about = {"stream": view.name, "provider": described(view.provider), "streams": streams, **view.settings}
        self.videos, self.one, self.root, self.about = videos, one, view.folder, about

    def __enter__(self) -> _Work:
        make_folder(self.root)
        self.prepared = Prepared(self.root)
        if not lock(self.root, self.prepared, "prepares views in"):
            note = f"the disk of {self.root} knows no locks: do not prepare in it twice at the same time"
            self.prepared.notes.append(note)
        try:
            self.manifest = Manifest(self.root, self.about)
            # Of what has failed before nothing is there: it may have been replaced, `a.mp4` by `a.avi`.
            made = {id: None for id, record in self.manifest.records.items() if record.status == MADE}
            now = {video.id: None for video in self.videos}
            ids = made | now
            refuse_shared_places(ids, made.keys() - now)
            self._refuse_own_places(ids)
        except BaseException:
            self.__exit__()
            raise
        shutil.rmtree(self.root / ASIDE, ignore_errors=True)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.root / ASIDE, ignore_errors=True)
        (self.root / NAME).unlink(missing_ok=True)

    def todo(self) -> list[int]:
        """The rows of which there is nothing yet, or nothing that is still right; counts the others."""
        prepared, records = self.prepared, self.manifest.records
        others = {str(dict(record.made_with)) for record in records.values()} - {str(self.one.made_with)}
        if others:
            prepared.notes.append(f"some videos were made with other versions, and stay: {', '.join(sorted(others))}")
        todo, gone = [], []
        for row, video in enumerate(self.videos):
            record = records.get(video.id)
            if record is None or record.status != MADE:
                todo.append(row)
            elif self._has_views(video) and self._is_gone(video):
                gone.append(video.id)
            elif not self._is_there(video, record):
                prepared.anew += 1
                todo.append(row)
        if gone:
            named = ", ".join(gone[:SHOWN]) + (", ..." if len(gone) > SHOWN else "")
            files = f"the {counted(len(gone), 'file')} of {named} {are(len(gone))} not there now"
            prepared.notes.append(f"{files}, and what was made of {'it' if len(gone) == 1 else 'them'} stays")
        prepared.before = len(self.videos) - len(todo)
        return todo

    def _refuse_own_places(self, ids: Iterable[str]) -> None:
        for id in ids:
            taken = {folder.partition("/")[0] for folder in self.one.view.form.folders(place_of(id))} & OWN
            if taken:
                raise UserError(
                    f"the files of {id} would lie in {self.root / taken.pop()}, praxino's own place: rename the video"
                )

    def _is_there(self, video: Video, record: Record) -> bool:
        return record.source == self.one.source(video) and self._has_views(video)

    def _is_gone(self, video: Video) -> bool:
        """Whether nothing is there that views could be made of: a disk that is not mounted, or a file removed."""
        files = video.files.get(self.one.view.provider.of)
        if files is None or rendering_of(files) is not None:
            return False
        paths = whole(files)
        return not any(os.path.exists(path) for path in ([paths] if isinstance(paths, str) else paths))

    def _has_views(self, video: Video) -> bool:
        folders = self.one.view.form.folders(place_of(video.id))
        return all((self.root / one).is_dir() for one in folders)

    def add(self, row: int, record: Record) -> None:
        with writing(self.root):
            _put(self.one, row, record)
            self.manifest.add(record)

    def finish(self) -> Prepared:
        with writing(self.root):
            self.manifest.write()
        self.prepared.records = [self.manifest.records[video.id] for video in self.videos]
        if not self.prepared.made:
            first = self.prepared.failed[0]
            raise UserError(f"nothing can be made of {counted(len(self.videos), 'video')} ({first.id}: {first.reason})")
        return self.prepared


def _make(videos: Catalog, works: Sequence[_Work], workers: int, progress: Callable[[int, int], None]) -> None:
    wanted: dict[int, list[int]] = {}
    for number, work in enumerate(works):
        for row in work.todo():
            wanted.setdefault(row, []).append(number)
    todo = [(row, tuple(wanted[row])) for row in sorted(wanted)]
    workers = min(workers, len(todo))
    # In whatever order they are ready: a long video keeps none of the processes waiting.
    more: dict[str, Any] = {"in_order": False, "prefetch_factor": 2} if workers else {}
    made = Awaited(Handed(Making(videos, [work.one for work in works])), todo, workers, **more)
    try:
        for done, (row, records) in enumerate(made, 1):
            for number, record in records.items():
                works[number].add(row, record)
            progress(done, len(todo))
    finally:
        made.close()


def _put(one: OneView, row: int, record: Record) -> None:
    """Renames the folders of a video into their places; of one that failed nothing stays of before."""
    for number, folder in enumerate(one.view.form.folders(place_of(record.id))):
        target = one.root / folder
        if target.exists():
            shutil.rmtree(target)
        if record.status == MADE:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(one.aside / str(row) / str(number), target)
    shutil.rmtree(one.aside / str(row), ignore_errors=True)
