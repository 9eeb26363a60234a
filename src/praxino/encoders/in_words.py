"""What an encoder is, in a few lines: its `repr`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from praxino.encoders.encoder import Encoder
    from praxino.streams.base import Canvas
    from praxino.views.pipeline import View

POOLED = {
    "mean": "{} numbers a clip, the mean over time and space",
    "max": "{} numbers a clip, the maximum over time and space",
    "time": "the mean over space at each time, {} numbers each",
    "map": "the feature map after a 2x2 maximum, {} channels",
}


def in_words(encoder: Encoder) -> str:
    """Backbone and feature dimension, views, clips and sizes; and the classes where there is a classifier."""
    dim = POOLED[encoder.feature].format(encoder.backbone.dim)
    lines = [f"{type(encoder).__name__}: {type(encoder.backbone).__name__}, {dim}"]
    views = [f"{name} ({_seen(name, view, encoder.canvas)})" for name, view in encoder.views.items()]
    lines.append(f"  views: {', '.join(views)}")
    lines.append(f"  clips: {_clips(encoder.sampler)}")
    if encoder.classes:
        more = f" and {len(encoder.classes) - 3} other classes" if len(encoder.classes) > 3 else ""
        lines.append(f"  classifier: {', '.join(encoder.classes[:3])}{more}")
    return "\n".join(lines)


def _seen(name: str, view: View, canvas: Mapping[str, Canvas]) -> str:
    """From which stream, and at which size where that does not depend on the video's."""
    sizes = [canvas[view.stream].size(*size) if view.stream in canvas else size for size in ((240, 320), (360, 270))]
    size = torch.tensor(sizes).reshape(2, 1, 1, 2)
    for operation in view.operations:
        size = operation.size_after(size)
    one, other = size.reshape(2, 2).tolist()
    at = f"{one[0]}x{one[1]}" if one == other else "any size"
    return at if view.stream in ("rgb", name) else f"of {view.stream}, {at}"


def _clips(sampler: Any) -> str:
    """The sampler and its arguments, as a recipe has them."""
    from praxino.described import arguments

    said = ", ".join(f"{name}={value!r}" for name, value in arguments(sampler).items())
    return f"{type(sampler).__name__}({said})"


def network_in_words(said: Any) -> str:
    """A network as its description has it, without what is as by default: "R3D(width=16)".

    Args:
        said: the description; of a class that is not praxino's, which is not imported for this, all is said.
    """
    if isinstance(said, list):
        return f"[{', '.join(map(network_in_words, said))}]"
    if not isinstance(said, Mapping) or set(said) != {"class_path", "init_args"}:
        return str(said)
    path, given = str(said["class_path"]), said["init_args"]
    usual = _defaults(path) if path.startswith("praxino.") else {}
    shown = [f"{name}={network_in_words(value)}" for name, value in given.items() if usual.get(name, ...) != value]
    return f"{path.rpartition('.')[2]}({', '.join(shown)})"


def _defaults(path: str) -> dict[str, Any]:
    from praxino.configuration.classes import imported
    from praxino.configuration.signatures import arguments_of
    from praxino.described import describe

    return {name: describe(one.default) for name, one in arguments_of(imported(path)).items() if not one.required}
