"""SimCLR on clips: two clips of one video, each seen through its own augmentation, find each other in the batch.

Chen, Kornblith, Norouzi, Hinton: A Simple Framework for Contrastive Learning of Visual Representations, ICML 2020. On
video, two clips of different times: Qian et al., Spatiotemporal Contrastive Video Representation Learning, CVPR 2021.
Changed copies as further instances, not as positives: Tack, Mo, Jeong, Shin: CSI, NeurIPS 2020, with turned images.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.backbones.pooling import pool
from praxino.batch import ClipBatch
from praxino.encoders.encoder import Encoder
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError
from praxino.losses.contrastive import nt_xent
from praxino.methods.base import Losses, Method
from praxino.methods.parts.backwards import with_backwards
from praxino.ranks import gather_rows
from praxino.rng import Rng
from praxino.views.pipeline import View


class SimCLR(Method):
    """Contrasts the two clips that the sampler draws of each video.

    Args:
        backbone: clips in, feature map out.
        view: what the network sees of both clips (RGB, residual, ...), drawn anew for each clip.
        hidden: width of the projection head's hidden layer; None: the backbone's.
        dim: width of the embedding.
        temperature: divides the cosine similarities.
        others: further views of the same clips: each is contrasted by itself, through the same network, and the loss is
            the mean. A network that shall be used on several views learns all of them so, each with its own
            statistics in BatchNorm.
        backwards: each video played backwards is one more video of the batch. It looks like the video and moves the
            other way, so that it can be told from it by the direction of the motion alone.
    """

    def __init__(
        self,
        backbone: Backbone,
        view: View,
        hidden: int | None = None,
        dim: int = 128,
        temperature: float = 0.1,
        backwards: bool = False,
        others: tuple[View, ...] = (),
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.view = view
        self.hidden = hidden
        self.dim = dim
        self.temperature = temperature
        self.backwards = backwards
        self.others = tuple(others)
        self.streams = tuple(dict.fromkeys(each.stream for each in (view, *self.others)))
        width = hidden or backbone.dim
        self.head = nn.Sequential(nn.Linear(backbone.dim, width), nn.ReLU(inplace=True), nn.Linear(width, dim))

    def setup(self, videos: int, batch_size: int, rng: Rng) -> None:
        if batch_size < 2:
            raise UserError("SimCLR contrasts the videos of a batch: --batch_size must be at least 2")

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        if batch.numbers.shape[1] != 2:
            raise UserError(f"SimCLR takes two clips of each video, not {batch.numbers.shape[1]}: --sampler.clips 2")
        if self.backwards:
            batch = with_backwards(batch)
        # One draw per clip, made in one go: the two clips of a video are independently augmented rows of it.
        views = {"clips": self.view(batch, rng.child("view"))}  # [B, 2, C, T, H, W]
        for number, other in enumerate(self.others, 1):
            views[f"clips {number}"] = other(batch, rng.child("view", number))
        return self.objective(views)

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """The contrast of each view's clips, float32 [B, 2, C, T, H, W]; "clips" is the first view's."""
        embedded = {name: self._embeddings(clips) for name, clips in views.items()}
        losses = [self._contrast(each) for each in embedded.values()]
        loss = torch.stack(losses).mean()
        terms = {name.replace("clips", "contrastive"): each.detach() for name, each in zip(views, losses, strict=True)}
        return Losses(loss, terms=terms, embeddings={"clip": embedded["clips"][:, 0].detach()})

    def _embeddings(self, clips: Tensor) -> Tensor:
        features = pool(self.backbone(clips.flatten(0, 1)), "mean")  # [B * 2, backbone.dim]
        return self.head(features).unflatten(0, clips.shape[:2])  # [B, 2, dim]

    def _contrast(self, embeddings: Tensor) -> Tensor:
        first, second = gather_rows(embeddings).unbind(1)
        return nt_xent(first, second, self.temperature)

    def exports(self, protocol: Protocol) -> dict[str, Encoder]:
        return {"": Encoder.of(self.backbone, protocol)}
