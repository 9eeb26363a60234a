"""Time for memory: what a forward leaves for its backward is thrown away and made again.

Chen, Xu, Zhang, Guestrin: Training Deep Nets with Sublinear Memory Cost, 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

Made = TypeVar("Made", bound=Tensor | tuple[Tensor, ...])


def recomputed(function: Callable[[], Made], module: nn.Module) -> Made:
    """What `function` gives, keeping nothing for the backward, which calls it a second time.

    The second call normalises by the statistics of the same batch, under the same autocast and with the same dropout,
    and leaves the module's buffers alone: BatchNorm's running statistics are updated once. Loss, gradients and buffers
    are those of a plain call. Where BatchNorm trains, `function` must hold whole BatchNorm batches: a part of one has
    other statistics.

    Args:
        function: pure but for the module's buffers; what it reads is as it was at the second call.
        module: whose parameters and buffers it uses.
    """
    # The checkpoint saves the random states of the devices on which its arguments lie, and asks them for autocast's.
    place = torch.empty(0, device=next(module.parameters()).device)
    return checkpoint(
        lambda _: function(),
        place,
        use_reentrant=False,
        context_fn=lambda: (nullcontext(), buffers_kept(module)),
    )


@contextmanager
def buffers_kept(module: nn.Module) -> Iterator[None]:
    """Inside, the module writes to copies of its buffers; afterwards it has the buffers that it had."""
    # Not by writing the old values back: the buffers themselves stay untouched for whoever else holds them.
    held = [(part, dict(part._buffers)) for part in module.modules() if part._buffers]
    for part, buffers in held:
        part._buffers.update({name: buffer if buffer is None else buffer.clone() for name, buffer in buffers.items()})
    try:
        yield
    finally:
        for part, buffers in held:
            part._buffers.update(buffers)
