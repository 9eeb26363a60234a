"""Text files of boxes, one line a frame, as the data sets of object tracking and their toolkits have them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.text import lines_of, short, text_of
from praxino.errors import UserError

T = TypeVar("T")
MASK = "m"  # the first letter of a line in which VOT marks an object's very pixels


def read_boxes(path: str | Path, polygons: bool = False) -> NDArray[np.float64]:
    """The boxes of a file: float64 [lines, 4], x, y, width, height in pixels, the corner counted from 0.

    A file has `x y width height` in a line, divided by commas, tabs or blanks, with a corner that counts from 1. Lines
    that are empty are passed over, as toolkits do. NaN says that there is no box.

    Args:
        path: of the file.
        polygons: whether a line may be the corners of a polygon, `x1 y1 x2 y2 ...`, three of them or more: its bounding
            box counts.

    Raises:
        UserError: if the file cannot be read, or a line is none of these.
    """

    def box(line: str) -> list[float] | None:
        numbers = _numbers(line)
        if numbers is not None and len(numbers) == 4:
            return numbers
        if numbers is None or not polygons or len(numbers) < 6 or len(numbers) % 2:
            return None
        x, y = numbers[::2], numbers[1::2]
        # Python's min and max take no notice of NaN behind the first.
        return [math.nan] * 4 if any(map(math.isnan, numbers)) else [min(x), min(y), max(x) - min(x), max(y) - min(y)]

    wanted = "four numbers, x, y, width and height" + (", or the corners of a polygon" if polygons else "")
    boxes = np.array(_each_line(path, wanted, box), np.float64).reshape(-1, 4)
    boxes[:, :2] -= 1
    return boxes


def read_numbers(path: str | Path, least: int, most: int) -> NDArray[np.int64]:
    """The whole numbers of a file with one in a line: int64 [lines].

    Args:
        path: of the file.
        least, most: between which they are.

    Raises:
        UserError: if the file cannot be read, or a line is no such number.
    """

    def number(line: str) -> int | None:
        numbers = _numbers(line)
        if numbers is None or len(numbers) != 1 or numbers[0] not in range(least, most + 1):
            return None
        return int(numbers[0])

    return np.array(_each_line(path, f"a whole number from {least} to {most}", number), np.int64)


def _each_line(path: str | Path, wanted: str, read: Callable[[str], T | None]) -> list[T]:
    found = []
    for number, line in lines_of(text_of(path)):
        value = read(line)
        if value is None and line[0] == MASK:
            raise UserError(f"{path}, line {number}: this is a mask, and only boxes and polygons are followed")
        if value is None:
            raise UserError(f"{path}, line {number}: expected {wanted}, found {short(line)}")
        found.append(value)
    return found


def _numbers(line: str) -> list[float] | None:
    """The numbers of a line, divided by commas or blanks; None where one is none, or is infinite."""
    try:
        numbers = [float(word) for word in line.replace(",", " ").split()]
    except ValueError:
        return None
    return None if any(map(math.isinf, numbers)) else numbers
