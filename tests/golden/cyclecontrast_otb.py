"""Checks of the golden items of tracking: sequences and scores."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from golden_items import Check, Item

from praxino.catalogs.otb import OTB
from praxino.evaluations.tracking import scores


def otb_layout(item: Item) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, held in item.scalars["layout"].items():
            pictures = Path(folder, name, "img")
            pictures.mkdir(parents=True)
            for number in range(1, held["images"] + 1):
                (pictures / f"{number:04d}.jpg").touch()
            line = held["separator"].join(["10", "20", "30", "40"]) + "\n"
            for file in held["annotations"]:
                rows = 0 if file in held["empty"] else held["rows"]
                Path(folder, name, file).write_text(line * rows)
        catalog = OTB(folder)
        frames = [video.files["rgb"] for video in catalog]
        assert [len(some) for some in frames] == [len(catalog.boxes(row)) for row in range(len(catalog))]
        assert not any(catalog.note(row) for row in range(len(catalog)))
        item.compare(
            names=np.frombuffer("\n".join(video.id for video in catalog).encode("ascii"), np.uint8),
            first=[int(Path(some[0]).stem) for some in frames],
            last=[int(Path(some[-1]).stem) for some in frames],
            rows=[len(catalog.boxes(row)) for row in range(len(catalog))],
        )


def otb_metrics(item: Item) -> None:
    ends = np.cumsum(item.scalars["lengths"])[:-1]
    truths = np.split(item.input("anno").astype(np.float64), ends)
    boxes = np.split(item.input("boxes").astype(np.float64), ends)
    begun = [np.concatenate([truth[:1], some[1:]]) for truth, some in zip(truths, boxes, strict=True)]
    each = [scores.otb_scores(some, truth) for some, truth in zip(boxes, truths, strict=True)]
    over_all = scores.otb_over_all(each)
    item.compare(
        iou=np.concatenate([scores.overlap(*pair) for pair in zip(begun, truths, strict=True)]),
        center_error=np.concatenate([scores.centre_error(*pair) for pair in zip(begun, truths, strict=True)]),
        success=[one.success for one in each],
        precision=[one.precision for one in each],
        overall=[over_all.auc, over_all.precision_at_20, over_all.success_rate],
    )


CHECKS: dict[str, Check] = {"otb_layout": otb_layout, "otb_metrics": otb_metrics}
