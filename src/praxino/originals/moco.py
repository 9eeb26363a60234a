"""The key names of MoCo's and CycleContrast's networks (github.com/happywu/CycleContrast trains both), and ours.

Our ResNets have torchvision's names, and so have theirs: only what stands before the names differs. A pretraining has
the network twice, `encoder_q.` and the averaged `encoder_k.`, each with its projection head `fc.`, and its queues;
CycleContrast's second pair of heads is `q_cycle_fc.` and `k_cycle_fc.`. The linear evaluation has torchvision's whole
network, with `fc.` for the classes; the classifier of UCF101 has `feature_extractor.model.` and `classifier.`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.backbones.resnet2d import ResNet18, ResNet34, ResNet50
from praxino.errors import UserError
from praxino.originals.keys import refuse_misshapen, refuse_unequal

Kind = Literal["pretraining", "linear evaluation", "UCF101 classifier"]
ResNet = ResNet18 | ResNet34 | ResNet50
Shapes = dict[str, tuple[int, ...]]

CHANNELS = 3
SPOKEN: dict[type[Backbone], str] = {ResNet18: "ResNet-18", ResNet34: "ResNet-34", ResNet50: "ResNet-50"}
QUERY, KEY = "encoder_q.", "encoder_k."
TRUNKS: dict[Kind, str] = {
    "pretraining": QUERY,
    "UCF101 classifier": "feature_extractor.model.",
    "linear evaluation": "",
}
HEADS = {"query": f"{QUERY}fc.", "key": f"{KEY}fc.", "query cycle": "q_cycle_fc.", "key cycle": "k_cycle_fc."}
QUEUES = ("queue", "queue_ptr", "queue_labels", "queue_indices", "queue_cycle", "queue_cycle_ptr")


@dataclass(frozen=True)
class Parts:
    """A state, taken apart.

    Attributes:
        kind: which program leaves such a state; one without any head or classifier counts as a linear evaluation.
        trunk: of the network under torchvision's names: of a pretraining the query's, which is the one that is used.
        key: the same of the averaged network of a pretraining; empty where there is none.
        heads: "query", "key", "query cycle" and "key cycle" -> its state, as far as they are there.
        queues: the buffers of a pretraining under their names.
        classifier: {"weight": [classes, dim], "bias": [classes]}; empty where there is none.
    """

    kind: Kind
    trunk: dict[str, Tensor]
    key: dict[str, Tensor] = field(default_factory=dict)
    heads: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    queues: dict[str, Tensor] = field(default_factory=dict)
    classifier: dict[str, Tensor] = field(default_factory=dict)


def parts(state: Mapping[str, Tensor]) -> Parts:
    """Takes a state apart. What it is follows from its keys, each of which has to be in its place.

    Args:
        state: the original's keys -> tensors, without `module.`.

    Raises:
        UserError: naming the first key that is missing, too much, or misshapen.
    """
    kind = _kind(state)
    place = TRUNKS[kind]
    with torch.device("meta"):
        backbone = _empty(state, place)
    trunk: Shapes = {key: tensor.shape for key, tensor in backbone.state_dict().items()}
    shapes = _put(place, trunk)
    if kind == "pretraining":
        shapes |= _beside_query(state, trunk, backbone)
        refuse_unequal(state, shapes, _owner(backbone))
        heads = {name: _taken(state, prefix) for name, prefix in HEADS.items() if _any(state, prefix)}
        queues = {name: state[name] for name in QUEUES if name in state}
        return Parts(kind, _trunk(state, QUERY), _trunk(state, KEY), heads, queues)
    prefix = _classifier_place(state, kind)
    if prefix is not None:
        wanted = ("classes", backbone.dim)
        classes, dim = refuse_misshapen(state, f"{prefix}weight", wanted, _owner(backbone))
        shapes |= {f"{prefix}weight": (classes, dim), f"{prefix}bias": (classes,)}
    refuse_unequal(state, shapes, _owner(backbone))
    trunk_state = {key: state[place + key] for key in trunk}
    return Parts(kind, trunk_state, classifier={} if prefix is None else _taken(state, prefix))


def backbone_from_original(state: Mapping[str, Tensor]) -> ResNet:
    """The backbone that a trunk's state belongs to, with its weights, at output stride 32.

    Which one is told by the keys, and its width by their shapes. Every key must be there, and none may be left.

    Args:
        state: torchvision's keys -> tensors, as `parts` gives those of a trunk.

    Raises:
        UserError: naming the first key that is missing, too much, or misshapen.
    """
    with torch.device("meta"):
        backbone = _empty(state, "")
    refuse_unequal(state, {key: tensor.shape for key, tensor in backbone.state_dict().items()}, _owner(backbone))
    backbone.to_empty(device="cpu").load_state_dict(state)
    return backbone


def backbone_to_original(backbone: Backbone) -> dict[str, Tensor]:
    """A backbone's state under torchvision's names and in their order, on the CPU.

    Raises:
        UserError: if the originals have no such network.
    """
    if type(backbone) not in SPOKEN:
        known = ", ".join(cls.__name__ for cls in SPOKEN)
        raise UserError(f"MoCo and CycleContrast have no network like {type(backbone).__name__}: there are {known}")
    if backbone.in_channels != CHANNELS:
        name = SPOKEN[type(backbone)]
        raise UserError(f"MoCo's {name} has in_channels {CHANNELS}, and this network {backbone.in_channels}")
    return {key: tensor.detach().cpu() for key, tensor in backbone.state_dict().items()}


def _kind(state: Mapping[str, Tensor]) -> Kind:
    if not state:
        raise UserError("this is no state of MoCo or CycleContrast: it is empty")
    for kind, place in TRUNKS.items():
        if place and _any(state, place):
            return kind
    if "conv1.weight" not in state:
        raise UserError(
            "this is no state of MoCo or CycleContrast: it has no encoder_q, no feature_extractor.model and no conv1; "
            f"its first key is {next(iter(state))}"
        )
    return "linear evaluation"


def _empty(state: Mapping[str, Tensor], place: str) -> ResNet:
    """The network of a state whose names begin with `place`, with the width that its first convolution tells."""
    cls: type[ResNet] = ResNet34 if _any(state, f"{place}layer1.2.") else ResNet18
    if any(key.startswith(f"{place}layer") and ".conv3." in key for key in state):
        cls = ResNet50
    what = f"a {SPOKEN[cls]} of MoCo or CycleContrast"
    return cls(refuse_misshapen(state, f"{place}conv1.weight", ("width", CHANNELS, 7, 7), what)[0])


def _beside_query(state: Mapping[str, Tensor], trunk: Shapes, backbone: ResNet) -> Shapes:
    """What has to stand beside the query's trunk: a thing of which anything is there has to be there whole."""
    queued, cycle = _any(state, "queue"), _any(state, ("q_cycle_fc.", "k_cycle_fc.", "queue_cycle"))
    averaged = queued or _any(state, KEY)
    if not (averaged or cycle or _any(state, HEADS["query"])):
        return {}
    head = _head(state, backbone)
    shapes = _put(HEADS["query"], head)
    if averaged:
        shapes |= _put(KEY, trunk) | _put(HEADS["key"], head)
    if cycle:
        shapes |= _put(HEADS["query cycle"], head) | _put(HEADS["key cycle"], head)
    if queued:
        (out,) = head.get("2.bias") or head["bias"]
        shapes |= _queues(state, out, cycle, _owner(backbone))
    return shapes


def _head(state: Mapping[str, Tensor], backbone: ResNet) -> Shapes:
    """The shapes of a projection head, as the query has it: two layers (--mlp), or one."""
    place, dim, what = HEADS["query"], backbone.dim, _owner(backbone)
    if _any(state, (f"{place}0.", f"{place}2.")):
        out, _ = refuse_misshapen(state, f"{place}2.weight", ("outputs", dim), what)
        return {"0.weight": (dim, dim), "0.bias": (dim,), "2.weight": (out, dim), "2.bias": (out,)}
    out, _ = refuse_misshapen(state, f"{place}weight", ("outputs", dim), what)
    return {"weight": (out, dim), "bias": (out,)}


def _queues(state: Mapping[str, Tensor], out: int, cycle: bool, what: str) -> Shapes:
    _, length = refuse_misshapen(state, "queue", (out, "length"), what)
    shapes: Shapes = {"queue": (out, length), "queue_ptr": (1,)}
    # MoCo's own repository does not keep whose keys are in the queue.
    if "queue_labels" in state or "queue_indices" in state:
        shapes |= {"queue_labels": (1, length), "queue_indices": (1, length)}
    if cycle:
        _, length = refuse_misshapen(state, "queue_cycle", (out, "length"), what)
        shapes |= {"queue_cycle": (out, length), "queue_cycle_ptr": (1,)}
    return shapes


def _classifier_place(state: Mapping[str, Tensor], kind: Kind) -> str | None:
    """What stands before the classifier's two names; None where there is none."""
    if kind == "UCF101 classifier":
        return "classifier."
    # With --dropout the layer is the second of two.
    return next((prefix for prefix in ("fc.1.", "fc.") if _any(state, prefix)), None)


def _owner(backbone: ResNet) -> str:
    return f"a {SPOKEN[type(backbone)]} of MoCo or CycleContrast"


def _any(state: Mapping[str, Tensor], prefix: str | tuple[str, ...]) -> bool:
    return any(key.startswith(prefix) for key in state)


def _put(prefix: str, shapes: Shapes) -> Shapes:
    return {prefix + key: shape for key, shape in shapes.items()}


def _taken(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}


def _trunk(state: Mapping[str, Tensor], place: str) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in _taken(state, place).items() if not key.startswith("fc.")}
