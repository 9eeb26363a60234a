"""Which of an encoder's views its method has trained on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from praxino.described import describe
from praxino.views.pipeline import Operation, View

TRAINED = "trained views"  # in an encoder's record: its views that the method has trained on, where that is known


def views_of(method: object) -> list[View]:
    """The views that a method keeps as arguments, each by itself, in a sequence or in a mapping of names."""
    return [one for value in vars(method).values() for one in _members(value) if isinstance(one, View)]


def _members(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else [value]


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


def not_trained(view: str, record: Mapping[str, Any], measured: Collection[str]) -> str | None:
    """A line where a view is known not to have been trained on, and has no statistics of its own; else None.

    Args:
        view: its name.
        record: the encoder's.
        measured: names of the views with statistics of their own.
    """
    trained = record.get(TRAINED)
    if view in measured or not isinstance(trained, list) or view in trained:
        return None
    return (
        f"the view '{view}' was not trained on, and the encoder has no statistics of its own for it: its vectors may "
        "be worth little"
    )
