"""Is the representation alive? The effective rank of recent embeddings tells a collapse that the loss may hide."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor


def effective_rank(embeddings: Tensor) -> float:
    """How many directions the embeddings really use: exp of the entropy of their normalised singular values.

    Rows are scaled to unit length and centred first: with ReLU features the mean cosine is high in health, too, so it
    says little. Roy, Vetterli: The effective rank, EUSIPCO 2007.

    Args:
        embeddings: [n, d].

    Returns:
        1 where all rows lie on a line, up to min(n - 1, d); 0 where all rows are one point.
    """
    rows = F.normalize(embeddings.double(), dim=1)
    values = torch.linalg.svdvals(rows - rows.mean(dim=0))
    # A spread far below one per cent of a unit row is a point: its rank would be that of rounding noise.
    if float(values.square().sum()) < 1e-6 * len(rows):
        return 0.0
    shares = values / values.sum()
    shares = shares[shares > 0]
    return float(torch.exp(-(shares * shares.log()).sum()))


class Health:
    """Keeps the embeddings of the last videos and warns when they have collapsed.

    Args:
        videos: how many are kept.
        least: an effective rank below this is called a collapse, once the window is full.
    """

    def __init__(self, videos: int = 256, least: float = 3.0) -> None:
        self.videos = videos
        self.least = least
        self.window: dict[str, Tensor] = {}
        self.warned = False

    def add(self, embeddings: Mapping[str, Tensor]) -> None:
        """Takes the rows of all ranks of one step, each [B, d]."""
        for name, rows in embeddings.items():
            before, rows = self.window.get(name), rows.detach().float().cpu()
            # Of another width is what a checkpoint of another network has left.
            kept = [] if before is None or before.shape[1:] != rows.shape[1:] else [before]
            self.window[name] = torch.cat([*kept, rows])[-self.videos :]

    def ranks(self) -> dict[str, float]:
        """Effective rank by name; "effective_rank" alone where there is one kind of embedding."""
        only = len(self.window) == 1
        return {
            "effective_rank" if only else f"effective_rank/{name}": effective_rank(rows)
            for name, rows in self.window.items()
        }

    def warning(self, ranks: Mapping[str, float]) -> str | None:
        """One line, once, if the embeddings have collapsed."""
        full = [rows for rows in self.window.values() if len(rows) >= self.videos]
        if self.warned or not full or min(ranks.values()) >= self.least:
            return None
        self.warned = True
        return (
            f"the embeddings have collapsed (effective rank {min(ranks.values()):.1f} of the last {self.videos} "
            "videos): lower the learning rate, enlarge the batch, or vary the augmentation more"
        )

    def state_dict(self) -> dict[str, object]:
        return {"window": self.window, "warned": self.warned}

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        self.window, self.warned = dict(state["window"]), bool(state["warned"])  # type: ignore[call-overload]
