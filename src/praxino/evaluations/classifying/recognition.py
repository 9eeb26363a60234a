"""Recognition: which class a classifier gives a video, by the mean over its clips. The test of VCOP, IIC and TCLR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from praxino.batch import ClipBatch
from praxino.catalogs.base import Catalog, Part, Video
from praxino.clips.dataset import collate, load_clips
from praxino.clips.samplers import Sampler, clips_a_video
from praxino.encoders.encoder import Encoder
from praxino.errors import UnreadableVideo, UserError
from praxino.evaluations.by_class import by_class
from praxino.evaluations.classifying.shared_out import of_each_video
from praxino.evaluations.features import VideoFeatures, refuse_infinite
from praxino.evaluations.probabilities import Probabilities
from praxino.evaluations.result import Result, Row
from praxino.evaluations.retrieval import scored_row
from praxino.ranks import Device, pick_device

BATCH_MEAN = "batch mean"
TOPS = (1, 5)
TRIED = 10  # videos of a test, at most, among which one that can be read is looked for
Average = Literal["logits", "softmax"]


@dataclass
class Scores:
    """What a test gives.

    Attributes:
        hits: bool [videos] by k: whether the label is among the k largest logits, of equals the first.
        accuracy: correct / videos, 0 to 1.
        batch_mean: mean of the batches' accuracies, a short last batch weighing as much as the others.
        loss: mean of the batches' mean cross-entropies.
    """

    hits: dict[int, NDArray[np.bool_]]
    accuracy: float
    batch_mean: float
    loss: float


def scores(logits: ArrayLike, labels: ArrayLike, batch_size: int = 16) -> Scores:
    """Scores logits.

    Args:
        logits: [videos, classes], a video's mean over its clips.
        labels: int [videos], 0-based.
        batch_size: videos a batch, of the numbers that are means over batches (IIC: 16).
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels)
    order = np.argsort(-logits, axis=1, kind="stable")
    hits = {k: (order[:, :k] == labels[:, None]).any(axis=1) for k in TOPS}
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - np.take_along_axis(shifted, labels[:, None], axis=1)[:, 0]
    batches = [slice(first, first + batch_size) for first in range(0, len(labels), batch_size)]
    return Scores(
        hits,
        float(hits[1].mean()),
        float(np.mean([hits[1][batch].mean() for batch in batches])),
        float(np.mean([losses[batch].mean() for batch in batches])),
    )


def to_be_averaged(logits: Tensor, average: Average) -> Tensor:
    """What the mean over a video's clips is taken of.

    Args:
        logits: [clips, classes].
        average: the logits themselves, as VCOP and IIC do it, or their softmax, as TCLR does it.

    Raises:
        UserError: if it is neither.
    """
    if average not in ("logits", "softmax"):
        raise UserError(f"--average {average}: a video's clips are averaged by 'logits' or by 'softmax'")
    return logits if average == "logits" else logits.softmax(dim=1)


def recognise(
    encoder: Encoder,
    catalog: Catalog,
    part: Part = "test",
    view: str | None = None,
    average: Average = "logits",
    clip_sampler: Sampler | None = None,
    test_batch_size: int = 16,
    workers: int = 2,
    device: Device = "auto",
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """How often an encoder's classifier gives a video its class.

    Args:
        encoder: with a classifier: one that fine-tuning has left.
        catalog: labelled videos, of the classes that the classifier knows.
        part: of the catalog.
        view: of the encoder; none: its first.
        average: of a video's clips: the mean of their logits, or of their softmax (TCLR).
        clip_sampler: clips that are scored one by one, in columns of their own ("clip @1"): single clips are right less
            often than the mean over a video's. CycleContrast on UCF101: 25 at random times. None: no such columns.
        test_batch_size: videos a batch, of the column "batch mean": there, as IIC reports it, a short last batch weighs
            as much as the others. The headline is correct / videos.
        workers: loading processes.
        device: auto takes a GPU where there is one.
        max_left_out: largest share of unreadable videos, 0 to 1.
        progress: called with (videos done, videos).

    Raises:
        UserError: if there is no classifier, its classes are not the catalog's, or too much is unreadable.
    """
    if encoder.head is None:
        raise UserError("the encoder has no classifier to test: praxino evaluate finetune trains one")
    differ = [pair for pair in zip(encoder.classes, catalog.classes, strict=False) if pair[0] != pair[1]]
    if differ or len(encoder.classes) != len(catalog.classes):
        raise UserError(
            f"the classifier knows {len(encoder.classes)} classes, and {type(catalog).__name__} has "
            f"{len(catalog.classes)}" + (f"; the first that differs: {' and '.join(differ[0])}" if differ else "")
        )
    videos = catalog.part(part)
    name = view or next(iter(encoder.views))
    encoder.view(name)
    encoder.to(pick_device(device))
    how: dict[str, Any] = {"workers": workers, "max_left_out": max_left_out, "progress": progress}
    found = video_logits(encoder, videos, name, average, **how)
    by_clip = {} if clip_sampler is None else clip_hits(encoder, videos, name, clip_sampler, **how)
    scored = scores(found.vectors, found.labels, test_batch_size)
    settings: dict[str, Any] = {
        "view": name,
        "part": part,
        "videos": len(found.ids),
        "sampler": type(encoder.sampler).__name__,
        "clips a video": clips_a_video(encoder.sampler),
        "a video's score": f"mean over its clips of their {average}",
        "videos a batch (batch mean)": test_batch_size,
        "loss (mean of the batches)": round(scored.loss, 4),
    }
    if clip_sampler is not None:
        settings["clips scored one by one"] = f"{clips_a_video(clip_sampler)} a video, {type(clip_sampler).__name__}"
    by_video = {str(k): hit for k, hit in scored.hits.items()}
    hits = by_video | {clip_column(k): share for k, share in by_clip.items()}
    row = scored_row("classifier", hits)
    row.values[BATCH_MEAN] = 100 * scored.batch_mean
    chances = {k: 100 * min(1.0, k / len(catalog.classes)) for k in TOPS}
    chance = Row("chance", {str(k): number for k, number in chances.items()})
    chance.values |= {clip_column(k): chances[k] for k in by_clip}
    per_query = {row.name: {column: hit.tolist() for column, hit in hits.items()}}
    title = f"Recognition on {type(catalog).__name__}: a classifier of {len(catalog.classes)} classes"
    columns = [*by_video, *map(clip_column, by_clip), BATCH_MEAN]
    said = Probabilities(found.ids, found.labels, catalog.classes, softmax(found.vectors))
    rows = [chance, row]
    classes = by_class(row.name, "1", by_video["1"], found.labels, catalog.classes)
    return Result(
        "recognition", title, settings, columns, rows, [], found.left_out, per_query, probabilities=said,
        by_class=classes,
    )  # fmt: skip


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities [videos, classes] of logits, or of logarithms of probabilities."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32)


def clip_column(k: int) -> str:
    """The column of the share of single clips whose class is among the k likeliest."""
    return f"clip @{k}"


def video_logits(
    encoder: Encoder,
    videos: Sequence[Video],
    view: str,
    average: Average = "logits",
    workers: int = 2,
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> VideoFeatures:
    """The logits of each video, [videos, classes] as `vectors`; each process takes its share of the videos.

    Args:
        encoder: with a classifier.
        videos: labelled.
        view: of the encoder.
        average: "logits": the mean over the clips; "softmax": logarithms of the mean of their softmax.
        workers, max_left_out, progress: as of `recognise`.

    Raises:
        UserError: if videos have no label, there are fewer than processes, too much is unreadable, or logits are not
            finite.
    """
    found = of_each_video(
        encoder, videos, view, encoder.sampler, lambda batch: to_be_averaged(encoder.logits(batch, view), average),
        workers, max_left_out, progress,
    )  # fmt: skip
    refuse_infinite(found)
    if average == "softmax":
        found.vectors = np.log(np.maximum(found.vectors, np.finfo(np.float32).tiny))
    return found


def try_test(encoder: Encoder, videos: Sequence[Video], view: str) -> None:
    """Passes a clip of the first video that can be read: what does not fit is found before a training, not after it.

    Args:
        encoder: that will be tested.
        videos: of the test; unreadable ones among the first are passed over.
        view: of the encoder.

    Raises:
        UserError: if the view cannot be made of the video's frames, as where its crop is larger.
    """
    needed = (encoder.view(view).stream,)
    for row in range(min(len(videos), TRIED)):
        try:
            loaded = load_clips(
                videos[row], needed, encoder.streams, encoder.canvas, encoder.sampler, np.random.default_rng(0)
            )
        except UnreadableVideo:
            continue
        with encoder.evaluating():
            encoder.features(collate([loaded.only(slice(0, 1))], [row], [videos[row].label]), view)
        return


def clip_hits(
    encoder: Encoder,
    videos: Sequence[Video],
    view: str,
    sampler: Sampler,
    workers: int = 2,
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[int, NDArray[np.float32]]:
    """k -> for each video the share of its clips that have the label among their k largest logits: float32 [videos].

    Args:
        encoder, videos, view, workers, max_left_out, progress: as of `video_logits`.
        sampler: which clips.

    Raises:
        UserError: as of `video_logits`.
    """

    def hits(batch: ClipBatch) -> Tensor:
        order = encoder.logits(batch, view).argsort(dim=1, descending=True, stable=True)
        found = order == batch.label.to(order.device)[:, None]
        return torch.stack([found[:, :k].any(1) for k in TOPS], 1).float()

    shares = of_each_video(encoder, videos, view, sampler, hits, workers, max_left_out, progress).vectors
    return dict(zip(TOPS, shares.T, strict=True))
