"""The form of an evaluation's file: what the page relies on, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]


def is_evaluation(content: Mapping[str, Any]) -> bool:
    """Whether the parts that are given have the form that the page relies on; what is missing or null is no fault."""
    return bool(content) and all(content.get(key) is None or good(content[key]) for key, good in PARTS.items())


def _each(good: Check) -> Check:
    return lambda value: isinstance(value, list) and all(good(item) for item in value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _given(value: Mapping[str, Any], key: str, good: Check) -> bool:
    return value.get(key) is None or good(value[key])


def _row(value: Any) -> bool:
    return _mapping(value) and all(_given(value, key, _mapping) for key in ("values", "intervals"))


def _shown(value: Any) -> bool:
    return (
        _mapping(value)
        and _given(value, "frames", _each(_text))
        and _given(value, "clip", _text)
        and _given(value, "seconds", _point)
    )


def _match(value: Any) -> bool:
    return (
        _mapping(value)
        and _shown(value.get("query"))
        and _given(value, "name", _text)
        and _given(value, "neighbours", _each(_shown))
    )


def _picture(value: Any) -> bool:
    return _mapping(value) and _text(value.get("file"))


def _curves(value: Any) -> bool:
    return _mapping(value) and _mapping(value.get("lines")) and all(map(_each(_point), value["lines"].values()))


def _point(value: Any) -> bool:
    """Two numbers, of which null and NaN are left out of the chart."""
    return isinstance(value, list) and len(value) == 2 and all(map(_number, value))


def _classes(value: Any) -> bool:
    return _mapping(value) and _each(_class)(value.get("classes"))


def _class(value: Any) -> bool:
    return _mapping(value) and _text(value.get("name")) and all(_number(value.get(key)) for key in ("videos", "value"))


def _number(value: Any) -> bool:
    return value is None or isinstance(value, int | float)


PARTS: dict[str, Check] = {
    "columns": _each(_text),
    "rows": _each(_row),
    "settings": _mapping,
    "gallery": _each(_match),
    "left_out": _each(_mapping),
    "pictures": _each(_picture),
    "curves": _each(_curves),
    "by_class": _classes,
}
