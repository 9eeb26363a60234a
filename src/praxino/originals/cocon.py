"""The key names of CoCon's and DPC's networks (github.com/nishantrai18/cocon, github.com/TengdaHan/DPC), and ours.

Both have the same: `backbone.` before the 2d3d ResNet's keys, `agg.` before those of the ConvGRU, which are written
twice (`agg.ConvGRUCell_00.`, `agg.cell_list.0.`); in pretraining `network_pred.`, in fine-tuning `final_bn.` and
`final_fc.1.`. DPC's pretraining keeps no running statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.backbones.block_recurrent import BlockRecurrent
from praxino.backbones.resnet2d3d import (
    ResNet2D3D18,
    ResNet2D3D34,
    ResNet2D3D50,
    ResNet2D3D101,
    ResNet2D3D152,
    ResNet2D3D200,
)
from praxino.encoders.head import Head
from praxino.errors import UserError
from praxino.originals.keys import refuse_misshapen, refuse_unequal

Kind = Literal["pretraining", "classifier"]
NETWORKS: dict[type[Backbone], str] = {
    ResNet2D3D18: "ResNet-18",
    ResNet2D3D34: "ResNet-34",
    ResNet2D3D50: "ResNet-50",
    ResNet2D3D101: "ResNet-101",
    ResNet2D3D152: "ResNet-152",
    ResNet2D3D200: "ResNet-200",
}
BACKBONE, PREDICTION = "backbone.", "network_pred."
CELL, CELL_AGAIN = "agg.ConvGRUCell_00.", "agg.cell_list.0."
CLASSIFIER = {"final_bn.": "batchnorm.", "final_fc.1.": ""}  # of the original's keys and of our head's


@dataclass(frozen=True)
class Parts:
    """A state, taken apart, its keys without what stands before them.

    Attributes:
        kind: which program leaves such a state.
        backbone: of the 2d3d ResNet.
        cell: of the ConvGRU.
        prediction: of the prediction network; empty in fine-tuning.
        classifier: under the names of `Head`; empty in pretraining.
    """

    kind: Kind
    backbone: dict[str, Tensor]
    cell: dict[str, Tensor]
    prediction: dict[str, Tensor] = field(default_factory=dict)
    classifier: dict[str, Tensor] = field(default_factory=dict)


def parts(state: Mapping[str, Tensor]) -> Parts:
    """Takes a state apart; every key must be in its place.

    Args:
        state: the original's keys -> tensors, without `module.`; the ConvGRU under one of its names, or both.

    Raises:
        UserError: naming the first key that is missing, too much, or misshapen, or if the ConvGRU's two copies differ.
    """
    state = _single_cell(state)
    with torch.device("meta"):
        backbone = _empty(_taken(state, BACKBONE))
    what = f"CoCon's or DPC's {NETWORKS[type(backbone)]}"
    dim = backbone.dim
    shapes = {BACKBONE + key: tuple(tensor.shape) for key, tensor in backbone.state_dict().items()}
    for gate in ("reset_gate", "update_gate", "out_gate"):
        shapes |= {f"{CELL}{gate}.weight": (dim, 2 * dim, 1, 1), f"{CELL}{gate}.bias": (dim,)}
    if any(key.startswith(PREDICTION) for key in state):
        for layer in (0, 2):
            shapes |= {f"{PREDICTION}{layer}.weight": (dim, dim, 1, 1), f"{PREDICTION}{layer}.bias": (dim,)}
        refuse_unequal(state, shapes, what)
        return Parts("pretraining", _taken(state, BACKBONE), _taken(state, CELL), _taken(state, PREDICTION))
    classes, _ = refuse_misshapen(state, "final_fc.1.weight", ("classes", dim), what)
    own = Head(dim, classes, norm=True).state_dict()
    names = _head_names(own)
    shapes |= {original: tuple(own[key].shape) for original, key in names.items()}
    refuse_unequal(state, shapes, what)
    classifier = {key: state[original] for original, key in names.items()}
    return Parts("classifier", _taken(state, BACKBONE), _taken(state, CELL), classifier=classifier)


def network_from_original(found: Parts, **arguments: Any) -> BlockRecurrent:
    """The network of a state, with its weights.

    Which ResNet it is, is told by the keys, its width and channels by their shapes, and whether its BatchNorm keeps
    statistics by whether there are any.

    Args:
        found: as of `parts`.
        arguments: of `BlockRecurrent`, beside the backbone.
    """
    with torch.device("meta"):
        network = BlockRecurrent(_empty(found.backbone), **arguments)
    network.to_empty(device="cpu")
    network.backbone.load_state_dict(found.backbone)
    network.cell.load_state_dict(found.cell)
    return network


def network_to_original(network: Backbone) -> dict[str, Tensor]:
    """A network's state under the originals' names, the ConvGRU under both, on the CPU.

    Raises:
        UserError: if the originals have no such network.
    """
    if not isinstance(network, BlockRecurrent) or type(network.backbone) not in NETWORKS:
        name = type(network.backbone if isinstance(network, BlockRecurrent) else network).__name__
        known = ", ".join(cls.__name__ for cls in NETWORKS)
        raise UserError(f"CoCon and DPC have no network like {name}: there is BlockRecurrent on {known}")
    backbone = {BACKBONE + key: tensor for key, tensor in network.backbone.state_dict().items()}
    cell = {place + key: t for place in (CELL, CELL_AGAIN) for key, t in network.cell.state_dict().items()}
    return {key: tensor.detach().cpu() for key, tensor in {**backbone, **cell}.items()}


def head_to_original(head: Head) -> dict[str, Tensor]:
    """A classifier's state under the originals' names, on the CPU.

    Raises:
        UserError: if it has no BatchNorm, which theirs has.
    """
    if not head.norm:
        raise UserError("the classifiers of CoCon and DPC have a BatchNorm, and this head has none (--head.norm true)")
    own = head.state_dict()
    return {original: own[key].detach().cpu() for original, key in _head_names(own).items()}


def _head_names(own: Mapping[str, Tensor]) -> dict[str, str]:
    """The originals' keys -> those of our head."""
    return {place + key.removeprefix(ours): key for place, ours in CLASSIFIER.items() for key in _head_keys(own, ours)}


def _head_keys(own: Mapping[str, Tensor], ours: str) -> list[str]:
    """The keys of our head that begin so; of its own layer those without any beginning."""
    return [key for key in own if (key.startswith(ours) if ours else "." not in key)]


def _single_cell(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state with the ConvGRU under one name."""
    single = {key: tensor for key, tensor in state.items() if not key.startswith(CELL_AGAIN)}
    for key, tensor in _taken(state, CELL_AGAIN).items():
        there = single.setdefault(CELL + key, tensor)
        if there.shape != tensor.shape or not torch.equal(there, tensor):
            raise UserError(f"{CELL}{key} and {CELL_AGAIN}{key} are one tensor in CoCon's and DPC's files; they differ")
    return single


def _taken(state: Mapping[str, Tensor], place: str) -> dict[str, Tensor]:
    return {key.removeprefix(place): tensor for key, tensor in state.items() if key.startswith(place)}


def _empty(state: Mapping[str, Tensor]) -> Backbone:
    """The ResNet whose keys these are."""
    width, channels = refuse_misshapen(
        state, "conv1.weight", ("width", "channels", 1, 7, 7), "CoCon's or DPC's ResNets"
    )[:2]
    running = "bn1.running_mean" in state
    blocks = [len({key.split(".")[1] for key in state if key.startswith(f"layer{n}.")}) for n in range(1, 5)]
    wide = any(key.endswith(".conv3.weight") for key in state)
    known: Any = NETWORKS  # whose constructors are alike
    for cls in known:
        network = cls(1)
        layers = [len(layer) for layer in (network.layer1, network.layer2, network.layer3, network.layer4)]
        if layers == blocks and wide == (network.dim > 4):
            return cls(width, channels, running)
    raise UserError(
        f"this is no state of CoCon's or DPC's ResNets ({', '.join(NETWORKS.values())}): it has {blocks} blocks"
    )
