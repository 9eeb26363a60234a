"""Linear evaluation: how far a linear classifier gets on features that stay as they are, with all labels or few."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from praxino.backbones.pooling import Feature
from praxino.catalogs.base import Catalog
from praxino.clips.samplers import Sampler
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError, check_numbers
from praxino.evaluations.by_class import by_class
from praxino.evaluations.classifying.labelled import labelled_parts
from praxino.evaluations.classifying.linear_solver import best_penalty, fitted, standardised
from praxino.evaluations.classifying.recognition import TOPS, scores
from praxino.evaluations.features import VideoFeatures
from praxino.evaluations.figures import Curves
from praxino.evaluations.result import Result, Row
from praxino.evaluations.retrieval import labelled_features, ordered, scored_row
from praxino.ranks import Device
from praxino.rng import Rng
from praxino.training.held_out import held_out_rows
from praxino.training.videos import RunVideos

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def linear(
    encoder: Encoder,
    catalog: Catalog,
    view: str | None = None,
    views: Sequence[str] | None = None,
    feature: Feature | None = "mean",
    sampler: Sampler | None = None,
    labels_per_class: Sequence[int] = (),
    draws: int = 5,
    penalties: Sequence[float] = PENALTIES,
    validation: float = 0.1,
    seed: int = 0,
    baselines: bool = True,
    reestimate_batchnorm: bool | None = None,
    workers: int = 2,
    device: Device = "auto",
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Logistic regression on one vector a video, taken once from a network that does not change.

    A classifier is trained on the catalog's training part and scored on its test part, which decides nothing.

    Args:
        encoder: what is evaluated.
        catalog: labelled videos with a training and a test part.
        view: of the encoder; none: its first.
        views: several of the encoder, instead of one: a row for each, and a joint one of their features side by side.
        feature: how a feature map becomes a vector; none: as the encoder says.
        sampler: which clips of a video; none: as the encoder says.
        labels_per_class: also with so few labels of each class: 1,5,10 gives a curve.
        draws: how often the videos with a label are drawn for each of these; the accuracy is the mean.
        penalties: strengths of the L2 penalty that are tried; with few labels it is the middle one.
        validation: share (below 1) or number of the training videos, in whole groups, that the penalty is chosen by;
            the classifier is then trained on all of them. 0: none, and the middle penalty.
        seed: of what is held out and drawn.
        baselines: also an untrained twin, one frame, and hand-made features, in the same pass over the videos.
        reestimate_batchnorm: statistics re-estimated on the training part, for every row; none: as the encoder says.
        workers: loading processes.
        device: of the network; auto takes a GPU where there is one.
        max_left_out: largest share of unreadable videos, 0 to 1.
        progress: called with (videos done, videos).

    Raises:
        UserError: if there are no labels, too few for what is asked, or too much is unreadable.
    """
    check_numbers(draws=draws, labels_per_class=min(labels_per_class, default=1))
    if not penalties or min(penalties) <= 0:
        raise UserError(f"--penalties must be above 0, and at least one: not {list(penalties)}")
    training, _ = labelled_parts(catalog)
    held_out_rows(training, validation, "group", Rng(seed, "validation"))  # refuses before anything is decoded
    _subsets([training[row].label for row in range(len(training))], labels_per_class, 1, seed)
    taken = labelled_features(
        encoder, catalog, "train", "test", device, view, views, feature, sampler, baselines=baselines,
        reestimate_batchnorm=reestimate_batchnorm, centred=False, workers=workers, max_left_out=max_left_out,
        progress=progress,
    )  # fmt: skip
    main = taken.gallery[taken.main]
    usable = RunVideos(training, main.rows)
    held = held_out_rows(usable, validation, "group", Rng(seed, "validation")).tolist()
    subsets = _subsets(main.labels.tolist(), labels_per_class, draws, seed)
    tried = _Tried(len(catalog.classes), held, tuple(sorted(penalties)), subsets)
    rows, per_query, chosen = [], {}, {}
    for name in taken.gallery:
        hits, chosen[name] = tried.hits(taken.gallery[name], taken.queries[name])
        rows.append(scored_row(name, hits))
        per_query[name] = {column: hit.tolist() for column, hit in hits.items()}
    columns = list(per_query[taken.main])
    classes = len(catalog.classes)
    rows.append(Row("chance", {c: 100 * min(1.0, (int(c) if c.isdecimal() else 1) / classes) for c in columns}))
    settings = taken.settings | {
        "classifier": "logistic regression, L-BFGS over all videos, features standardised on the training part",
        "penalty": chosen[taken.main],
        "penalties tried": list(tried.penalties),
        "held out to choose it": len(held),
        "penalty with few labels": tried.middle,
        "draws with few labels": draws if labels_per_class else 0,
        "seed": seed,
    }
    del settings["centred on the gallery"]
    title = f"Linear evaluation on {type(catalog).__name__}: {classes} classes, the network stays as it is"
    rows = ordered(rows)
    curves = [_few_labels(rows, sorted(subsets))] if subsets else []
    test = taken.queries[taken.main].labels
    return Result(
        "linear", title, settings, columns, rows, [], taken.left_out, per_query, curves=curves,
        by_class=by_class(taken.main, "1", per_query[taken.main]["1"], test, catalog.classes),
    )  # fmt: skip


class _Tried:
    """Scores features by linear classifiers; the same videos are held out and drawn for all features."""

    def __init__(
        self, classes: int, held: list[int], penalties: tuple[float, ...], subsets: dict[int, list[list[int]]]
    ) -> None:
        self.classes, self.held, self.penalties, self.subsets = classes, held, penalties, subsets
        self.middle = penalties[len(penalties) // 2]

    def hits(self, train: VideoFeatures, test: VideoFeatures) -> tuple[dict[str, NDArray], float]:
        """Column -> hit of each test video (few labels: its share of the draws); and the penalty for all labels."""
        x, asked = standardised(torch.from_numpy(train.vectors), torch.from_numpy(test.vectors))
        y = torch.from_numpy(train.labels)
        penalty = best_penalty(x, y, self.classes, self.held, self.penalties) if self.held else self.middle
        whole = self._hits(x, y, penalty, asked, test.labels)
        found: dict[str, NDArray] = {str(top): whole[top] for top in TOPS}
        for labels, drawn in self.subsets.items():
            few = [self._hits(x[rows], y[rows], self.middle, asked, test.labels)[1] for rows in drawn]
            found[column_of(labels)] = np.mean(few, axis=0)
        return found, penalty

    def _hits(self, x: Tensor, y: Tensor, penalty: float, asked: Tensor, labels: NDArray) -> dict[int, NDArray]:
        return scores(fitted(x, y, self.classes, penalty).logits(asked).numpy(), labels).hits


def column_of(labels: int) -> str:
    """The column of the top-1 accuracy with so many labels of each class."""
    return f"{labels} a class"


def _few_labels(rows: Sequence[Row], sizes: Sequence[int]) -> Curves:
    lines = {row.name: [(float(size), row.values[column_of(size)]) for size in sizes] for row in rows}
    return Curves("Accuracy with few labels", "labels a class", "top-1 accuracy, %", lines)


def _subsets(labels: Sequence[int | None], sizes: Sequence[int], draws: int, seed: int) -> dict[int, list[list[int]]]:
    """Size -> for each draw the rows of so many videos of each class."""
    known = np.array([-1 if label is None else label for label in labels])
    rows = [np.flatnonzero(known == label) for label in np.unique(known)]
    fewest = min(map(len, rows))
    if max(sizes, default=0) > fewest:
        raise UserError(f"--labels_per_class {max(sizes)}: there is a class with {fewest} training videos only")

    def drawn(size: int, draw: int) -> list[int]:
        generator = Rng(seed, "labels", size, draw).shared()
        return sorted(int(row) for own in rows for row in generator.permutation(own)[:size])

    return {size: [drawn(size, draw) for draw in range(draws)] for size in sizes}
