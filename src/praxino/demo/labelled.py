"""One's own videos in class folders: one more table, of whether videos find others of their class."""

from __future__ import annotations

from collections import Counter
from typing import Any

from praxino.catalogs.base import Catalog
from praxino.encoders.encoder import Encoder
from praxino.evaluations.result import Result
from praxino.evaluations.retrieval import retrieve

LEAST = 2  # class folders, and videos in each of so many


def retrieval_by_folders(encoder: Encoder, catalog: Catalog, **how: Any) -> list[Result]:
    """Retrieval with the class folders as labels, which the training has not seen.

    Args:
        encoder: what was trained.
        catalog: the videos.
        how: further arguments of `retrieve`.

    Returns:
        The scores; none where there are no two class folders with at least two videos each.
    """
    counts = Counter(catalog[row].label for row in range(len(catalog)))
    if sum(count >= LEAST for label, count in counts.items() if label is not None) < LEAST:
        return []
    result = retrieve(encoder, catalog, gallery="all", queries="all", k=(1, 5), max_left_out=1.0, **how)
    result.title = f"Does a video find others of its class folder? {len(catalog.classes)} folders, not used in training"
    return [result]
