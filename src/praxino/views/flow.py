"""What a view takes from optical flow."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from praxino.errors import UserError
from praxino.views.pipeline import Operation


class Component(Operation):
    """One component of an optical flow as a grey picture, in three equal channels, for networks that expect RGB.

    It draws nothing: the operations behind it draw what they would draw without it.

    Args:
        component: u is the horizontal one, v the vertical one.

    Raises:
        UserError: if it is neither; in `apply`, if the clips do not have the two channels of a flow.
    """

    def __init__(self, component: Literal["u", "v"] = "u") -> None:
        if component not in ("u", "v"):
            raise UserError(f"Component's component is u or v, not {component!r}")
        self.component = component

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        if x.shape[2] != 2:
            raise UserError(
                f"Component takes one of the two channels of an optical flow, and the clips have {x.shape[2]}: let its "
                "view see a stream of flow, or leave it out of the view's operations"
            )
        channel = "uv".index(self.component)
        return x[:, :, channel : channel + 1].expand(-1, -1, 3, -1, -1, -1)
