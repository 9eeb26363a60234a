"""Which networks take an encoder's weights: asked after they did not fit."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from praxino.configuration.complete import complete, instantiate
from praxino.configuration.documents import read
from praxino.configuration.recipes import recipe_files
from praxino.encoders.statistics import AVERAGED
from praxino.errors import UserError
from praxino.methods.base import Method

COUNTED = (*AVERAGED, "num_batches_tracked")


def taken_by(network: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights without the running statistics that a network does not keep."""
    own = network.state_dict()
    return {key: value for key, value in weights.items() if key in own or not key.endswith(COUNTED)}


def recipes_that_fit(weights: Mapping[str, Tensor]) -> list[str]:
    """The recipes that come along whose method begins with these weights as it is, and leaves one encoder; by name."""
    return [name for name, path in recipe_files().items() if _fits(read(path), weights)]


def _fits(recipe: Mapping[str, Any], weights: Mapping[str, Tensor]) -> bool:
    def method_only(method: Method) -> None: ...

    if "method" not in recipe:
        return False
    with suppress(UserError), torch.device("meta"):  # shapes, and no memory
        config = complete(method_only, {"method": recipe["method"]})
        encoders = list(instantiate(method_only, config)["method"].backbones().values())
        return len(encoders) == 1 and all(
            _shapes(one.state_dict()) == _shapes(taken_by(one, weights)) for one in encoders[0]
        )
    return False


def _shapes(state: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in state.items()}
