"""Streams that are made from another stream's frames, once these are read."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.streams.base import Canvas, Derived


def rows_for(wanted: NDArray[np.int64], sources: Collection[Derived]) -> NDArray[np.int64]:
    """Ascending numbers of the frames to read so that `wanted` come out, of the stream itself and of `sources`."""
    return functools.reduce(np.union1d, [source.needs(wanted) for source in sources], wanted)


def make(
    sources: Mapping[str, Derived],
    wanted: NDArray[np.int64],
    rows: NDArray[np.int64],
    pixels: NDArray[np.uint8],
    present: NDArray[np.bool_],
) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
    """Makes several streams from the frames of one.

    Args:
        sources: name -> stream, all of one `of`.
        wanted: numbers of the frames to make, ascending.
        rows: numbers of the frames that were read, as of `rows_for`.
        pixels, present: these frames.

    Returns:
        name -> pixels uint8 [len(wanted), H, W, C] and present bool [len(wanted)]: all that a frame needs is
        there, and what it is to show was found.

    Raises:
        ValueError: if nothing can be made of frames like these.
    """
    made = {}
    for name, source in sources.items():
        there = [present[np.searchsorted(rows, source.needs(wanted[k : k + 1]))].all() for k in range(len(wanted))]
        needed = pixels[np.searchsorted(rows, source.needs(wanted))]
        frames, found = source.found(needed, wanted)
        made[name] = frames, found & np.array(there, np.bool_)
    return made


def canvas_of(stream: str, canvas: Mapping[str, Canvas], derived: Mapping[str, Derived]) -> Canvas:
    """The canvas of a stream that is read from files.

    Raises:
        UserError: if a stream that is made from it is given a canvas of its own.
    """
    for name, source in derived.items():
        if source.of == stream and name in canvas:
            raise UserError(
                f"the canvas of {name}: it is made from the frames of {stream} as they are on their canvas, so say "
                f"canvas.{stream} instead"
            )
    return canvas.get(stream, Canvas())
