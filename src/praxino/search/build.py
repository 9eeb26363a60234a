"""Videos into an index, by a call."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from praxino.catalogs.base import Catalog, Part
from praxino.clips.samplers import Sampler
from praxino.described import describe
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError, check_finite, check_numbers
from praxino.ranks import Device, pick_device
from praxino.search.building import Building, Indexed
from praxino.search.embedding import Embedding
from praxino.search.folder import Header


def index_videos(
    encoder: Encoder,
    catalog: Catalog,
    out: str | Path,
    part: Part = "all",
    view: str | None = None,
    sampler: Sampler | None = None,
    every: float | None = None,
    clips_at_once: int = 64,
    workers: int = 2,
    device: Device = "auto",
    place: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Indexed:
    """Writes vectors of videos into the folder of an index, or brings it up to date.

    What is new or changed is computed; a file that has only another name is not. What is no longer in the catalog is
    marked as gone, and not found any more. A go that was killed goes on with the next one, by the same call.

    Args:
        encoder: what embeds.
        catalog: the videos: all that the index is to have.
        out: the folder.
        part: of the catalog.
        view: of the encoder, or joint: all of them side by side, as `praxino embed` asks of the built-in one; none: its
            first.
        sampler: which clips of a video; none: as the encoder says.
        every: seconds from one clip to the next, for long videos, as of `embed_videos`. None: the sampler's clips.
        clips_at_once: clips through the network at once; fewer take less memory.
        workers: loading processes.
        device: auto takes a GPU where there is one.
        place: where the encoder was loaded from, so that a search finds it.
        progress: called with (MB of videos done, MB).

    Raises:
        UserError: if there are no videos or none can be read, the index is of another encoder, view or clips, another
            process writes into it, or it cannot be written.
    """
    if every is not None and sampler is not None:
        raise UserError("--every takes the encoder's own clips: give --every or --sampler, not both")
    check_numbers(every=every, clips_at_once=clips_at_once)
    check_finite(every=every)
    videos = catalog.part(part)
    if not len(videos):
        raise UserError(f"there are no videos to embed: the part '{part}' of the catalog is empty")
    encoder.to(pick_device(device)).backbone.eval()
    how = Embedding(encoder, view or encoder.name_of(), sampler or encoder.sampler, every, clips_at_once, workers)
    header = Header(
        encoder.checksum(), place, how.view, None if every is None else float(every), describe(how.sampler),
        _root_of(catalog),
    )  # fmt: skip
    return Building(Path(out), header, how).run(videos, progress or (lambda done, all: None))


def _root_of(catalog: Catalog) -> str:
    root = os.path.abspath(str(getattr(catalog, "root", "") or os.curdir))
    return os.path.dirname(root) if os.path.isfile(root) else root
