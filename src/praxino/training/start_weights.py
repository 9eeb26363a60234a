"""Weights that a method's networks begin with: those of encoders, of other runs, converted, or built in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.built_in import BUILT_IN, FILE, is_built_in, namesake
from praxino.encoders import files
from praxino.encoders.encoder import HEAD
from praxino.encoders.in_words import network_in_words
from praxino.encoders.statistics import AVERAGED, OF_VIEWS
from praxino.errors import UserError, nearest
from praxino.files import read_text
from praxino.methods.base import Method
from praxino.training.fitting import recipes_that_fit, taken_by
from praxino.training.run import Run

Places = str | Mapping[str, str]
NAME = "start.json"  # in the run's folder: from which weights it began
STARTED = "started from"  # the same in an encoder's record


class Started(NamedTuple):
    """From which weights a network began: the encoder's name in the method, the place as given, a line for the log."""

    name: str
    place: str
    checksum: str
    line: str


def begin_with(method: Method, places: Places) -> list[Started]:
    """Gives a method's networks the weights of encoders; what is not the encoder's (heads, predictions) stays as drawn.

    The running statistics of BatchNorm come along where the method keeps some; those that an encoder has of single
    views do not.

    Args:
        method: which begins.
        places: an encoder, for a method that leaves one; or by the names of those that it leaves, for any of them.

    Returns:
        One for each.

    Raises:
        UserError: if there is no such encoder, or a weight is missing, is one too many or has another shape.
    """
    networks = method.backbones()
    if isinstance(places, str):
        if len(networks) != 1:
            names = ", ".join(f"--start.{name} PLACE" for name in networks)
            raise UserError(f"--start {places}: the method leaves several encoders, so name which one: {names}")
        places = dict.fromkeys(networks, places)
    return [_give(networks, name, place) for name, place in places.items()]


def note(run: Run, started: Sequence[Started]) -> None:
    """Into the log, and into a file for the record of the encoders: a resumed run needs no place to read it from."""
    for one in started:
        run.log(one.line)
    if any(is_built_in(one.place) for one in started) and (line := namesake()):
        run.log(line)
    if started:
        said = {one.name: {"place": one.place, files.CHECKSUM: one.checksum} for one in started}
        run.write(NAME, json.dumps(said, indent=1) + "\n")


def noted(run: Run) -> dict[str, Any]:
    """What `note` has noted, as a part of an encoder's record; {} where the run began with weights of its own."""
    with suppress(OSError, ValueError, RecursionError):
        return {STARTED: json.loads(read_text(run.path / NAME))}
    return {}


def _give(networks: Mapping[str, tuple[Backbone, ...]], name: str, place: str) -> Started:
    if name not in networks:
        known = nearest(name, networks) if list(networks) != [""] else " It leaves one, so leave out the name."
        raise UserError(f"--start.{name}: the method leaves no encoder '{name}'.{known}")
    path = files.encoder_file(place)
    shown = BUILT_IN if path == FILE else str(path)
    said, state = files.read(path)
    weights = {key: value for key, value in state.items() if not key.startswith((HEAD, OF_VIEWS))}
    for network in networks[name]:
        _load(network, weights, shown, said)
    checksum = files.checksum_of_file(path)
    line = f"{f'{name} starts' if name else 'starts'} from {shown}: {len(weights)} tensors, checksum {checksum}"
    return Started(name, place, checksum, line + _left_behind(networks[name], said, state))


def _left_behind(networks: Sequence[Backbone], said: Mapping[str, Any], state: Mapping[str, Tensor]) -> str:
    """What becomes of the BatchNorm statistics, where the encoder has some of its views."""
    views = [view for view in said.get("views", {}) if any(key.startswith(f"{OF_VIEWS}{view}.") for key in state)]
    if not views:
        return ""
    kept = any(key.endswith(AVERAGED) for network in networks for key in network.state_dict())
    comes = "BatchNorm's running averages come along, and" if kept else "the network keeps no running averages, and"
    return f"; {comes} the statistics of its views ({', '.join(views)}) stay behind"


def _load(network: nn.Module, weights: Mapping[str, Tensor], shown: str, said: Mapping[str, Any]) -> None:
    taken = taken_by(network, weights)
    if (what := _difference(network.state_dict(), taken)) is None:
        network.load_state_dict(taken)
        return
    fits = recipes_that_fit(weights)
    which = f"recipes that begin with it as they are: {', '.join(fits)}" if fits else "leave --start out"
    raise UserError(
        f"--start: {shown} is {network_in_words(said['backbone'])}, another network than the method's "
        f"{type(network).__name__}: {what}; {which}"
    )


def _difference(own: Mapping[str, Tensor], taken: Mapping[str, Tensor]) -> str | None:
    """The first weight that tells two networks apart, in words; None if there is none."""
    for name, value in own.items():
        if name not in taken:
            return f"it has no {name}"
        if taken[name].shape != value.shape:
            return f"its {name} has the shape {list(taken[name].shape)}, not {list(value.shape)}"
    return next((f"its {name} is one too many" for name in taken if name not in own), None)
