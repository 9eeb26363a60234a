"""What the networks of a task are called with, as pictures for TensorBoard: the views as they are trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from praxino.backbones.base import Backbone

# A picture shows so many of the first call's clips, and of each so many frames, none larger than this.
CLIPS, FRAMES, SIDE = 4, 8, 112
CALLS = 2  # of one network: the two views of a method with a single backbone


@contextmanager
def inputs_shown(task: nn.Module, show: Callable[[str, NDArray[np.uint8]], None]) -> Iterator[None]:
    """Hands over, at the end, pictures of the clips that the networks of a task were called with meanwhile.

    A network is a backbone that has none inside: of `BlockRecurrent` its blocks are shown. Compiled ones are left out,
    because a hook would have them compiled anew.

    Args:
        task: whose.
        show: takes a name, such as "inputs/networks.rgb.backbone", and pixels uint8 [height, width, 3].
    """
    seen: dict[str, list[Tensor]] = {}

    def noting(name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def note(network: nn.Module, given: tuple[Any, ...]) -> None:
            if len(calls := seen.setdefault(name, [])) < CALLS:
                calls.append(given[0][:CLIPS].detach().float().cpu())

        return note

    hooks = [part.register_forward_pre_hook(noting(name)) for name, part in task.named_modules() if _is_shown(part)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
    for name, calls in seen.items():
        for number, clips in enumerate(calls):
            show(f"inputs/{name}{f'.{number + 1}' * bool(number)}", picture_of(clips))


def _is_shown(part: nn.Module) -> bool:
    inner = [one for one in part.modules() if one is not part and isinstance(one, Backbone)]
    return isinstance(part, Backbone) and not inner and part._compiled_call_impl is None


def picture_of(clips: Tensor) -> NDArray[np.uint8]:
    """Clips as rows of frames, their values spread over all levels.

    Three channels are taken for RGB. Two, as of flow, are two grey rows, one below the other; of more, as of heat maps,
    the greatest value is shown.

    Args:
        clips: float32 [b, C, T, h, w]; the first `CLIPS` are shown, and `FRAMES` of their frames, evenly spread.

    Returns:
        uint8 [height, width, 3].
    """
    frames = clips.shape[2]
    picked = torch.linspace(0, frames - 1, min(frames, FRAMES)).round().long()
    x = clips[:CLIPS, :, picked].transpose(1, 2)  # [b, T, C, h, w]
    rows = x if x.shape[2] in (1, 2, 3) else x.amax(2, keepdim=True)
    if rows.shape[2] == 2:
        rows = rows.transpose(1, 2).flatten(0, 1)[:, :, None]  # [2 b, T, 1, h, w]
    low, high = rows.aminmax()
    levels = (rows - low) / (high - low).clamp_min(1e-12)
    shrink = SIDE / max(levels.shape[3:])
    if shrink < 1:
        size = [max(1, round(side * shrink)) for side in levels.shape[3:]]
        levels = F.interpolate(levels.flatten(0, 1), size, mode="area").unflatten(0, levels.shape[:2])
    tiles = levels.expand(-1, -1, 3, -1, -1).permute(0, 3, 1, 4, 2)  # [rows, h, T, w, 3]
    return (tiles.flatten(0, 1).flatten(1, 2) * 255).round().byte().numpy()
