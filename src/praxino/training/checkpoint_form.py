"""What a checkpoint holds, by name and type: told before anything is taken from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from praxino.training.position import Position, Sums

MAPPINGS = ("task", "optimizer", "schedule", "scaler", "health", "position")


def misformed(state: Mapping[Any, Any]) -> str | None:
    """What of a checkpoint is missing or of another type than it has to be, in a few words; None where all is well."""
    for name in MAPPINGS:
        if not isinstance(state.get(name), dict):
            return _not(f"'{name}'", name in state, "names with values")
    if not isinstance(state.get("finished"), bool):
        return _not("'finished'", "finished" in state, "true or false")
    if not _count(state.get("metrics_size")):
        return _not("'metrics_size'", "metrics_size" in state, "a number of bytes")
    if not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in state["task"].items()):
        return _not("'task'", True, "named tensors")
    return _optimizer(state["optimizer"]) or _health(state["health"]) or _position(state["position"])


def unlike(now: Any, saved: Any) -> bool:
    """Whether a saved value cannot take the place of one that there is: of another type, or without its names.

    A number may be where none was yet, and the other way round; lists may be of other lengths.
    """
    if isinstance(now, Mapping):
        return not isinstance(saved, Mapping) or any(
            name not in saved or unlike(value, saved[name]) for name, value in now.items()
        )
    if now is None or saved is None:
        return not isinstance(saved if now is None else now, int | float | None)
    if isinstance(now, list | tuple):
        return not isinstance(saved, list | tuple)
    if isinstance(now, bool) or isinstance(saved, bool):
        return type(now) is not type(saved)
    return not isinstance(saved, int | float if isinstance(now, int | float) else type(now))


def _not(what: str, there: bool, wanted: str) -> str:
    return f"its {what} is not {wanted}" if there else f"its {what} is missing"


def _optimizer(state: Mapping[Any, Any]) -> str | None:
    groups = state.get("param_groups")
    if not isinstance(groups, list) or not all(
        isinstance(group, dict) and isinstance(group.get("params"), list) for group in groups
    ):
        return _not("'optimizer.param_groups'", "param_groups" in state, "a list of groups")
    memory = state.get("state")
    if not isinstance(memory, dict) or not all(
        _count(number) and isinstance(of_one, dict) for number, of_one in memory.items()
    ):
        return _not("'optimizer.state'", "state" in state, "what it remembers of each weight")
    return None


def _health(state: Mapping[Any, Any]) -> str | None:
    window = state.get("window")
    if not isinstance(window, dict) or not all(
        isinstance(name, str) and isinstance(rows, Tensor) and rows.dim() == 2 for name, rows in window.items()
    ):
        return _not("'health.window'", "window" in state, "named rows of numbers")
    if not isinstance(state.get("warned"), bool):
        return _not("'health.warned'", "warned" in state, "true or false")
    return None


def _position(state: Mapping[Any, Any]) -> str | None:
    counts = ("stage", "stage_step", "epoch", "batch", "step")
    for name in counts:
        if not _count(state.get(name)):
            return _not(f"'position.{name}'", name in state, "a count")
    if not _number(state.get("best"), optional=True):
        return _not("'position.best'", True, "a number")
    sums = state.get("sums")
    if not isinstance(sums, dict) or not _count(sums.get("count")):
        return _not("'position.sums'", "sums" in state, "the sums of an epoch")
    values, gaps = sums.get("values"), sums.get("gaps", {})
    if not isinstance(values, dict) or not all(isinstance(k, str) and _number(v) for k, v in values.items()):
        return _not("'position.sums.values'", "values" in sums, "named numbers")
    if not isinstance(gaps, dict) or not all(isinstance(k, str) and _count(v) for k, v in gaps.items()):
        return _not("'position.sums.gaps'", True, "named counts")
    unknown = {*state} - {*Position.__dataclass_fields__} | {*sums} - {*Sums.__dataclass_fields__}
    return f"its 'position' has the unknown name {min(map(str, unknown))!r}" if unknown else None


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(value: Any, optional: bool = False) -> bool:
    return (optional and value is None) or (isinstance(value, int | float) and not isinstance(value, bool))
