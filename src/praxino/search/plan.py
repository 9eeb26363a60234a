"""What an `embed` into an index has to do: which videos are new or changed, in which parts, and what is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from praxino.catalogs.base import Video
from praxino.search.manifest import DONE, FAILED, GONE, files_below
from praxino.search.sources import Look, look
from praxino.search.store import Kept

# A part is written when it is complete, and what a kill takes is one part: at most so many videos, or so many bytes of
# them, or one that is larger. Parts are the same in any number of goes, and so are the batches of the network.
PART_VIDEOS = 64
PART_BYTES = 128 << 20


@dataclass(frozen=True)
class Pending:
    """A video that is to be embedded: its row in the catalog, and what its files look like now."""

    row: int
    video: Video
    now: Look


def pending(videos: Sequence[Video], known: Mapping[str, Kept], root: str) -> list[Pending]:
    """The videos whose files are not those of the index, in the catalog's order.

    Args:
        videos: the catalog.
        known: id -> what the index has.
        root: the folder of the videos, now.
    """
    found = []
    for row in range(len(videos)):
        video = videos[row]
        now, kept = look(video), known.get(video.id)
        before = kept and (Look(kept.record.size, kept.record.mtime_ns), kept.record.files)
        if before != (now, files_below(root, video)):
            found.append(Pending(row, video, now))
    return found


def in_parts(todo: Iterable[Pending]) -> Iterator[list[Pending]]:
    """The same in parts."""
    part: list[Pending] = []
    size = 0
    for one in todo:
        if part and (len(part) == PART_VIDEOS or size + one.now.size > PART_BYTES):
            yield part
            part, size = [], 0
        part.append(one)
        size += one.now.size
    if part:
        yield part


def in_order(ids: Sequence[str], known: Mapping[str, Kept]) -> list[Kept]:
    """All videos as the index is to have them: the catalog's in its order, then those that are gone.

    What is gone and lives on under another name is left out, as is what could never be read.

    Args:
        ids: of the catalog.
        known: id -> what there is.
    """
    there = [_again(known[id]) for id in ids]
    named, contents = set(ids), {one.record.content for one in there if one.record.clips} - {""}
    gone = [
        Kept(replace(one.record, status=GONE), one.folder)
        for id, one in sorted(known.items())
        if id not in named and one.record.clips and one.record.content not in contents
    ]
    return there + gone


def by_content(known: Iterable[Kept]) -> dict[str, Kept]:
    """Checksum of the files -> a video with clips that has these."""
    return {one.record.content: one for one in known if one.record.clips and one.record.content}


def _again(one: Kept) -> Kept:
    """A video that was gone, and is there again."""
    status = DONE if one.record.clips else FAILED
    return one if one.record.status == status else Kept(replace(one.record, status=status), one.folder)
