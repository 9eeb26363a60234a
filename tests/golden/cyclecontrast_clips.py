"""Checks of the clips by the clock with which CycleContrast's code fine-tunes on UCF101."""

import golden_items
import numpy as np
from golden_items import Item
from numpy.typing import NDArray

from praxino.clips.seconds import EvenSeconds, RandomSeconds, repeated


def times(case: dict) -> NDArray[np.float64]:
    return np.arange(case["frames"]) * case["fps_den"] / case["fps_num"]


def sampled(item: Item) -> None:
    sampler = RandomSeconds(rate=item.scalars["target_fps"])
    found = {}
    for k, case in enumerate(item.scalars["cases"]):
        (found[f"frames{k}"],) = sampler.shown(times(case), case["duration"], [case["start"]])
        # A sampler for clips of this length gives the same frames, and repeats them where they are too few.
        whole = RandomSeconds(round(case["duration"] * sampler.rate), sampler.rate)
        (numbers,) = whole.numbers(times(case), [case["start"]])
        some = min(len(numbers), len(found[f"frames{k}"]))
        assert np.array_equal(numbers[:some], found[f"frames{k}"][:some])
        for shift in (0.04, 1000.0):  # seconds at which a stream may begin
            assert np.array_equal(whole.numbers(times(case) + shift, [case["start"]])[0], numbers)
    item.compare(**found)


def dense(item: Item) -> None:
    sampler = EvenSeconds(item.scalars["clips"], item.scalars["chunk"], item.scalars["target_fps"])
    item.compare(**{f"chunks{k}": sampler.numbers(times(case)) for k, case in enumerate(item.scalars["cases"])})


def pad(item: Item) -> None:
    frames = item.scalars["num_frames"]
    item.compare(**{f"index{k}": repeated(np.arange(n), frames) for k, n in enumerate(item.scalars["lengths"])})


CHECKS: dict[str, golden_items.Check] = {"ucf_sampler": sampled, "ucf_dense": dense, "ucf_pad": pad}
