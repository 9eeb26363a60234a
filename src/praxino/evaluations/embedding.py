"""The vectors of any videos, written into one file: ready for a search or a classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Catalog, Part
from praxino.clips.samplers import Sampler
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError, check_finite, check_numbers
from praxino.evaluations.embedding_every import embedded_every
from praxino.evaluations.features import Embed, embedded, evens_out
from praxino.evaluations.vector_files import refuse_out, write_vectors
from praxino.printable import counted
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
    sampler: Sampler | None = None,
    every: float | None = None,
    clips_at_once: int = 64,
    workers: int = 2,
    device: Device = "auto",
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> Embedded:
    """Writes `vectors` [clips, d] and, for each clip, `video` (id), `start` and `end` (seconds).

    The vectors are those of `Encoder.embed`: with the encoder's own statistics, where it has them.

    Args:
        encoder: what embeds.
        catalog: the videos.
        out: the file to write: `.npz` for NumPy, or `.parquet`, a table with a row for each clip.
        part: of the catalog.
        view: of the encoder; joint: all of them side by side, each vector divided by its length, so that a cosine is
            the mean of the views' cosines; none: the first (`praxino embed` takes joint of the built-in encoder).
        sampler: which clips of a video; none: as the encoder says.
        every: seconds from one clip to the next, for long videos: a clip of the encoder's own at 0 s, at this, at twice
            this, as long as one fits. However long a video is, it takes no more memory. None: the sampler's clips.
        clips_at_once: clips through the network at once, of several videos or of a part of one; fewer take less memory.
        workers: loading processes.
        device: auto takes a GPU where there is one.
        max_left_out: largest share of unreadable videos, 0 to 1.
        progress: called with (videos done, videos).

    Raises:
        UserError: if too much is unreadable, the file cannot be written or has another ending, or a number is no good.
    """
    if every is not None and sampler is not None:
        raise UserError("--every takes the encoder's own clips: give --every or --sampler, not both")
    check_numbers(every=every, clips_at_once=clips_at_once)
    check_finite(every=every)
    videos = catalog.part(part)
    given, out = str(out), Path(out)
    refuse_out(given, out)
    if not len(videos):
        raise UserError(f"there are no videos to embed: the part '{part}' of the catalog is empty")
    encoder.to(pick_device(device)).backbone.eval()
    seen = [encoder.views[name] for name in encoder.names_of(view)]
    needed = tuple(dict.fromkeys(one.stream for one in seen))
    left_out: list[tuple[str, str]] = []
    embeds: dict[str, Embed] = {
        "vectors": lambda batch: encoder.features(batch, view, as_measured=True),
        "times": lambda batch: batch.times[:, 0],
    }
    what = (videos, embeds, needed, sampler or encoder.sampler, encoder.streams, encoder.canvas)
    padded = all(map(evens_out, seen))
    how = {"left_out": left_out, "workers": workers, "clips_at_once": clips_at_once, "padded": padded}
    if every is None:
        source = embedded(*what, **how, max_left_out=max_left_out, progress=progress)  # type: ignore[arg-type]
    else:
        source = embedded_every(every, *what, **how, progress=progress)  # type: ignore[arg-type]
    vectors, names, starts, ends = [], [], [], []
    for row, found in source:
        vectors.append(found["vectors"].numpy())
        names += [videos[row].id] * len(found["vectors"])
        starts.append(found["times"][:, 0].numpy())
        ends.append(found["times"][:, -1].numpy())
    if not vectors or len(left_out) > max_left_out * len(videos):
        raise UserError(
            f"{len(left_out)} of {counted(len(videos), 'video')} cannot be read (the first: {': '.join(left_out[0])})"
            + (": pass --max_left_out 1 to go on without them" if vectors else "")
        )
    if not all(np.isfinite(part).all() for part in vectors):
        raise UserError("the encoder gives vectors that are no finite numbers: its weights or statistics are none")
    made = Embedded(np.concatenate(vectors), np.array(names), np.concatenate(starts), np.concatenate(ends), left_out)
    write_vectors(out, made.vectors, {"video": made.video, "start": made.start, "end": made.end})
    return made
