"""DPC: the maps of a clip's last blocks are predicted from those before, each place told from all others.

Han, Xie, Zisserman: Video Representation Learning by Dense Predictive Coding, ICCV Workshops 2019 (arXiv 1909.04656).
docs/methods/dpc.md has the equations and every choice.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.backbones.block_recurrent import BlockRecurrent
from praxino.batch import ClipBatch
from praxino.encoders.encoder import Encoder
from praxino.encoders.protocol import Protocol
from praxino.losses.dense import dense_nce
from praxino.methods.base import Losses, Method
from praxino.methods.parts.prediction import (
    PredictionNetwork,
    one_clip,
    refuse_places,
    refuse_steps,
    with_running_statistics,
)
from praxino.ranks import gather_rows, world
from praxino.rng import Rng
from praxino.views.pipeline import View


class DPC(Method):
    """Predicts the last maps of a clip's blocks, and contrasts them with all places of all clips.

    Args:
        network: of the blocks, with its recurrent cell.
        view: what it sees.
        predicted: P, how many of a clip's last blocks are predicted.
        shared: all processes' clips are candidates of each other. False: as in the original each process's own, and the
            loss is the mean of theirs.

    Raises:
        UserError: if nothing is to be predicted.
    """

    least_videos = 2

    def __init__(self, network: BlockRecurrent, view: View, predicted: int = 3, shared: bool = True) -> None:
        super().__init__()
        refuse_steps(predicted)
        self.network = network
        self.view = view
        self.predicted = predicted
        self.shared = shared
        self.streams = (view.stream,)
        self.prediction = PredictionNetwork(network.dim)
        self._places = 0  # predicted of each clip, as the last ones had them

    def refuse_batch(self, videos: int) -> None:
        refuse_places(self._places, videos if self.shared else videos // world())

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        return self.objective({"clips": one_clip(self.view, batch, rng.child("view"))})

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """views["clips"]: float32 [B, C, N * L, h, w]."""
        z = self.network.blocks(views["clips"])
        predictions, targets = self.predict(z), z[:, -self.predicted :]
        self._places = predictions[0, :, 0].numel()
        if self.shared:
            predictions, targets = gather_rows(predictions), gather_rows(targets)
        refuse_places(self._places, len(predictions))
        found = dense_nce(predictions, targets)
        total = found.loss if self.shared else gather_rows(found.loss.reshape(1)).mean()
        terms = {"accuracy": found.accuracy, "top3": found.top3}
        return Losses(total, terms, {"blocks": z.detach().mean((1, 3, 4))})

    def predict(self, z: Tensor) -> Tensor:
        """The predictions [B, P, D, S, S] of the last P maps z [B, N, D, S, S] from those before.

        Raises:
            UserError: if there are no more blocks than are to be predicted.
        """
        refuse_steps(self.predicted, z.shape[1])
        context = self.network.cell.over(F.relu(z[:, : -self.predicted]))[:, -1]
        predictions = [self.prediction(context)]
        while len(predictions) < self.predicted:
            context = self.network.cell(F.relu(predictions[-1]), context)
            predictions.append(self.prediction(context))
        return torch.stack(predictions, 1)

    def exports(self, protocol: Protocol) -> dict[str, Encoder]:
        return {"": Encoder.of(with_running_statistics(self.network), protocol)}

    def backbones(self) -> dict[str, tuple[Backbone, ...]]:
        return {"": (self.network,)}
