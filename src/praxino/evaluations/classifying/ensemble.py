"""Several classifiers of the same videos as one: the weighted mean of their probabilities, as CoCon joins its views."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError
from praxino.evaluations.classifying.recognition import TOPS, scores
from praxino.evaluations.probabilities import Probabilities, read_probabilities
from praxino.evaluations.result import Result, Row
from praxino.evaluations.retrieval import scored_row
from praxino.files import told_apart

ENSEMBLE = "ensemble"


def ensemble(folders: Sequence[str | Path], weights: Sequence[float] | None = None) -> Result:
    """How often the weighted mean of several classifiers' probabilities gives a video its class.

    Rai, Adeli, Lee, Gaidon, Niebles: CoCon, CVPR Workshops 2021, which weighs RGB and flow by 2, keypoints and masks
    by 1.

    Args:
        folders: of fine-tunings, or of linear evaluations with a recipe, each with its test; joined by the videos' ids.
        weights: of each; none: equal ones.

    Returns:
        A row for each and one for all, on the videos that all have tested; others are listed as left out.

    Raises:
        UserError: if there are fewer than two, a test is missing, or they are of other classes, labels or videos.
    """
    places = [Path(folder) for folder in folders]
    if len(places) < 2:
        raise UserError("an ensemble takes two folders of fine-tunings or more")
    if len({place.resolve() for place in places}) < len(places):
        raise UserError("an ensemble takes each fine-tuning once, and one is named twice")
    given = _checked(weights, len(places))
    tests = [read_probabilities(place) for place in places]
    _refuse_other_classes(places, tests)
    rows = [{id: row for row, id in enumerate(test.ids)} for test in tests]
    shared = [id for id in tests[0].ids if all(id in row for row in rows)]
    if not shared:
        raise UserError(f"{places[0]} and the others share no test video: they are of other splits, or other catalogs")
    at = [[row[id] for id in shared] for row in rows]
    labels = tests[0].labels[at[0]]
    for place, test, own in zip(places, tests, at, strict=True):
        differs = np.flatnonzero(test.labels[own] != labels)
        if len(differs):
            raise UserError(f"{shared[differs[0]]} has another class in {place} than in {places[0]}")
    said = [test.values[own] for test, own in zip(tests, at, strict=True)]
    names = told_apart(places, (ENSEMBLE,))
    hits = {name: scores(values, labels).hits for name, values in zip(names, said, strict=True)}
    hits[ENSEMBLE] = scores(weighted_mean(said, given), labels).hits
    per_query = {name: {str(k): hit.tolist() for k, hit in by.items()} for name, by in hits.items()}
    table = [scored_row(name, {str(k): hit for k, hit in by.items()}) for name, by in hits.items()]
    classes = len(tests[0].classes)
    chance = Row("chance", {str(k): 100 * min(1.0, k / classes) for k in TOPS})
    settings: dict[str, Any] = {
        "fine-tunings": [str(place) for place in places],
        "weights": list(given),
        "videos": len(shared),
        "joined by": "the videos' ids",
    }
    title = f"Ensemble of {len(places)} classifiers of {classes} classes"
    columns = [str(k) for k in TOPS]
    left_out = sorted({id for test in tests for id in test.ids} - set(shared))
    reasons = [(id, f"not in the test of {_lacking(id, places, rows)}") for id in left_out]
    return Result(ENSEMBLE, title, settings, columns, [chance, *table], [], reasons, per_query)


def weighted_mean(probabilities: Sequence[NDArray[Any]], weights: Sequence[float]) -> NDArray[np.float64]:
    """The mean of several [videos, classes], each with its weight."""
    total = sum(weight * np.asarray(p, np.float64) for weight, p in zip(weights, probabilities, strict=True))
    return np.asarray(total / sum(weights))


def _checked(weights: Sequence[float] | None, count: int) -> list[float]:
    given = [1.0] * count if weights is None else [float(weight) for weight in weights]
    if len(given) != count:
        raise UserError(f"--weights: {len(given)} weights for {count} folders: give one each")
    if not all(weight >= 0 for weight in given) or not 0 < sum(given) < math.inf:
        raise UserError(f"--weights {given}: a weight is 0 or above, not all are 0, and their sum is finite")
    return given


def _refuse_other_classes(places: Sequence[Path], tests: Sequence[Probabilities]) -> None:
    for place, test in zip(places, tests, strict=True):
        if test.classes != tests[0].classes:
            both = zip(test.classes, tests[0].classes, strict=False)
            differ = next((f"; the first that differs: {one} and {other}" for one, other in both if one != other), "")
            raise UserError(
                f"{place} knows other classes ({len(test.classes)}) than {places[0]} ({len(tests[0].classes)}){differ}"
            )


def _lacking(id: str, places: Sequence[Path], rows: Sequence[Mapping[str, int]]) -> str:
    return ", ".join(str(place) for place, row in zip(places, rows, strict=True) if id not in row)
