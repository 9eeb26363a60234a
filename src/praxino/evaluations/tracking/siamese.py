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
        shift: the search picture is wider by so many pixels on each side, and of it a part at a random place is looked
            at. Where the object is always in the middle, a head can learn the middle instead of the object: networks
            with padding tell where they look (Li et al., SiamRPN++, CVPR 2019).

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
        shift: int = 0,
    ) -> None:
        super().__init__()
        if head.channels is None:
            raise UserError("this head has nothing to train: pass --head.channels")
        if loss not in ("focal", "balanced"):
            raise UserError(f"--loss is focal or balanced, not {loss}")
        check_within(0, gamma=gamma, positive=positive, neutral=neutral, shift=shift)
        self.trunk = trunk
        self.head = head
        self.loss = loss
        self.gamma = gamma
        self.positive = positive
        self.neutral = neutral
        self.shift = shift

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        pictures = {name: batch.streams[name].clips()[:, 0, 0] for name in STREAMS}
        begin = self.drawn_begin(rng.child("shift"), len(pictures[SEARCH])).to(pictures[SEARCH].device)
        pictures[SEARCH] = part_of(pictures[SEARCH], begin, 2 * self.shift)
        maps = {name: self.trunk(one) for name, one in pictures.items()}
        # Where the part begins further down, the object is further up.
        return self.objective(maps, moved=(self.shift - begin).float())

    def drawn_begin(self, rng: Rng, pairs: int) -> Tensor:
        """Where the part of each search picture begins, rows and columns from 0: int64 [pairs, 2]."""
        return rng.rows(pairs, lambda generator, rows: generator.integers(0, 2 * self.shift + 1, (rows, 2)))

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """The loss of the responses of all pairs, and `found`: the share whose highest place is a positive one.

        Args:
            views: the maps, "exemplar" [B, dim, h, w] and "search" [B, dim, H, W].
            drawn: `moved`, [B, 2], as of `label_map`.
        """
        response = gather_rows(self.head(views[EXEMPLAR], views[SEARCH]))
        size = int(response.shape[-2]), int(response.shape[-1])
        labels = label_map(*size, self.trunk.stride, self.positive, self.neutral, gather_rows(drawn["moved"]))
        loss = focal(response, labels, self.gamma) if self.loss == "focal" else balanced(response, labels)
        with torch.no_grad():
            found = labels.flatten(1).gather(1, response.flatten(1).argmax(1, keepdim=True)) == 1
        return Losses(loss, {"found": found.float().mean()})


def part_of(pictures: Tensor, begin: Tensor, less: int) -> Tensor:
    """A part of each picture, at a place of its own.

    Args:
        pictures: [B, H, W, C].
        begin: int64 [B, 2], the part's first row and column, 0 to `less`.
        less: how much smaller the part is.

    Returns:
        [B, H - less, W - less, C].
    """
    rows, columns = (
        begin[:, k, None] + torch.arange(side - less, device=begin.device) for k, side in enumerate(pictures.shape[1:3])
    )
    pair = torch.arange(len(pictures), device=begin.device)[:, None, None]
    return pictures[pair, rows[:, :, None], columns[:, None]]
