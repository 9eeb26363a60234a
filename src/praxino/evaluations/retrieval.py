"""Retrieval: does a video find others of its class? The protocol of VCOP, IIC and TCLR, with baselines beside it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from praxino.backbones.pooling import Feature
from praxino.catalogs.base import Catalog, Part
from praxino.clips.samplers import Sampler
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations import metrics
from praxino.evaluations.by_class import by_class
from praxino.evaluations.comparison import Compared, compared_features
from praxino.evaluations.features import VideoFeatures
from praxino.evaluations.joint import Joined, members_of
from praxino.evaluations.result import Neighbours, Result, Row
from praxino.evaluations.thumbnails import Played
from praxino.ranks import Device, pick_device
from praxino.rng import Rng

SHOWN_QUERIES = 12
SHOWN_NEIGHBOURS = 5
EACH = "each video"  # where all ask all others


def retrieve(
    encoder: Encoder,
    catalog: Catalog,
    gallery: Part = "train",
    queries: Part = "test",
    view: str | None = None,
    views: Sequence[str] | None = None,
    feature: Feature | None = None,
    sampler: Sampler | None = None,
    k: Sequence[int] = (1, 5, 10, 20, 50),
    baselines: bool = True,
    reestimate_batchnorm: bool | None = None,
    centred: bool | None = None,
    drop_last: int | None = None,
    joined: Joined = "as_they_are",
    workers: int = 2,
    device: Device = "auto",
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Each query's k nearest videos of the gallery by cosine: is one of its class among them?

    Args:
        encoder: what is evaluated.
        catalog: labelled videos.
        gallery: the part that is searched.
        queries: the part that asks.
        view: of the encoder; none: its first.
        views: several of the encoder, instead of one: a row for each, and a joint one of their features side by side
            in this order (IIC: rgb, then the second view).
        feature: how a feature map becomes a vector (IIC trains the mean, and retrieves with the map); none: as the
            encoder says.
        sampler: which clips of a video; none: as the encoder says.
        k: cut-offs.
        baselines: also an untrained twin, one frame, and hand-made features, in the same pass over the videos.
        reestimate_batchnorm: statistics re-estimated on the gallery, for every row; none: as the encoder says.
        centred: the gallery's mean taken off; none: as the encoder says.
        drop_last: videos a batch: what fills no whole batch at the end of both lists is dropped; none: all are kept.
            IIC's published figures are those of 8.
        joined: of several views, how: as_they_are, so that the one with the longest vectors decides most of a cosine
            (IIC's own), or equally, each of the length 1.
        workers: loading processes.
        device: auto takes a GPU where there is one.
        max_left_out: largest share of unreadable videos, 0 to 1.
        progress: called with (videos done, videos).

    Raises:
        UserError: if there are no labels, or too much is unreadable.
    """
    taken = labelled_features(
        encoder, catalog, gallery, queries, device, view, views, feature, sampler, baselines=baselines,
        reestimate_batchnorm=reestimate_batchnorm, centred=centred, drop_last=drop_last, joined=joined,
        workers=workers, max_left_out=max_left_out, progress=progress,
    )  # fmt: skip
    themselves = own_rows(taken)
    rows, per_query, found = [], {}, None
    for name in taken.gallery:
        ours, theirs = taken.queries[name], taken.gallery[name]
        got = metrics.retrieval(ours.vectors, theirs.vectors, ours.labels, theirs.labels, k, themselves)
        rows.append(scored_row(name, {str(cut): got.hits[:, at] for at, cut in enumerate(got.k)}))
        per_query[name] = {str(cut): got.hits[:, at].tolist() for at, cut in enumerate(got.k)}
        found = got if name == taken.main else found
    ours, theirs = taken.queries[taken.main], taken.gallery[taken.main]
    by_chance = metrics.chance(ours.labels, theirs.labels, k, in_gallery=themselves >= 0)
    rows.append(Row("chance", {str(cut): 100 * share for cut, share in by_chance.items()}))
    assert found is not None
    searched, asking = parts_named(gallery, queries, themselves, len(taken.gallery[taken.main].ids))
    asked = "each video asks the others" if asking == EACH else f"{asking} videos ask, {searched} videos answer"
    return Result(
        "retrieval",
        f"Retrieval on {type(catalog).__name__}: {asked}",
        taken.settings | {"gallery": searched, "queries": asking, "distance": "cosine, ties to the earlier video"},
        [str(cut) for cut in found.k],
        ordered(rows),
        shown_neighbours(catalog.part(queries), catalog.part(gallery), ours, theirs, found),
        taken.left_out,
        per_query,
        played=Played(sampler or encoder.sampler),
        by_class=by_class(taken.main, str(found.k[0]), found.hits[:, 0], ours.labels, catalog.classes),
    )


def labelled_features(
    encoder: Encoder,
    catalog: Catalog,
    gallery: Part,
    queries: Part,
    device: Device,
    view: str | None,
    views: Sequence[str] | None,
    feature: Feature | None,
    sampler: Sampler | None,
    **how: Any,
) -> Compared:
    """The features that retrieval and kNN score.

    Args:
        encoder, catalog, gallery, queries, device, view, views, feature, sampler: as of `retrieve`.
        how: the further arguments of `compared_features`.

    Raises:
        UserError: if the catalog has no labels, or the encoder no such view.
    """
    if not catalog.classes:
        said = f" ({catalog.found})" if catalog.found else ""
        raise UserError(
            f"{type(catalog).__name__} has no labels to score by{said}: take a catalog with classes (class folders do) "
            "or 'praxino evaluate instance', which scores whether a clip finds its own video"
        )
    answers = catalog.part(gallery)
    asks = answers if gallery == queries else catalog.part(queries)
    seen = copy.copy(encoder)
    seen.feature = feature or encoder.feature
    seen.sampler = sampler or encoder.sampler
    return compared_features(members_of(seen.to(pick_device(device)), view, views), answers, asks, **how)


def own_rows(taken: Compared) -> np.ndarray:
    """The gallery row of each query itself, which it must not find; int64 [queries], -1 where it is not in the gallery.

    Known by the id and not by the parts' names: without lists every part is the whole catalog, and "all" holds "test".
    """
    ours, theirs = next(iter(taken.queries.values())).ids, next(iter(taken.gallery.values())).ids
    row_of = {id: row for row, id in enumerate(theirs)}
    return np.array([row_of.get(id, -1) for id in ours], np.int64)


def parts_named(gallery: Part, queries: Part, themselves: np.ndarray, answers: int) -> tuple[str, str]:
    """What the result calls gallery and queries: without lists every part is the whole catalog, whatever was asked for.

    Args:
        gallery, queries: as asked for.
        themselves: int [queries], of `own_rows`.
        answers: how many videos the gallery has.
    """
    same = len(themselves) == answers and bool((themselves >= 0).all())
    return ("all others", EACH) if same else (gallery, queries)


def scored_row(name: str, hits: dict[str, np.ndarray]) -> Row:
    """A row of percentages with bootstrap intervals over the queries."""
    values = {column: 100 * float(np.mean(hit)) for column, hit in hits.items()}
    intervals = {column: [100 * end for end in metrics.hits_interval(hit)] for column, hit in hits.items()}
    return Row(name, values, intervals)


def ordered(rows: Sequence[Row]) -> list[Row]:
    """Chance first, then the baselines as they came, the trained encoder last."""
    rank = {"chance": 0, "untrained": 1, "trained": 9}
    return sorted(rows, key=lambda row: rank.get(row.name.partition(",")[0], 5))


def shown_neighbours(
    asks: Catalog, answers: Catalog, ours: VideoFeatures, theirs: VideoFeatures, found: metrics.Retrieval
) -> list[Neighbours]:
    """Some queries, drawn without a look at their hits, with what they found."""
    drawn = np.sort(Rng(0, "shown").shared().permutation(len(ours.ids))[:SHOWN_QUERIES])
    return [
        Neighbours(
            asks[int(ours.rows[query])],
            [
                (answers[int(theirs.rows[row])], float(cosine), bool(theirs.labels[row] == ours.labels[query]))
                for row, cosine in zip(
                    found.neighbours[query, :SHOWN_NEIGHBOURS],
                    found.similarities[query, :SHOWN_NEIGHBOURS],
                    strict=True,
                )
            ],
        )
        for query in drawn
    ]
