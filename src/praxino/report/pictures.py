"""The pictures of an evaluation: matrices, strips of frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from praxino.report.markup import image, picture_bytes, text

PNG = b"\x89PNG\r\n\x1a\n"
# Up to so many pixels across, a picture is a matrix of which each pixel counts, and is shown enlarged.
SMALL = 160
# A picture that is so many times wider than high is a strip: it gets a row of its own, and is moved sideways
# where the page is too narrow to show it so many screen pixels high.
WIDE, LEAST_HEIGHT = 2.2, 72


def draw(folder: Path, evaluation: Mapping[str, Any]) -> str:
    """All pictures of an evaluation; "" where it has none.

    Args:
        folder: the run's.
        evaluation: content of its file.
    """
    drawn = "".join(_figure(folder, one) for one in evaluation.get("pictures") or [])
    return f'<div class="figures">{drawn}</div>' if drawn else ""


def _figure(folder: Path, said: Mapping[str, Any]) -> str:
    title, caption = str(said.get("title") or ""), str(said.get("caption") or "")
    about = f"{title}: {caption}" if caption else title
    below = f"<figcaption>{text(caption)}</figcaption>" if caption else ""
    width, height = _size(folder, said["file"])
    small = " small" if 0 < width <= SMALL else ""
    picture, wide = image(folder, said["file"], about), ""
    if width > WIDE * height:
        least = width * min(1.0, LEAST_HEIGHT / height)
        picture, wide = f'<div class="pan" tabindex="0" style="--least:{least:.0f}px">{picture}</div>', " wide"
    return f'<figure class="picture{small}{wide}"><h4>{text(title)}</h4>{picture}{below}</figure>'


def _size(folder: Path, path: str) -> tuple[int, int]:
    """Width and height that a PNG file names in its first bytes; (0, 0) of what is none."""
    head = picture_bytes(folder, path)[:24]
    width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
    return (width, height) if len(head) == 24 and head.startswith(PNG) and width and height else (0, 0)
