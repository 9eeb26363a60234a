"""Checks of IIC's and CMC's golden items: banks, losses, and whole training steps."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from golden_items import Check, Item
from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.methods.base import Losses
from praxino.methods.cmc import CMC
from praxino.methods.iic import IIC
from praxino.methods.parts.memory_bank import draw_candidates
from praxino.originals.iic import backbone_from_original, original_names
from praxino.rng import Rng
from praxino.views import motion
from praxino.views.pipeline import View

BANKS = {"memory_l": "first_bank", "memory_ab": "second_bank", "memory_neg": "intra_bank"}


class Given(Backbone):
    """A network that gives what it gets: [b, d, 1, 1, 1] features in place of clips."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return x


def method_of(item: Item, backbone: Backbone, intra: bool, second: View | None, form: str = "softmax") -> CMC:
    scalars = item.scalars
    method = (IIC if intra else CMC)(
        backbone,
        View([]),
        second,
        negatives=scalars["K"],
        temperature=scalars["T"],
        momentum=scalars.get("bank_momentum", scalars["momentum"]),
        loss=form,
    )
    method.setup(scalars["N"], 2, Rng(0))
    for theirs, ours in BANKS.items():
        if theirs in item.entry["fills"]:
            getattr(method, ours).rows.copy_(item.tensor(theirs))
    return method


def candidates_of(item: Item, idx: str, index: Tensor) -> Tensor:
    candidates = item.tensor(idx).clone()
    candidates[:, 0] = index
    return candidates


def recorded(method: CMC) -> list[Tensor]:
    """The list that every score table of the method will be put into."""
    tables: list[Tensor] = []
    rows = method.loss_rows

    def kept(scores: Tensor, view: int) -> Tensor:
        tables.append(scores.detach())
        return rows(scores, view)

    method.loss_rows = kept  # type: ignore[method-assign]
    return tables


def banks(form: str) -> Check:
    def check(item: Item) -> None:
        intra = "memory_neg" in item.entry["fills"]
        width = item.tensor("f1").shape[1]
        method = method_of(item, Given(width), intra, View([]), form)
        tables = recorded(method)
        got: dict[str, Tensor] = {}
        for call, (letter, idx, name) in enumerate((("f", "idx", "index"), ("g", "idx2", "index2")), start=1):
            index = torch.from_numpy(item.input(name)) if name in item.entry["inputs"] else item.tensor(name)
            features = {
                view: item.tensor(f"{letter}{theirs}")[..., None, None, None].clone().requires_grad_()
                for view, theirs in {"first": "1", "second": "2", "intra": "neg"}.items()
                if view != "intra" or intra
            }
            losses = method.objective(features, index=index, candidates=candidates_of(item, idx, index))
            losses.total.backward()
            method.after_step(losses.kept)
            for view, (name, number) in enumerate((("first", 1), ("second", 2))):
                gradient = features[name].grad
                assert gradient is not None
                got[f"loss{number}_{call}"] = losses.terms[name]
                got[f"grad{number}_{call}"] = gradient.flatten(1)
                scores = tables[view - 2] / method.temperature
                got[f"scores{number}_{call}"] = scores if form == "softmax" else scores.exp() / method.constants[view]
            assert not intra or features["intra"].grad is None
            got[f"Z_{call}"] = method.constants.clone()
            got |= {f"{t}_{call}": getattr(method, o).rows.clone() for t, o in BANKS.items() if hasattr(method, o)}
        assert (form == "nce") == bool((method.constants > 0).all())
        item.compare(**got)

    return check


def alias_table(item: Item) -> None:
    # The original's table of equal weights is degenerate, which makes its draw uniform with replacement: ours is.
    sizes = item.scalars["N"]
    item.compare(prob=[sum(sizes)], alias=[0], min_prob=[1])
    drawn = draw_candidates(Rng(0), torch.arange(7), 20_000, 7)[:, 1:]
    shares = np.array([count for _, count in sorted(Counter(drawn.flatten().tolist()).items())]) / drawn.numel()
    assert np.abs(shares - 1 / 7).max() < 0.004  # four standard errors of 140,000 draws
    assert (drawn == torch.arange(7)[:, None]).any()  # the own row may come up again


def network_of(item: Item) -> tuple[Backbone, dict[str, str]]:
    """The backbone of an item with its state, and the original's key -> ours."""
    backbone = backbone_from_original(item.state())
    return backbone, {theirs: ours for ours, theirs in original_names(backbone).items()}


def train_step(item: Item) -> None:
    """One step as the loop makes it."""
    scalars = item.scalars
    backbone, names = network_of(item)
    clips = item.tensor("x")
    second = {"res": lambda: motion.residual(clips), "rgb": lambda: None}.get(
        scalars["modality"], lambda: item.tensor(scalars["modality"])
    )()
    method = method_of(item, backbone, scalars["intra_neg"], None if second is None else View([]))
    views = {"first": clips} | ({} if second is None else {"second": second})
    if scalars["intra_neg"]:
        draws = torch.tensor(scalars["draws"])
        views["intra"] = (
            motion.repeat(clips, draws)
            if scalars["neg"] == "repeat"
            else motion.shuffle(clips, *draws.reshape(-1, 2).unbind(1))
        )
    index = torch.from_numpy(item.input("index"))
    tables = recorded(method)
    optimizer = torch.optim.SGD(
        method.parameter_groups(), scalars["lr"], momentum=scalars["momentum"], weight_decay=scalars["weight_decay"]
    )
    method.train()
    losses = method.objective(views, index=index, candidates=candidates_of(item, "idx", index))
    losses.total.backward()
    gradients = {theirs: p.grad for theirs, p in _by_their_name(method.backbone, names).items() if p.grad is not None}
    optimizer.step()
    method.after_step(losses.kept)
    item.compare(**_outcome(method, names, losses, tables, gradients, index))


def _by_their_name(backbone: nn.Module, names: dict[str, str]) -> dict[str, nn.Parameter]:
    parameters = dict(backbone.named_parameters())
    return {theirs: parameters[ours] for theirs, ours in names.items() if ours in parameters}


def _outcome(
    method: CMC,
    names: dict[str, str],
    losses: Losses,
    tables: list[Tensor],
    gradients: dict[str, Tensor],
    index: Tensor,
) -> dict[str, Tensor]:
    state = method.backbone.state_dict()
    after = {f"after.{theirs}": state[ours] for theirs, ours in names.items()}
    counted = next(value for key, value in state.items() if key.endswith("num_batches_tracked"))
    rows = {f"{t}_rows": getattr(method, o).rows[index] for t, o in BANKS.items() if hasattr(method, o)}
    return {
        "loss1": losses.terms["first"],
        "loss2": losses.terms["second"],
        "score1_pos": tables[0][:, 0].mean() / method.temperature,
        "score2_pos": tables[1][:, 0].mean() / method.temperature,
        "num_batches_tracked": counted,
        **{f"grad.{key}": value for key, value in gradients.items()},
        **after,
        **rows,
    }
