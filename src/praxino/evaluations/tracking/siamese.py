"""What is trained: a siamese head on a trunk that stays as it is."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from praxino.batch import ClipBatch
from praxino.encoders.siamese import SiameseHead
from praxino.errors import UserError, check_within
from praxino.evaluations.tracking.pairs import EXEMPLAR, SEARCH, STREAMS
from praxino.evaluations.tracking.trunk import Trunk
from praxino.losses.siamese import balanced, focal, label_map
from praxino.methods.base import Losses, Task
from praxino.ranks import gather_rows
from praxino.rng import Rng

Loss = Literal["focal", "balanced"]


class Siamese(Task):
    """A head that learns to say where in a search picture an exemplar's object is.

    Args:
        trunk: pictures in, map out; it is not trained.
        head: two maps in, a response out.
        loss: "focal", or "balanced", SiamFC's own; as of `praxino.losses.siamese`.
        gamma: of the focal loss.
        positive, neutral: as of `label_map`, in pixels.

    Raises:
        UserError: if the head has nothing to train, or a number will not do.
    """

    streams = STREAMS

    def __init__(
        self,
        trunk: Trunk,
        head: SiameseHead,
        loss: Loss = "focal",
        gamma: float = 2.0,
        positive: float = 16,
        neutral: float = 0,
    ) -> None:
        super().__init__()
        if head.channels is None:
            raise UserError("this head has nothing to train: pass --head.channels")
        if loss not in ("focal", "balanced"):
            raise UserError(f"--loss is focal or balanced, not {loss}")
        check_within(0, gamma=gamma, positive=positive, neutral=neutral)
        self.trunk = trunk
        self.head = head
        self.loss = loss
        self.gamma = gamma
        self.positive = positive
        self.neutral = neutral

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        pictures = {name: batch.streams[name].clips()[:, 0, 0] for name in STREAMS}
        return self.objective({name: self.trunk(one) for name, one in pictures.items()})

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """The loss of the responses of all pairs, and `found`: the share whose highest place is a positive one.

        Args:
            views: the maps, "exemplar" [B, dim, h, w] and "search" [B, dim, H, W].
        """
        response = gather_rows(self.head(views[EXEMPLAR], views[SEARCH]))
        height, width = response.shape[-2:]
        labels = label_map(height, width, self.trunk.stride, self.positive, self.neutral).to(response.device)
        loss = focal(response, labels, self.gamma) if self.loss == "focal" else balanced(response, labels)
        with torch.no_grad():
            found = labels.flatten()[response.flatten(1).argmax(1)] == 1
        return Losses(loss, {"found": found.float().mean()})
