"""kNN classification: the nearest videos of the gallery vote for a query's class, the nearer the more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from praxino.backbones.pooling import Feature
from praxino.catalogs.base import Catalog, Part
from praxino.clips.samplers import Sampler
from praxino.encoders.encoder import Encoder
from praxino.evaluations import metrics
from praxino.evaluations.by_class import by_class
from praxino.evaluations.joint import Joined
from praxino.evaluations.result import Result, Row
from praxino.evaluations.retrieval import EACH, labelled_features, ordered, own_rows, parts_named, scored_row
from praxino.ranks import Device


def knn(
    encoder: Encoder,
    catalog: Catalog,
    gallery: Part = "train",
    queries: Part = "test",
    view: str | None = None,
    views: Sequence[str] | None = None,
    feature: Feature | None = None,
    sampler: Sampler | None = None,
    k: int = 20,
    temperature: float = 0.07,
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
    """The weighted vote of Wu et al., "Unsupervised feature learning via non-parametric instance discrimination", 2018.

    Args:
        encoder: what is evaluated.
        catalog: labelled videos.
        gallery: the part that votes.
        queries: the part that is classified.
        view: of the encoder; none: its first.
        k: voters.
        temperature: a voter weighs exp(cosine / temperature).
        views, feature, sampler, baselines, reestimate_batchnorm, centred, drop_last, joined: as for retrieval.
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
    rows, per_query = [], {}
    for name in taken.gallery:
        ours, theirs = taken.queries[name], taken.gallery[name]
        votes = metrics.knn_vote(ours.vectors, theirs.vectors, theirs.labels, k, temperature, themselves)
        hits = {column: top_hits(votes, ours.labels, int(column)) for column in ("1", "5")}
        rows.append(scored_row(name, hits))
        per_query[name] = {column: hit.tolist() for column, hit in hits.items()}
    classes = len(catalog.classes)
    rows.append(Row("chance", {column: 100 * min(1.0, int(column) / classes) for column in ("1", "5")}))
    searched, asking = parts_named(gallery, queries, themselves, len(taken.gallery[taken.main].ids))
    settings = {"gallery": searched, "queries": asking, "voters": k, "temperature": temperature}
    voters, voted = ("others", "video") if asking == EACH else (f"{gallery} videos", f"{queries} video")
    title = f"kNN on {type(catalog).__name__}: the {k} nearest {voters} vote for each {voted}"
    main = by_class(taken.main, "1", per_query[taken.main]["1"], taken.queries[taken.main].labels, catalog.classes)
    return Result(
        "knn", title, taken.settings | settings, ["1", "5"], ordered(rows), [], taken.left_out, per_query, by_class=main
    )


def top_hits(votes: np.ndarray, labels: np.ndarray, top: int) -> np.ndarray:
    """Whether the label is among the `top` classes with most votes, of equals the first; no vote is no hit.

    Args:
        votes: [queries, classes].
        labels: int [queries]; a label that no voter has is never hit.
        top: how many classes count.
    """
    best = np.argsort(-votes, axis=1, kind="stable")[:, :top]
    voted = np.take_along_axis(votes, best, axis=1) > 0
    return ((best == labels[:, None]) & voted).any(axis=1)
