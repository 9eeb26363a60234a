"""The labelled videos that a classifier is trained on and tested on."""

from __future__ import annotations

from praxino.catalogs.base import Catalog
from praxino.errors import UserError


def labelled_parts(catalog: Catalog) -> tuple[Catalog, Catalog]:
    """The training and the test part.

    Raises:
        UserError: if a video has no label, or the parts are not apart.
    """
    name = type(catalog).__name__
    if not catalog.classes:
        raise UserError(
            f"{name} has no labels to train by: take a catalog with classes and lists (UCF101, or ListFile with its "
            "argument test)"
        )
    parts = catalog.part("train"), catalog.part("test")
    ids = []
    for part in parts:
        videos = [part[row] for row in range(len(part))]
        bare = next((video.id for video in videos if video.label is None), None)
        if bare is not None:
            raise UserError(f"{name}: {bare} has no label to train or test by")
        ids.append({video.id for video in videos})
    if not all(ids):
        raise UserError(f"{name}: the training part or the test part is empty")
    if ids[0] & ids[1]:
        raise UserError(
            f"{name}: training and test part share videos ({min(ids[0] & ids[1])}), and a test on those would mean "
            "nothing: take a catalog with lists (ListFile with its argument test, UCF101)"
        )
    return parts
