"""Writes another folder of golden items: other seeds, shapes, scalars, names and forms of storage than beside the
repository, with expected values by plain slow code. It proves that the checks take everything from the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import golden_numbers
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file
from torch.nn import functional as F

import r3d_reference

LARGE = 4096
Entry = tuple[dict[str, Any], dict[str, NDArray], dict[str, NDArray]]


def write(folder: Path, lists: Path | None = None, cut_above: int = LARGE) -> None:
    """Writes `folder/iic`.

    Args:
        folder: must not hold a folder `iic` yet.
        lists: the official lists of UCF101, for the item that is made of them.
        cut_above: outputs of more values are stored as their head and sums.
    """
    (folder / "iic").mkdir(parents=True)
    entries = []
    for entry, inputs, outputs in _items(lists):
        stored = {f"in.{name}": np.ascontiguousarray(value) for name, value in inputs.items()}
        for name, value in outputs.items():
            stored |= _stored(f"out.{name}", np.ascontiguousarray(value), cut_above)
        save_file(stored, folder / "iic" / f"{entry['name']}.safetensors")
        names = {"inputs": sorted(inputs), "outputs": sorted(outputs)}
        entries.append({"what": "", "spec": "", "mode": None, "scalars": {}, "fills": {}} | entry | names)
    (folder / "iic" / "manifest.json").write_text(json.dumps({"system": "iic", "items": entries}))


def _stored(name: str, value: NDArray, cut_above: int) -> dict[str, NDArray]:
    if value.size <= cut_above:
        return {name: value}
    numbers = value.astype(np.float64)
    return {
        f"{name}.head": value.reshape(-1)[:64].copy(),
        f"{name}.sum": np.array(numbers.sum()),
        f"{name}.abs_sum": np.array(np.abs(numbers).sum()),
        f"{name}.shape": np.array(value.shape),
    }


def _fill(shape: list[int], seed: int, low: float = 0, high: float = 1, dtype: str = "float32") -> dict[str, Any]:
    return {"shape": shape, "low": low, "high": high, "dtype": dtype, "seed": seed, "kind": "uniform"}


def _made(fills: Mapping[str, Mapping[str, Any]]) -> Iterator[NDArray]:
    for name, how in fills.items():
        yield golden_numbers.uniform(name, how["shape"], how["seed"], how["low"], how["high"], how["dtype"])


def _items(lists: Path | None) -> Iterator[Entry]:
    yield _starts("retrieval_clip_starts", [13, 12, 99], 12, 7)
    yield from _residuals()
    yield _starts("test_clip_starts", [9, 10, 31, 64, 311], 8, 5)
    yield _start_range()
    if lists is not None:
        yield _ids_and_labels(lists)
    yield _resized()
    yield _resized_small()
    yield _rates()
    yield _retrieved()
    yield _network()


def _residuals() -> Iterator[Entry]:
    fills = {"clip|rgb": _fill([1, 2, 5, 9, 11], 901, -1, 2)}
    (x,) = _made(fills)
    for name in ("residual_finetune", "residual_pretrain", "vcp_residual"):
        y = np.empty_like(x)
        for t in range(x.shape[2]):
            before, now = x[:, :, t - 1 if t else x.shape[2] - 1], x[:, :, t]
            y[:, :, t] = before - now if name == "vcp_residual" else now - before
            if name != "residual_finetune":
                y[:, :, t] = (y[:, :, t] + 1) / 2
        yield {"name": name, "fills": fills, "rtol": 0, "atol": 1e-6}, {}, {"residual.clip": y}


def _starts(name: str, lengths: list[int], clip_len: int, clips: int) -> Entry:
    starts = []
    for files in lengths:
        length = files - 1
        centres = np.linspace(clip_len / 2, length - clip_len / 2, clips)
        starts.append([int(centre - clip_len / 2) for centre in centres])
    scalars = {"n_frames": lengths, "clip_len": clip_len, "clips": clips}
    return {"name": name, "scalars": scalars, "rtol": 0, "atol": 0}, {}, {"s": np.array(starts)}


def _start_range() -> Entry:
    lengths, clip_len = [40, 7, 8, 100], 6
    fits = [[s for s in range(files) if s + clip_len <= files - 1] for files in lengths]
    scalars = {"clip_len": clip_len, "n_frames": lengths}
    outputs = {"range": np.array([[min(some), max(some)] for some in fits])}
    return {"name": "train_start_range", "scalars": scalars, "rtol": 0, "atol": 0}, {}, outputs


def _ids_and_labels(lists: Path) -> Entry:
    rows = [3479, 3470, 5000, 9000]
    lines = (lists / "trainlist01.txt").read_text().split("\n")
    videos = [lines[row].split(" ")[0] for row in rows]
    numbers = dict(reversed(line.split()) for line in (lists / "classInd.txt").read_text().splitlines())
    labels = np.array([int(numbers[video.split("/")[0]]) for video in videos])
    folders = [video.split("/")[1][:-4].replace("HandStandPushups", "HandstandPushups") for video in videos]
    scalars = {"videos": videos, "folder": folders, "list_rows": rows}
    outputs = {"label": labels - 1, "retrieval_label": labels}
    return {"name": "video_ids_and_labels", "scalars": scalars, "rtol": 0, "atol": 0}, {}, outputs


def _resize(frame: NDArray, height: int, width: int) -> NDArray:
    image = Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image).transpose(2, 0, 1).astype(np.float32) / 255


def _resized() -> Entry:
    fills = {"picture": _fill([77, 130, 3], 902, 0, 256, "uint8")}
    (frame,) = _made(fills)
    y = _resize(frame, 50, 60)[:, 10:40, 15:45]
    entry = {"name": "resize_center_crop", "scalars": {"height": 50, "width": 60, "crop": 30}, "fills": fills}
    return entry | {"rtol": 0, "atol": 1e-6}, {}, {"y": y}


def _resized_small() -> Entry:
    frame = golden_numbers.uniform("f", [30, 41, 3], 903, 0, 256, np.uint8)
    whole = _resize(frame, 64, 90)
    scalars = {"height": 64, "width": 90, "crop": 48, "box": [16, 5]}
    # Whole, where the other folder keeps every n-th row and column.
    outputs = {"box": whole[:, 16:64, 5:53], "y": whole[:, 8:56, 21:69]}
    return {"name": "resize_small", "scalars": scalars, "rtol": 0, "atol": 1e-6}, {"picture": frame}, outputs


def _rates() -> Entry:
    rates, rate = [], 0.3
    for epoch in range(1, 31):
        rates.append(rate)
        if epoch in (4, 5, 20):
            rate *= 0.5
    scalars = {"lr": 0.3, "milestones": [4, 5, 20], "gamma": 0.5}
    return {"name": "lr_schedule_pretrain", "scalars": scalars, "rtol": 1e-9, "atol": 0}, {}, {"rates": np.array(rates)}


def _retrieved() -> Entry:
    fills = {
        "proto": _fill([5, 12], 904, -1),
        "test_label": _fill([9], 905, 1, 6, "int64"),
        "test_noise": _fill([9, 4, 12], 906, -1),
        "train_label": _fill([31], 907, 1, 6, "int64"),
        "train_noise": _fill([31, 4, 12], 908, -1),
    }
    proto, test_label, test, train_label, train = _made(fills)
    test = (test + 0.2 * proto[test_label - 1][:, None]).astype(np.float64).mean(1)
    train = (train + 0.2 * proto[train_label - 1][:, None]).astype(np.float64).mean(1)
    nearest = []
    for query in test:
        distance = [1 - query @ row / np.linalg.norm(query) / np.linalg.norm(row) for row in train]
        nearest.append(np.argsort(distance))
    cuts = [1, 2, 4]
    hits = [sum(test_label[i] in train_label[rows[:cut]] for i, rows in enumerate(nearest)) for cut in cuts]
    outputs = {"accuracy": np.array(hits) / 9, "hits": np.array(hits), "nearest": np.array(nearest)[:, :6]}
    scalars = {"signal": 0.2, "clips": 4, "k": cuts}
    entry = {"name": "retrieval_single", "scalars": scalars, "fills": fills, "rtol": 1e-6, "atol": 1e-7}
    return entry, {}, outputs


def _network() -> Entry:
    shapes: dict[str, list[int]] = {"conv1.temporal_spatial_conv.weight": [4, 3, 3, 7, 7]} | _norm("bn1", 4)
    inputs = 4
    for stage, outputs in ((2, 4), (3, 8), (4, 16), (5, 32)):
        block = f"conv{stage}.block1"
        if stage > 2:
            shapes[f"{block}.downsampleconv.temporal_spatial_conv.weight"] = [outputs, inputs, 1, 1, 1]
            shapes |= _norm(f"{block}.downsamplebn", outputs)
        for number, channels in ((1, inputs), (2, outputs)):
            shapes[f"{block}.conv{number}.temporal_spatial_conv.weight"] = [outputs, channels, 3, 3, 3]
            shapes |= _norm(f"{block}.bn{number}", outputs)
        inputs = outputs
    fills = {"clips": _fill([3, 3, 9, 40, 33], 909)}
    state = {k: torch.from_numpy(v) for k, v in golden_numbers.weights(shapes, 910).items()}
    with torch.no_grad():
        features = r3d_reference.forward(state, torch.from_numpy(next(_made(fills))))
        halved = F.max_pool3d(features, (1, 2, 2)).flatten(1)
    entry = {"name": "r3d_eval", "mode": "eval", "fills": fills, "state": {"seed": 910, "shapes": shapes}}
    tolerances = {"rtol": 0, "atol": 0, "tolerances": {"pooled": [1e-4, 1e-5], "conv": [1e-4, 1e-5]}}
    return entry | tolerances, {}, {"conv": halved.numpy(), "pooled": features.mean((2, 3, 4)).numpy()}


def _norm(name: str, channels: int) -> dict[str, list[int]]:
    words = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{word}": [channels] for word in words} | {f"{name}.num_batches_tracked": []}
