"""Checks of the tracker's correlation, its labels and its losses."""

from __future__ import annotations

import golden_items
import torch
import torch.nn.functional as F
from golden_items import Item
from torch import Tensor

from praxino.losses.siamese import balanced, correlate, focal, label_map


@torch.no_grad()
def correlation(item: Item) -> None:
    scale, state = item.scalars["out_scale"], item.state("head")

    def projected(x: Tensor, own: str) -> Tensor:
        return F.conv2d(x, state[f"{own}_convs.0.weight"], state[f"{own}_convs.0.bias"])

    one, three, pairs, others = (item.tensor(name) for name in ("z1", "x3", "z2", "x2"))
    item.compare(
        one_template=scale * correlate(one, three),
        pairs=scale * correlate(pairs, others),
        conv_one=scale * correlate(projected(one, "z"), projected(three, "x")),
        conv_pairs=scale * correlate(projected(pairs, "z"), projected(others, "x")),
    )


def of_labels(item: Item, height: int, width: int) -> Tensor:
    said = item.scalars
    return label_map(height, width, said["total_stride"], said["r_pos"], said["r_neg"])


def labels(item: Item) -> None:
    sides = [int(output.removeprefix("labels")) for output in item.entry["outputs"]]
    item.compare(**{f"labels{side}": of_labels(item, side, side) for side in sides})


def losses(item: Item) -> None:
    found = {}
    for name, loss in (("focal", lambda *given: focal(*given, gamma=item.scalars["gamma"])), ("balanced", balanced)):
        response = item.tensor("response").requires_grad_()
        found[name] = loss(response, of_labels(item, *response.shape[-2:]))
        found[name].backward()
        found[f"grad_{name}"] = response.grad
    item.compare(**found)


CHECKS: dict[str, golden_items.Check] = {
    "siamfc_xcorr": correlation,
    "siamfc_labels": labels,
    "siamfc_losses": losses,
}
