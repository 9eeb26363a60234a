"""Scores of features: retrieval, a vote of neighbours, chance, and how sure a score is. Pure functions, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from praxino.errors import UserError
from praxino.evaluations.wilson import wilson_interval
from praxino.rng import Rng

Array = Tensor | NDArray | Sequence[Any]

# Similarities are compared as whole numbers of this unit: far below what a feature means, far above float64's rounding.
UNIT = 1e-12
# A distance is at most 2 / UNIT < 2**41; with the position behind it, it fills an int64.
POSITION_BITS = 22
FARTHEST = 2**41 - 1


@dataclass(frozen=True)
class Retrieval:
    """What came back for each query.

    Attributes:
        k: the cut-offs, ascending.
        hits: bool [queries, len(k)]: is one of the k nearest of the query's class?
        neighbours: int64 [queries, m], gallery rows, the nearest first; m = max(k), or the gallery where it is smaller.
        similarities: float64 [queries, m], cosines of these.
    """

    k: tuple[int, ...]
    hits: NDArray[np.bool_]
    neighbours: NDArray[np.int64]
    similarities: NDArray[np.float64]

    @property
    def accuracy(self) -> dict[int, float]:
        """Share of the queries with a hit, in [0, 1], by k."""
        return dict(zip(self.k, self.hits.mean(axis=0).tolist(), strict=True))


def retrieval(
    queries: Array,
    gallery: Array,
    query_labels: Array,
    gallery_labels: Array,
    k: Sequence[int] = (1, 5, 10, 20, 50),
    exclude: Array | None = None,
    chunk: int = 1024,
) -> Retrieval:
    """Finds each query's nearest gallery rows by cosine, and whether they are of its class (VCOP, IIC, TCLR).

    Rows are divided by their 2-norm, zero rows stay zero (and have the similarity 0 to everything). All is computed in
    float64; similarities that agree to 1e-12 are ties, of which the lower gallery row comes first. Memory beside the
    features is for `chunk` rows of each side, whatever their number.

    Args:
        queries: [queries, d].
        gallery: [gallery, d].
        query_labels: int [queries], 0 or more.
        gallery_labels: int [gallery].
        k: cut-offs; one beyond the gallery counts the whole gallery.
        exclude: int [queries], a gallery row that this query must not find (itself, where queries are of the gallery);
            -1 for none.
        chunk: rows of each side that are compared at a time.

    Raises:
        UserError: if there is nothing to compare, or labels or numbers do not fit.
    """
    wanted = tuple(sorted(set(k)))
    own, theirs = _numbers(query_labels), _numbers(gallery_labels)
    if not wanted or wanted[0] < 1:
        raise UserError(f"the cut-offs of a retrieval are at least 1, not {list(k)}")
    if own.shape != (len(queries),) or theirs.shape != (len(gallery),):
        raise UserError(
            f"{len(own)} and {len(theirs)} labels do not fit {len(queries)} queries and {len(gallery)} gallery rows"
        )
    if len(own) and own.min() < 0:
        raise UserError("a query without a label cannot be scored: retrieval needs labelled videos")
    neighbours, similarities = nearest_rows(queries, gallery, wanted[-1], exclude, chunk)
    right = theirs[neighbours] == own[:, None]
    hits = np.stack([right[:, :cut].any(axis=1) for cut in wanted], axis=1)
    return Retrieval(wanted, hits, neighbours, similarities)


def nearest_rows(
    queries: Array,
    gallery: Array,
    count: int,
    exclude: Array | None = None,
    chunk: int = 1024,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The nearest gallery rows of each query by cosine, as `retrieval` orders them.

    Args:
        queries: [queries, d].
        gallery: [gallery, d].
        count: how many; where the gallery holds fewer (without an excluded row), these.
        exclude, chunk: as in `retrieval`.

    Returns:
        rows int64 and cosines float64, both [queries, count].
    """
    ours, theirs = torch.as_tensor(queries), torch.as_tensor(gallery)
    if ours.ndim != 2 or theirs.ndim != 2 or ours.shape[1] != theirs.shape[1] or not len(ours) or not len(theirs):
        raise UserError(f"cannot compare features of the shapes {list(ours.shape)} and {list(theirs.shape)}")
    banned = torch.full((len(ours),), -1) if exclude is None else torch.as_tensor(exclude).cpu()
    count = min(count, len(theirs) - int((banned >= 0).any()))
    if chunk + count > 2**POSITION_BITS:
        raise UserError(f"chunk={chunk} and {count} neighbours are too many: together at most {2**POSITION_BITS}")
    if count < 1:
        raise UserError("a gallery of one row, which is the query itself, holds nothing to find")
    parts = [
        _nearest_of(part, theirs, banned[first : first + chunk], count, chunk) for first, part in _chunks(ours, chunk)
    ]
    distance = torch.cat([part[1] for part in parts])
    return torch.cat([part[0] for part in parts]).numpy(), 1 - distance.double().numpy() * UNIT


def knn_vote(
    queries: Array,
    gallery: Array,
    gallery_labels: Array,
    k: int = 20,
    temperature: float = 0.07,
    exclude: Array | None = None,
    chunk: int = 1024,
) -> NDArray[np.float64]:
    """Each of a query's k nearest votes for its class with the weight exp(cosine / temperature).

    The weighted vote of Wu et al., "Unsupervised feature learning via non-parametric instance discrimination", 2018.

    Args:
        queries: [queries, d].
        gallery: [gallery, d].
        gallery_labels: int [gallery], 0 or more.
        k: voters; all of the gallery where it is smaller.
        temperature: small ones let only the nearest count.
        exclude, chunk: as in `retrieval`.

    Returns:
        float64 [queries, the largest label + 1]: each class's share of the votes; a row sums to 1. The prediction is
        the argmax, of equals the first.
    """
    labels = _numbers(gallery_labels)
    if k < 1 or temperature <= 0:
        raise UserError(f"a vote needs k of at least 1 and a temperature above 0, not k={k} and {temperature}")
    if labels.min() < 0:
        raise UserError("a gallery video without a label cannot vote: kNN needs labelled videos")
    rows, cosines = nearest_rows(queries, gallery, k, exclude, chunk)
    # Relative to the nearest, so that a small temperature leaves it a weight of 1 and not of 0.
    weights = np.exp((cosines - cosines[:, :1]) / temperature)
    votes = np.zeros((len(rows), int(labels.max()) + 1))
    np.add.at(votes, (np.arange(len(rows))[:, None], labels[rows]), weights)
    return votes / votes.sum(axis=1, keepdims=True)


def chance(
    query_labels: Array,
    gallery_labels: Array,
    k: Sequence[int] = (1, 5, 10, 20, 50),
    in_gallery: bool | NDArray[np.bool_] = False,
) -> dict[int, float]:
    """The expected share of hits at k if the gallery came back in random order: exact, by the hypergeometric law.

    A query with m of n gallery rows of its class has the chance 1 - C(n - m, k) / C(n, k).

    Args:
        query_labels: int [queries].
        gallery_labels: int [gallery].
        k: cut-offs.
        in_gallery: whether a query is a gallery row itself, which it must not find; of all, or bool [queries].
    """
    own, theirs = _numbers(query_labels), np.sort(_numbers(gallery_labels))
    itself = np.broadcast_to(np.asarray(in_gallery, np.int64), own.shape)
    same = np.searchsorted(theirs, own, "right") - np.searchsorted(theirs, own, "left") - itself
    kinds, counts = np.unique(np.stack([len(theirs) - itself, same], 1), axis=0, return_counts=True)
    shares = counts / len(own)
    return {cut: float(shares @ [1 - _all_miss(rows, size, cut) for rows, size in kinds.tolist()]) for cut in k}


def hits_interval(hits: Array) -> tuple[float, float]:
    """How far the share of hits would move with other queries: bootstrapped, or Wilson's where all or none hit.

    Resampling equal hits gives one number, as if it were certain.

    Args:
        hits: [queries], bool, or the share of hits of each.
    """
    values = _numbers(hits).astype(np.float64)
    if len(found := np.unique(values)) == 1 and found[0] in (0, 1):
        return wilson_interval(int(values.sum()), len(values))
    return bootstrap_interval(values)


def bootstrap_interval(hits: Array, seed: int = 0, repeats: int = 2000, level: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over queries: how far it would move with other queries of this kind.

    Queries cut from one source are not independent, so for such data the interval is too narrow.

    Args:
        hits: [queries], bool or numbers, such as differences of hits.
        seed: of the resampling; the same seed gives the same interval.
        repeats: resamples.
        level: share of the resampled means that lie inside.
    """
    values = _numbers(hits).astype(np.float64)
    if values.ndim != 1 or not len(values):
        raise UserError(f"a bootstrap needs one number a query, not the shape {list(values.shape)}")
    generator = Rng("bootstrap", seed).shared()
    means = [values[generator.integers(len(values), size=len(values))].mean() for _ in range(repeats)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _all_miss(rows: int, same: int, draws: int) -> float:
    """The chance that `draws` of `rows`, without putting back, all miss the `same` ones."""
    draws = min(draws, rows)
    if same > rows - draws:
        return 0.0
    return float(np.prod([(rows - same - i) / (rows - i) for i in range(draws)]))


def _nearest_of(queries: Tensor, gallery: Tensor, banned: Tensor, count: int, chunk: int) -> tuple[Tensor, Tensor]:
    """Rows and distances in UNITs, int64 [queries, count], of one chunk of queries against the whole gallery."""
    queries = _unit_rows(queries)
    best = torch.empty(len(queries), 0, dtype=torch.int64)
    rows = torch.empty(len(queries), 0, dtype=torch.int64)
    for first, part in _chunks(gallery, chunk):
        here = torch.arange(first, first + len(part)).expand(len(queries), -1)
        distance = ((1 - queries @ _unit_rows(part).T) / UNIT).round().clamp(min=0).to(torch.int64)
        distance.masked_fill_(here == banned[:, None], FARTHEST)
        best, rows = torch.cat([best, distance], 1), torch.cat([rows, here], 1)
        # A whole number that holds the distance and then the position is unique, so that ties go by the position, and
        # positions go by the row: the best so far lie before the new ones.
        keys = (best << POSITION_BITS) + torch.arange(best.shape[1])
        position = keys.topk(min(count, keys.shape[1]), dim=1, largest=False).values & (2**POSITION_BITS - 1)
        best, rows = best.gather(1, position), rows.gather(1, position)
    return rows, best


def _numbers(x: Array) -> NDArray:
    return torch.as_tensor(x).detach().cpu().numpy()


def _unit_rows(x: Tensor) -> Tensor:
    x = x.detach().cpu().double()
    norm = x.norm(dim=1, keepdim=True)
    if not norm.isfinite().all():
        raise UserError(
            "features hold numbers that are not finite: the network has diverged, take an earlier checkpoint"
        )
    return x / torch.where(norm == 0, 1, norm)


def _chunks(x: Tensor, size: int) -> Iterator[tuple[int, Tensor]]:
    for first in range(0, len(x), size):
        yield first, x[first : first + size]
