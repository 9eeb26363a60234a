"""A derived stream of all videos of a catalog, written into files: by several processes, and gone on with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from praxino.catalogs.base import Catalog, Part, Video
from praxino.clips.loading_process import Handed
from praxino.clips.waiting import Awaited
from praxino.described import describe
from praxino.errors import UnreadableVideo, UserError, check_within
from praxino.files import writing
from praxino.lock import NAME, lock
from praxino.prepare.forms import Form
from praxino.prepare.manifest import FAILED, MADE, Manifest, Record
from praxino.prepare.sources import described, identity, refuse_shared_places, versions
from praxino.prepare.walk import all_made
from praxino.streams.base import Canvas, Derived, Stream
from praxino.streams.choose import opened_for
from praxino.streams.places import place_of

ASIDE = ".part"  # below a root: what is not whole yet
PROVIDED = "what is made"  # no name that a stream has


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


class _Videos:
    """What is made of the video of a row, in a folder aside: {folder's number}/{file}."""

    def __init__(
        self,
        videos: Catalog,
        provider: Derived,
        streams: Mapping[str, Stream],
        canvas: Canvas,
        form: Form,
        root: Path,
    ) -> None:
        self.videos, self.provider, self.streams, self.canvas, self.form = videos, provider, streams, canvas, form
        self.root = root
        # A folder of this run's own: processes that outlive a killed one for a moment may still write.
        self.aside = root / ASIDE / str(os.getpid())
        self.made_with = versions()

    def __getitem__(self, row: int) -> tuple[int, Record]:
        video = self.videos[row]
        source = self.source(video)
        try:
            return row, self._made(video, source, self.aside / str(row))
        except UnreadableVideo as error:
            shutil.rmtree(self.aside / str(row), ignore_errors=True)
            return row, Record(video.id, FAILED, source, self.made_with, reason=error.reason)

    def source(self, video: Video) -> dict[str, int]:
        """What tells the video's file from a later one; {} without one."""
        files = video.files.get(self.provider.of)
        return {} if files is None else identity(files)

    def _made(self, video: Video, source: Mapping[str, int], aside: Path) -> Record:
        frames = missing = found = written = 0
        size = None
        with writing(self.root):
            for folder, _ in enumerate(self.form.folders(place_of(video.id))):
                (aside / str(folder)).mkdir(parents=True)
        ((_, stream),) = opened_for(video, [PROVIDED], {**self.streams, PROVIDED: self.provider}).items()
        with stream.open(video, self.canvas) as reader:
            for one in all_made(video.id, reader, self.provider):
                frames += 1
                found += one.pixels is not None and one.found
                if one.pixels is None:
                    missing += 1
                    continue
                size = size or self.form.size(*one.pixels.shape[:2])
                for folder, name, data in self.form.files(one.number, one.pixels):
                    written += len(data)
                    with writing(self.root):
                        (aside / str(folder) / name).write_bytes(data)
        if missing == frames:
            raise UnreadableVideo(video.id, "none of its frames comes out")
        return Record(video.id, MADE, source, self.made_with, frames, missing, found, size, written)


def prepare_views(
    name: str,
    catalog: Catalog,
    folder: Path,
    provider: Derived,
    form: Form,
    canvas: Canvas,
    settings: Mapping[str, Any],
    *,
    part: Part = "all",
    streams: Mapping[str, Stream] | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Makes a stream of all videos that it has not been made of, and writes it below a folder.

    A video's files are written aside and renamed when all are there, then it is noted in the manifest. So what is
    interrupted anywhere is gone on with by the same call, and leaves the same bytes.

    Args:
        name: of the stream.
        catalog: the videos.
        folder: the root of the stream.
        provider: makes the frames.
        form: of the files.
        canvas: at which the provider gets the frames.
        settings: what else decides about the files, as plain data.
        part: of the catalog.
        streams: name -> stream, of those that are not to be read as usual.
        workers: processes; 0: this one alone.
        progress: called with (videos done, videos to do).

    Raises:
        UserError: if something else lies or is made in the folder, two videos would share a folder of files, the
            provider gives other frames than the form takes, the disk refuses, or nothing can be made of any video.
    """
    check_within(0, workers=workers)
    videos = catalog.part(part)
    if not len(videos):
        raise UserError(f"there are no videos to prepare: the part '{part}' of the catalog is empty")
    if provider.channels != form.channels:
        raise UserError(
            f"--provider: {type(provider).__name__} makes {provider.channels} channels, and {name} has {form.channels}"
        )
    about = {"stream": name, "provider": described(provider), "streams": describe(dict(streams or {})), **settings}
    items = _Videos(videos, provider, streams or {}, canvas, form, folder)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    prepared = Prepared(folder)
    if not lock(folder, prepared, "prepares views in"):
        prepared.notes.append(f"the disk of {folder} knows no locks: do not prepare in it twice at the same time")
    try:
        manifest = Manifest(folder, about)
        _make(items, manifest, prepared, workers, progress or (lambda done, videos: None))
        with writing(folder):
            manifest.write()
    finally:
        shutil.rmtree(folder / ASIDE, ignore_errors=True)
        (folder / NAME).unlink(missing_ok=True)
    if not prepared.made:
        first = prepared.failed[0]
        raise UserError(f"nothing can be made of any of the {len(videos)} videos ({first.id}: {first.reason})")
    return prepared


def _make(
    items: _Videos, manifest: Manifest, prepared: Prepared, workers: int, progress: Callable[[int, int], None]
) -> None:
    videos = items.videos
    refuse_shared_places({**manifest.records, **{video.id: None for video in videos}})
    shutil.rmtree(items.root / ASIDE, ignore_errors=True)
    todo = []
    for row, video in enumerate(videos):
        record = manifest.records.get(video.id)
        if record is None or record.status != MADE or not _is_there(items, video, record):
            prepared.anew += record is not None and record.status == MADE
            todo.append(row)
    prepared.before = len(videos) - len(todo)
    others = {str(dict(record.made_with)) for record in manifest.records.values()} - {str(items.made_with)}
    if others:
        prepared.notes.append(f"some videos were made with other versions, and stay: {', '.join(sorted(others))}")
    workers = min(workers, len(todo))
    # In whatever order they are ready: a long video keeps none of the processes waiting.
    more: dict[str, Any] = {"in_order": False, "prefetch_factor": 2} if workers else {}
    made = Awaited(Handed(items), todo, workers, **more)
    try:
        for done, (row, record) in enumerate(made, 1):
            with writing(items.root):
                _put(items, row, record)
                manifest.add(record)
            progress(done, len(todo))
    finally:
        made.close()
    prepared.records = [manifest.records[video.id] for video in videos]


def _is_there(items: _Videos, video: Video, record: Record) -> bool:
    folders = items.form.folders(place_of(video.id))
    return record.source == items.source(video) and all((items.root / one).is_dir() for one in folders)


def _put(items: _Videos, row: int, record: Record) -> None:
    """Renames the folders of a video into their places; of one that failed nothing stays of before."""
    for number, folder in enumerate(items.form.folders(place_of(record.id))):
        target = items.root / folder
        if target.exists():
            shutil.rmtree(target)
        if record.status == MADE:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(items.aside / str(row) / str(number), target)
    shutil.rmtree(items.aside / str(row), ignore_errors=True)
