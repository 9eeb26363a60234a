"""Some of the training videos held out: to choose the best epoch by, or a penalty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

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
    if held:
        check_share(f"--validation {validation:g} holds out", len(held))
    kept = sorted(set(range(len(videos))) - set(held)) if held else range(len(videos))
    return RunVideos(videos, kept), RunVideos(videos, held)


def check_share(what: str, videos: int) -> None:
    """Raises UserError if there are fewer videos than processes, each of which takes its share."""
    if videos < ranks.world():
        raise UserError(f"{what} {videos} videos, and there are {ranks.world()} processes: lower --devices")


def held_out_rows(videos: Sequence[Video], held_out: float, by: By, rng: Rng) -> list[int]:
    """Rows of the videos that are held out, in their order.

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
        return []
    drawn = rng.shared().permutation(len(videos)).tolist()
    rows = drawn[:wanted] if by == "video" else _whole_groups(videos, drawn, wanted / len(videos))
    if not rows:
        raise UserError(
            f"--validation {held_out:g}: that holds out none of {len(videos)} training videos: pass a larger share, or "
            "0 to take the last epoch's weights"
        )
    return sorted(rows)


def _whole_groups(videos: Sequence[Video], drawn: Sequence[int], share: float) -> list[int]:
    groups: dict[str, list[tuple[int, int | None]]] = {}
    for row in drawn:
        video = videos[row]
        groups.setdefault(video.group or video.id, []).append((row, video.label))
    # A group with videos of several classes stands with each of them.
    classes: dict[int | None, dict[str, int]] = {}
    for name, members in groups.items():
        for _, label in members:
            counts = classes.setdefault(label, {})
            counts[name] = counts.get(name, 0) + 1
    staying = {list(counts)[-1] for counts in classes.values()}
    held: dict[str, None] = {}
    owed = 0.0  # what one class held out too little of, being in groups, the next one may hold out more
    for label in sorted(classes, key=lambda label: -1 if label is None else label):
        owed += share * sum(classes[label].values())
        for name in [name for name in classes[label] if name not in staying and name not in held]:
            if len(groups[name]) / 2 > owed:
                break
            held[name] = None
            owed -= len(groups[name])
    return [row for name in held for row, _ in groups[name]]
