"""IIC within a batch: the SimCLR form that the IIC authors announced; two views, intra-negatives, no memory banks.

Tao, Wang, Yamasaki: Self-supervised Video Representation Learning Using Inter-intra Contrastive Framework, ACM MM 2020.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.batch import ClipBatch
from praxino.losses.nce import info_nce
from praxino.methods.base import Losses
from praxino.methods.cmc_in_batch import CMCInBatch
from praxino.methods.parts.two_views import two_views
from praxino.ranks import gather_rows
from praxino.rng import Rng
from praxino.views.motion import Repeat, destroyed
from praxino.views.pipeline import Operation, View


class IICInBatch(CMCInBatch):
    """Contrasts two views of a video within the batch, and with the clips of the batch whose motion is destroyed.

    The intra-negatives are made of the first view's clips and are negatives of every video in both directions. Unlike
    in the form with banks they carry gradient: nothing is remembered that could stand for them.

    Args:
        backbone: clips in, feature map out; one for both views and the negatives.
        first: view of the video's first clip (RGB).
        second: view of its last clip (residual, flow): the same clip where the sampler gives one.
        intra: destroys the motion of a clip: `Repeat` or `Shuffle`.
        hidden, dim, temperature, aligned: as of `CMCInBatch`.

    Raises:
        UserError: as of `CMCInBatch`.
    """

    def __init__(
        self,
        backbone: Backbone,
        first: View,
        second: View,
        intra: Operation | None = None,
        hidden: int | None = None,
        dim: int = 128,
        temperature: float = 0.1,
        aligned: bool = False,
    ) -> None:
        super().__init__(backbone, first, second, hidden, dim, temperature, aligned)
        self.intra = intra or Repeat()

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        views = two_views(batch, rng, self.first, self.second, self.aligned)
        views["intra"] = destroyed(views["first"], self.intra, rng.child("intra"))
        return self.objective(views)

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """views["first"], views["second"], views["intra"]: float32 [B, C, T, h, w]."""
        one, two, intra = (self.embed(views[name]) for name in ("first", "second", "intra"))
        ones, twos, intras = gather_rows(one), gather_rows(two), gather_rows(intra)
        losses = {
            "first": info_nce(ones, twos, self.temperature, intras),
            "second": info_nce(twos, ones, self.temperature, intras),
        }
        return Losses(
            (losses["first"] + losses["second"]) / 2,
            terms={name: loss.detach() for name, loss in losses.items()},
            embeddings={"first": one.detach(), "second": two.detach()},
        )
