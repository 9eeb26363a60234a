"""CMC within a batch: two views of a video find each other among the videos of the batch, without memory banks.

Tian, Krishnan, Isola: Contrastive Multiview Coding, ECCV 2020, with the negatives of Chen, Kornblith, Norouzi, Hinton:
A Simple Framework for Contrastive Learning of Visual Representations, ICML 2020.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.backbones.pooling import pool
from praxino.batch import ClipBatch
from praxino.encoders.encoder import Encoder
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError
from praxino.losses.nce import info_nce
from praxino.methods.base import Losses, Method
from praxino.methods.moco import refuse_counts, refuse_temperatures
from praxino.methods.parts.two_views import two_views
from praxino.ranks import gather_rows
from praxino.rng import Rng
from praxino.views.pipeline import View


class CMCInBatch(Method):
    """Contrasts two views of a video within the batch.

    Args:
        backbone: clips in, feature map out; one for both views.
        first: view of the video's first clip (RGB).
        second: view of its last clip (residual, flow): the same clip where the sampler gives one.
        hidden: width of the projection head's hidden layer; None: the backbone's.
        dim: width of the embedding.
        temperature: divides the cosine similarities.
        aligned: both views draw the same boxes and flips.

    Raises:
        UserError: if a number is out of range.
    """

    def __init__(
        self,
        backbone: Backbone,
        first: View,
        second: View,
        hidden: int | None = None,
        dim: int = 128,
        temperature: float = 0.1,
        aligned: bool = False,
    ) -> None:
        super().__init__()
        refuse_counts(hidden=hidden, dim=dim)
        refuse_temperatures(temperature=temperature)
        self.backbone = backbone
        self.first = first
        self.second = second
        self.hidden = hidden
        self.dim = dim
        self.temperature = temperature
        self.aligned = aligned
        self.streams = tuple(dict.fromkeys((first.stream, second.stream)))
        width = hidden or backbone.dim
        self.head = nn.Sequential(nn.Linear(backbone.dim, width), nn.ReLU(inplace=True), nn.Linear(width, dim))

    def setup(self, videos: int, batch_size: int, rng: Rng) -> None:
        if batch_size < 2:
            raise UserError("the videos of a batch are each other's negatives: --batch_size must be at least 2")

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        return self.objective(two_views(batch, rng, self.first, self.second, self.aligned))

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """views["first"], views["second"]: float32 [B, C, T, h, w]."""
        one, two = (self.embed(views[name]) for name in ("first", "second"))
        ones, twos = gather_rows(one), gather_rows(two)
        # Each view's question goes to the other view: the mean of both directions.
        losses = {"first": info_nce(ones, twos, self.temperature), "second": info_nce(twos, ones, self.temperature)}
        total = (losses["first"] + losses["second"]) / 2
        return Losses(
            total,
            terms={name: loss.detach() for name, loss in losses.items()},
            embeddings={"first": one.detach(), "second": two.detach()},
        )

    def embed(self, clips: Tensor) -> Tensor:
        """[B, C, T, h, w] -> [B, dim]."""
        return self.head(pool(self.backbone(clips), "mean"))

    def exports(self, protocol: Protocol) -> dict[str, Encoder]:
        return {"": Encoder.of(self.backbone, protocol)}
