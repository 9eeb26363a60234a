"""What a tracker looks through: an encoder's backbone as a trunk for pictures."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.clips.samplers import frames_a_clip
from praxino.described import arguments
from praxino.encoders.encoder import Encoder
from praxino.encoders.statistics import averages
from praxino.errors import UserError
from praxino.rng import Rng
from praxino.views.motion import Residual
from praxino.views.pipeline import Operation, View

STRIDE = 8  # of a backbone that can be told: the tracker's of CycleContrast, and of SiamFC
MEASURED = (64, 128)  # sides of the black pictures that a stride is measured by


class Trunk(nn.Module):
    """Pictures in, feature map out: a frozen backbone, and what an encoder's view does to colours before it.

    A backbone for pictures that takes `output_stride` runs the same weights at 8. One for clips sees the picture
    repeated, and its map is the mean over time, at its own stride: that is ours, and published nowhere.

    Args:
        backbone: it is always in evaluation mode, and needs no gradient.
        view: of single frames, without resize or crop.
        frames: of a clip that repeats the picture.

    Attributes:
        stride: pixels of a picture for one cell of the map, measured on two black pictures.

    Raises:
        UserError: if it takes no pictures, or its map is not of one stride.
    """

    def __init__(self, backbone: Backbone, view: View, frames: int = 1) -> None:
        super().__init__()
        self.backbone = backbone.requires_grad_(False).eval()
        self.view = view
        self.frames = frames
        self.dim = backbone.dim
        self.stride = self._measured_stride()

    @classmethod
    def of(cls, encoder: Encoder, view: str | None = None, operations: Sequence[Operation] | None = None) -> Self:
        """The trunk of an encoder, which stays as it is.

        Its view's resizes and crops are left out, since the tracker's own crops take their place; everything else is
        kept. BatchNorm statistics that the encoder has of this view are taken.

        Args:
            encoder: of RGB.
            view: its name; None: the first of RGB frames.
            operations: on colours, in the place of the view's.

        Raises:
            UserError: if the view is none of single RGB frames, or as of `Trunk`.
        """
        coloured = (one for one, seen in encoder.views.items() if not _not_of_colours(seen))
        name = encoder.name_of(view or next(coloured, None))
        backbone = _at_fine_stride(encoder.backbone)
        if name in encoder.statistics:
            own = encoder.statistics[name].batchnorm
            for place, value in averages(backbone).items():
                value.copy_(own.get(place, value))
        frames = 1 if "output_stride" in arguments(backbone) else frames_a_clip(encoder.sampler)
        colours = _of_colours(encoder.view(name), name)
        return cls(backbone, colours if operations is None else View(operations), frames)

    def train(self, mode: bool = True) -> Self:
        """As of any module; but it stays in evaluation mode."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, pictures: Tensor) -> Tensor:
        """uint8 [b, H, W, 3] -> [b, dim, h, w]."""
        pixels = pictures[:, None, None]
        size = torch.tensor(pictures.shape[1:3]).expand(len(pictures), 1, 1, 2)
        rng = Rng(0)
        drawn = [one.draw(rng.child(k), (len(pictures), 1, 1), size) for k, one in enumerate(self.view.operations)]
        clips = self.view.transform(pixels, [{k: v.to(pixels.device) for k, v in one.items()} for one in drawn])
        maps = self.backbone(clips.squeeze(1).expand(-1, -1, self.frames, -1, -1))
        return maps.mean(2)

    def _measured_stride(self) -> int:
        device = next(self.backbone.parameters()).device
        sides = []
        for side in MEASURED:
            try:
                sides.append(self(torch.zeros(1, side, side, 3, dtype=torch.uint8, device=device)).shape[-2:])
            except (RuntimeError, ValueError, IndexError) as error:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise UserError(f"{type(self.backbone).__name__} takes no picture of {side} pixels: {reason}") from None
        more = {last - first for first, last in zip(*sides, strict=True)}
        pixels = MEASURED[1] - MEASURED[0]
        if len(more) != 1 or (cells := more.pop()) < 1 or pixels % cells:
            first, last = ([*map(int, side)] for side in sides)
            raise UserError(
                f"{type(self.backbone).__name__} gives maps of {first} and {last} cells for pictures of {MEASURED[0]} "
                f"and {MEASURED[1]} pixels: a tracker needs one stride everywhere"
            )
        return pixels // cells


def _at_fine_stride(backbone: Backbone) -> Backbone:
    said = arguments(backbone)
    if said.get("output_stride", STRIDE) == STRIDE:
        return copy.deepcopy(backbone)
    # Without weights of its own, which would be drawn from the global generator.
    with torch.device("meta"):
        made = type(backbone)(**said | {"output_stride": STRIDE})
    device = next(backbone.parameters()).device
    made.to_empty(device=device).load_state_dict(backbone.state_dict())
    return made


def _not_of_colours(view: View) -> str:
    """What a view is made of, where that is no single RGB frame; else ""."""
    if view.stream != "rgb":
        return view.stream
    return "differences of frames" if any(isinstance(one, Residual) for one in view.operations) else ""


def _of_colours(view: View, name: str) -> View:
    if made := _not_of_colours(view):
        raise UserError(f"the view '{name}' is made of {made}, and a tracker sees single RGB frames: name another view")
    return View([one for one in view.operations if type(one).size_after is Operation.size_after])
