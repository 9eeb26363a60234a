"""Do a run's encoders agree on which videos are alike? What CoCon's cooperative loss trains."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from praxino.backbones.pooling import Feature
from praxino.catalogs.base import Catalog, Part, Video
from praxino.clips.samplers import Sampler
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations import metrics
from praxino.evaluations.comparison import compared_features
from praxino.evaluations.features import VideoFeatures, refuse_infinite
from praxino.evaluations.figures import Picture
from praxino.evaluations.joint import Member, asked_of, members_of_all
from praxino.evaluations.result import Neighbours, Result, Row
from praxino.evaluations.thumbnails import Played
from praxino.evaluations.untrained import untrained
from praxino.losses.cooperative import cosines
from praxino.printable import counted
from praxino.ranks import Device
from praxino.rng import Rng

CORRELATION, CLOSENESS = "correlation", "closeness"
LEAST = 3  # videos: two have one cosine, and nothing to correlate
SHOWN_QUERIES, SHOWN_NEIGHBOURS = 6, 5
KINDS = ("untrained", "trained")
Matrices = dict[tuple[str, str], NDArray[np.float64]]  # (kind, encoder) -> cosines


def compare_encoders(
    encoders: Mapping[str, Encoder],
    catalog: Catalog,
    part: Part = "test",
    most_videos: int = 120,
    seed: int = 0,
    view: str | None = None,
    views: Sequence[str] | None = None,
    feature: Feature | None = None,
    sampler: Sampler | None = None,
    reestimate_batchnorm: bool | None = None,
    centred: bool = False,
    workers: int = 2,
    device: Device = "auto",
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """The cosines among the same videos, as each encoder sees them, of every two held against each other.

    `closeness` is 1 - mean |C_a - C_b| over all pairs of videos, in percent: the mean, which stands beside each row, is
    the number of CoCon's cooperative loss, here of one vector a video. It is also small where encoders find all videos
    alike, so before it stands `correlation`, the linear correlation of the entries off the diagonal (Kriegeskorte, Mur,
    Bandettini: Representational similarity analysis, 2008). Both also of untrained twins. The matrices are shown, and
    what each encoder finds for the same videos.

    Args:
        encoders: all of a run, by name, which read the same clips; or one with several views.
        catalog: the videos; labels only put them in order.
        part: of the catalog.
        most_videos: how many of it, drawn without replacement; all where it has fewer.
        seed: of the draw.
        view, views: of a single encoder; `views` are then compared.
        feature: how a feature map becomes a vector; none: as each encoder says.
        sampler: which clips of a video; none: as each encoder says.
        reestimate_batchnorm: statistics re-estimated on these videos; none: as the first encoder says.
        centred: the mean vector taken off first; the loss does not.
        workers: loading processes.
        device: auto takes a GPU where there is one.
        max_left_out: largest share of unreadable videos, 0 to 1.
        progress: called with (videos done, videos).

    Raises:
        UserError: if there are no two to compare, fewer than three videos, or too much is unreadable.
    """
    seen = members_of_all(asked_of(encoders, feature, sampler, device), view, views)
    if len(seen) < 2:
        raise UserError("agreement is between two encoders or more: give a run that has left several, or --views")
    if most_videos < LEAST:
        raise UserError(
            f"--most_videos {most_videos}: the cosines of {LEAST} videos are the least that can be compared"
        )
    drawn = _drawn(catalog.part(part), most_videos, seed)
    order = list(dict.fromkeys(id(member.encoder) for member in seen.values()))
    twins = {_row("untrained", name): Member(untrained(one.encoder, order.index(id(one.encoder))), one.view)
             for name, one in seen.items()}  # fmt: skip
    # One pass for both: the rows of the twins are told apart by their names.
    members = {_row("trained", name): member for name, member in seen.items()} | twins
    taken = compared_features(
        members, drawn, drawn, baselines=False, reestimate_batchnorm=reestimate_batchnorm, centred=centred,
        workers=workers, max_left_out=max_left_out, progress=progress,
    )  # fmt: skip
    features = {(kind, name): taken.gallery[f"trained, {_row(kind, name)}"] for kind in KINDS for name in seen}
    count = len(next(iter(features.values())).ids)
    if count < LEAST:
        raise UserError(
            f"only {counted(count, 'video')} can be read: the cosines of {LEAST} are the least that can be compared"
        )
    matrices = {key: matrix_of(one) for key, one in features.items()}
    rows = [
        _row_of(f"{kind}, {one} against {other}", matrices[kind, one], matrices[kind, other])
        for kind in KINDS
        for one, other in itertools.combinations(seen, 2)
    ]
    kept = {k: value for k, value in taken.settings.items() if k not in ("joint", "view of the single frame")}
    settings = kept | {
        "view": ", ".join(f"{name}: {one.view}" for name, one in seen.items()),
        "part": part, "videos": count, "seed": seed, "ordered by": "class, then the catalog's order",
    }  # fmt: skip
    return Result(
        "agreement",
        f"Agreement on {type(catalog).__name__}: which of {count} videos {', '.join(seen)} find alike",
        settings,
        [CORRELATION, CLOSENESS],
        rows,
        _neighbours(drawn, {name: features["trained", name] for name in seen}, seed),
        taken.left_out,
        pictures=_pictures(matrices, list(seen)),
        played=Played(next(iter(seen.values())).encoder.sampler),
    )


def matrix_of(features: VideoFeatures) -> NDArray[np.float64]:
    """Cosines of all pairs of videos, as CoCon's loss takes them: [videos, videos]."""
    refuse_infinite(features)
    vectors = torch.from_numpy(features.vectors)
    return np.asarray(cosines(vectors, vectors).double().numpy())


def agreement_of(one: NDArray[np.float64], other: NDArray[np.float64]) -> dict[str, float]:
    """How far two matrices of cosines agree, in percent; a matrix without any spread has no correlation."""
    values = {CLOSENESS: 100 * (1 - difference_of(one, other))}
    pairs = np.triu_indices(len(one), k=1)
    a, b = one[pairs], other[pairs]
    if a.std() > 1e-6 and b.std() > 1e-6:  # below that float32's rounding is all there is
        values = {CORRELATION: 100 * float(np.corrcoef(a, b)[0, 1])} | values
    return values


def difference_of(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The mean absolute difference of all entries, each video's with itself included, as in CoCon's loss."""
    return float(np.abs(one - other).mean())


def _row_of(name: str, one: NDArray[np.float64], other: NDArray[np.float64]) -> Row:
    # A column of its own would show the largest difference as the best number.
    return Row(name, agreement_of(one, other), note=f"mean |C_a - C_b| {difference_of(one, other):.4f}")


def _row(kind: str, name: str) -> str:
    return name if kind == "trained" else f"{name}, {kind}"


def _drawn(part: Catalog, videos: int, seed: int) -> list[Video]:
    """A sample of a part's videos, in the order of their classes, then of the catalog."""
    rows = np.sort(Rng(seed, "agreement").shared().permutation(len(part))[:videos])
    drawn = [part[int(row)] for row in rows]
    return sorted(drawn, key=lambda video: -1 if video.label is None else video.label)


def _pictures(matrices: Matrices, names: Sequence[str]) -> list[Picture]:
    """Each encoder's matrix before and after, in one scale of grey for all of them."""
    low = min(float(matrix.min()) for matrix in matrices.values())
    scale = f"Cosines of the same videos in the order of their classes: black {low:.2f}, white 1."
    return [Picture(f"{name}, {kind}", _grey(matrices[kind, name], low), scale) for name in names for kind in KINDS]


def _grey(matrix: NDArray[np.float64], low: float) -> NDArray[np.uint8]:
    shade = (matrix - low) / max(1.0 - low, 1e-6)
    return np.repeat((255 * shade.clip(0, 1)).round().astype(np.uint8)[..., None], 3, axis=2)


def _neighbours(drawn: Sequence[Video], features: Mapping[str, VideoFeatures], seed: int) -> list[Neighbours]:
    """What each encoder finds for the same queries among the other videos."""
    first = next(iter(features.values()))
    itself = np.arange(len(first.ids))
    found = {
        name: metrics.nearest_rows(one.vectors, one.vectors, SHOWN_NEIGHBOURS, itself) for name, one in features.items()
    }
    queries = np.sort(Rng(seed, "shown").shared().permutation(len(first.ids))[:SHOWN_QUERIES])
    at = [drawn[int(row)] for row in first.rows]
    return [
        Neighbours(
            at[query],
            [
                (at[row], float(cosine), bool(first.labels[row] == first.labels[query]))
                for row, cosine in zip(rows[query], values[query], strict=True)
            ],
            name,
        )
        for query in queries
        for name, (rows, values) in found.items()
    ]
