"""MoCo: a query finds its key, of a network that follows slowly, among a queue of keys of earlier batches.

He, Fan, Wu, Xie, Girshick: Momentum Contrast for Unsupervised Visual Representation Learning, CVPR 2020; v2: Chen, Fan,
Girshick, He: Improved Baselines with Momentum Contrastive Learning, 2020. docs/methods/cyclecontrast.md has the
equations and every choice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from praxino import ranks
from praxino.backbones.base import Backbone
from praxino.backbones.pooling import pool
from praxino.batch import ClipBatch
from praxino.encoders.encoder import Encoder
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError, check_within, nearest
from praxino.losses.cycle import positive_first
from praxino.losses.nce import softmax_rows
from praxino.methods.base import Losses, Method
from praxino.methods.parts.momentum import follow, follower, in_parts, shuffled, unshuffled
from praxino.methods.parts.queue import Queue
from praxino.rng import Rng
from praxino.views.pipeline import View

Projection = Literal["mlp", "linear"]
FORMS = ("mlp", "linear")
HELD_OUT = -2  # in the place of a video, for one that the queue does not know


class MoCo(Method):
    """Contrasts two views of a frame, or of a clip, with a queue of keys.

    With one clip of each video the two views are drawn of that clip; with two, the key is of the second one.

    Args:
        backbone: clips in, feature map out; its mean over time and space is the feature.
        view: what the network sees (RGB, residual, ...), drawn anew for the query and for the key.
        projection: the form of the head: "mlp" of two layers (v2), or "linear" (v1).
        hidden: width of the hidden layer; None: the backbone's.
        dim: width of the embedding.
        queue_rows: keys that are remembered; at least as many as the videos of an optimizer step.
        momentum: share of the key network's old weights in a step.
        temperature: divides the cosine similarities. v1: 0.07, v2: 0.2.
        batchnorm_parts: BatchNorm normalises so many parts of a process's batch apart, those of the keys being mixed,
            so that a key cannot be told by the statistics that it shares with its query. The original has 1, and one
            part a process; on a single process that tells keys by their statistics, and a line says so.
        exclude_own: earlier keys of a query's own video are none of its negatives. The original, whose queue is a tenth
            of its videos, does not ask; in a queue longer than the list of videos every query has some.
    """

    least_videos = 2

    def __init__(
        self,
        backbone: Backbone,
        view: View,
        projection: Projection = "mlp",
        hidden: int | None = None,
        dim: int = 128,
        queue_rows: int = 65536,
        momentum: float = 0.999,
        temperature: float = 0.2,
        batchnorm_parts: int = 4,
        exclude_own: bool = True,
    ) -> None:
        super().__init__()
        if projection not in FORMS:
            raise UserError(f"--method.projection {projection}: there is no such head.{nearest(projection, FORMS)}")
        refuse_counts(hidden=hidden, dim=dim, queue_rows=queue_rows, batchnorm_parts=batchnorm_parts)
        refuse_temperatures(temperature=temperature)
        check_within(0, 1, **{"method.momentum": momentum})
        self.backbone = backbone
        self.view = view
        self.projection = projection
        self.hidden = hidden
        self.dim = dim
        self.queue_rows = queue_rows
        self.momentum = momentum
        self.temperature = temperature
        self.batchnorm_parts = batchnorm_parts
        self.exclude_own = exclude_own
        self.streams = (view.stream,)
        self.most_videos = queue_rows
        self.head = self.new_head()
        self.key_backbone = follower(backbone)
        self.key_head = follower(self.head)
        self.queue = Queue(queue_rows, dim)

    def new_head(self) -> nn.Module:
        """[b, backbone.dim] -> [b, dim], drawn anew."""
        width = self.hidden or self.backbone.dim
        if self.projection == "linear":
            return nn.Linear(self.backbone.dim, self.dim)
        return nn.Sequential(nn.Linear(self.backbone.dim, width), nn.ReLU(inplace=True), nn.Linear(width, self.dim))

    def setup(self, videos: int, batch_size: int, rng: Rng) -> None:
        self.queue.fill(rng.child("queue"))

    def advice(self, steps: int) -> str | None:
        if self.batchnorm_parts * ranks.world() > 1:
            return None
        return (
            "one process and --method.batchnorm_parts 1: queries and keys are normalised by statistics of the same "
            "videos, by which a key can be told from the queue's; the original has 8 processes, as which "
            "--method.batchnorm_parts 8 does"
        )

    def before_step(self) -> None:
        follow(self.key_backbone, self.backbone, self.momentum)
        follow(self.key_head, self.head, self.momentum)

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        clips = batch.numbers.shape[1]
        if clips > 2:
            raise UserError(f"MoCo takes one clip or two of each video, not {clips}: --sampler.clips 1")
        query = self.view(batch, rng.child("query"), slice(0, 1)).squeeze(1)
        key = self.view(batch, rng.child("key"), slice(clips - 1, clips)).squeeze(1)
        order = key_order(rng, len(key), key.device)
        return self.objective({"query": query, "key": key}, order=order, index=batch.index)

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """views["query"], views["key"]: float32 [B, C, T, H, W].

        drawn["order"]: of the keys of all processes, a permutation int64 [B * world]; drawn["index"]: int64 [B], whose
        keys they are.
        """
        queries = F.normalize(self.head(self.features(views["query"])).float(), dim=1)
        keys = self.keys(views["key"], drawn["order"])
        return self.contrasted(queries, keys, keys, drawn["index"])

    def contrasted(self, queries: Tensor, positives: Tensor, keys: Tensor, index: Tensor) -> Losses:
        """The loss of queries against their positives and the queue.

        Args:
            queries: [B, dim] of unit length, with gradient.
            positives: [B, dim] of unit length.
            keys: [B, dim] of unit length, which the queue takes.
            index: int64 [B], whose they are.
        """
        scores = positive_first(queries, positives, self.queue.keys, self.own_rows(index, self.queue.videos))
        loss = ranks.gather_rows(softmax_rows(scores, self.temperature)).mean()
        terms = {"contrastive": loss.detach(), "accuracy": found(scores)}
        return Losses(loss, terms, {"query": queries.detach()}, {"keys": keys, "index": index})

    def own_rows(self, index: Tensor, videos: Tensor) -> Tensor | None:
        """bool [B, rows]: which rows, of these videos int64 [rows], are a video's own; None where nobody asks."""
        return videos == index[:, None] if self.exclude_own else None

    def features(self, clips: Tensor) -> Tensor:
        """[b, C, T, H, W] -> [b, backbone.dim]."""
        return in_parts(lambda part: pool(self.backbone(part), "mean"), clips, self.batchnorm_parts)

    @torch.no_grad()
    def keys(self, clips: Tensor, order: Tensor) -> Tensor:
        """The keys of clips, each process having normalised a mixed share of all: [n, C, T, H, W] -> [n, d]."""
        keys = in_parts(self.key_embeddings, shuffled(clips, order), self.batchnorm_parts)
        return unshuffled(keys, order)

    def key_embeddings(self, clips: Tensor) -> Tensor:
        """[n, C, T, H, W] -> [n, dim] of unit length."""
        return F.normalize(self.key_head(pool(self.key_backbone(clips), "mean")).float(), dim=1)

    def after_step(self, kept: dict[str, Tensor]) -> None:
        self.queue.write(kept["keys"], kept["index"])

    def validated(self, batch: ClipBatch, rng: Rng) -> Losses:
        """Held-out videos against the queue of the training's, of which no row is their own, whatever its number."""
        return self(replace(batch, index=torch.full_like(batch.index, HELD_OUT)), rng)

    def exports(self, protocol: Protocol) -> dict[str, Encoder]:
        return {"": Encoder.of(self.backbone, protocol)}

    def backbones(self) -> dict[str, tuple[Backbone, ...]]:
        return {"": (self.backbone, self.key_backbone)}


def key_order(rng: Rng, clips: int, device: torch.device) -> Tensor:
    """The order in which the clips of all processes are mixed: int64 [clips * world], the same on all of them."""
    order = rng.child("shuffle").shared().permutation(clips * ranks.world())
    return torch.from_numpy(order).to(device)


@torch.no_grad()
def found(scores: Tensor) -> Tensor:
    """The share of rows, over all processes, whose positive (column 0) is ahead of all else: a scalar."""
    # Not by argmax: over rows this long it takes ten times as long on a CPU.
    return ranks.mean_over_ranks((scores[:, 0] == scores.amax(1)).float().mean())


def refuse_counts(**counts: int | None) -> None:
    """Raises UserError for a number of things that is given and below 1, or beyond what memory can hold."""
    check_within(1, 2**31 - 1, **{f"method.{name}": count for name, count in counts.items()})


def refuse_temperatures(**temperatures: float | None) -> None:
    """Raises UserError for a temperature that is given and too near to 0, or too large, to divide by."""
    check_within(1e-4, 1e4, **{f"method.{name}": temperature for name, temperature in temperatures.items()})
