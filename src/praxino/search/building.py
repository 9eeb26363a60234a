"""An index that is made, or brought up to date, a part at a time: what was killed goes on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from praxino.catalogs.base import Video
from praxino.errors import UserError
from praxino.files import make_folder
from praxino.lock import lock
from praxino.printable import counted
from praxino.search.arrays import VECTORS, mapped
from praxino.search.embedding import Clips, Embedding
from praxino.search.folder import DATA, HEADER, PARTS, Header, damaged, read_header, write_header
from praxino.search.manifest import DONE, FAILED, GONE, Record, files_below
from praxino.search.plan import Pending, by_content, in_order, in_parts, pending
from praxino.search.sources import Contents
from praxino.search.store import (
    Arrays,
    Kept,
    content_of,
    new_folder,
    next_part,
    part_folders,
    put,
    read_kept,
    read_parts,
    remove_others,
    whole_files,
    write_data,
)


@dataclass
class Indexed:
    """What an index holds now, and what came of the last go.

    Attributes:
        folder: of the index.
        videos, clips, dim: how many, and numbers of a vector.
        computed: videos that went through the network.
        moved: videos whose files were known under another name, or by another time of their last change.
        gone: videos that are no longer in the catalog.
        left_out: (id, reason) of those that cannot be read.
    """

    folder: Path
    videos: int
    clips: int
    dim: int
    computed: int
    moved: int
    gone: int
    left_out: list[tuple[str, str]]


class Building:
    """An index that is being made.

    Args:
        folder: of the index.
        header: as it should be; what it says of data is not known yet.
        how: clips become vectors.
    """

    def __init__(self, folder: Path, header: Header, how: Embedding) -> None:
        _refuse_other_folder(folder)
        make_folder(folder)
        self.folder, self.how, self.contents = folder, how, Contents()
        lock(folder, self, "writes into the index")
        self.header, self.before = header, None
        if (folder / HEADER).is_file():
            self.before = read_header(folder)
            self.before.refuse_other(folder, header)
            self.header = replace(self.before, place=header.place or self.before.place, root=header.root)
        else:
            write_header(folder, header)
        self.known = self._read()
        self.same = by_content(self.known.values())
        self.dim = self.header.dim or _dim_of(self.known.values())
        self.computed = self.moved = 0

    def run(self, videos: Sequence[Video], progress: Callable[[int, int], None]) -> Indexed:
        """Embeds what is new or changed, and makes it the index.

        Args:
            videos: all that the index is to have.
            progress: called with (MB of videos done, MB).

        Raises:
            UserError: if none can be read, or the index cannot be written.
        """
        todo = pending(videos, self.known, self.header.root)
        if todo:
            self._refuse_edited()
        size, done = _mb(sum(one.now.size for one in todo)), 0
        for part in in_parts(todo):
            own = sum(one.now.size for one in part)
            shown = _share(progress, done, own, size)
            shown(0, 1)
            self._keep(self._embedded(part, shown))
            done += own
        if todo:
            progress(size, size)
        return self._merged([videos[row].id for row in range(len(videos))])

    def _read(self) -> dict[str, Kept]:
        """All that was computed before, by ids; what was computed last stands."""
        known: dict[str, Kept] = {}
        if self.header.data is not None:
            data = self.folder / self.header.data
            if (name := whole_files(data, self.header.files)) is not None:
                raise damaged(self.folder, f"{self.header.data}/{name} is not what it was")
            try:
                known = {one.record.id: one for one in read_kept(data)}
            except (OSError, ValueError) as error:
                raise damaged(self.folder, f"{self.header.data}: {error}") from None
        for part in read_parts(self.folder / PARTS):
            known |= {one.record.id: one for one in part}
        return known

    def _refuse_edited(self) -> None:
        """Old vectors get a place beside new ones, under a name that says that they are what was computed."""
        data = self.header.data
        if data is None:
            return
        try:
            now = DATA + content_of(self.folder / data)
        except OSError as error:
            raise damaged(self.folder, f"{data}: {error.strerror or error}") from None
        if now != data:
            raise damaged(self.folder, f"what {data} holds is not what it was")

    def _embedded(self, part: Sequence[Pending], progress: Callable[[int, int], None]) -> list[tuple[Record, Clips]]:
        """The videos of a part with their clips: those that are known are looked up, the others computed."""
        contents = [self.contents.of(one.video) for one in part]
        new = [at for at, content in enumerate(contents) if content not in self.same]
        computed = self.how.of([part[at].video for at in new], progress) if new else {}
        self.computed += len(new)
        self.moved += len(part) - len(new)
        made: dict[int, Clips | str] = {at: computed[number] for number, at in enumerate(new)}
        arrays = Arrays()
        for at, content in enumerate(contents):
            if at not in made:
                made[at] = Clips(*self.same[content].clips(arrays))
        return [self._record(one, contents[at], made[at]) for at, one in enumerate(part)]

    def _record(self, one: Pending, content: str, clips: Clips | str) -> tuple[Record, Clips]:
        files = files_below(self.header.root, one.video)
        record = Record(one.video.id, DONE, "", files, one.now.size, one.now.mtime_ns, content)
        if isinstance(clips, str):
            empty = Clips(np.zeros((0, self.dim), np.float32), np.zeros((0, 2)))
            return replace(record, status=FAILED, reason=clips), empty
        self.dim = self.dim or clips.vectors.shape[1]
        if clips.vectors.shape[1] != self.dim:
            raise UserError(
                f"{one.video.id} gives a vector of {clips.vectors.shape[1]} numbers, and others one of {self.dim}: "
                "let the view, or a canvas, make frames of one size"
            )
        return replace(record, clips=len(clips.vectors)), clips

    def _keep(self, made: Sequence[tuple[Record, Clips]]) -> None:
        """Writes a part: from then on no kill takes it."""
        parts = self.folder / PARTS
        number = next_part(parts)
        with new_folder(parts / number) as aside:
            clips = ((one.vectors, one.seconds) for record, one in made if record.clips)
            content, _ = write_data(aside, [record for record, _ in made], clips, self.dim)
            place = parts / f"{number}-{content}"
            put(aside, place)
        kept = read_kept(place)
        self.known |= {one.record.id: one for one in kept}
        self.same |= by_content(kept)

    def _merged(self, ids: Sequence[str]) -> Indexed:
        """Puts everything into one folder, in the catalog's order, and makes it the index."""
        whole, arrays = in_order(ids, self.known), Arrays()
        gone = [one for one in whole if one.record.status == GONE]
        before = list(self.known.values())
        if self.header.data is None or part_folders(self.folder / PARTS) or _other(whole, before):
            if not (self.computed or self.moved):
                self._refuse_edited()
            with new_folder(self.folder / f"{DATA}new") as aside:
                clips = (one.clips(arrays) for one in whole if one.record.clips)
                name, sizes = write_data(aside, [one.record for one in whole], clips, self.dim)
                if self.header.data != DATA + name:
                    put(aside, self.folder / (DATA + name))
            live = sum(one.record.clips for one in whole if one.record.status != GONE)
            self.header = replace(
                self.header, dim=self.dim, clips=live, videos=len(whole), data=DATA + name, files=sizes
            )
        if self.header != self.before:
            write_header(self.folder, self.header)
        remove_others(self.folder, self.header.data, DATA)
        shutil.rmtree(self.folder / PARTS, ignore_errors=True)
        left_out = [(one.record.id, one.record.reason) for one in whole if one.record.status == FAILED]
        if len(left_out) == len(ids):
            raise UserError(f"none of {counted(len(ids), 'video')} can be read (the first: {': '.join(left_out[0])})")
        return Indexed(
            self.folder, len(ids) - len(left_out), self.header.clips, self.dim, self.computed, self.moved, len(gone),
            left_out,
        )  # fmt: skip


def _dim_of(known: Iterable[Kept]) -> int:
    folder = next((one.folder for one in known if one.record.clips), None)
    return 0 if folder is None else int(mapped(folder / VECTORS).shape[1])


def _other(whole: Sequence[Kept], before: Sequence[Kept]) -> bool:
    return [one.record for one in whole] != [one.record for one in before]


def _refuse_other_folder(folder: Path) -> None:
    if folder.is_dir() and not (folder / HEADER).is_file():
        others: Iterator[Path] = (path for path in sorted(folder.iterdir()) if not path.name.startswith("."))
        if (other := next(others, None)) is not None:
            raise UserError(f"{folder} is no index, and {other.name} lies in it: pass another --out")


def _mb(size: int) -> int:
    return -(-size // 1_000_000)


def _share(progress: Callable[[int, int], None], begun: int, own: int, size: int) -> Callable[[int, int], None]:
    """The progress of a part, told as that of the whole."""
    return lambda done, all: progress(min(size, (begun + own * done // max(1, all)) // 1_000_000), size)
