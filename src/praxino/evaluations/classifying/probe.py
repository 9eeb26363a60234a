"""A quick supervised look at features: a ridge classifier, and clusters held against labels, as in CoCon's code.

Rai, Adeli, Lee, Gaidon, Niebles: CoCon: Cooperative-Contrastive Learning, CVPR Workshops 2021.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.backbones.pooling import Feature
from praxino.catalogs.base import Catalog
from praxino.clips.samplers import Sampler
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations.classifying.labelled import labelled_parts
from praxino.evaluations.comparison import compared_features
from praxino.evaluations.features import VideoFeatures, refuse_infinite
from praxino.evaluations.joint import asked_of, members_of_all
from praxino.evaluations.result import Result, Row
from praxino.evaluations.retrieval import ordered, scored_row
from praxino.ranks import Device

ACCURACY, RAND, V = "accuracy", "Rand", "V"
BETWEEN, V_BETWEEN = "AMI of two", "V of two"


def probe(
    encoders: Mapping[str, Encoder],
    catalog: Catalog,
    view: str | None = None,
    views: Sequence[str] | None = None,
    feature: Feature | None = None,
    sampler: Sampler | None = None,
    baselines: bool = True,
    reestimate_batchnorm: bool | None = None,
    workers: int = 2,
    device: Device = "auto",
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Ridge regression onto the classes, and k-means with as many clusters as classes.

    The classifier is fitted on the training part's features and scored on the test part's. The clusters are those of
    the test part: adjusted Rand index and V-measure hold them against the labels. Of several encoders or views, those
    of every two are held against each other: adjusted mutual information and V-measure.

    Args:
        encoders: by name; one, or all of a run, which read the same clips.
        catalog: labelled videos with a test part.
        view: of the one encoder; none: its first. Several encoders are seen under their first view each.
        views: several of the one encoder.
        feature: how a feature map becomes a vector; none: as each encoder says.
        sampler: which clips of a video; none: as each encoder says.
        baselines: also untrained twins, one frame, and hand-made features, in the same pass over the videos.
        reestimate_batchnorm: statistics re-estimated on the training part, for every row; none: as the first encoder
            says.
        workers: loading processes.
        device: auto takes a GPU where there is one.
        max_left_out: largest share of unreadable videos, 0 to 1.
        progress: called with (videos done, videos).

    Raises:
        UserError: if scikit-learn is missing, labels or a test part are missing, the test part has fewer videos than
            there are classes, or too much is unreadable.
    """
    library = _scikit_learn()
    train, test = labelled_parts(catalog)
    members = members_of_all(asked_of(encoders, feature, sampler, device), view, views)
    # The intercept of the classifier takes up any shift, and distances between features know none.
    taken = compared_features(
        members, train, test, baselines=baselines, reestimate_batchnorm=reestimate_batchnorm, centred=False,
        workers=workers, max_left_out=max_left_out, progress=progress,
    )  # fmt: skip
    classes = len(catalog.classes)
    rows, per_query, clusters = [Row("chance", {ACCURACY: 100 / classes, RAND: 0.0})], {}, {}
    for name, ours in taken.queries.items():
        hits = _ridge_hits(taken.gallery[name], ours)
        clusters[name] = _clusters(ours, classes)
        row = scored_row(name, {ACCURACY: hits})
        rows.append(Row(name, row.values | _against_labels(clusters[name], ours.labels), row.intervals))
        per_query[name] = {ACCURACY: hits.tolist()}
    kinds = ("untrained", "trained") if baselines else ("trained",)
    pairs = _pairs(clusters, kinds, list(members))
    columns = [ACCURACY, RAND, V, *([BETWEEN, V_BETWEEN] if pairs else [])]
    settings = {
        "classifier": "ridge regression onto the classes, fitted on the training part",
        "clusters": f"{classes}, mini-batch k-means, of the test part",
        "scikit-learn": library,
    }
    title = f"Probe on {type(catalog).__name__}: {classes} classes"
    return Result(
        "probe", title, taken.settings | settings, columns, [*ordered(rows), *pairs], [], taken.left_out, per_query
    )


def _scikit_learn() -> str:
    """Its version."""
    try:
        import sklearn
    except ImportError as error:
        raise UserError(f'the probe needs scikit-learn: pip install "praxino[probe]" ({error})') from None
    return str(sklearn.__version__)


def _ridge_hits(train: VideoFeatures, test: VideoFeatures) -> NDArray[np.bool_]:
    from sklearn.linear_model import RidgeClassifier

    refuse_infinite(train)
    refuse_infinite(test)
    if len(np.unique(train.labels)) < 2:
        raise UserError("the readable training videos are all of one class: there is nothing to tell apart")
    # In float64: float32 loses the small directions of features of hundreds of numbers.
    fitted = RidgeClassifier().fit(train.vectors.astype(np.float64), train.labels)
    return np.asarray(fitted.predict(test.vectors.astype(np.float64)) == test.labels)


def _clusters(features: VideoFeatures, count: int) -> NDArray[Any]:
    from sklearn.cluster import MiniBatchKMeans

    if len(features.ids) < count:
        raise UserError(f"{len(features.ids)} test videos do not fill {count} clusters: one for each class is needed")
    return np.asarray(MiniBatchKMeans(count, random_state=0, batch_size=256).fit_predict(features.vectors))


def _against_labels(clusters: NDArray[Any], labels: NDArray[np.int64]) -> dict[str, float]:
    from sklearn.metrics import adjusted_rand_score, v_measure_score

    return {RAND: 100 * adjusted_rand_score(labels, clusters), V: 100 * v_measure_score(labels, clusters)}


def _pairs(clusters: Mapping[str, NDArray[Any]], kinds: Sequence[str], members: Sequence[str]) -> list[Row]:
    """The clusters of every two members held against each other."""
    from sklearn.metrics import adjusted_mutual_info_score, v_measure_score

    rows = []
    for kind, (one, other) in itertools.product(kinds, itertools.combinations(members, 2)):
        a, b = clusters[f"{kind}, {one}"], clusters[f"{kind}, {other}"]
        shared = 100 * adjusted_mutual_info_score(a, b, average_method="max")
        rows.append(Row(f"{kind}, {one} against {other}", {BETWEEN: shared, V_BETWEEN: 100 * v_measure_score(a, b)}))
    return rows
