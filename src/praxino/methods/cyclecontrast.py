"""CycleContrast: MoCo, and a cycle from a frame to a soft neighbour in other videos and back to its own video.

Wu, Wang: Contrastive Learning of Image Representations with Cross-Video Cycle-Consistency, ICCV 2021.
docs/methods/cyclecontrast.md has the equations and every choice.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from praxino import ranks
from praxino.backbones.base import Backbone
from praxino.backbones.pooling import pool
from praxino.batch import ClipBatch
from praxino.errors import UserError, check_within
from praxino.losses.cycle import positive_first, soft_neighbours
from praxino.losses.nce import softmax_rows
from praxino.methods.base import Losses
from praxino.methods.moco import MoCo, Projection, found, key_order, refuse_counts, refuse_temperatures
from praxino.methods.parts.momentum import follow, follower
from praxino.methods.parts.queue import Queue
from praxino.rng import Rng
from praxino.views.pipeline import View


class CycleContrast(MoCo):
    """Contrasts as MoCo does, and goes there and back over the frames of other videos.

    The first clip of each video is the query's (and, drawn anew, the key's), the others are candidates for the way
    back: the sampler `RelatedFrames` draws single frames so.

    Args:
        backbone, view, projection, hidden, dim, queue_rows, momentum, temperature, batchnorm_parts, exclude_own: as of
            `MoCo`; with `exclude_own` a video's own keys are no part of its soft neighbour either.
        separate_head: a second head, of the same form, and a second queue for the cycle; False: MoCo's serve both.
        cycle_queue_rows: keys that the second queue remembers; not used without a second head.
        support: rows of the cycle's queue, drawn anew at each step, that make the soft neighbour; the other ones are
            the negatives of the way back. None: all of them serve for both.
        soft_temperature: divides the similarities that weigh the soft neighbour; None: as `temperature`.
        with_query: the query itself is one more row of its support (see `soft_neighbours`).
        video_positive: MoCo's positive is another frame of the video, in the place of the key. The key is what enters
            the queue all the same.
        contrast_weight: of MoCo's loss.
        cycle_weight: of the cycle's loss. The original: 0.1.
        split: the support is drawn once for all processes ("shared"), or, as in the original, by each ("each").

    Raises:
        UserError: if a number is out of range, or a weight of 0 would leave a head without gradient.
    """

    def __init__(
        self,
        backbone: Backbone,
        view: View,
        projection: Projection = "mlp",
        hidden: int | None = None,
        dim: int = 128,
        queue_rows: int = 65536,
        momentum: float = 0.999,
        temperature: float = 0.07,
        batchnorm_parts: int = 4,
        separate_head: bool = True,
        cycle_queue_rows: int = 81920,
        support: int | None = 16384,
        soft_temperature: float | None = None,
        with_query: bool = False,
        video_positive: bool = True,
        contrast_weight: float = 1.0,
        cycle_weight: float = 0.1,
        split: Literal["shared", "each"] = "shared",
        exclude_own: bool = True,
    ) -> None:
        super().__init__(
            backbone, view, projection, hidden, dim, queue_rows, momentum, temperature, batchnorm_parts, exclude_own
        )
        refuse_counts(cycle_queue_rows=cycle_queue_rows, support=support)
        refuse_temperatures(soft_temperature=soft_temperature)
        check_within(0, 1e6, **{"method.contrast_weight": contrast_weight, "method.cycle_weight": cycle_weight})
        self.separate_head = separate_head
        self.cycle_queue_rows = cycle_queue_rows
        self.support = support
        self.soft_temperature = soft_temperature
        self.with_query = with_query
        self.video_positive = video_positive
        self.contrast_weight = contrast_weight
        self.cycle_weight = cycle_weight
        self.split = split
        if split not in ("shared", "each"):
            raise UserError(f"--method.split {split}: the support is drawn 'shared', or by 'each' process")
        self._refuse_idle_heads()
        if separate_head:
            self.cycle_head = self.new_head()
            self.key_cycle_head = follower(self.cycle_head)
            self.cycle_queue = Queue(cycle_queue_rows, dim)
            self.most_videos = min(queue_rows, cycle_queue_rows)
        if support is not None and support >= len(self.cycled):
            raise UserError(
                f"--method.support {support} leaves none of the {len(self.cycled)} rows of the cycle's queue for the "
                "way back: pass a smaller one, or null to take all rows for both"
            )

    @property
    def cycled(self) -> Queue:
        """The queue that the cycle goes through."""
        return self.cycle_queue if self.separate_head else self.queue

    def setup(self, videos: int, batch_size: int, rng: Rng) -> None:
        super().setup(videos, batch_size, rng)
        if self.separate_head:
            self.cycle_queue.fill(rng.child("cycle queue"))

    def before_step(self) -> None:
        super().before_step()
        if self.separate_head:
            follow(self.key_cycle_head, self.cycle_head, self.momentum)

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        clips = batch.numbers.shape[1]
        if clips < 2:
            raise UserError(
                "CycleContrast takes a query and one candidate or more of each video, not a single clip: "
                "--sampler RelatedFrames"
            )
        query = self.view(batch, rng.child("query"), slice(0, 1)).squeeze(1)
        key = self.view(batch, rng.child("key"), slice(0, 1)).squeeze(1)
        candidates = self.view(batch, rng.child("candidates"), slice(1, None))
        order = key_order(rng, len(key) * clips, key.device)
        drawn = {name: drawn_candidates(rng.child(name), candidates) for name in ("back", "positive")}
        split = self.drawn_split(rng.child("split"), key.device)
        views = {"query": query, "key": key, "candidates": candidates}
        return self.objective(views, order=order, index=batch.index, split=split, **drawn)

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """views["query"], views["key"]: float32 [B, C, T, H, W]; views["candidates"]: [B, n, C, T, H, W].

        drawn: "order", a permutation int64 [B * (1 + n) * world] of the keys, then the candidates, of all processes;
        "index" int64 [B]; "split", a permutation of the cycle's queue; "back" and "positive", int64 [B], which
        candidate of each video is the end of its cycle, and MoCo's positive.
        """
        features = self.features(views["query"])
        heads = [self.head, self.cycle_head] if self.separate_head else [self.head]
        queries = torch.stack([F.normalize(head(features).float(), dim=1) for head in heads])
        keys = self.keys(torch.cat([views["key"], views["candidates"].flatten(0, 1)]), drawn.pop("order"))
        keys = keys.unflatten(1, (len(heads), self.dim)).transpose(0, 1)  # [heads, B * (1 + n), dim]
        own, candidates = keys.tensor_split([len(features)], dim=1)
        candidates = candidates.unflatten(1, views["candidates"].shape[:2])
        return self.cycle_contrasted(queries, own, candidates, **drawn)

    def cycle_contrasted(
        self,
        queries: Tensor,
        keys: Tensor,
        candidates: Tensor,
        index: Tensor,
        split: Tensor,
        back: Tensor,
        positive: Tensor,
    ) -> Losses:
        """Both losses, of embeddings of unit length. h is 2 with a separate head (MoCo's, then the cycle's), else 1.

        Args:
            queries: [h, B, dim], with gradient.
            keys: [h, B, dim], of the queries' frames.
            candidates: [h, B, n, dim], of frames of the same videos.
            index, split, back, positive: as of `objective`.
        """
        rows = torch.arange(len(index), device=index.device)
        chosen = candidates[0, rows, positive] if self.video_positive else keys[0]
        losses = self.contrasted(queries[0], chosen, keys[0], index)

        neighbours = self.neighbours(queries[-1], keys[-1], split, index)
        negatives, left_out = self.part_of_queue(split, index, back=True)
        back_scores = positive_first(neighbours, candidates[-1, rows, back], negatives, left_out)
        cycle = ranks.gather_rows(softmax_rows(back_scores, self.temperature)).mean()
        losses.total = self.contrast_weight * losses.total + self.cycle_weight * cycle
        losses.terms |= {"cycle": cycle.detach(), "cycle_accuracy": found(back_scores)}
        if self.separate_head:
            losses.embeddings["cycle"] = queries[1].detach()
            losses.kept["cycle_keys"] = keys[1]
        return losses

    def neighbours(self, queries: Tensor, keys: Tensor, split: Tensor, index: Tensor) -> Tensor:
        """The soft neighbour of each query: [B, dim] of unit length."""
        temperature = self.temperature if self.soft_temperature is None else self.soft_temperature
        support, left_out = self.part_of_queue(split, index, back=False)
        return soft_neighbours(queries, support, temperature, keys if self.with_query else None, left_out)

    def part_of_queue(self, split: Tensor, index: Tensor, back: bool) -> tuple[Tensor, Tensor | None]:
        """The rows of the cycle's queue that make the neighbours, or those that the way back is held against.

        Returns:
            [S, dim] or [rows - S, dim]; and which of them are none of a video's: bool [B, ...], or None.
        """
        keys, videos = self.cycled.keys, self.cycled.videos
        if self.support is not None:
            rows = split[self.support :] if back else split[: self.support]
            # Half the time of indexing, on a CPU.
            keys, videos = keys.index_select(0, rows), videos.index_select(0, rows)
        return keys, self.own_rows(index, videos)

    def key_embeddings(self, clips: Tensor) -> Tensor:
        """[n, C, T, H, W] -> [n, dim] of unit length, with a separate head [n, 2 * dim]: MoCo's, then the cycle's."""
        features = pool(self.key_backbone(clips), "mean")
        heads = [self.key_head, self.key_cycle_head] if self.separate_head else [self.key_head]
        return torch.cat([F.normalize(head(features).float(), dim=1) for head in heads], dim=1)

    def after_step(self, kept: dict[str, Tensor]) -> None:
        super().after_step(kept)
        if self.separate_head:
            self.cycle_queue.write(kept["cycle_keys"], kept["index"])

    def drawn_split(self, rng: Rng, device: torch.device) -> Tensor:
        """A permutation int64 [rows] of the cycle's queue."""
        own = rng.child(rng.rank) if self.split == "each" else rng
        return torch.from_numpy(own.shared().permutation(len(self.cycled))).to(device)

    def _refuse_idle_heads(self) -> None:
        idle = [name for name in ("contrast_weight", "cycle_weight") if not getattr(self, name)]
        if len(idle) == 2 or (idle and self.separate_head):
            mend = (
                "--method.separate_head false with one weight above 0, or MoCo, which is the method without its cycle"
            )
            raise UserError(f"--method.{idle[0]} 0 leaves a head without gradient: pass {mend}")


def drawn_candidates(rng: Rng, candidates: Tensor) -> Tensor:
    """One of the candidates [B, n, ...] of each video, all alike: int64 [B]."""
    videos, each = candidates.shape[:2]
    return rng.rows(videos, lambda generator, rows: generator.integers(0, each, rows)).to(candidates.device)
