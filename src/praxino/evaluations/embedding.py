"""The vectors of any videos, written into one file: ready for a search or a classifier."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Catalog, Part
from praxino.clips.dataset import collate
from praxino.errors import UserError
from praxino.evaluations.features import loaded_videos
from praxino.methods.encoder import Encoder
from praxino.ranks import Device, pick_device


@dataclass
class Embedded:
    """What was written: vectors [clips, d], for each clip its video's id and its seconds; what was left out."""

    vectors: NDArray[np.float32]
    video: NDArray[np.str_]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    left_out: list[tuple[str, str]]

    @property
    def videos(self) -> int:
        """How many videos were read."""
        return len(set(self.video.tolist()))


def embed_videos(
    encoder: Encoder,
    catalog: Catalog,
    out: Path,
    part: Part = "all",
    view: str | None = None,
    workers: int = 2,
    device: Device = "auto",
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> Embedded:
    """Writes an .npz with `vectors` [clips, d] and, for each clip, `video` (id), `start` and `end` (seconds).

    Args:
        encoder: what embeds.
        catalog: the videos.
        out: the file to write.
        part: of the catalog.
        view: of the encoder; none: its first.
        workers: loading processes.
        device: auto takes a GPU where there is one.
        max_left_out: largest share of unreadable videos, 0 to 1.
        progress: called with (videos done, videos).

    Raises:
        UserError: if too much is unreadable, or the file cannot be written.
    """
    videos = catalog.part(part)
    out = Path(out)
    if not out.parent.is_dir():
        raise UserError(f"the folder {out.parent} does not exist: make it, or pass another --out")
    if out.is_dir():
        raise UserError(f"{out} is a folder: pass --out {out / 'vectors.npz'}")
    if not len(videos):
        raise UserError(f"there are no videos to embed: the part '{part}' of the catalog is empty")
    encoder.to(pick_device(device)).backbone.eval()
    needed = (encoder.view(view).stream,)
    vectors, names, starts, ends = [], [], [], []
    left_out: list[tuple[str, str]] = []
    source = loaded_videos(videos, needed, encoder.sampler, encoder.streams, encoder.canvas, workers=workers)
    for done, (row, loaded) in enumerate(source, start=1):
        id = videos[row].id
        if isinstance(loaded, str):
            left_out.append((id, loaded))
        else:
            vectors.append(encoder.features(collate([loaded], [0], [None]), view).cpu().numpy())
            names += [id] * len(loaded.numbers)
            starts.append(loaded.times[:, 0])
            ends.append(loaded.times[:, -1])
        if progress:
            progress(done, len(videos))
    if not vectors or len(left_out) > max_left_out * len(videos):
        raise UserError(
            f"{len(left_out)} of {len(videos)} videos cannot be read (the first: {': '.join(left_out[0])})"
            + (": pass --max_left_out 1 to go on without them" if vectors else "")
        )
    embedded = Embedded(
        np.concatenate(vectors), np.array(names), np.concatenate(starts), np.concatenate(ends), left_out
    )
    aside = out.with_name(out.name + ".part")
    with aside.open("wb") as file:
        np.savez(file, vectors=embedded.vectors, video=embedded.video, start=embedded.start, end=embedded.end)
    os.replace(aside, out)
    return embedded
