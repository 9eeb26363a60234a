"""Without labels: does a clip find the other clip of its own video?

The one score that any folder of videos allows. It says that a representation tells videos apart, not that it tells
apart what matters: colours and scenes alone go far here, which is why thumbnails stand beside it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from praxino.catalogs.base import Catalog, Part
from praxino.described import arguments
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations import metrics
from praxino.evaluations.comparison import compared_features
from praxino.evaluations.joint import members_of
from praxino.evaluations.result import Neighbours, Result, Row
from praxino.evaluations.retrieval import SHOWN_NEIGHBOURS, SHOWN_QUERIES, ordered, scored_row
from praxino.evaluations.thumbnails import Played
from praxino.ranks import Device, pick_device
from praxino.rng import Rng


def find_own_video(
    encoder: Encoder,
    catalog: Catalog,
    part: Part = "all",
    view: str | None = None,
    baselines: bool = True,
    reestimate_batchnorm: bool | None = None,
    centred: bool | None = None,
    workers: int = 2,
    device: Device = "auto",
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Each video's first clip asks; the last clips of all videos answer.

    Args:
        encoder: what is evaluated; its sampler takes `clips`.
        catalog: any videos.
        part: of the catalog.
        view, baselines, reestimate_batchnorm, centred: as for retrieval.
        workers: loading processes.
        device: auto takes a GPU where there is one.
        max_left_out: largest share of unreadable videos, 0 to 1.
        progress: called with (videos done, videos).

    Raises:
        UserError: if there are fewer than two readable videos, or the sampler has no `clips`.
    """
    if "clips" not in arguments(encoder.sampler):
        raise UserError(
            f"instance takes two clips of each video, and the encoder's sampler, {type(encoder.sampler).__name__}, "
            "does not say how many: give an encoder whose protocol has one with `clips`, such as EvenClips"
        )
    two = copy.copy(encoder.to(pick_device(device)))
    two.sampler = type(encoder.sampler)(**{**arguments(encoder.sampler), "clips": 2})
    videos = catalog.part(part)
    taken = compared_features(
        members_of(two, view), videos, videos, baselines=baselines, reestimate_batchnorm=reestimate_batchnorm,
        centred=centred, workers=workers, max_left_out=max_left_out, clips_apart=True, progress=progress,
    )  # fmt: skip
    count = len(taken.gallery["trained"].ids)
    if count < 2:
        raise UserError(f"one readable video has no other to be told from: {type(catalog).__name__} needs at least two")
    own = np.arange(count)
    cutoffs = tuple(k for k in (1, 5) if k < count)
    rows, per_query, shown = [], {}, []
    for name, features in taken.gallery.items():
        found = metrics.retrieval(features.vectors[:, 0], features.vectors[:, 1], own, own, cutoffs)
        hits = {str(k): found.hits[:, at] for at, k in enumerate(cutoffs)}
        rows.append(scored_row(name, hits))
        per_query[name] = {column: hit.tolist() for column, hit in hits.items()}
        if name == "trained":
            shown = _shown(videos, features.rows, features.vectors)
    rows.append(Row("chance", {str(k): 100 * k / count for k in cutoffs}))
    settings = taken.settings | {"clips a video": 2, "queries": "each video's first clip", "gallery": "all last clips"}
    columns = [str(k) for k in cutoffs]
    title = f"Does a clip find its own video among {count}?"
    return Result(
        "instance", title, settings, columns, ordered(rows), shown, taken.left_out, per_query,
        played=Played(two.sampler, query=0, found=-1),
    )  # fmt: skip


def _shown(videos: Catalog, rows: np.ndarray, vectors: np.ndarray) -> list[Neighbours]:
    """Some queries with the nearest other videos, then their own one, however near it is."""
    drawn = np.sort(Rng(0, "shown").shared().permutation(len(rows))[:SHOWN_QUERIES])
    found, cosines = metrics.nearest_rows(vectors[drawn, 0], vectors[:, 1], len(rows))
    shown = []
    for query, near, cosine in zip(drawn, found, cosines, strict=True):
        others, own = np.flatnonzero(near != query)[:SHOWN_NEIGHBOURS], np.flatnonzero(near == query)
        answers = [(videos[int(rows[near[at]])], float(cosine[at]), bool(near[at] == query)) for at in (*others, *own)]
        shown.append(Neighbours(videos[int(rows[query])], answers))
    return shown
