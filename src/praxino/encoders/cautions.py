"""What an encoder's vectors lack where it has no statistics of its own, in a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from praxino.described import describe
from praxino.encoders.statistics import batchnorms
from praxino.views.pipeline import Operation, View

if TYPE_CHECKING:
    from praxino.encoders.encoder import Encoder

TRAINED = "trained views"  # in an encoder's record: its views that the method has trained on, where that is known


def asks_for_statistics(encoder: Encoder) -> bool:
    """Whether an encoder is measured by other vectors than its plain network gives."""
    return encoder.centred or (encoder.reestimate_batchnorm and bool(batchnorms(encoder.backbone)))


def trained_views(views: Mapping[str, View], seen: Iterable[View]) -> list[str]:
    """Those of an encoder's views that a method has trained on, by name.

    A view is taken for one that was seen where it is made of the same stream by the same operations, but for those that
    draw: sizes, crops and augmentation. So a residual is told from RGB, and normalised frames from others.

    Args:
        views: name -> view.
        seen: the method's.
    """
    kinds = [_kind(view) for view in seen]
    return [name for name, view in views.items() if _kind(view) in kinds]


def _kind(view: View) -> tuple[str, list[Any]]:
    fixed = [operation for operation in view.operations if type(operation).draw is Operation.draw]
    return view.stream, [describe(operation) for operation in fixed]


def not_trained(encoder: Encoder, view: str) -> str | None:
    """A line where a view is known not to have been trained on, and has no statistics of its own; else None."""
    trained = encoder.record.get(TRAINED)
    if view in encoder.statistics or not isinstance(trained, list) or view in trained:
        return None
    return (
        f"the view '{view}' was not trained on, and the encoder has no statistics of its own for it: its vectors may "
        "be worth little"
    )


def caution(encoder: Encoder, view: str | None = None) -> str | None:
    """A line on what the vectors of a view lack; None: they lack nothing.

    Args:
        encoder: what embeds.
        view: which view; None: the first.
    """
    name = encoder.name_of(view)
    if name in encoder.statistics:
        return None
    if line := not_trained(encoder, name):
        return line
    if asks_for_statistics(encoder):
        return (
            "the encoder has no statistics of its own: these are the vectors of the plain network, and evaluations "
            "measure others, with BatchNorm statistics and a centre from their gallery"
        )
    return None
