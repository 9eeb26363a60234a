"""What `cyclecontrast_step.py` measures ours against: CycleContrast's maths, arranged as in the original.

Written from a description of the original, not from its code. The queues are columns [dim, rows]; each loss takes a
copy of its whole queue, and multiplies it by the queries before the support is picked out of the product, column by
column. The key network moves in the middle of the forward, and every exchange of rows leaves a copy, on one process
too. Hits are not counted, which ours does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from praxino.backbones.pooling import pool
from praxino.methods.base import Losses
from praxino.methods.cyclecontrast import CycleContrast
from praxino.rng import Rng


class OriginalsWay(CycleContrast):
    """The same maths, as the original arranges it: of the published options alone, on one process."""

    def setup(self, videos: int, batch_size: int, rng: Rng) -> None:
        super().setup(videos, batch_size, rng)
        self.columns = self.queue.keys.T.contiguous()
        self.cycle_columns = self.cycle_queue.keys.T.contiguous()
        self.places = {"keys": 0, "cycle_keys": 0}

    def before_step(self) -> None:
        """Nothing: it moves in the forward."""

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        features = pool(self.backbone(views["query"]), "mean")
        queries = [F.normalize(head(features), dim=1) for head in (self.cycle_head, self.head)][::-1]
        with torch.no_grad():
            self.moved()
            clips = torch.cat([views["key"], views["candidates"].flatten(0, 1)])
            order = drawn.pop("order")
            features = pool(self.key_backbone(clips.clone()[order]), "mean")
            made = [F.normalize(head(features), dim=1) for head in (self.key_head, self.key_cycle_head)]
            made = [one.clone()[order.argsort()] for one in made]  # both exchanges leave copies
        keys = [one[: len(queries[0])] for one in made]
        candidates = [one[len(queries[0]) :].view(*views["candidates"].shape[:2], -1) for one in made]
        return self.cycle_contrasted(queries, keys, candidates, **drawn)

    def moved(self) -> None:
        """The key network after the query's."""
        pairs = [(self.backbone, self.key_backbone), (self.head, self.key_head)]
        for network, own in [*pairs, (self.cycle_head, self.key_cycle_head)]:
            for q, k in zip(network.parameters(), own.parameters(), strict=True):
                k.data = k.data * self.momentum + q.data * (1.0 - self.momentum)

    def cycle_contrasted(
        self,
        queries: Sequence[Tensor],
        keys: Sequence[Tensor],
        candidates: Sequence[Tensor],
        index: Tensor,
        split: Tensor,
        back: Tensor,
        positive: Tensor,
    ) -> Losses:
        rows = torch.arange(len(index), device=index.device)
        targets = torch.zeros(len(index), dtype=torch.int64, device=index.device)
        queue = self.columns.clone().detach()
        table = scored(queries[0], candidates[0][rows, positive], torch.einsum("nc,ck->nk", queries[0], queue))
        contrastive = F.cross_entropy(table / self.temperature, targets)

        queue = self.cycle_columns.clone().detach()
        support, others = split[: self.support], split[self.support :]
        similar = torch.einsum("nc,ck->nk", queries[1], queue)
        weights = torch.softmax(similar[:, support] / self.temperature, dim=1)
        neighbours = F.normalize(torch.einsum("nk,ck->nc", weights, queue[:, support]), dim=1)
        negatives = torch.einsum("nc,ck->nk", neighbours, queue[:, others])
        table = scored(neighbours, candidates[1][rows, back], negatives)
        cycle = F.cross_entropy(table / self.temperature, targets)
        total = self.contrast_weight * contrastive + self.cycle_weight * cycle
        return Losses(total, {"contrastive": contrastive.detach(), "cycle": cycle.detach()}, {}, kept_keys(keys))

    def after_step(self, kept: dict[str, Tensor]) -> None:
        for name, columns in (("keys", self.columns), ("cycle_keys", self.cycle_columns)):
            place, rows = self.places[name], len(kept[name])
            columns[:, place : place + rows] = kept[name].T
            self.places[name] = (place + rows) % columns.shape[1]


def scored(queries: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
    """The positive's column before the others."""
    return torch.cat([torch.einsum("nc,nc->n", queries, positives).unsqueeze(-1), negatives], dim=1)


def kept_keys(keys: Sequence[Tensor]) -> dict[str, Tensor]:
    """What enters the queues."""
    return {"keys": keys[0].detach(), "cycle_keys": keys[1].detach()}
