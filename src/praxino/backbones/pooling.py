"""From a feature map to one vector a clip."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from praxino.errors import UserError

Feature = Literal["mean", "max", "map", "time"]


def pool(feature_map: Tensor, how: Feature) -> Tensor:
    """One vector a clip: [b, c, t, h, w] -> [b, d].

    Args:
        feature_map: what a backbone gives.
        how: "mean" or "max" over time and space, d = c; or "map", the map itself after a 2x2 max-pool over space,
            flattened in the order c, t, h, w: d = c * t * (h // 2) * (w // 2), which VCOP and IIC retrieve with;
            or "time", the mean over space of each place in time, flattened in the order c, t: d = c * t, which TCLR
            retrieves with.

    Raises:
        UserError: if the map is too small for "map", or it is none.
    """
    if feature_map.ndim != 5:
        raise UserError(
            f"a backbone gives a map [clips, dim, t, h, w], and this one gives {list(feature_map.shape)}: leave its "
            "own pooling out"
        )
    if how == "mean":
        return feature_map.mean(dim=(2, 3, 4))
    if how == "max":
        return feature_map.amax(dim=(2, 3, 4))
    if how == "time":
        return feature_map.mean(dim=(3, 4)).flatten(1)
    if how == "map":
        height, width = feature_map.shape[-2:]
        if min(height, width) < 2:
            raise UserError(
                f"the feature map is {height}x{width} pixels, too small for the feature 'map', which halves it: "
                "take larger clips, or the feature 'mean' or 'max'"
            )
        return F.max_pool3d(feature_map, (1, 2, 2)).flatten(1)
    raise UserError(f"unknown feature {how!r}: there are 'mean', 'max', 'map' and 'time'")
