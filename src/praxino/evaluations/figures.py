"""What an evaluation shows beside its table: pictures and curves, and the form in which a result's file holds them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = Sequence[tuple[float, float]]


@dataclass
class Picture:
    """A picture of a result: a matrix of similarities, a strip of tracked frames.

    Attributes:
        title: for people.
        pixels: uint8 [height, width, 3], RGB.
        caption: how to read it; "": nothing is said.
    """

    title: str
    pixels: NDArray[np.uint8]
    caption: str = ""


@dataclass
class Curves:
    """Lines in one chart of a result: accuracy against labels, success against overlap.

    Attributes:
        title: for people.
        x, y: what the axes show, with its unit: "labels a class", "accuracy, %".
        lines: name -> points (x, y), in the order in which they are joined. Those that belong to a row of the table
            are best named like it. A y that is no finite number is a gap that the report tells of.
    """

    title: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]]


def write_pictures(folder: Path, shown_as: Path, pictures: Sequence[Picture]) -> list[dict[str, Any]]:
    """Writes PNG files, which keep every pixel of a matrix.

    Args:
        folder: where to.
        shown_as: that folder as seen from the run's.
        pictures: in their order.

    Returns:
        Title, caption and file of each.
    """
    from PIL import Image

    said = []
    for number, picture in enumerate(pictures):
        name = f"picture-{number:03d}.png"
        Image.fromarray(np.ascontiguousarray(picture.pixels)).save(folder / name)
        said.append({"title": picture.title, "caption": picture.caption, "file": (shown_as / name).as_posix()})
    return said


def check_pictures(pictures: Sequence[Picture]) -> None:
    """Refuses what cannot be a picture.

    Raises:
        ValueError: if the pixels of one have another dtype or shape.
    """
    for picture in pictures:
        pixels = picture.pixels
        if not isinstance(pixels, np.ndarray):
            raise ValueError(f"picture '{picture.title}': pixels are a numpy array, not {type(pixels).__name__}")
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
            said = f"{pixels.dtype} {list(pixels.shape)}"
            raise ValueError(f"picture '{picture.title}': pixels are uint8 [height, width, 3], not {said}")


def plain_curves(curves: Curves) -> dict[str, Any]:
    """A chart as plain data; None stands for a y that is no finite number, which JSON cannot say.

    Raises:
        ValueError: if there is no line, or a point is no pair of numbers with a finite x.
    """
    if not curves.lines:
        raise ValueError(f"curves '{curves.title}': there is no line")
    lines = {name: [_point(curves, name, point) for point in points] for name, points in curves.lines.items()}
    return {"title": curves.title, "x": curves.x, "y": curves.y, "lines": lines}


def curves_of(said: dict[str, Any]) -> Curves:
    """The chart that `plain_curves` said; None comes back as NaN."""
    lines = {
        name: [(float(x), math.nan if y is None else float(y)) for x, y in points]
        for name, points in said["lines"].items()
    }
    return Curves(said["title"], said["x"], said["y"], lines)


def _point(curves: Curves, name: str, point: Any) -> list[float | None]:
    try:
        x, y = (float(number) for number in point)
    except (TypeError, ValueError):
        raise ValueError(f"curves '{curves.title}', line '{name}': {point!r} is no pair of numbers") from None
    if not math.isfinite(x):
        raise ValueError(f"curves '{curves.title}', line '{name}': x is {x}, which is no place on an axis")
    return [x, y if math.isfinite(y) else None]
