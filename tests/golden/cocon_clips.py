"""Checks of CoCon's and DPC's golden items: which frames make the clips and the windows of a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from golden_items import Check, Item

from praxino.clips.blocks import BlockClip, BlockWindows, ScatteredBlocks


def cases(item: Item) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, case in enumerate(item.scalars["cases"]):
        yield number, dict(zip(item.scalars["columns"], case, strict=True))


def clip(short: Any, start: Any = "random") -> Check:
    def check(item: Item) -> None:
        found: dict[str, Any] = {"start_count": []}
        for number, case in cases(item):
            sampler = BlockClip(case["num_seq"], case["seq_len"], case["ds"], short=short, start=start)
            length = case["vlen"]
            if start == "first":
                numbers = sampler(np.arange(length) / 25, np.random.default_rng(number))
            else:
                numbers = sampler.numbers(length, [case["start"]])
                found["start_count"].append(sampler.places(length))
            assert length >= sampler.min_frames
            found[f"idx{number}"] = numbers
        item.compare(**found)

    return check


def scattered(item: Item) -> None:
    found: dict[str, Any] = {}
    for number, case in cases(item):
        sampler = ScatteredBlocks(case["num_seq"], case["seq_len"])
        strides, starts = np.array(case["draws"]).T
        largest, places = sampler.largest_stride(case["vlen"]), sampler.places(case["vlen"], strides)
        found[f"idx{number}"] = sampler.numbers([strides], [starts])
        found[f"limits{number}"] = [[[1, largest], [0, last]] for last in places - 1]
    item.compare(**found)


def windows(short: Any) -> Check:
    def check(item: Item) -> None:
        found = {}
        for number, case in cases(item):
            blocks = case["num_seq"]
            apart = 3 * blocks // 4 if item.scalars["dataset"] == "hmdb51" else blocks // 2
            sampler = BlockWindows(blocks, case["seq_len"], case["ds"], apart, short)
            assert case["vlen"] >= sampler.min_frames
            found[f"idx{number}"] = sampler.numbers(case["vlen"])
        item.compare(**found)

    return check


CHECKS: dict[str, Check] = {
    "sampler_dynamic": clip("stretch"),
    "sampler_disjoint": clip("refuse"),
    "sampler_test": clip("stretch", "first"),
    "sampler_random": scattered,
    **dict.fromkeys(("windows_ucf101", "windows_hmdb51"), windows("stretch")),
    **dict.fromkeys(("windows_dpc_ucf101", "windows_dpc_hmdb51"), windows("refuse")),
}
