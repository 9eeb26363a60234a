"""All that the training loop knows: a task, its losses, and a method, which is a task that leaves encoders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.batch import ClipBatch
from praxino.errors import UserError
from praxino.rng import Rng

if TYPE_CHECKING:
    from praxino.encoders.encoder import Encoder
from praxino.encoders.protocol import Protocol


@dataclass
class Losses:
    """What one forward gives the loop.

    Attributes:
        total: scalar, differentiable, the same on all ranks.
        terms: logged scalars, detached.
        embeddings: name -> [B, d], one row a video, detached: for the health check.
        kept: detached, first axis B: gathered over the ranks by the loop and handed to `after_step`.
    """

    total: Tensor
    terms: dict[str, Tensor] = field(default_factory=dict)
    embeddings: dict[str, Tensor] = field(default_factory=dict)
    kept: dict[str, Tensor] = field(default_factory=dict)


class Task(nn.Module):
    """What the loop trains. Its whole state is its `state_dict` (banks and queues are buffers).

    Attributes:
        streams: names of those that it reads.
        least_videos: of any batch, in each process: where embeddings go through BatchNorm that is 2.
        most_videos: of an optimizer step, over all processes: a queue holds no more. None: any number.
    """

    streams: tuple[str, ...] = ("rgb",)
    least_videos: int = 1
    most_videos: int | None = None

    def setup(self, videos: int, batch_size: int, rng: Rng) -> None:
        """Sizes and fills banks, before the first decode.

        Args:
            videos: number of videos of the run.
            batch_size: global.
            rng: the same on all ranks.

        Raises:
            UserError: if the task cannot be trained with these numbers.
        """

    def refuse_batch(self, videos: int) -> None:
        """After the trial on black frames, before the first decode: what it has shown of each video adds up.

        Args:
            videos: of a batch, over all processes.

        Raises:
            UserError: if the task cannot be trained with so many.
        """

    def advice(self, steps: int) -> str | None:
        """One line for the log before the first of so many steps, where that is known not to suffice."""
        return None

    def before_step(self) -> None:
        """Before each optimizer step's first forward (momentum encoders)."""

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        """Draws, makes the views, then calls `objective`."""
        raise NotImplementedError

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """Everything that is not random: what golden items and a user's own loop call."""
        raise NotImplementedError

    def after_step(self, kept: dict[str, Tensor]) -> None:
        """After each optimizer step, with the rows kept on all ranks, in rank order (banks, queues)."""

    def validated(self, batch: ClipBatch, rng: Rng) -> Losses:
        """What it says of held-out videos: means over the batch, as `total` and `terms`.

        Called in evaluation mode without gradient; the task's state is put back afterwards. By default what it says of
        the training's videos; a task that remembers those (banks, queues) must say itself what others are held against.

        Raises:
            UserError: if it cannot be validated.
        """
        if type(self).after_step is not Task.after_step:
            raise UserError(
                f"{type(self).__name__} remembers its training videos and cannot be validated on others: pass "
                "--validation 0 (a method of your own overrides `validated`)"
            )
        return self(batch, rng)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups for the optimizer; by default the trainable parameters as one group."""
        return [{"params": [p for p in self.parameters() if p.requires_grad]}]


class Method(Task):
    """A pretraining task. One file that reads like its paper; all settings are constructor arguments."""

    def exports(self, protocol: Protocol) -> dict[str, Encoder]:
        """The encoders that a user takes home, by name; one, named "", for most methods."""
        raise NotImplementedError

    def backbones(self) -> dict[str, tuple[Backbone, ...]]:
        """The networks behind the encoders, by their names, with those that follow them: what --start gives weights to.

        By default that is `backbone`.

        Raises:
            UserError: if the method has none of this name.
        """
        backbone = getattr(self, "backbone", None)
        if not isinstance(backbone, Backbone):
            raise UserError(f"{type(self).__name__} cannot --start from weights: it does not override `backbones`")
        return {"": (backbone,)}
