"""What a search has found as a page with pictures: one HTML file that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from praxino.catalogs.base import Video
from praxino.errors import UserError
from praxino.report.document import checked, document, write_page
from praxino.report.markup import note, plural, text
from praxino.search.hits import Hit, Hits
from praxino.search.index import Index
from praxino.search.strips import frames_of
from praxino.search.there import refuse_nothing_there

KIND = "hits of a search"
WIDE = "display:grid;gap:16px;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr))"


@dataclass(frozen=True)
class Asked:
    """What a query was.

    Attributes:
        files: that were given.
        of: a video of the index.
        image: a picture.
        start, end: seconds of the file or the video; None: from its beginning, to its end.
    """

    files: tuple[str, ...] = ()
    of: str | None = None
    image: str | None = None
    start: float | None = None
    end: float | None = None

    def name(self) -> str:
        """What it is called on a page."""
        files = [Path(one).name for one in self.files] or [self.of or (self.image and Path(self.image).name) or "query"]
        more = f" and {plural(len(files) - 1, 'other file')}" if len(files) > 1 else ""
        return f"{files[0]}{more}{self.seconds()}"

    def seconds(self) -> str:
        """The part of it, in words."""
        if self.start is None and self.end is None:
            return ""
        return f", {self.start or 0:g} s to {'the end' if self.end is None else f'{self.end:g} s'}"


def write_hits(
    index: Index,
    hits: Hits,
    out: str | Path,
    asked: Asked | None = None,
    root: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Writes a page: for each hit its rank, file, seconds, similarity, and frames of the moment.

    Args:
        index: that was searched.
        hits: what it found.
        out: the file, which ends in .html.
        asked: what the query was; its frames stand first.
        root: the folder of the videos, where it was moved.
        progress: called with (strips done, strips).

    Returns:
        The file.

    Raises:
        UserError: if none of the videos is where the index had them, or the page cannot be written.
    """
    path = checked(out)
    videos = [index.video(int(index.owners[hit.row]), root) for hit in hits]
    refuse_nothing_there(index, videos, root)
    shown = []
    for done, (hit, video) in enumerate(zip(hits, videos, strict=True), 1):
        shown.append(_card(hit, video, frames_of(video, hit.start, hit.end)))
        if progress is not None:
            progress(done, len(hits))
    asked = asked or Asked()
    parts = {"hits": ("Hits", f'<ol style="list-style:none;margin:0;padding:0;{WIDE}">{"".join(shown)}</ol>')}
    if query := _query(index, asked, root):
        parts = {"query": ("Query", query), **parts}
    said = (
        f"{plural(len(hits), 'hit')}, the most similar first, among {plural(len(index), 'clip')} of "
        f"{plural(index.header.videos, 'video')}. The number is the cosine similarity of the best clip."
    )
    foot = f"Index {index.folder}, view {index.header.view}, encoder {index.header.encoder}."
    return write_page(path, document(asked.name(), KIND, f'<p class="lead">{text(said)}</p>', parts, foot))


def refuse_out(out: str, what: str = "hits") -> None:
    """Refuses a file that no page can be, before anything is searched.

    Args:
        out: the file.
        what: the page shows.

    Raises:
        UserError: that says what to pass in its place.
    """
    if Path(out).suffix.lower() not in (".html", ".htm"):
        raise UserError(f"--out {out} does not end in .html: {what} are written as a page, --out {what}.html")
    checked(out)


def _query(index: Index, asked: Asked, root: str | None) -> str:
    """Frames of the query; nothing where it was given as vectors."""
    videos = [(one, Video(one, {"rgb": one})) for one in (*asked.files, *([asked.image] if asked.image else ()))]
    if asked.of is not None:
        number = next(number for number, one in enumerate(index.records) if one.id == asked.of)
        videos = [(asked.of, index.video(number, root))]
    strips = "".join(
        f'<li>{strip(frames_of(video, asked.start, asked.end), name)}<p class="named">{text(Path(name).name)}</p></li>'
        for name, video in videos
    )
    return f'<ol style="list-style:none;margin:0;padding:0;{WIDE}">{strips}</ol>' if strips else ""


def _card(hit: Hit, video: Video, frames: Sequence[str] | str) -> str:
    folder, _, name = hit.video.rpartition("/")
    place = " ".join(str(files) for files in video.files.values() if isinstance(files, str))
    return (
        '<li class="card" style="margin:0"><div class="head">'
        f'<span class="badge">{hit.rank}</span><b>{hit.start:.1f} to {hit.end:.1f} s</b>'
        f'<span class="similarity">{hit.similarity:.3f}</span></div>'
        f"{strip(frames, f'hit {hit.rank}, {hit.video}')}"
        f'<div class="named" title="{text(place)}"><b>{text(name)}</b><small>{text(folder)}</small></div></li>'
    )


def strip(frames: Sequence[str] | str, about: str) -> str:
    """Frames beside each other; or why there are none.

    Args:
        frames: as `frames_of` gives them.
        about: what they show, for those who do not see them.
    """
    if isinstance(frames, str):
        return note(f"no picture: {frames}")
    pictures = "".join(
        f'<img alt="{text(about)}: frame {k} of {len(frames)}" src="{one}">' for k, one in enumerate(frames, 1)
    )
    return f'<div class="strip" style="grid-template-columns:repeat({len(frames)},minmax(0,1fr))">{pictures}</div>'
