"""IIC: inter-intra contrastive learning. CMC, and each clip also against clips whose motion has been destroyed.

Tao, Wang, Yamasaki: Self-supervised Video Representation Learning Using Inter-intra Contrastive Framework, ACM MM 2020.
docs/methods/iic.md has the equations and every choice.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.batch import ClipBatch
from praxino.methods.base import Losses
from praxino.methods.cmc import CMC
from praxino.methods.parts.memory_bank import MemoryBank
from praxino.methods.parts.two_views import two_views
from praxino.rng import Rng
from praxino.views.motion import Repeat, destroyed
from praxino.views.pipeline import Operation, View


class IIC(CMC):
    """Contrasts two views of a video by memory banks, with intra-negatives.

    The negatives are made of the FIRST view's clip (RGB), whatever the second view is, and go through the same network
    in training mode but without gradient: they only feed a third bank.

    Args:
        backbone: clips in, feature map out; its mean over time and space is the feature, as it is.
        first: the first view (RGB).
        second: the second view (residual, one direction of the flow); None: the first again, without another forward.
        intra: destroys the motion of a clip: `Repeat` or `Shuffle`.
        negatives, temperature, momentum, loss, aligned, normalise, exclude_own: as of `CMC`.

    Raises:
        UserError: as of `CMC`.
    """

    def __init__(
        self,
        backbone: Backbone,
        first: View,
        second: View | None = None,
        intra: Operation | None = None,
        negatives: int = 1024,
        temperature: float = 0.07,
        momentum: float = 0.5,
        loss: Literal["softmax", "nce"] = "softmax",
        aligned: bool = True,
        normalise: bool = False,
        exclude_own: bool = False,
    ) -> None:
        super().__init__(
            backbone, first, second, negatives, temperature, momentum, loss, aligned, normalise, exclude_own
        )
        self.intra = intra or Repeat()
        self.intra_bank = MemoryBank(backbone.dim)

    def setup(self, videos: int, batch_size: int, rng: Rng) -> None:
        super().setup(videos, batch_size, rng)
        self.intra_bank.fill(videos, rng.child("intra"))

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        views = two_views(batch, rng, self.first, self.second, self.aligned)
        views["intra"] = destroyed(views["first"], self.intra, rng.child("intra"))
        return self.objective(views, index=batch.index, candidates=self.candidates(batch.index, rng))

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """As CMC's, with views["intra"] [B, C, T, h, w].

        Each view has 2 * (1 + negatives) candidates: the rows of the other view's bank, the own one first (the
        positive), then the same videos' rows of the intra bank: the own intra-negative is one of them.
        """
        one = self.features(views["first"])
        two = self.features(views["second"]) if self.second is not None else one
        with torch.no_grad():  # in training mode all the same: BatchNorm's running statistics see the negatives
            intra = self.features(views["intra"])
        candidates = drawn["candidates"]
        beside = self.intra_bank.scores(torch.stack([one, two]), candidates)
        losses = self.contrasted(
            torch.cat([self.second_bank.scores(one, candidates), beside[0]], dim=1),
            torch.cat([self.first_bank.scores(two, candidates), beside[1]], dim=1),
        )
        losses.embeddings = {"first": one.detach(), "second": two.detach()}
        losses.kept = {"index": drawn["index"], "first": one.detach(), "second": two.detach(), "intra": intra}
        return losses

    def after_step(self, kept: dict[str, Tensor]) -> None:
        super().after_step(kept)
        self.intra_bank.update(kept["index"], kept["intra"], self.momentum)
