"""Some of the training videos held out: to choose the best epoch by, or a penalty."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from praxino import ranks
from praxino.catalogs.base import Catalog, Video
from praxino.errors import UserError
from praxino.rng import Rng
from praxino.training.videos import RunVideos

By = Literal["group", "video"]


def split_off(videos: Catalog | RunVideos, validation: float, by: By, seed: int) -> tuple[RunVideos, RunVideos]:
    """The videos to train on, and those that are held out: a function of the seed and of the videos.

    Raises:
        UserError: as of `held_out_rows`, or if fewer are held out than there are processes.
    """
    held = held_out_rows(videos, validation, by, Rng(seed, "validation"))
    if len(held):
        check_share(f"--validation {validation:g} holds out", len(held))
    return RunVideos(videos, np.delete(np.arange(len(videos)), held)), RunVideos(videos, held)


def check_share(what: str, videos: int) -> None:
    """Raises UserError if there are fewer videos than processes, each of which takes its share."""
    if videos < ranks.world():
        raise UserError(f"{what} {videos} videos, and there are {ranks.world()} processes: lower --devices")


def held_out_rows(videos: Sequence[Video], held_out: float, by: By, rng: Rng) -> NDArray[np.int64]:
    """Rows of the videos that are held out, in their order: int64 [held out].

    Args:
        videos: the training videos.
        held_out: a share of them, below 1, or from 1 on how many; 0: none.
        by: "group": of each class the same share, in whole groups, and at least one group of each class stays; a video
            without a group is one of its own, and a group with videos of several classes is held out of all of them.
            "video": any videos alike, as IIC does it.
        rng: what is drawn from.

    Raises:
        UserError: if that leaves no video to train on, or none is held out though some are asked for.
    """
    if not (math.isfinite(held_out) and held_out >= 0 and (held_out < 1 or held_out == int(held_out))):
        raise UserError(f"--validation {held_out:g}: pass a share, as 0.1, a number of videos, or 0 for none")
    wanted = round(held_out) if held_out >= 1 else round(held_out * len(videos))
    if wanted >= len(videos):
        raise UserError(
            f"--validation {held_out:g}: that leaves none of {len(videos)} training videos to train on: pass a share, "
            f"as 0.1, or at most {len(videos) - 1}"
        )
    if held_out == 0:
        return np.arange(0)
    drawn = rng.shared().permutation(len(videos))
    rows = drawn[:wanted] if by == "video" else _whole_groups(videos, drawn, wanted / len(videos))
    if not len(rows):
        raise UserError(
            f"--validation {held_out:g}: that holds out none of {len(videos)} training videos: pass a larger share, or "
            "0 to take the last epoch's weights"
        )
    return np.sort(rows)


def _whole_groups(videos: Sequence[Video], drawn: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    group, label = _groups_and_labels(videos)
    group, label = _in_order_of_appearance(group[drawn]), label[drawn]
    sizes = np.bincount(group)
    # A group with videos of several classes stands with each of them.
    pairs = np.unique(label * len(sizes) + group)
    ends = np.flatnonzero(np.diff(pairs // len(sizes))) + 1
    classes = np.split(pairs % len(sizes), ends)  # the groups of each class, as they appear
    staying, held = np.zeros((2, len(sizes)), np.bool_)
    staying[[groups[-1] for groups in classes]] = True
    owed = 0.0  # what one class held out too little of, being in groups, the next one may hold out more
    for groups, count in zip(classes, np.unique(label, return_counts=True)[1].tolist(), strict=True):
        owed += share * count
        for one in groups[~(staying | held)[groups]]:
            size = int(sizes[one])
            if size / 2 > owed:
                break
            held[one] = True
            owed -= size
    return drawn[held[group]]


def _groups_and_labels(videos: Sequence[Video]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number of each video's group, and its label (-1: none)."""

    def columns() -> Iterator[tuple[bytes, int]]:
        for row in range(len(videos)):
            video = videos[row]
            name = (video.group or video.id).encode("utf-8", "surrogatepass")
            yield hashlib.blake2b(name, digest_size=16).digest(), -1 if video.label is None else video.label

    # Digests instead of the names themselves: 16 bytes of each of millions.
    table = np.fromiter(columns(), [("name", "S16"), ("label", np.int64)], len(videos))
    return np.unique(table["name"], return_inverse=True)[1].reshape(-1), table["label"]


def _in_order_of_appearance(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same groups, numbered from 0 as they appear."""
    first = np.unique(group, return_index=True)[1]
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    return number[group]
