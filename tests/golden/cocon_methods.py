"""Checks of CoCon's golden items: losses between views, a whole step, how it is stepped."""

from __future__ import annotations

from typing import Any

import torch
from golden_items import Check, Item
from torch import Tensor

from praxino.losses.cooperative import block_vectors, cooperation, kinds_of_blocks, synchronisation
from praxino.methods.cocon import CoCon
from praxino.originals.cocon import network_from_original, parts
from praxino.training.accumulation import Accumulation
from praxino.training.schedules import Plateau
from praxino.views.pipeline import View


def clip(block: Tensor) -> Tensor:
    """Blocks [B, N, C, L, H, W] as the clips that they are cut from, [B, C, N * L, H, W]."""
    return block.transpose(1, 2).flatten(2, 3)


@torch.no_grad()
def pooled(item: Item) -> None:
    names = [name for name in item.entry["fills"]]
    item.compare(**{f"y{name[1:]}": block_vectors(item.tensor(name), "flatten") for name in names})


def pair_kinds(item: Item) -> None:
    kinds = {}
    for number, case in enumerate(item.scalars["cases"]):
        said = dict(zip(item.scalars["columns"], case, strict=True))
        found = kinds_of_blocks(said["B"], said["num_seq"])
        assert (found == 1).equal(torch.eye(len(found), dtype=torch.bool))
        kinds[f"mask{number}"] = found
    item.compare(**kinds)


def between_views(item: Item) -> None:
    said = item.scalars
    maps = {name: item.tensor(name).requires_grad_() for name in said["modes"]}
    outputs: dict[str, Any] = {}
    totals: dict[str, Tensor] = {"coop": torch.zeros(()), "sync": torch.zeros(())}
    for one, two in said["pairs"]:
        pair = f"{one[0]}|{two[0]}"
        first, second = (block_vectors(maps[name]).flatten(0, 1) for name in (one, two))
        same = synchronisation(first, second)
        other = synchronisation(second, first)
        torch.testing.assert_close(other.loss, same.loss)  # the original computes both, and takes their mean
        outputs |= {f"coop.{pair}": cooperation(first, second), f"sync.{pair}": same.loss}
        # Its m weighs each half alike: w is 1 / (2 r) for the share r of positives, and 1 / (2 (1 - r)) for the rest.
        mean = (same.positives + same.negatives) / 2
        outputs |= {f"stat.{pair}.m": mean, f"stat.{pair}.m-": same.negatives, f"stat.{pair}.m+": same.positives}
        totals["coop"] = totals["coop"] + said["dot_wt"] * outputs[f"coop.{pair}"]
        totals["sync"] = totals["sync"] + said["msync_wt"] * outputs[f"sync.{pair}"]
    for name, total in totals.items():
        gradients = torch.autograd.grad(total, list(maps.values()), retain_graph=True)
        outputs |= {f"grad_{name}.{view}": grad for view, grad in zip(maps, gradients, strict=True)}
        outputs[f"{name}_total"] = total
    item.compare(**outputs)


def step(item: Item) -> None:
    said = item.scalars
    state = item.state()
    networks, predictions = {}, {}
    for mode in said["modes"]:
        place = f"models.{mode}."
        found = parts({key.removeprefix(place): tensor for key, tensor in state.items() if key.startswith(place)})
        networks[mode] = network_from_original(found, block_frames=said["seq_len"], dropout=said["dropout"])
        predictions[mode] = found.prediction
    task = CoCon(
        networks, {mode: View([]) for mode in networks}, said["pred_step"], said["temp"],
        cooperation_weight=said["dot_wt"], synchronisation_weight=said["msync_wt"],
    ).train()  # fmt: skip
    for mode, own in predictions.items():
        task.predictions[mode].load_state_dict(own)
    losses = task.objective({mode: clip(item.tensor(mode)) for mode in networks})
    losses.total.backward()
    outputs: dict[str, Any] = {"total": losses.total}
    for mode, network in networks.items():
        outputs[f"loss.cpc.{mode}"] = losses.terms[f"{mode}/contrast"]
        outputs |= {f"acc1.{mode}": losses.terms[f"{mode}/accuracy"], f"acc3.{mode}": losses.terms[f"{mode}/top3"]}
        outputs[f"running_mean.{mode}"] = network.backbone.bn1.running_mean
        outputs |= gradients(mode, network, task.predictions[mode])
    for name, value in losses.terms.items():
        pair, _, what = name.partition("/")
        short = "|".join(sorted(view[0] for view in pair.split("-")))
        if what in ("cooperation", "synchronisation"):
            outputs[f"loss.{'coop' if what == 'cooperation' else 'sim'}.{short}"] = value
    # Behind max-pools and ReLUs that another order of sums decides otherwise: float64 is 5e-4 to 2e-3 away from the
    # stored numbers, and 1e-2 from those of a processor without AVX-512.
    item.allow(0.02, *(name for name in item.entry["outputs"] if name.endswith("backbone.conv1.weight")))
    item.compare(**outputs)


def gradients(mode: str, network: Any, prediction: Any) -> dict[str, Any]:
    """Under the original's names."""
    named = {f"backbone.{key}": p for key, p in network.backbone.named_parameters()}
    named |= {f"agg.ConvGRUCell_00.{key}": p for key, p in network.cell.named_parameters()}
    named |= {f"network_pred.{key}": p for key, p in prediction.named_parameters()}
    found = {key: p.grad for key, p in named.items() if p.grad is not None}
    return {
        **{f"grad.{mode}.{key}": grad for key, grad in found.items()},
        f"grad_norm.{mode}": torch.stack([grad.norm() for grad in found.values()]).norm(),
        f"params_without_grad.{mode}": len(named) - len(found),
    }


def plateau(item: Item) -> None:
    schedule = Plateau("validation/total", factor=0.1, patience=10, threshold=1e-4, minimum=1e-5 / item.scalars["lr"])
    rates = []
    for loss in item.scalars["val_losses"]:
        schedule.observe({"validation/total": loss})
        rates.append(item.scalars["lr"] * schedule(0, 1))
    item.compare(lr=rates)


def stepped(item: Item) -> None:
    """Which batches a step holds; the item names them by their first and last index."""
    rule = Accumulation("cocon", item.scalars["n_batches"], item.scalars["interval"])
    batch, held = 0, []
    while batch < rule.batches:
        share = rule.at(batch)
        held.append((batch, batch + share.batches - 1))
        batch += sum(share)
    assert len(held) == rule.steps
    item.compare(step_at=[last for _, last in held], first_last=held)


CHECKS: dict[str, Check] = {
    "combiner": pooled,
    "mask_instance": pair_kinds,
    **dict.fromkeys(("coop_sync_2views", "coop_sync_4views"), between_views),
    **dict.fromkeys(("step_2views", "step_2views_grads"), step),
    "lr_plateau": plateau,
    "accumulation": stepped,
}
