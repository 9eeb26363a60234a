"""Weights that a method's networks begin with: those of encoders, of other runs or converted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.encoders import files
from praxino.encoders.encoder import HEAD
from praxino.encoders.statistics import AVERAGED, OF_VIEWS
from praxino.errors import UserError, misfit, nearest
from praxino.methods.base import Method

Places = str | Mapping[str, str]
COUNTED = (*AVERAGED, "num_batches_tracked")


def begin_with(method: Method, places: Places) -> list[str]:
    """Gives a method's networks the weights of encoders; what is not the encoder's (heads, predictions) stays as drawn.

    The running statistics of BatchNorm come along where the method keeps some; those that an encoder has of single
    views do not.

    Args:
        method: which begins.
        places: an encoder, for a method that leaves one; or by the names of those that it leaves, for any of them.

    Returns:
        A line for each, for the log.

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


def _give(networks: Mapping[str, tuple[Backbone, ...]], name: str, place: str) -> str:
    if name not in networks:
        known = nearest(name, networks) if list(networks) != [""] else " It leaves one, so leave out the name."
        raise UserError(f"--start.{name}: the method leaves no encoder '{name}'.{known}")
    path = files.encoder_file(place)
    weights = _weights(path)
    for network in networks[name]:
        _load(network, weights, path)
    return f"{f'{name} starts' if name else 'starts'} from {path}: {len(weights)} tensors"


def _weights(path: Path) -> dict[str, Tensor]:
    return {key: value for key, value in files.read(path)[1].items() if not key.startswith((HEAD, OF_VIEWS))}


def _load(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    own = network.state_dict()
    given = {key: value for key, value in weights.items() if key in own or not key.endswith(COUNTED)}
    try:
        network.load_state_dict(given)
    except RuntimeError as error:
        raise UserError(f"--start: {path} is of another network than the method's: {misfit(error)}") from None
