"""The vectors of clips that lie every so many seconds of each video, however long it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from praxino.catalogs.base import Video
from praxino.clips.dataset import LoadedVideo
from praxino.clips.every import ClipsEvery
from praxino.clips.flat import flat_batches
from praxino.clips.samplers import Sampler
from praxino.evaluations.features import Embed
from praxino.streams.base import Canvas
from praxino.streams.choose import Streams


def embedded_every(
    seconds: float,
    videos: Sequence[Video],
    embeds: Mapping[str, Embed],
    needed: Sequence[str],
    sampler: Sampler,
    streams: Streams,
    canvas: Mapping[str, Canvas],
    *,
    left_out: list[tuple[str, str]],
    workers: int,
    clips_at_once: int,
    padded: bool,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[int, dict[str, Tensor]]]:
    """The vectors of each video's clips, in the order of the videos. Vectors are held, pixels of some clips only.

    Args:
        seconds: from one clip to the next.
        videos, embeds, needed, sampler, streams, canvas, left_out, workers, clips_at_once, padded: as of `embedded`.
        progress: called with (parts of videos done, parts).

    Yields:
        A video's row, and by name [clips, d] on the CPU. A video of which a part cannot be read is left out as a whole.
    """
    parts: list[tuple[int, int]] = []  # row and first clip of each that was read, and of the batch's pieces
    broken: dict[int, str] = {}

    def readable() -> Iterator[tuple[int, int | None, LoadedVideo]]:
        source = ClipsEvery(videos, needed, sampler, seconds, streams, canvas, clips_at_once, workers)
        for done, (part, many) in enumerate(source, 1):
            if isinstance(part.clips, LoadedVideo):
                parts.append((part.row, part.first))
                yield len(parts) - 1, None, part.clips
            else:
                broken.setdefault(part.row, part.clips)
            if progress is not None:
                progress(done, many)

    made: dict[tuple[int, int], list[dict[str, Tensor]]] = {}
    for batch, pieces in flat_batches(readable(), clips_at_once, padded):
        with torch.no_grad():
            vectors = {name: embed(batch).cpu() for name, embed in embeds.items()}
        cut = {name: one.split([piece.clips for piece in pieces]) for name, one in vectors.items()}
        for at, piece in enumerate(pieces):
            made.setdefault(parts[piece.row], []).append({name: one[at] for name, one in cut.items()})
    left_out += [(videos[row].id, reason) for row, reason in sorted(broken.items())]
    rows: dict[int, list[dict[str, Tensor]]] = {}
    for (row, _), some in sorted(made.items(), key=lambda item: item[0]):
        rows.setdefault(row, []).extend(some)
    for row, own in rows.items():
        if row not in broken:
            yield row, {name: torch.cat([one[name] for one in own]) for name in embeds}
