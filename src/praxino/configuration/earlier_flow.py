"""Optical flow as earlier versions wrote it: each component a stream of its own. Read as one stream of two channels."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from praxino.errors import UserError

COMPONENTS = {"flow_u": "u", "flow_v": "v"}  # the names that streams of one component had
FLOW = "flow"
COMPONENT = "praxino.views.flow.Component"
LINE = (
    "optical flow is one stream now: {names} are read as '{now}' of two channels, and a view takes one of them by the "
    "operation Component"
)
TYPED = (
    "--{option}: a computed flow is one stream of both components now, --{streams}.flow DISFlow, and a view takes one "
    "of them by its first operation, Component with component: u or v"
)


def flow_as_now(said: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe, or the description of an encoder, whose `DISFlow` gives both components.

    Where it says `component`, or is called flow_u or flow_v, it becomes the stream `flow`, and views that see it get
    the operation `Component` before all others: the same numbers. Anything else stays as it is; folders of pictures
    are streams under whatever name. That it was so is one line.

    Args:
        said: plain data.

    Raises:
        UserError: if a stream's name stands for one component here and for something else there.
    """
    every = [pair for streams in _under(said, "streams") for pair in streams.items()]
    found = [(name, one) for name, one in every if _is_earlier(name, one)]
    if not found:
        return dict(said)
    components = {name: _component(one) for name, one in found}
    _refuse_unlike(every, components)
    settings = [_without_component(one) for _, one in found]
    taken = any(name == FLOW for name, _ in every)
    joined = set(components) <= set(COMPONENTS) and not taken and all(one == settings[0] for one in settings)
    now = {name: FLOW if joined else name for name in components}
    _say(LINE.format(names=" and ".join(sorted(components)), now="', '".join(sorted(set(now.values())))))
    return {key: value if key == "record" else _written(value, key, now, components) for key, value in said.items()}


def refuse_typed(config: Mapping[str, Any], options: Mapping[str, str]) -> None:
    """That options are typed as earlier versions took them is one line: what they mean hangs on the recipe's views.

    Args:
        config: a recipe in the words of today, and the options laid over it.
        options: dotted name -> value.

    Raises:
        UserError: if a stream that was typed is one component of a computed flow, or a view that takes a component of
            today's flow is told to see the stream of one.
    """
    for option, value in options.items():
        place, _, last = option.rpartition(".")
        stream = place if last == "component" else option if last in COMPONENTS else ""
        streams, _, name = stream.rpartition(".")
        if streams in ("streams", "protocol.streams") and _is_earlier(name, _at(config, stream)):
            raise UserError(TYPED.format(option=option, streams=streams))
        if last == "stream" and value in COMPONENTS and _misses_stream(config, place, value):
            raise UserError(
                f"--{option} {value}: its view takes a component of the stream {FLOW}, which holds both now: "
                f"--{place}.operations.0.component {COMPONENTS[value]}"
            )


def _misses_stream(config: Mapping[str, Any], place: str, stream: str) -> bool:
    """Whether the view at a place takes a component, and no stream that is named is the one that it is to see."""
    operations = _at(config, f"{place}.operations")
    named = {name for streams in _under(config, "streams") for name in streams}
    return isinstance(operations, list) and _is_component(operations) and stream not in named


def _at(config: Mapping[str, Any], place: str) -> Any:
    """What stands at a dotted place; None where nothing does."""
    node: Any = config
    for word in place.split("."):
        node = _arguments(node) or node
        node = node.get(word) if isinstance(node, Mapping) else None
    return node


def _under(said: Any, key: str) -> Iterator[Mapping[str, Any]]:
    """All mappings under a key, wherever it stands; but for what an encoder only remembers."""
    if isinstance(said, Mapping):
        for name, value in said.items():
            if name == key and isinstance(value, Mapping):
                yield value
            elif name != "record":
                yield from _under(value, key)
    elif isinstance(said, list):
        for value in said:
            yield from _under(value, key)


def _is_earlier(name: str, stream: Any) -> bool:
    path = stream.get("class_path") if isinstance(stream, Mapping) else stream
    if not isinstance(path, str) or path.rpartition(".")[2] != "DISFlow":
        return False
    # Today's complete descriptions say all three, and a stream of two channels may have any name.
    today = {"of", "bound", "preset"} <= set(_arguments(stream))
    return "component" in _arguments(stream) or (name in COMPONENTS and not today)


def _arguments(stream: Any) -> Mapping[str, Any]:
    given = stream.get("init_args") if isinstance(stream, Mapping) else None
    return given if isinstance(given, Mapping) else {}


def _refuse_unlike(every: list[tuple[str, Any]], components: Mapping[str, str]) -> None:
    """A name stands for one component wherever streams are listed: else a view would see another one than it did."""
    for name, one in every:
        if name in components and (not _is_earlier(name, one) or _component(one) != components[name]):
            raise UserError(
                f"the stream {name} is a flow of one component in one place of this recipe, and something else in "
                "another (streams, protocol.streams): give the two names"
            )


def _component(stream: Any) -> str:
    return _arguments(stream).get("component", "u")


def _without_component(stream: Any) -> dict[str, Any]:
    path = stream.get("class_path") if isinstance(stream, Mapping) else stream
    return {"class_path": path, "init_args": {k: v for k, v in _arguments(stream).items() if k != "component"}}


def _written(value: Any, key: str, now: Mapping[str, str], components: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_written(one, "", now, components) for one in value]
    if not isinstance(value, Mapping):
        return value
    if key == "streams":
        return {now.get(name, name): _without_component(one) if name in now else one for name, one in value.items()}
    stream = value.get("stream")
    if isinstance(value.get("operations"), list) and isinstance(stream, str) and stream in now:
        return {**value, "stream": now[stream], "operations": _with_component(value["operations"], components[stream])}
    return {name: _written(one, name, now, components) for name, one in value.items()}


def _with_component(operations: list[Any], component: str) -> list[Any]:
    if _is_component(operations):
        return operations
    return [{"class_path": COMPONENT, "init_args": {"component": component}}, *operations]


def _is_component(operations: list[Any]) -> bool:
    first = operations[0] if operations else None
    path = first.get("class_path") if isinstance(first, Mapping) else first
    return isinstance(path, str) and path.rpartition(".")[2] == "Component"


@functools.cache
def _say(line: str) -> None:
    """Once in a process, from the first one of a run."""
    if os.environ.get("RANK", "0") == "0":
        print(line, file=sys.stderr)
