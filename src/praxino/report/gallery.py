"""Queries beside their nearest neighbours, in pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from praxino.report.markup import image, note, number, text

Shown = Mapping[str, Any]


def draw(folder: Path, evaluation: Mapping[str, Any], fallback: str) -> str:
    """The gallery of one evaluation; "" where it has none.

    Under the protocol "instance", and where queries have no label, a hit is another clip of the query's own video.

    Args:
        folder: the run's.
        evaluation: content of its file.
        fallback: a title where it has none.
    """
    matches = evaluation.get("gallery") or []
    if not matches:
        return ""
    labelled = any(match["query"].get("label") is not None for match in matches)
    own = evaluation.get("protocol") == "instance" or not labelled
    same = "is of the query's own video" if own else "is of the query's class"
    explained = (
        f"✓ hit: the neighbour {same}; ✗ miss: it is not. The number is the cosine similarity. {_first_hits(matches)}"
    )
    cards = "".join(_card(folder, group) for group in _groups(matches))
    return f"<h3>{text(evaluation.get('title') or fallback)}</h3>{note(explained)}{cards}"


def _first_hits(matches: Sequence[Shown]) -> str:
    """For how many queries the nearest neighbour is a hit; where several encoders answer, of each."""
    names = list(dict.fromkeys(match.get("name") or "" for match in matches))
    said = []
    for name in names:
        own = [match for match in matches if (match.get("name") or "") == name]
        first = [match["neighbours"][0] for match in own if match.get("neighbours")]
        hits = sum(bool(neighbour.get("hit")) for neighbour in first)
        said.append((name, f"{hits} of these {len(own)} queries the nearest neighbour is a hit"))
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


def _card(folder: Path, group: Sequence[Shown]) -> str:
    asked = _clip(folder, group[0]["query"], "query", _badge("asked", "query"), "div")
    found = "".join(
        (f"<h4>{text(match['name'])}</h4>" if match.get("name") else "") + _found(folder, match) for match in group
    )
    return f'<article class="card match"><div class="query">{asked}</div><div>{found}</div></article>'


def _found(folder: Path, match: Shown) -> str:
    neighbours = "".join(
        _clip(folder, neighbour, f"neighbour {place}", _verdict(neighbour))
        for place, neighbour in enumerate(match.get("neighbours") or [], start=1)
    )
    return f'<ol class="clips">{neighbours}</ol>' if neighbours else note("No neighbours.")


def _clip(folder: Path, shown: Shown, role: str, head: str, tag: str = "li") -> str:
    frames = shown.get("frames") or []
    id, label = shown.get("id", ""), shown.get("label")
    about = f"{role}, {id}" if label is None else f"{role}, {label}, {id}"
    pictures = "".join(
        image(folder, frame, f"{about}: frame {k} of {len(frames)}") for k, frame in enumerate(frames, start=1)
    )
    if not frames:
        pictures = '<span class="gone">no picture</span>'
    kind = "" if "hit" not in shown else " hit" if shown["hit"] else " miss"
    strip = f'<div class="strip{_layout(len(frames))}">{pictures}</div>'
    return (
        f'<{tag} class="clip{kind}"><div class="head">{head}</div>{strip}'
        f'<div class="named" title="{text(id)}">{_named(id, label)}</div></{tag}>'
    )


def _named(id: str, label: str | None) -> str:
    """The class above the file's name; where there is none, the file's name above its folder."""
    folder, _, name = str(id).rpartition("/")
    above, below = (name, folder) if label is None else (label, name)
    return f"<b>{text(above)}</b><small>{text(below)}</small>"


def _layout(frames: int) -> str:
    """Four or more frames stand in two columns, fewer beside each other."""
    return " pairs" if frames >= 4 else f" row{max(frames, 1)}"


def _verdict(neighbour: Shown) -> str:
    badge = _badge("hit", "✓ hit") if neighbour.get("hit") else _badge("miss", "✗ miss")
    return f'{badge}<span class="similarity">{number(neighbour.get("similarity", ""), 2)}</span>'


def _badge(kind: str, word: str) -> str:
    return f'<span class="badge {kind}">{word}</span>'
