"""A method of one's own: a class in one's own file, named in one's own recipe. Nothing is registered.

cd examples && praxino pretrain my_method.yaml --videos DIR

It is Barlow Twins (Zbontar et al., ICML 2021) on the two clips of a video: their embeddings' cross-correlation over the
batch is to be the identity.
"""

from typing import Any

import torch
from torch import Tensor, nn

from praxino.backbones import Backbone, pool
from praxino.batch import ClipBatch
from praxino.encoders import Encoder, Protocol
from praxino.methods import Losses, Method
from praxino.precision import full_precision
from praxino.ranks import gather_rows
from praxino.rng import Rng
from praxino.views import View


@full_precision
def barlow_twins(first: Tensor, second: Tensor, off_diagonal: float) -> Tensor:
    """Embeddings [K, d] of K videos by two clips -> scalar."""
    first, second = ((x - x.mean(0)) / (x.std(0) + 1e-6) for x in (first, second))
    correlation = first.T @ second / len(first)  # [d, d]
    wrong = (correlation - torch.eye(len(correlation), device=correlation.device)).square()
    return wrong.diagonal().sum() + off_diagonal * (wrong.sum() - wrong.diagonal().sum())


class BarlowTwins(Method):
    """Decorrelates the embedding.

    Args:
        backbone: clips in, feature map out.
        view: what the network sees of both clips.
        dim: width of the embedding.
        off_diagonal: weight of the correlations that should be zero.
    """

    def __init__(self, backbone: Backbone, view: View, dim: int = 128, off_diagonal: float = 0.01) -> None:
        super().__init__()
        self.backbone = backbone
        self.view = view
        self.streams = (view.stream,)
        self.dim = dim
        self.off_diagonal = off_diagonal
        self.head = nn.Linear(backbone.dim, dim)

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        return self.objective({"clips": self.view(batch, rng)})

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """views["clips"]: float32 [B, 2, C, T, H, W]."""
        clips = views["clips"]
        embeddings = self.head(pool(self.backbone(clips.flatten(0, 1)), "mean")).unflatten(0, clips.shape[:2])
        first, second = gather_rows(embeddings).unbind(1)
        loss = barlow_twins(first, second, self.off_diagonal)
        return Losses(loss, terms={"barlow_twins": loss.detach()}, embeddings={"clip": embeddings[:, 0].detach()})

    def exports(self, protocol: Protocol) -> dict[str, Encoder]:
        return {"": Encoder.of(self.backbone, protocol)}
