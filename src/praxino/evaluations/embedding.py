"""The vectors of any videos, written into one file for a search or a classifier."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Catalog
from praxino.clips.dataset import LoadedVideo, collate
from praxino.errors import UserError
from praxino.evaluations.features import loaded_videos
from praxino.methods.encoder import Encoder


@dataclass
class Embedded:
    """Vectors of clips, and where each clip is from.

    Attributes:
        vectors: float32 [clips, d].
        video: [clips], the id of each clip's video.
        start, end: float64 [clips], seconds of its first and last frame.
        left_out: (id, reason) of the videos that cannot be read.
    """

    vectors: NDArray[np.float32]
    video: NDArray[np.str_]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    left_out: list[tuple[str, str]]

    @property
    def videos(self) -> int:
        """How many videos there are vectors of."""
        return len(set(self.video.tolist()))


def embed_videos(
    encoder: Encoder,
    catalog: Catalog,
    out: str | Path,
    view: str | None = None,
    batch_size: int = 8,
    workers: int = 2,
    device: str = "cpu",
    max_left_out: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> Embedded:
    """Writes the vectors of all videos of a catalog.

    Args:
        encoder: the encoder; its sampler says which clips.
        catalog: the videos.
        out: the .npz file: vectors, video, start, end.
        view: which view of the encoder; null: its first.
        batch_size: clips through the network at once.
        workers: loading processes.
        device: where the network runs.
        max_left_out: largest share of videos, 0 to 1, that may turn out unreadable.
        progress: called with (videos done, videos).

    Raises:
        UserError: if more than `max_left_out` of the videos, or all, cannot be read, or the file cannot be written.
    """
    path = Path(out)
    if path.suffix != ".npz" or not path.parent.is_dir():
        raise UserError(f"--out {out}: give a file that ends in .npz, in a folder that exists")
    encoder.to(device)
    encoder.backbone.eval()
    stream = encoder.view(view).stream
    vectors, video, times, left_out = [], [], [], []
    source = loaded_videos(catalog, [stream], encoder.sampler, encoder.streams, encoder.canvas, workers=workers)
    for done, (row, loaded) in enumerate(source, start=1):
        id = catalog[row].id
        if isinstance(loaded, LoadedVideo):
            vectors += _vectors(encoder, loaded, view, batch_size)
            video += [id] * len(loaded.times)
            times.append(loaded.times[:, [0, -1]])
        else:
            left_out.append((id, loaded))
            if len(left_out) > max_left_out * len(catalog):
                raise UserError(f"too many videos cannot be read (the last: {id}: {loaded}): pass --max_left_out 1")
        if progress:
            progress(done, len(catalog))
    if not vectors:
        raise UserError(f"none of the {len(catalog)} videos can be read (the first: {': '.join(left_out[0])})")
    start, end = np.concatenate(times).T
    embedded = Embedded(np.concatenate(vectors), np.array(video), start, end, left_out)
    _write(path, embedded)
    return embedded


def _vectors(encoder: Encoder, loaded: LoadedVideo, view: str | None, batch_size: int) -> list[NDArray[np.float32]]:
    parts = [loaded.only(slice(k, k + batch_size)) for k in range(0, len(loaded.numbers), batch_size)]
    return [encoder.features(collate([part], [0], [None]), view).cpu().numpy() for part in parts]


def _write(path: Path, embedded: Embedded) -> None:
    aside = path.with_name(path.name + ".part")
    with aside.open("wb") as file:
        arrays = {name: getattr(embedded, name) for name in ("vectors", "video", "start", "end")}
        np.savez(file, **arrays)
    os.replace(aside, path)
