"""What is asked for: files, parts of them, pictures, or a moment of the index itself."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.catalogs.names import is_picture
from praxino.clips.samplers import Sampler
from praxino.described import build
from praxino.encoders.encoder import Encoder
from praxino.errors import UnreadableVideo, UserError, check_finite, check_numbers
from praxino.search.embedding import Clips, Embedding
from praxino.search.folder import HEADER, damaged
from praxino.search.index import Index
from praxino.streams.base import Derived

STEP = 0.25  # seconds from one clip of a query to the next


def refuse_other_encoder(index: Index, encoder: Encoder) -> None:
    """Refuses an encoder whose vectors are not those of an index.

    Raises:
        UserError: if it has other weights, or not the view.
    """
    if encoder.checksum() != index.header.encoder:
        raise UserError(
            f"the encoder is not the one of the index {index.folder}: their checksums differ; pass the one that it was "
            "made by as --encoder, or make another index"
        )
    encoder.names_of(index.header.view)


def query_of_file(
    index: Index,
    encoder: Encoder,
    path: str | Path,
    begin: float | None = None,
    end: float | None = None,
    every: float | None = None,
    trust: tuple[str, ...] = (),
) -> NDArray[np.float32]:
    """The clips of a video file, or of a part of it, as those of the index were taken. It is read a part at a time.

    Args:
        index: that is searched.
        encoder: its own.
        path: a video file, or a folder of frames.
        begin, end: seconds; None: from the beginning, to the end.
        every: seconds from one clip to the next; None: the index's sampler, or where it has a clip every so many
            seconds, `STEP`, if that is less: so one of the query's clips lies near each clip of the same footage.
        trust: packages, beside praxino, whose samplers may be built.

    Returns:
        float32 [clips, d].

    Raises:
        UserError: if it cannot be read, there is nothing between these seconds, or the encoder is another one.
    """
    return clips_of_file(index, encoder, path, begin, end, every, trust).vectors


def clips_of_file(
    index: Index,
    encoder: Encoder,
    path: str | Path,
    begin: float | None = None,
    end: float | None = None,
    every: float | None = None,
    trust: tuple[str, ...] = (),
) -> Clips:
    """The same with the seconds of each clip, from the beginning of the part on. A query for `search_sequence`.

    Args:
        index, encoder, path, begin, end, every, trust: as of `query_of_file`.

    Raises:
        UserError: as of `query_of_file`.
    """
    check_numbers(every=every)
    check_finite(every=every)
    path = os.fsdecode(path)
    refuse_other_encoder(index, encoder)
    if is_picture(path) and os.path.isfile(path):
        raise UserError(f"{path} is a picture: pass it as --image {path}")
    sampler = build(index.header.sampler, trust=trust)
    if not isinstance(sampler, Sampler):
        raise damaged(index.folder, f"{HEADER} says nothing right of 'sampler'")
    how = Embedding(encoder.eval(), index.header.view, sampler, every or _step(index))
    part = path + _stretch(path, begin, end)
    made = how.of([Video(path, dict.fromkeys(_streams(encoder, index.header.view), part))])[0]
    if isinstance(made, str):
        raise UserError(f"{path}: {made}")
    return made


def query_of_image(index: Index, encoder: Encoder, path: str | Path) -> NDArray[np.float32]:
    """The vector of a picture, for an encoder whose clips may be a single frame, or one that is repeated.

    Args:
        index, encoder: as of `query_of_file`.
        path: of the picture.

    Returns:
        float32 [clips, d].

    Raises:
        UserError: if it is none, or the encoder's clips need motion.
    """
    refuse_other_encoder(index, encoder)
    text = os.fsdecode(path)
    if not os.path.isfile(text):
        raise UserError(f"there is no file {text}")
    if not is_picture(text):
        raise UserError(f"{text} is no picture by its name: --image takes a JPEG or PNG, and videos need no option")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*it is repeated, so that nothing moves")
            return encoder.embed(text, index.header.view)[:1]
    except UnreadableVideo as error:
        raise UserError(str(error)) from None


def query_of_moment(
    index: Index, id: str, begin: float | None = None, end: float | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The clips of the index between two times of one of its videos; and their rows, to be passed over.

    Args:
        index: that is searched.
        id: of the video.
        begin, end: seconds; None: from the beginning, to the end.

    Returns:
        float32 [clips, d] and int64 [clips].

    Raises:
        UserError: as of `Index.rows_of`.
    """
    rows = index.rows_of(id, begin, end)
    return index.vectors_of(rows), rows


def refuse_no_part(begin: float | None, end: float | None) -> None:
    """Refuses seconds between which there is nothing.

    Raises:
        UserError: if they are none, or the end is not after the beginning.
    """
    for name, seconds in {"from": begin, "to": end}.items():
        if seconds is not None and not (seconds >= 0 and np.isfinite(seconds)):
            raise UserError(f"--{name} must be 0 or more, and finite, not {seconds}")
    if end is not None and end <= (begin or 0.0):
        raise UserError(f"--to {end:g} is not after --from {begin or 0:g}")


def joined(parts: Sequence[Clips]) -> Clips:
    """Several files as one query: all their clips."""
    return Clips(np.concatenate([one.vectors for one in parts]), np.concatenate([one.seconds for one in parts]))


def _step(index: Index) -> float | None:
    return None if index.header.every is None else min(STEP, index.header.every)


def _streams(encoder: Encoder, view: str) -> list[str]:
    """The streams that are read from the file for a view, or for all of them."""
    needed = [encoder.views[name].stream for name in encoder.names_of(view)]
    sources = [(name, encoder.streams.get(name)) for name in needed]
    return [source.of if isinstance(source, Derived) else name for name, source in sources]


def _stretch(path: str, begin: float | None, end: float | None) -> str:
    if begin is None and end is None:
        return ""
    if os.path.isdir(path):
        raise UserError(f"{path} is a folder of frames, of which --from and --to take no part: pass a video file")
    return f"#t={begin or 0.0:.12g},{'' if end is None else f'{end:.12g}'}"
