"""CMC on video, with memory banks: two views of a clip find each other among the remembered videos.

Tian, Krishnan, Isola: Contrastive Multiview Coding, ECCV 2020, as IIC's authors run it beside IIC: one network for both
views, no head. docs/methods/iic.md has the equations and every choice.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.backbones.pooling import pool
from praxino.batch import ClipBatch
from praxino.encoders.encoder import Encoder
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError, check_within
from praxino.losses.nce import nce_constant, nce_rows, softmax_rows
from praxino.methods.base import Losses, Method
from praxino.methods.moco import refuse_counts, refuse_temperatures
from praxino.methods.parts.memory_bank import MemoryBank, draw_candidates
from praxino.methods.parts.two_views import two_views
from praxino.ranks import gather_rows
from praxino.rng import Rng
from praxino.views.pipeline import View

PUBLISHED = 143_000  # steps on UCF101
SHORTEST = 50_000  # steps on HMDB51, the shortest published run: 240 epochs of 223


class CMC(Method):
    """Contrasts two views of a video by memory banks.

    The banks need many passes over the videos: IIC's authors take 240 epochs of batches of 16 (143,000 steps on
    UCF101). For minutes on a CPU there is `CMCInBatch`.

    Args:
        backbone: clips in, feature map out; its mean over time and space is the feature, as it is.
        first: the first view (RGB).
        second: the second view (residual, one direction of the flow); None: the first again, without another forward.
        negatives: random videos that each clip is held against.
        temperature: divides the scores.
        momentum: share of the old row in a bank's update, 0 to 1.
        loss: "softmax", or "nce" with a constant that the first batch sets for good.
        aligned: both views draw the same boxes. A residual always should; the original's flow does not.
        normalise: scales features to unit length before the scores; the original does not.
        exclude_own: no video is drawn as its own negative; in the original it may be.

    Raises:
        UserError: if a number is out of range, or there is no such loss.
    """

    constants: Tensor

    def __init__(
        self,
        backbone: Backbone,
        first: View,
        second: View | None = None,
        negatives: int = 1024,
        temperature: float = 0.07,
        momentum: float = 0.5,
        loss: Literal["softmax", "nce"] = "softmax",
        aligned: bool = True,
        normalise: bool = False,
        exclude_own: bool = False,
    ) -> None:
        super().__init__()
        if loss not in ("softmax", "nce"):
            raise UserError(f"loss is softmax or nce, not {loss!r}")
        refuse_counts(negatives=negatives)
        refuse_temperatures(temperature=temperature)
        check_within(0, 1, **{"method.momentum": momentum})
        self.backbone = backbone
        self.first = first
        self.second = second
        self.negatives = negatives
        self.temperature = temperature
        self.momentum = momentum
        self.loss = loss
        self.aligned = aligned
        self.normalise = normalise
        self.exclude_own = exclude_own
        self.streams = tuple(dict.fromkeys(view.stream for view in (first, second) if view is not None))
        self.first_bank = MemoryBank(backbone.dim)
        self.second_bank = MemoryBank(backbone.dim)
        self.register_buffer("constants", torch.full((2,), -1.0))  # Z of both views; below 0 until the first batch

    def setup(self, videos: int, batch_size: int, rng: Rng) -> None:
        if self.exclude_own and videos < 2:
            raise UserError("exclude_own needs at least two videos to draw negatives from")
        self.first_bank.fill(videos, rng.child("first"))
        self.second_bank.fill(videos, rng.child("second"))

    def advice(self, steps: int) -> str | None:
        if steps >= SHORTEST:
            return None
        return (
            f"memory banks learn slowly: the authors train for 240 epochs ({PUBLISHED:,} steps of 16 videos on UCF101) "
            f"and this run has {steps:,} steps; for minutes on a CPU there are the recipes cmc_small and iic_small"
        )

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        views = two_views(batch, rng, self.first, self.second, self.aligned)
        return self.objective(views, index=batch.index, candidates=self.candidates(batch.index, rng))

    def candidates(self, index: Tensor, rng: Rng) -> Tensor:
        """Rows of the banks, int64 [B, 1 + negatives]: the video's own, then random ones; for both views the same."""
        videos = len(self.first_bank.rows)
        return draw_candidates(rng.child("negatives"), index, self.negatives, videos, self.exclude_own)

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """views["first"], views["second"]: float32 [B, C, T, h, w]; index: int64 [B]; candidates: of `candidates`."""
        one = self.features(views["first"])
        two = self.features(views["second"]) if self.second is not None else one
        candidates = drawn["candidates"]
        losses = self.contrasted(
            # Each view is held against what is remembered of the other one.
            self.second_bank.scores(one, candidates),
            self.first_bank.scores(two, candidates),
        )
        losses.embeddings = {"first": one.detach(), "second": two.detach()}
        losses.kept = {"index": drawn["index"], "first": one.detach(), "second": two.detach()}
        return losses

    def features(self, clips: Tensor) -> Tensor:
        """[B, C, T, h, w] -> [B, backbone.dim]."""
        features = pool(self.backbone(clips), "mean").float()
        return F.normalize(features, dim=1) if self.normalise else features

    def contrasted(self, first: Tensor, second: Tensor) -> Losses:
        """The loss of two score tables [B, candidates] with the positive in column 0: the sum of both views'."""
        terms, totals = {}, []
        for view, (name, scores) in enumerate({"first": first, "second": second}.items()):
            loss = gather_rows(self.loss_rows(scores, view)).mean()
            terms[name] = loss.detach()
            with torch.no_grad():
                terms[f"{name}_probability"] = torch.exp(-softmax_rows(scores, self.temperature)).mean()
            totals.append(loss)
        return Losses(totals[0] + totals[1], terms)

    def loss_rows(self, scores: Tensor, view: int) -> Tensor:
        """Losses [B] of scores [B, candidates] of a view (0 or 1)."""
        if self.loss == "softmax":
            return softmax_rows(scores, self.temperature)
        videos = len(self.first_bank.rows)
        if self.constants[view] < 0:
            estimate = nce_constant(scores, self.temperature, videos)
            self.constants[view] = gather_rows(estimate.reshape(1)).mean()
        # A copy: autograd holds on to it, and the next forward may be this step's too.
        return nce_rows(scores, self.temperature, self.constants[view].clone(), videos)

    def after_step(self, kept: dict[str, Tensor]) -> None:
        self.first_bank.update(kept["index"], kept["first"], self.momentum)
        self.second_bank.update(kept["index"], kept["second"], self.momentum)

    def exports(self, protocol: Protocol) -> dict[str, Encoder]:
        return {"": Encoder.of(self.backbone, protocol)}
