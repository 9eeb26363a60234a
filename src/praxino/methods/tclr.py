"""TCLR: temporal contrastive learning. Videos are told from each other, and so are the times of one video.

Dave, Gupta, Rizve, Shah: TCLR: Temporal Contrastive Learning for Video Representation, CVIU 2022 (arXiv 2101.07974).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.backbones.pooling import pool
from praxino.batch import ClipBatch
from praxino.encoders.encoder import Encoder
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError
from praxino.losses.contrastive import nt_xent_rows
from praxino.losses.temporal import global_local, instance_pairs, local_local
from praxino.methods.base import Losses, Method
from praxino.methods.parts.recompute import recomputed
from praxino.precision import full_precision
from praxino.ranks import gather_rows
from praxino.rng import Rng
from praxino.views.pipeline import View

VERSIONS = (0, 1)
Place = tuple[int, int]
Clip = Callable[[], Tensor]


class ProjectionHead(nn.Module):
    """Two linear layers with BatchNorm after each; [B, dim] -> [B, out], rows of unit length.

    Args:
        dim: width of what comes in.
        hidden: width between the layers.
        out: width of what comes out.
    """

    def __init__(self, dim: int, hidden: int, out: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.bn1 = nn.BatchNorm1d(hidden)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Linear(hidden, out, bias=False)
        self.bn2 = nn.BatchNorm1d(out)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.fc1(x)))
        return full_precision(F.normalize)(self.bn2(self.fc2(x)), dim=1)


class TCLR(Method):
    """Contrasts a sparse clip and n dense clips of each video, each of them seen in two versions.

    The sampler is `SparseDense`: the dense clips tile the stretch of the sparse one, and the backbone leaves n time
    positions of a clip, so that the sparse clip's position t and dense clip t show the same time. Each version of each
    clip goes through backbone and head by itself, as a BatchNorm batch of its own. With several processes BatchNorm
    sees each one's videos, and the losses those of all.

    Args:
        backbone: clips in, feature map out, with n time positions (four of 16 frames in the paper).
        view: what the network sees, drawn anew for each version of each clip.
        hidden: width of the head's hidden layer; None: the backbone's.
        dim: width of the embedding.
        temperature: divides the similarities.
        local_weight: of the local-local term. That one is a sum over the batch, where the others are means: 1 is the
            paper's code whatever the batch, 40 / batch_size keeps the proportions of its batch of 40.
        lean: what a clip leaves for the backward, its floats included, is made again there: the same numbers, for
            another forward, and one clip at a time is held instead of all.
        kept_clips: with `lean`, so many of the last clips' versions are kept all the same, which saves their second
            forward. The very last one is needed at once, so that keeping 1 costs no memory.

    Raises:
        UserError: if none is to be kept, or the temperature is not above 0.
    """

    least_videos = 2  # the head normalises over them, behind its last layer, too

    def __init__(
        self,
        backbone: Backbone,
        view: View,
        hidden: int | None = None,
        dim: int = 128,
        temperature: float = 0.1,
        local_weight: float = 1.0,
        lean: bool = False,
        kept_clips: int = 1,
    ) -> None:
        super().__init__()
        if kept_clips < 1:
            raise UserError(f"kept_clips must be at least 1, not {kept_clips}: the last clip is needed at once")
        if temperature <= 0:
            raise UserError(f"temperature must be above 0, not {temperature}")
        self.backbone = backbone
        self.view = view
        self.hidden = hidden
        self.dim = dim
        self.temperature = temperature
        self.local_weight = local_weight
        self.lean = lean
        self.kept_clips = kept_clips
        self.streams = (view.stream,)
        self.head = ProjectionHead(backbone.dim, hidden or backbone.dim, dim)

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        clips = batch.numbers.shape[1]
        if clips < 3:
            raise UserError(
                f"TCLR takes a sparse clip and two dense ones or more of each video, not {clips} clips: "
                "--sampler SparseDense"
            )

        def clip(version: int, number: int) -> Clip:
            # Drawn here, once; what is made again in the backward pass is pure.
            drawn = self.view.draw(batch, rng.child("view", version, number), number)
            return lambda: self.view.apply(batch, drawn, number).squeeze(1)

        return self.contrasted(*self.embeddings({place: clip(*place) for place in passes(clips - 1)}))

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """views["clips"]: float32 [B, 2, 1 + n, C, T, h, w]: versions of the sparse clip, then of the dense ones."""
        clips = views["clips"]

        def clip(version: int, number: int) -> Clip:
            return lambda: clips[:, version, number]

        return self.contrasted(*self.embeddings({place: clip(*place) for place in passes(clips.shape[2] - 1)}))

    def embeddings(self, clips: Mapping[Place, Clip]) -> tuple[Tensor, Tensor, Tensor]:
        """The three kinds of embeddings, all of unit length.

        Args:
            clips: (version, number of the clip) -> makes its floats [B, C, T, h, w]; in the order of `passes`, which is
                that of BatchNorm's updates.

        Returns:
            [B, 2, dim] of the sparse clip; [B, 2, n, dim] of its time positions; [B, 2, n, dim] of the dense clips.
        """
        n = len(clips) // 2 - 1
        made: dict[Place, Tensor] = {}
        for place, clip in clips.items():
            embed = partial(self.sparse, clip, n) if place[1] == 0 else partial(self.dense, clip)
            again = self.lean and len(clips) - len(made) > self.kept_clips
            made[place] = recomputed(embed, self) if again else embed()
        sparse = torch.stack([made[version, 0] for version in VERSIONS], 1)  # [B, 2, 1 + n, dim]
        dense = [torch.stack([made[version, 1 + j] for j in range(n)], 1) for version in VERSIONS]
        return sparse[:, :, 0], sparse[:, :, 1:], torch.stack(dense, 1)

    def dense(self, clip: Clip) -> Tensor:
        """The embeddings [B, dim] of a dense clip."""
        return self.head(pool(self.backbone(clip()), "mean"))

    def sparse(self, clip: Clip, n: int) -> Tensor:
        """The embeddings [B, 1 + n, dim] of a sparse clip, then of its time positions: each a BatchNorm batch.

        Raises:
            UserError: if the backbone does not leave n time positions.
        """
        floats = clip()
        at = self.backbone(floats).mean((3, 4))  # [B, backbone.dim, n]
        if at.shape[2] != n:
            raise UserError(
                f"the backbone leaves {at.shape[2]} time positions of {floats.shape[2]} frames, and TCLR needs one for "
                f"each of {n} dense clips: take --sampler.dense {at.shape[2]}, or a backbone that leaves {n}"
            )
        return torch.stack([self.head(x) for x in (at.mean(2), *at.unbind(2))], 1)

    def contrasted(self, sparse: Tensor, positions: Tensor, dense: Tensor) -> Losses:
        """The loss of the three kinds of embeddings, as `embeddings` gives them.

        The instance terms tell videos apart: the sparse clip's versions by NT-Xent, and 2/n times the sum over all
        pairs among the 2n dense clips. The temporal terms tell the times of a video apart: `local_local`, and the sum
        over versions of `global_local`.
        """
        n = dense.shape[2]
        every = gather_rows(torch.cat([sparse[:, :, None], positions, dense], 2))
        sparses, at, denses = every[:, :, 0], every[:, :, 1 : 1 + n], every[:, :, 1 + n :]
        tau = self.temperature
        losses = {
            "instance_sparse": nt_xent_rows(sparses[:, 0], sparses[:, 1], tau).mean(),
            "instance_dense": 2 / n * instance_pairs(denses.flatten(1, 2).transpose(0, 1), tau),
            "local_local": self.local_weight * local_local(denses, tau),
            "global_local": global_local(at, denses, tau).sum(),
        }
        return Losses(
            torch.stack([*losses.values()]).sum(),
            terms={name: loss.detach() for name, loss in losses.items()},
            embeddings={"sparse": sparse[:, 0].detach(), "dense": dense[:, 0, 0].detach()},
        )

    def exports(self, protocol: Protocol) -> dict[str, Encoder]:
        return {"": Encoder.of(self.backbone, protocol)}


def passes(n: int) -> list[Place]:
    """(version, clip) of each forward in order: both versions of the sparse clip, then each version's n dense clips."""
    sparse = [(version, 0) for version in VERSIONS]
    return sparse + [(version, 1 + j) for version in VERSIONS for j in range(n)]
