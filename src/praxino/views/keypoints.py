"""The mirror image of heat maps of body keypoints."""

from __future__ import annotations

from torch import Tensor

from praxino.errors import UserError, check_arguments
from praxino.rng import Rng
from praxino.views.pipeline import Drawn, Operation, Per, Shape, on_rows, refuse_mixed_sizes

# COCO's: the nose, and then eyes, ears, shoulders, elbows, wrists, hips, knees and ankles, the left one first.
KEYPOINTS = 17
OTHER_SIDE = [0, *(keypoint + side for keypoint in range(1, KEYPOINTS, 2) for side in (1, 0))]


class KeypointFlip(Operation):
    """Mirrors heat maps of COCO's 17 keypoints left and right: a left hand is then a right one.

    It draws what `Flip` draws: in aligned views pictures and keypoints are mirrored together. (Masks take `Flip`.)

    Args:
        p: how often.
        per: what is mirrored together.

    Raises:
        UserError: if `p` is no share; in `apply`, if the clips have another number of channels.
    """

    drawn_as = "Flip"

    def __init__(self, p: float = 0.5, per: Per = "clip") -> None:
        check_arguments(self, 0, 1, p=p)
        self.p = p
        self.per = per

    def draw(self, rng: Rng, shape: Shape, size: Tensor) -> Drawn:
        refuse_mixed_sizes(self, size)
        return {"on": self.uniform(rng, shape) < self.p}

    def apply(self, x: Tensor, **drawn: Tensor) -> Tensor:
        if x.shape[2] != KEYPOINTS:
            raise UserError(
                f"KeypointFlip needs heat maps of COCO's {KEYPOINTS} keypoints, and the clips have {x.shape[2]} "
                "channels: leave it out of this view's operations"
            )
        return on_rows(lambda rows: rows[:, OTHER_SIDE].flip(-1), x, drawn["on"])
