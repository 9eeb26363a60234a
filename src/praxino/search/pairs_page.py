"""Pairs of videos that show the same footage as a page: frames of both, one strip above the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from praxino.report.document import checked, document, write_page
from praxino.report.markup import note, plural, text
from praxino.search.index import Index
from praxino.search.page import WIDE, strip
from praxino.search.pairs import Duplicates, Footage, Pair
from praxino.search.strips import frames_of

KIND = "the same footage"
MOST = 300  # pairs on a page, which then has some 15 MB


def write_pairs(
    index: Index,
    found: Duplicates,
    out: str | Path,
    root: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Writes a page: for each of the first 300 pairs both videos, the seconds that agree, and frames of them.

    Args:
        index: that was searched.
        found: the pairs.
        out: the file, which ends in .html.
        root: the folder of the videos, where it was moved.
        progress: called with (pairs done, pairs).

    Returns:
        The file.

    Raises:
        UserError: if the page cannot be written.
    """
    path = checked(out)
    cards, shown = [], found.pairs[:MOST]
    for done, pair in enumerate(shown, 1):
        strips = [
            strip(frames_of(index.video(one.number, root), one.start, one.end), f"pair {done}, {one.video}")
            for one in (pair.one, pair.other)
        ]
        cards.append(_card(done, pair, strips))
        if progress is not None:
            progress(done, len(shown))
    crossing = found.crossing
    parts = {
        id: (title, f'<ol style="list-style:none;margin:0;padding:0;{WIDE}">{"".join(some)}</ol>')
        for id, title, some in (
            ("crossing", "Between training and test", cards[:crossing]),
            ("pairs", "Pairs", cards[crossing:]),
        )
        if some
    }
    return write_page(path, document(index.folder.name or "index", KIND, _head(index, found), parts, _foot(index)))


def _head(index: Index, found: Duplicates) -> str:
    said = (
        f"{plural(len(found), 'pair') if len(found) else 'No pairs'} among {plural(index.header.videos, 'video')}. "
        "The share is that of the shorter video's frames that agree; bits are those in which frames differ, of 63. "
        "A camera that does not move may show another moment of the same scene."
    )
    lead = f'<p class="lead">{text(said)}</p>'
    if found.crossing:
        lead += f"<p><b>{text(plural(found.crossing, 'pair'))} between the lists for training and testing.</b></p>"
    if len(found) > MOST:
        lead += note(f"The first {MOST} are shown; the command prints all of them.")
    left_out = [*((id, "gone") for id in found.gone), *found.left_out]
    return lead + "".join(note(f"left out: {id}: {reason}") for id, reason in left_out)


def _foot(index: Index) -> str:
    return f"Index {index.folder}, view {index.header.view}, encoder {index.header.encoder}."


def _card(number: int, pair: Pair, strips: Sequence[str]) -> str:
    mirrored = '<span class="badge">mirrored</span>' if pair.mirrored else ""
    return (
        f'<li class="card" style="margin:0"><div class="head"><span class="badge">{number}</span>'
        f"<b>{100 * pair.share:.0f} % agree</b>{mirrored}"
        f'<span class="similarity">{pair.distance:.1f} bits</span></div>'
        + '<div style="height:10px"></div>'.join(
            f"{pictures}{_named(one)}" for one, pictures in zip((pair.one, pair.other), strips, strict=True)
        )
        + "</li>"
    )


def _named(one: Footage) -> str:
    folder, _, name = one.video.rpartition("/")
    more = f"{one.start:.1f} to {one.end:.1f} s" + (f", {one.part}" if one.part else "")
    small = f"{more} · {folder}" if folder else more
    return f'<div class="named"><b>{text(name)}</b><small>{text(small)}</small></div>'
