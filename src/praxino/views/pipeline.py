"""A view: what a network sees of a stream, made on the device for a whole batch at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from praxino.batch import ClipBatch, Which
from praxino.errors import UserError, nearest
from praxino.precision import full_precision
from praxino.rng import Rng

Drawn = dict[str, Tensor]
Shape = tuple[int, int, int]
Per = Literal["video", "clip", "frame"]
# Bytes of pixels that go through a view's operations at once: about one clip on a CPU, so that what lies between two
# operations stays in its cache (twice as fast as whole batches); on other devices only a bound on memory.
PIECE = {"cpu": 1 << 20}
LARGE_PIECE = 512 << 20


class Operation:
    """One step of a view: a draw on the CPU, then a pure batched function on the device.

    Not an `nn.Module`: nothing here is learnt, and `apply` is another word there (it visits submodules).

    A new one overrides `apply`, and `draw` if it is random. It keeps its constructor arguments under their names.

    Attributes:
        per: what shares one draw: all clips of a video, all frames of a clip, or nothing.
        drawn_as: the name that its draws are keyed by; the class's own, unless the class (or a parent) says another.
            Aligned views share the draws of operations of one name: a flow's flip that says `drawn_as = "Flip"`, and
            draws what `Flip` draws, mirrors the same clips.
        least_side: pixels that the shorter side of each frame has to have; 0: any will do.
    """

    _per: Per = "clip"
    least_side: int = 0

    @property
    def per(self) -> Per:
        return self._per

    @per.setter
    def per(self, per: Per) -> None:
        if per not in get_args(Per):
            raise UserError(f"{type(self).__name__}: there is no per {per!r}.{nearest(str(per), get_args(Per))}")
        self._per = per

    @property
    def drawn_as(self) -> str:
        return type(self).__name__

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        """Small tensors on the CPU.

        Each has the leading axes [B, 1, 1], [B, n, 1] or [B, n, T] according to `per`. Positions are drawn as u in
        [0, 1) and then scaled, so that the same rng gives aligned boxes in streams of different resolution.

        Args:
            rng: this operation's own key.
            shape: (B, n, T).
            size: int64 [B, n, T, 2] on the CPU, true height and width of each frame.
        """
        return {}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        """x [B, n, C, T, H, W] -> [B, n, C', T, H', W'].

        uint8 in means arithmetic as Pillow does it, and uint8 out (a resample may give floats); float32 in [0, 1] in
        means plain float arithmetic.
        """
        raise NotImplementedError

    def size_after(self, size: Tensor) -> Tensor:
        """True height and width after this operation, int64 [B, n, T, 2]."""
        return size

    def uniform(self, rng: Rng, shape: Shape, *more: int) -> Tensor:
        """float64 uniform numbers in [0, 1), of this operation's leading axes and then `more`."""
        videos, clips, frames = shape
        axes = {"video": (1, 1), "clip": (clips, 1), "frame": (clips, frames)}[self.per]
        return rng.rows(videos, lambda generator, rows: generator.random((rows, *axes, *more)))


def on_rows(function: Callable[..., Tensor], x: Tensor, on: Tensor | None, *numbers: Tensor) -> Tensor:
    """Applies `function` to those clips, or frames, for which `on` holds; the others cost nothing.

    Args:
        function: takes rows [r, C, T, h, w] (of single frames, T = 1, where a draw is of each frame) and each of
            `numbers` as [r, 1, 1, 1, 1]; returns rows of the same shape.
        x: [B, n, C, T, h, w].
        on: bool [B, 1|n, 1|T]; None: all.
        numbers: drawn numbers [B, 1|n, 1|T].
    """
    drawn = [*numbers] if on is None else [on, *numbers]
    per_frame = any(v.shape[2] > 1 for v in drawn)
    # Channels apart from each other, also where no resize has put them so: arithmetic on them is several times faster.
    rows = (x.transpose(2, 3).flatten(0, 2).unsqueeze(2) if per_frame else x.flatten(0, 1)).contiguous()
    lead = (x.shape[0], x.shape[1], x.shape[3] if per_frame else 1)
    flat = [v.expand(lead).reshape(-1, 1, 1, 1, 1) for v in drawn]
    chosen = None if on is None else flat.pop(0).reshape(-1).nonzero().squeeze(1)
    if chosen is None or len(chosen) == len(rows):
        rows = function(rows, *flat)
    elif len(chosen):
        changed = function(rows.index_select(0, chosen), *(v.index_select(0, chosen) for v in flat))
        rows = rows.index_copy(0, chosen, changed)
    return rows.squeeze(2).unflatten(0, lead).transpose(2, 3) if per_frame else rows.unflatten(0, lead[:2])


def refuse_mixed_sizes(operation: Operation, size: Tensor) -> None:
    """Refuses frames of different sizes, where an operation cannot tell the padding from the picture.

    Args:
        operation: which asks.
        size: int64 [B, n, T, 2], true height and width.

    Raises:
        UserError: says what to put before the operation.
    """
    if not (size == size[:1, :1, :1]).all():
        name = type(operation).__name__
        raise UserError(
            f"{name} needs frames of one size: put a resize or a crop before it among the view's operations"
        )


def refuse_other_than_rgb(operation: Operation, x: Tensor) -> None:
    """Refuses clips that are not in colour, also where the operation would by chance have left them alone.

    Args:
        operation: which asks.
        x: [B, n, C, T, H, W].

    Raises:
        UserError: names the operation and C.
    """
    if x.shape[2] != 3:
        name = type(operation).__name__
        raise UserError(
            f"{name} needs RGB, and the clips have {x.shape[2]} channels: leave it out of this view's operations"
        )


class View:
    """What a network sees: operations on the clips of one stream. No learnt parameters, and not an `nn.Module`.

    Two views called with the same rng are aligned (same boxes, same flips); with different children they are not.

    Args:
        operations: applied in this order.
        stream: which stream it is made from.
    """

    def __init__(self, operations: Sequence[Operation], stream: str = "rgb") -> None:
        self.operations = list(operations)
        self.stream = stream

    @property
    def least_side(self) -> int:
        """Pixels that the shorter side of the stream's frames has to have, as far as their own size decides it."""
        least = 0
        for operation in self.operations:
            least = max(least, operation.least_side)
            if type(operation).size_after is not Operation.size_after:
                break
        return least

    def __call__(self, batch: ClipBatch, rng: Rng, clips: Which = slice(None)) -> Tensor:
        """The clips `clips` of a batch as float32 [B, n, C, T, h, w] in [0, 1] (a residual may be in [-1, 1])."""
        return self.apply(batch, self.draw(batch, rng, clips), clips)

    def draw(self, batch: ClipBatch, rng: Rng, clips: Which = slice(None)) -> list[Drawn]:
        """What is random about this view, one dict an operation, on the batch's device."""
        if self.stream not in batch.streams:
            raise UserError(
                f"a view is made of the stream '{self.stream}', and the batch has {', '.join(batch.streams)}: a method "
                "says in `streams` what it reads"
            )
        frames = batch.streams[self.stream]
        videos, some, length = frames.where_of(clips).shape
        size = frames.sizes(clips).cpu()
        drawn = []
        for name, operation in zip(self._names(), self.operations, strict=True):
            drawn.append(operation.draw(rng.child(name), (videos, some, length), size))
            size = operation.size_after(size)
        device = frames.pixels.device
        return [{key: value.to(device, non_blocking=True) for key, value in one.items()} for one in drawn]

    def apply(self, batch: ClipBatch, drawn: list[Drawn], clips: Which = slice(None)) -> Tensor:
        """The view for given draws: a pure function, so that it can be recomputed."""
        frames = batch.streams[self.stream]
        where = frames.where_of(clips)
        out = None
        for videos, some in _pieces(where.shape, frames.pixels[:1].nbytes, frames.pixels.device):
            piece = where[videos, some]
            pixels = frames.pixels.index_select(0, piece.reshape(-1)).unflatten(0, piece.shape)
            x = self._changed(pixels, [{k: _part(v, videos, some) for k, v in one.items()} for one in drawn])
            if out is None:
                out = torch.empty(*where.shape[:2], *x.shape[2:], device=x.device)
            _to_floats(x, out[videos, some])
        assert out is not None, "an empty batch"
        return out

    @full_precision
    def transform(self, pixels: Tensor, drawn: list[Drawn]) -> Tensor:
        """uint8 pixels [B, n, T, H, W, C] -> float32 [B, n, C, T, h, w]."""
        x = self._changed(pixels, drawn)
        return _to_floats(x, torch.empty(x.shape, device=x.device))

    @full_precision
    def _changed(self, pixels: Tensor, drawn: list[Drawn]) -> Tensor:
        x = pixels.movedim(-1, 2)
        for operation, one in zip(self.operations, drawn, strict=True):
            x = operation.apply(x, **one)
        return x

    def _names(self) -> list[str]:
        # By name and occurrence, not by position: an RGB pipeline with colour operations and a flow pipeline without
        # them must still share the draws of their crops.
        seen: dict[str, int] = {}
        names = []
        for operation in self.operations:
            name = operation.drawn_as
            names.append(f"{name}.{seen.get(name, 0)}")
            seen[name] = seen.get(name, 0) + 1
        return names


def _to_floats(x: Tensor, out: Tensor) -> Tensor:
    """Bytes into [0, 1], floats as they are, written to `out`."""
    return out.copy_(x) if x.is_floating_point() else torch.div(x, 255, out=out)


def _pieces(shape: Sequence[int], frame_bytes: int, device: torch.device) -> Iterator[tuple[slice, slice]]:
    """Parts of a batch of (B, n, T) frames: slices of B and of n. How much is in a part is a matter of bytes alone."""
    videos, clips, frames = shape
    fit = max(1, PIECE.get(device.type, LARGE_PIECE) // max(1, frames * frame_bytes))  # clips
    videos_each, clips_each = max(1, fit // clips), min(fit, clips)
    for first in range(0, videos, videos_each):
        for clip in range(0, clips, clips_each):
            yield slice(first, first + videos_each), slice(clip, clip + clips_each)


def _part(value: Tensor, videos: slice, clips: slice) -> Tensor:
    """A drawn tensor [B|1, 1|n, ...] of a part of the batch."""
    value = value if value.shape[0] == 1 else value[videos]
    return value if value.shape[1] == 1 else value[:, clips]
