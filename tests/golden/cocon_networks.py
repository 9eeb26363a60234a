"""Checks of CoCon's and DPC's golden items: networks, and the files that hold them."""

from __future__ import annotations

from typing import Any

import torch
from golden_items import Check, Item
from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.backbones.block_recurrent import ConvGRUCell, unit_length
from praxino.encoders.head import Head
from praxino.losses.dense import POSITIVE, dense_nce, dense_scores, kinds_of_places
from praxino.methods.cocon import CoCon
from praxino.methods.dpc import DPC
from praxino.methods.parts.prediction import PredictionNetwork
from praxino.originals.cocon import CELL, Parts, head_to_original, network_from_original, network_to_original, parts
from praxino.originals.keys import without_parallel
from praxino.views.pipeline import View


def clip(block: Tensor) -> Tensor:
    """Blocks [B, N, C, L, H, W] as the clips that they are cut from, [B, C, N * L, H, W]."""
    return block.transpose(1, 2).flatten(2, 3)


def found(item: Item) -> Parts:
    return parts(without_parallel(item.state()))


def backbone(item: Item) -> Backbone:
    """The backbone of a state that holds nothing else: the rest is made up."""
    state = item.state()
    return network_from_original(Parts("pretraining", state, cell_of(state))).backbone.eval()


def cell_of(state: dict[str, Tensor]) -> dict[str, Tensor]:
    dim = next(
        reversed([tensor.shape[0] for key, tensor in state.items() if "layer4" in key and key.endswith("weight")])
    )
    return ConvGRUCell(dim, dim).state_dict()


@torch.no_grad()
def maps(item: Item) -> None:
    network: Any = backbone(item)
    seen: dict[str, Tensor] = {}
    layers = {"after_maxpool": network.maxpool} | {f"after_layer{n}": getattr(network, f"layer{n}") for n in (1, 2, 3)}
    for name, layer in layers.items():
        layer.register_forward_hook(lambda _, __, out, name=name: seen.__setitem__(name, out.clone()))
    y = network(item.tensor("x"))
    assert network.dim == item.scalars["feature_size"]
    item.compare(y=y, **seen)


def convgru(item: Item) -> None:
    own = {key.removeprefix("ConvGRUCell_00."): tensor for key, tensor in item.state().items()}
    x, h0 = (item.tensor(name).requires_grad_() for name in ("x", "h0"))
    cell = ConvGRUCell(x.shape[2], h0.shape[1], item.scalars["kernel_size"], item.scalars["dropout"]).eval()
    cell.load_state_dict(own)
    zero, given = cell.over(x), cell.over(x, h0)
    (given * item.tensor("w_out")).sum().backward()
    gradients = {f"grad.ConvGRUCell_00.{name}": p.grad for name, p in cell.named_parameters()}
    last = {"last_zero": zero[:, -1:], "last_h0": given[:, -1:]}
    item.compare(out_zero=zero, out_h0=given, grad_x=x.grad, grad_h0=h0.grad, **last, **gradients)


@torch.no_grad()
def prediction(item: Item) -> None:
    h = item.tensor("h")
    network = PredictionNetwork(h.shape[1])
    network.load_state_dict({key.removeprefix("network_pred."): tensor for key, tensor in item.state().items()})
    item.compare(pred=network(h))


def dpc(item: Item) -> None:
    of_file = found(item)
    clips = clip(item.tensor("block"))
    network = network_from_original(of_file, block_frames=item.scalars["seq_len"])
    assert network.backbone.running_statistics is item.scalars["track_running_stats"]
    task = DPC(network, View([]), item.scalars["pred_step"], shared=False).eval()
    task.prediction.load_state_dict(of_file.prediction)
    z = network.blocks(clips)
    predictions, targets = task.predict(z), z[:, -task.predicted :]
    losses = task.objective({"clips": clips})
    losses.total.backward()
    steps, side = task.predicted, z.shape[-1]
    scores = dense_scores(predictions, targets)
    six = (len(clips), steps, side * side)
    gradients = {
        "grad.network_pred.2.bias": task.prediction[2].bias.grad,
        f"grad.{CELL}out_gate.bias": network.cell.out_gate.bias.grad,
        "grad.backbone.layer4.1.bn2.weight": network.backbone.layer4[1].bn2.weight.grad,
    }
    item.compare(
        score=scores.view(*six, *six), mask=kinds_of_places(*six).view(*six, *six), loss=losses.total,
        acc1=losses.terms["accuracy"], acc3=losses.terms["top3"], **gradients,
    )  # fmt: skip


@torch.no_grad()
def forward(item: Item) -> None:
    """One view's network of CoCon."""
    of_file = found(item)
    network = network_from_original(of_file, block_frames=item.scalars["seq_len"])
    task = CoCon({"view": network}, {"view": View([])}, item.scalars["pred_step"]).eval()
    task.predictions["view"].load_state_dict(of_file.prediction)
    z = task.features("view", clip(item.tensor("block")))
    predictions, context = task.predict("view", z)
    hidden = unit_length(network.cell(predictions[:, -1], context))
    item.compare(pred=predictions, gt=z[:, -task.predicted :], feature=z, hidden=hidden)
    twice = len(network.cell.state_dict())
    assert len(item.state()) + twice == item.scalars["n_keys_in_file"]


def classifier(rectified: Any) -> Check:
    @torch.no_grad()
    def check(item: Item) -> None:
        of_file = found(item)
        network = network_from_original(of_file, block_frames=item.scalars["seq_len"], rectified=rectified).eval()
        head = Head(network.dim, item.scalars["num_class"], norm=True, dropout=0.5).eval()
        head.load_state_dict(of_file.classifier)
        mean = network(clip(item.tensor("block"))).mean((2, 3, 4))
        assert head.batchnorm is not None
        item.compare(logits=head(mean), context=head.batchnorm(mean))

    return check


def pair_kinds(item: Item) -> None:
    kinds = {}
    for number, case in enumerate(item.scalars["cases"]):
        said = dict(zip(item.scalars["columns"], case, strict=True))
        found = kinds_of_places(said["B"], said["pred_step"], said["last_size"] ** 2)
        # The loss takes the diagonal for the positives.
        assert (found == POSITIVE).equal(torch.eye(len(found), dtype=torch.bool))
        kinds[f"mask{number}"] = found
    item.compare(**kinds)


def contrast(item: Item) -> None:
    raw = {name: item.tensor(name).requires_grad_() for name in ("pred", "gt")}
    pred, gt = (unit_length(x.transpose(1, 2)).transpose(1, 2) for x in raw.values())
    clips, steps, side = pred.shape[0], pred.shape[1], pred.shape[-1]
    temperature = item.scalars["temp"] ** 2
    dense = dense_nce(pred, gt, temperature)
    dense.loss.backward()
    six = (clips, steps, side * side)
    item.compare(
        score=(dense_scores(pred, gt) / temperature).view(*six, *six), loss=dense.loss, acc1=dense.accuracy,
        acc3=dense.top3, grad_pred=raw["pred"].grad, grad_gt=raw["gt"].grad,
    )  # fmt: skip


def transferred(item: Item) -> None:
    """What a pretraining's file brings into fine-tuning, what is new there, and what is not used."""
    shapes = {key.removeprefix("module."): shape for key, shape in item.scalars["file_shapes"].items()}
    read = parts({key: torch.zeros(shape, dtype=number(key)) for key, shape in shapes.items()})
    network = network_from_original(read)
    back = network_to_original(network)
    assert set(back) <= set(shapes)
    head = head_to_original(Head(network.dim, item.scalars["num_class"], norm=True))
    item.compare(counts=[len(back), len(head), len(read.prediction)])


def number(key: str) -> torch.dtype:
    return torch.int64 if key.endswith("num_batches_tracked") else torch.float32


CHECKS: dict[str, Check] = {
    **dict.fromkeys(("backbone_r18", "backbone_r18_flow", "backbone_r34", "backbone_r50"), maps),
    "convgru": convgru,
    "network_pred": prediction,
    "dpc_forward": dpc,
    **dict.fromkeys(("cocon_forward_rgb", "ckpt_cocon_seg_module"), forward),
    "transfer_keys": transferred,
    "lc_cocon": classifier("no"),
    "lc_dpc": classifier("before_pooling"),
    "mask_grid": pair_kinds,
    "cpc_loss": contrast,
}
