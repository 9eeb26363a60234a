"""Pieces of HTML. Whatever comes from a run goes through `text`."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from praxino.printable import counted

# No page shows a larger number, and no chart has room for one.
LARGEST = 1e100
KINDS = {b"\xff\xd8": "image/jpeg", b"\x89P": "image/png", b"RI": "image/webp"}
MOVING = b"RIFF"
# Where a long name may be broken: after what parts its words, but for a file's ending and within a number.
JOINTS = re.compile(r"(?<=[_/])(?=.)|(?<=-)(?=[^\W\d])|(?<=\.)(?=.)(?!\w{1,4}$)(?!(?<=\d\.)\d)")


def text(value: Any) -> str:
    """A value as escaped text, safe in attributes too."""
    return html.escape(str(value), quote=True)


def breakable(value: Any) -> str:
    """The same for a long name, which a narrow place breaks after what parts its words."""
    return "<wbr>".join(text(piece) for piece in JOINTS.split(str(value)))


def number(value: Any, digits: int = 1) -> str:
    """A number with this many decimals; anything else as it is."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.{digits}f}" if plain else text(value)


def short(value: float) -> str:
    """A number as short as three digits let it be: 0.00213, 4.12, 128."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:.1e}".replace(".0e", "e").replace("e-0", "e-").replace("e+0", "e")


def finite(value: Any) -> float | None:
    """A number as a float; None for what is none, is not finite, or is above 1e100."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= LARGEST else None


def plural(count: int, word: str) -> str:
    """ "1 video", "1,234 videos", "2 classes"."""
    return f"{count:,} {counted(count, word).partition(' ')[2]}"


def section(id: str, title: str, *parts: str) -> str:
    """A part of the page that the navigation can jump to."""
    return f'<section id="{text(id)}"><h2>{text(title)}</h2>{"".join(parts)}</section>'


def note(sentence: str) -> str:
    """A sentence of what is missing, or of how to read what follows."""
    return f'<p class="note">{text(sentence)}</p>'


def folded(title: str, content: str, extra: str = "", opened: bool = False) -> str:
    """Content that opens with a click, or is open and closes with one."""
    aside = f' <span class="muted">{text(extra)}</span>' if extra else ""
    return f"<details{' open' if opened else ''}><summary>{text(title)}{aside}</summary>{content}</details>"


def definitions(pairs: Iterable[tuple[Any, Any]]) -> str:
    """Names with their values."""
    return "<dl>" + "".join(f"<div><dt>{text(k)}</dt><dd>{text(plain(v))}</dd></div>" for k, v in pairs) + "</dl>"


def plain(value: Any) -> str:
    """A setting for people: yes and no, lists with commas, objects by their class."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value) or "none"
    if isinstance(value, dict):
        if "class_path" in value:
            return str(value["class_path"]).rpartition(".")[2]
        return ", ".join(f"{key}: {plain(item)}" for key, item in value.items()) or "none"
    return str(value)


def table(heads: Iterable[str], rows: Iterable[Iterable[Any]], even: bool = False) -> str:
    """A plain table of text, scrolling inside its own box; `even`: what follows the first column is of one width."""
    head = "".join(f'<th scope="col">{text(h)}</th>' for h in heads)
    shown = breakable if even else text
    body = "".join("<tr>" + "".join(f"<td>{shown(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    kind = "plain even" if even else "plain"
    whole = f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="scroll" tabindex="0">{whole}</div>'


def image(folder: Path, path: str, alt: str) -> str:
    """A picture of the run folder, inlined; a box that says so where there is none.

    Args:
        folder: the run's; nothing outside of it is read.
        path: relative to it.
        alt: what the picture shows.
    """
    inside = _inlined(picture_bytes(folder, path))
    if not inside:
        return f'<span class="gone" role="img" aria-label="{text(alt)}: picture missing">picture missing</span>'
    return f'<img alt="{text(alt)}" src="{inside}">'


def moving_image(data: bytes, still: bytes, alt: str) -> str:
    """A picture that moves; the still one where a reader has asked for less motion.

    Args:
        data: of the moving one.
        still: of the other; where it is none, no motion is a request that cannot be met, and nothing moves.
        alt: what it shows.
    """
    calm = _inlined(still)
    if not calm or not data.startswith(MOVING):
        return ""
    less = f'<source media="(prefers-reduced-motion: reduce)" srcset="{calm}">'
    return f'<picture>{less}<img alt="{text(alt)}" src="{_inlined(data)}"></picture>'


def _inlined(data: bytes) -> str:
    kind = KINDS.get(data[:2])
    return f"data:{kind};base64,{base64.b64encode(data).decode()}" if kind else ""


def picture_bytes(folder: Path, path: str) -> bytes:
    """The bytes of a file in the run folder; none where it cannot be read or lies outside."""
    try:
        file = (folder / path).resolve()
        inside = file.is_relative_to(folder.resolve())
        return file.read_bytes() if inside and file.is_file() else b""
    except (OSError, ValueError):  # no permission; a path that no system can have
        return b""
