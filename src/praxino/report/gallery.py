"""Queries beside their nearest neighbours, in pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from praxino.report.markup import breakable, finite, image, moving_image, note, number, picture_bytes, text

Shown = Mapping[str, Any]
NONE = '<span class="gone">no picture</span>'
PAGE_BYTES = 8 << 20  # of the clips that move on one page; beyond that a picture stands still


@dataclass
class Room:
    """How many bytes of clips that move still come into a page."""

    left: int = PAGE_BYTES

    def take(self, size: int) -> bool:
        """Whether there is room for so many; then they are taken."""
        fits = size <= self.left
        self.left -= size if fits else 0
        return fits


def draw(folder: Path, evaluation: Mapping[str, Any], fallback: str, room: Room | None = None) -> str:
    """The gallery of one evaluation; "" where it has none.

    Where queries have no label, nothing is a hit or a miss: the nearest other videos come first, and then, where it was
    asked for (the protocol "instance"), the query's own.

    Args:
        folder: the run's.
        evaluation: content of its file.
        fallback: a title where it has none.
        room: of the page's; None: that of a page of its own.
    """
    matches = evaluation.get("gallery") or []
    if not matches:
        return ""
    room = room or Room()
    own = evaluation.get("protocol") == "instance"
    labelled = not own and any(match["query"].get("label") is not None for match in matches)
    cards = "".join(_card(folder, group, labelled, room) for group in _groups(matches))
    return (
        f"<h3>{text(evaluation.get('title') or fallback)}</h3>"
        f"{note(' '.join(_explained(matches, labelled, own)))}{cards}"
    )


def _explained(matches: Sequence[Shown], labelled: bool, own: bool) -> list[str]:
    """How the gallery is to be read."""
    if labelled:
        said = ["✓ hit: the neighbour is of the query's class; ✗ miss: it is not.", _first_hits(matches)]
    elif own:
        nearest = sum(_place(match, own) == 1 for match in matches for own in _owns(match))
        said = [
            "The nearest other videos in their order, then the query's own: another clip of the same video.",
            "No label is looked at, so see for yourself whether the others are alike.",
            f"For {nearest} of {_queries(len(matches))} the own video is nearest.",
        ]
    else:
        said = ["The nearest videos in their order. There are no labels, so see for yourself whether they are alike."]
    said.append("The number is the cosine similarity.")
    if any(match["query"].get("seconds") for match in matches):
        what = (
            "the clip that asks, or that was found" if own else "one of the clips of which a video's vector is the mean"
        )
        said.append(f"A tile plays {what}, from second to second of the video.")
    return said


def _queries(count: int) -> str:
    return "1 query" if count == 1 else f"these {count} queries"


def _owns(match: Shown) -> list[Shown]:
    """Those of the neighbours that are clips of the query's own video."""
    return [one for one in match.get("neighbours") or [] if one.get("id") == match["query"].get("id")]


def _place(match: Shown, own: Shown) -> int:
    """At which place a clip of the query's own video was found, among those that are shown."""
    reached = finite(own.get("similarity")) or 0.0
    others = [one for one in match.get("neighbours") or [] if one.get("id") != match["query"].get("id")]
    return 1 + sum((finite(one.get("similarity")) or 0.0) > reached for one in others)


def _first_hits(matches: Sequence[Shown]) -> str:
    """For how many queries the nearest neighbour is a hit; where several encoders answer, of each."""
    names = list(dict.fromkeys(match.get("name") or "" for match in matches))
    said = []
    for name in names:
        own = [match for match in matches if (match.get("name") or "") == name]
        first = [match["neighbours"][0] for match in own if match.get("neighbours")]
        hits = sum(bool(neighbour.get("hit")) for neighbour in first)
        said.append((name, f"{hits} of {_queries(len(own))} the nearest neighbour is a hit"))
    return " ".join(f"{f'{name}: for' if name else 'For'} {what}." for name, what in said)


def _groups(matches: Sequence[Shown]) -> list[list[Shown]]:
    """What several encoders find for one query follows each other, each with a name, and stands in one card."""
    groups: list[list[Shown]] = []
    for match in matches:
        group = groups[-1] if groups else []
        same = group and group[0]["query"].get("id") == match["query"].get("id")
        if same and match.get("name") and match["name"] not in [one.get("name") for one in group]:
            group.append(match)
        else:
            groups.append([match])
    return groups


def _card(folder: Path, group: Sequence[Shown], labelled: bool, room: Room) -> str:
    asked = _clip(folder, group[0]["query"], "query", _badge("asked", "query"), room, "div")
    found = "".join(
        (f"<h4>{text(match['name'])}</h4>" if match.get("name") else "") + _found(folder, match, labelled, room)
        for match in group
    )
    return f'<article class="card match"><div class="query">{asked}</div><div>{found}</div></article>'


def _found(folder: Path, match: Shown, labelled: bool, room: Room) -> str:
    neighbours = match.get("neighbours") or []
    if not neighbours:
        return note("No neighbours.")
    if labelled:
        tiles = [(one, f"neighbour {place}", _verdict(one)) for place, one in enumerate(neighbours, start=1)]
    else:
        owns = _owns(match)
        others = [one for one in neighbours if one not in owns]
        tiles = [(one, f"neighbour {place}", _badge("", f"{place}")) for place, one in enumerate(others, start=1)]
        tiles += [(one, "the query's own video", _badge("asked", _own(match, one, len(others)))) for one in owns]
    drawn = "".join(
        _clip(folder, one, role, f"{badge}{_similarity(one)}", room, marked=labelled) for one, role, badge in tiles
    )
    return f'<ol class="clips">{drawn}</ol>'


def _own(match: Shown, own: Shown, others: int) -> str:
    place = _place(match, own)
    return f"own video, {f'place {place}' if place <= others else f'behind these {others}'}"


def _clip(folder: Path, shown: Shown, role: str, head: str, room: Room, tag: str = "li", marked: bool = True) -> str:
    id, label = shown.get("id", ""), shown.get("label")
    about = f"{role}, {id}" if label is None else f"{role}, {label}, {id}"
    kind = "" if "hit" not in shown or not marked else " hit" if shown["hit"] else " miss"
    return (
        f'<{tag} class="clip{kind}"><div class="head">{head}</div>{_pictures(folder, shown, about, room)}'
        f'<div class="named" title="{text(id)}">{_named(id, label)}{_seconds(shown)}</div></{tag}>'
    )


def _pictures(folder: Path, shown: Shown, about: str, room: Room) -> str:
    """The clip, moving; where there is none, or no room for it, frames of the whole video."""
    frames = shown.get("frames") or []
    if shown.get("clip") and frames:
        data = picture_bytes(folder, shown["clip"])
        moving = moving_image(data, picture_bytes(folder, frames[len(frames) // 2]), f"{about}: a clip")
        if moving and room.take(len(data)):
            return f'<div class="strip row1">{moving}</div>'
    pictures = "".join(
        image(folder, frame, f"{about}: frame {k} of {len(frames)}") for k, frame in enumerate(frames, start=1)
    )
    return f'<div class="strip{_layout(len(frames))}">{pictures or NONE}</div>'


def _seconds(shown: Shown) -> str:
    ends = [finite(one) for one in shown.get("seconds") or []]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return ""
    return f"<small>{ends[0]:.1f} to {ends[1]:.1f} s</small>"


def _named(id: str, label: str | None) -> str:
    """The class above the file's name; where there is none, the file's name above its folder."""
    folder, _, name = str(id).rpartition("/")
    above, below = (name, folder) if label is None else (label, name)
    return f"<b>{breakable(above)}</b><small>{breakable(below)}</small>"


def _layout(frames: int) -> str:
    """Four or more frames stand in two columns, fewer beside each other."""
    return " pairs" if frames >= 4 else f" row{max(frames, 1)}"


def _verdict(neighbour: Shown) -> str:
    return _badge("hit", "✓ hit") if neighbour.get("hit") else _badge("miss", "✗ miss")


def _similarity(neighbour: Shown) -> str:
    return f'<span class="similarity">{number(neighbour.get("similarity", ""), 2)}</span>'


def _badge(kind: str, word: str) -> str:
    return f'<span class="badge {kind}">{word}</span>'
