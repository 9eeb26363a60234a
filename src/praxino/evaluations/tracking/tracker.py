"""The tracker: an encoder's maps of three crops around the last place, and where among them its exemplar is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from praxino.described import arguments
from praxino.encoders import files
from praxino.encoders.encoder import Encoder
from praxino.encoders.parts import built
from praxino.encoders.siamese import SiameseHead, read_tracker, tracker_file, write_tracker
from praxino.errors import UserError, check_finite, check_numbers, check_within
from praxino.evaluations.tracking.crops import (
    EXTRA,
    LEAST_SIDE,
    box_of,
    centre_and_size,
    crop,
    mean_colour,
    refuse_bad_box,
    refuse_odd_frame,
    side_of,
)
from praxino.evaluations.tracking.response import Search
from praxino.evaluations.tracking.trunk import Trunk
from praxino.streams.opencv import one_thread, opencv
from praxino.views.pipeline import Operation


class Tracker:
    """Follows one object from frame to frame. SiamFC (Bertinetto et al., ECCV Workshops 2016) on any encoder.

    >>> tracker = Tracker(Encoder.load("runs/mine"))  # doctest: +SKIP
    >>> tracker.init(frame, (120, 80, 60, 90))  # doctest: +SKIP
    >>> box = tracker.update(next_frame)  # doctest: +SKIP

    A box is float64 [4]: x, y, width, height in pixels, the left upper corner counted from 0. Frames are uint8
    [H, W, 3] in RGB. The exemplar is that of the first frame and never renewed. The defaults are ours where the
    published numbers depend on a mistake; those are the recipe `tracking_cyclecontrast`.

    Args:
        encoder: what looks; it stays as it is, and so does the device that it is on.
        head: on its maps; None: none that is trained: the maps themselves are compared, by the cosines of their cells.
        view: of the encoder; None: its first of RGB frames.
        operations: what is done to the colours of the crops; None: what the view does, without its resizes and crops.
        exemplar, instance: sides of the two crops that the network sees, in pixels.
        context: how much of the surroundings the exemplar holds, as a share of (height + width).
        scales: how many sizes of the object are tried, an odd number.
        scale_step: from one size to the next.
        scale_penalty: of the response of another size than the last one.
        scale_rate: how far the size follows the one that was found, 0 to 1.
        window: how much a place near the last one counts for being there, 0 to 1.
        response_up: places that one cell of the response is refined to.
        grid: cells that a response is taken for; None: as many as it has. CycleContrast: 17, and it has 18, so that the
            object's way is 17/18 of the true one.
        middle: where the object is when it has not moved: "pixels": where the networks' cells lie over the two crops;
            "grid": in the middle of the response (CycleContrast), half a pixel of the crop off at a stride of 8.
        border: colour of what lies outside of the frame: the mean of the "current" one, or of the "first" (SiamFC).
        bounded: keeps the middle of the box in the frame, and its size between 2 pixels and the frame's. False: as
            CycleContrast, nothing is bounded.

    Attributes:
        confidence: after `update`, the highest response at the size that was found, before the window's penalty,
            through a sigmoid: 0 to 1. Without a trained head it orders frames and is no probability. NaN before.

    Raises:
        UserError: if a number will not do, the head is of other maps, or as of `Trunk.of`.
    """

    def __init__(
        self,
        encoder: Encoder,
        head: SiameseHead | None = None,
        view: str | None = None,
        operations: Sequence[Operation] | None = None,
        exemplar: int = 120,
        instance: int = 255,
        context: float = 0.5,
        scales: int = 3,
        scale_step: float = 1.0375,
        scale_penalty: float = 0.9745,
        scale_rate: float = 0.59,
        window: float = 0.176,
        response_up: int = 16,
        grid: int | None = None,
        middle: Literal["pixels", "grid"] = "pixels",
        border: Literal["current", "first"] = "current",
        bounded: bool = True,
    ) -> None:
        check_numbers(exemplar=exemplar, scales=scales, scale_penalty=scale_penalty, response_up=response_up, grid=grid)
        check_within(0, 1, scale_rate=scale_rate, window=window)
        check_within(0, context=context)
        check_within(1, scale_step=scale_step)
        check_finite(context=context, scale_step=scale_step, scale_penalty=scale_penalty)
        if instance < exemplar:
            raise UserError(f"--instance {instance} is below --exemplar {exemplar}: the search crop is the larger one")
        if scales % 2 == 0:
            raise UserError(f"--scales must be odd, so that the last size is among them, not {scales}")
        for name, word, words in (("middle", middle, ("pixels", "grid")), ("border", border, ("current", "first"))):
            if word not in words:
                raise UserError(f"--{name} is {' or '.join(words)}, not {word}")
        self.encoder = encoder
        self.view = view
        self.operations = operations
        self.exemplar, self.instance, self.context = exemplar, instance, context
        self.scales, self.scale_step = scales, scale_step
        self.scale_penalty, self.scale_rate = scale_penalty, scale_rate
        self.window, self.response_up, self.grid = window, response_up, grid
        self.middle, self.border, self.bounded = middle, border, bounded
        self.trunk = Trunk.of(encoder, view, operations)
        self.head = (SiameseHead(self.trunk.dim, cosine=True) if head is None else head).to(encoder.device).eval()
        if self.head.dim != self.trunk.dim:
            raise UserError(f"a head on maps of {self.head.dim} channels does not fit a trunk of {self.trunk.dim}")
        self.confidence = math.nan
        self._template: Tensor | None = None

    @classmethod
    def load(cls, place: str | Path, *, trust: tuple[str, ...] = ()) -> Self:
        """The tracker of an encoder: with the head that lies beside it, else without one.

        Args:
            place: of an encoder, as of `Encoder.load`: a tracking run's folder, for one.
            trust: as there.

        Raises:
            UserError: as there, or if the tracker's files are damaged.
        """
        return cls.of(Encoder.load(place, trust=trust), place, trust)

    @classmethod
    def of(cls, encoder: Encoder, place: str | Path, trust: tuple[str, ...] = ()) -> Self:
        """The tracker of an encoder that has been read from a place, as of `load`."""
        path = tracker_file(files.encoder_file(place))
        if not path.is_file():
            return cls(encoder)
        head, said = read_tracker(path, trust)
        made: Self = built(cls, said, str(path.with_suffix(".json")), trust, {"encoder": encoder, "head": head})
        return made

    def save(self, path: str | Path, record: Mapping[str, Any] | None = None) -> Path:
        """Writes an encoder's two files, and beside them the tracker's.

        Args:
            path: as of `Encoder.save`.
            record: where the head comes from.
        """
        write_tracker(tracker_file(Path(path)), self.head, self.told, record)
        return self.encoder.save(path)

    @property
    def told(self) -> dict[str, Any]:
        """Its arguments, but for the encoder and the head."""
        return {name: value for name, value in arguments(self).items() if name not in ("encoder", "head")}

    def to(self, device: torch.device) -> Self:
        """Moves the encoder, the trunk and the head."""
        self.encoder.to(device)
        self.trunk.to(device)
        self.head.to(device)
        self._template = None if self._template is None else self._template.to(device)
        return self

    @torch.inference_mode()
    def init(self, frame: NDArray[np.uint8], box: ArrayLike) -> None:
        """Looks at the object for the first time.

        Args:
            frame: uint8 [H, W, 3], RGB.
            box: x, y, width, height, from 0.

        Raises:
            UserError: if the frame is no such picture, or the box marks nothing of it.
        """
        refuse_odd_frame(frame)
        refuse_bad_box(box, *frame.shape[:2])
        self.confidence = math.nan
        self._centre, self._size = centre_and_size(box)
        self._side = np.float32(side_of(self._size, self.context))
        with one_thread(opencv("A tracker", EXTRA)):
            self._colour = mean_colour(frame) if self.border == "first" else None
            picture = crop(frame, self._centre, float(self._side), self.exemplar, colour=self._colour)
        self._template = self.head.template(self.trunk(self._on_device(picture[None])))

    @torch.inference_mode()
    def update(self, frame: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Looks for the object in the next frame: its box, float64 [4].

        Args:
            frame: uint8 [H, W, 3], RGB.

        Raises:
            UserError: if `init` has not been called, or the frame is no such picture.
        """
        if self._template is None:
            raise UserError("the tracker knows no object yet: call init(frame, box) first")
        refuse_odd_frame(frame)
        with one_thread(opencv("A tracker", EXTRA)):
            maps = self.trunk(self._on_device(self.crops(frame)))
            responses = self.head.response(self._template, maps)
            return self.moved(responses[:, 0].cpu().numpy(), *frame.shape[:2])

    @property
    def factors(self) -> NDArray[np.float64]:
        """The search square's side at each scale, as a share of the last one: float64 [scales]."""
        return self.scale_step ** np.arange(-(self.scales // 2), self.scales // 2 + 1, dtype=np.float64)

    @property
    def search_side(self) -> np.float32:
        """The side of the search square at the last size, in pixels of the frame."""
        return np.float32(self._side * np.float32(self.instance) / np.float32(self.exemplar))

    def crops(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What is searched: uint8 [scales, instance, instance, 3]."""
        sides = self.search_side * self.factors
        return np.stack([crop(frame, self._centre, side, self.instance, colour=self._colour) for side in sides])

    def moved(self, responses: NDArray[np.float32], height: int, width: int) -> NDArray[np.float64]:
        """Takes the object to where the responses are highest, and gives its box.

        Args:
            responses: float32 [scales, n, n], one a scale.
            height, width: of the frame.
        """
        cells = responses.shape[-1]
        grid = self.grid or cells
        search = Search(self.factors, self.scale_penalty, self.window, self.response_up * grid)
        best, place, highest = search.found(responses)
        self.confidence = 1 / (1 + math.exp(-min(max(highest, -700.0), 700.0)))
        factor = self.factors[best]
        stride = self.trunk.stride
        still = (cells - 1) / 2 if self.middle == "grid" else (self.instance - self.exemplar) / 2 / stride
        pixels = (place - still) * (grid / cells) * stride
        self._centre = self._centre + (pixels * self.search_side * factor / self.instance).astype(np.float32)
        self._scale_by((1 - self.scale_rate) + self.scale_rate * factor, height, width)
        return box_of(self._centre, self._size)

    def _scale_by(self, factor: float, height: int, width: int) -> None:
        frame = np.array([height, width], np.float32)
        size = self._size * np.float32(factor)
        if self.bounded:
            self._centre = np.clip(self._centre, 0, frame - 1)
            # A box that began beyond the bounds may come back.
            worse = (size < np.minimum(self._size, LEAST_SIDE)) | (size > np.maximum(self._size, frame))
            if worse.any():
                return
        self._size = size
        self._side = np.float32(self._side * np.float32(factor))

    def _on_device(self, pictures: NDArray[np.uint8]) -> Tensor:
        return torch.from_numpy(pictures).to(next(self.trunk.parameters()).device)


TrackerMaker = Callable[[Encoder, SiameseHead], Tracker]
