"""The siamese head of a tracker, and the files of a tracker beside those of its encoder.

Of an encoder in `NAME.safetensors` the tracker is `NAME.tracker.safetensors`, the head's weights, and
`NAME.tracker.json`, all that the tracker is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from praxino.described import build, class_path, describe
from praxino.encoders import files
from praxino.encoders.parts import built
from praxino.errors import UserError, check_finite, check_numbers, misfit
from praxino.losses.siamese import correlate
from praxino.precision import full_precision

TINY = 1e-6  # a channel that says the same everywhere says nothing


class SiameseHead(nn.Module):
    """Two maps in, a response out: where in the search map the exemplar is.

    response = out_scale * correlate(exemplar(z), search(x)), with two 1x1 convolutions of their own weights and biases
    and nothing between them; without channels the maps go in as they are.

    Args:
        dim: channels of the trunk's maps.
        channels: of what is correlated; None: no convolutions, and nothing to train.
        out_scale: of the response, above 0; None: one over the number of products in the sum, so that the response is
            their mean. CycleContrast: 1e-5 on ResNet-50, 1e-3 on ResNet-18.
        cosine: compares directions instead of sizes, so that a strong feature is not found wherever it is strong: the
            maps are as of `directions`, the exemplar's cells count the less the further they are from its middle, where
            there is background (a Hann window of the sum 1), and the response is their mean cosine times `out_scale`
            (None: 1). The convolutions begin as one and the same rotation, which changes no cosine. CycleContrast has
            none of it.

    Raises:
        UserError: if a number is not above 0, or infinite.
    """

    def __init__(
        self, dim: int, channels: int | None = None, out_scale: float | None = None, cosine: bool = False
    ) -> None:
        super().__init__()
        check_numbers(dim=dim, channels=channels, out_scale=out_scale)
        check_finite(out_scale=out_scale)
        self.dim = dim
        self.channels = channels
        self.out_scale = out_scale
        self.cosine = cosine
        self.exemplar, self.search = self._projection(), self._projection()
        if cosine and isinstance(self.exemplar, nn.Conv2d) and self.exemplar.bias is not None:
            nn.init.orthogonal_(self.exemplar.weight)
            nn.init.zeros_(self.exemplar.bias)
            self.search.load_state_dict(self.exemplar.state_dict())

    def _projection(self) -> nn.Module:
        return nn.Identity() if self.channels is None else nn.Conv2d(self.dim, self.channels, 1)

    def forward(self, exemplar: Tensor, search: Tensor) -> Tensor:
        """The response.

        Args:
            exemplar: [B, dim, h, w], or [1, dim, h, w] of all.
            search: [B, dim, H, W].

        Returns:
            float32 [B, 1, H - h + 1, W - w + 1], before any sigmoid.
        """
        return self.response(self.template(exemplar), search)

    def template(self, exemplar: Tensor) -> Tensor:
        """What of an exemplar's map is correlated, and a tracker keeps: [B, C, h, w]."""
        if not self.cosine:
            return self.exemplar(exemplar)
        made = self.exemplar(directions(exemplar))
        lines = (torch.hann_window(n + 2, periodic=False, device=made.device)[1:-1] for n in made.shape[2:])
        rows, columns = (line / line.sum() for line in lines)
        return made * rows[:, None] * columns

    def response(self, template: Tensor, search: Tensor) -> Tensor:
        """The response where an exemplar's `template` is looked for."""
        if self.cosine:
            return (self.out_scale or 1) * correlate(template, self.search(directions(search)))
        scale = 1 / template[0].numel() if self.out_scale is None else self.out_scale
        return scale * correlate(template, self.search(search))


@full_precision
def directions(maps: Tensor) -> Tensor:
    """Maps [B, C, h, w] whose channels have mean 0 and deviation 1 over their picture, with cells of length 1 then."""
    deviation, mean = torch.std_mean(maps, (2, 3), keepdim=True, correction=0)
    return F.normalize((maps - mean) / (deviation + TINY), dim=1)


HeadMaker = Callable[[int], SiameseHead]  # dim of the maps -> head


def tracker_file(encoder: Path) -> Path:
    """Where the tracker of an encoder's file lies, if there is one."""
    return encoder.with_suffix(files.TRACKER)


def write_tracker(
    path: Path, head: SiameseHead, told: Mapping[str, Any], record: Mapping[str, Any] | None = None
) -> None:
    """Writes the files of a tracker, aside first.

    Args:
        path: as of `tracker_file`.
        head: of the tracker.
        told: its other arguments, but for the encoder.
        record: where it comes from.
    """
    said = {"head": describe(head), **describe(told), "record": dict(record or {})}
    files.write(path, said, head.state_dict())


def read_tracker(path: Path, trust: tuple[str, ...] = ()) -> tuple[SiameseHead, dict[str, Any]]:
    """What `write_tracker` wrote: the head, and what is said of the other arguments, as plain data.

    Args:
        path: as of `tracker_file`.
        trust: packages, beside praxino, whose classes may be built.

    Raises:
        UserError: if a file is missing or damaged, or names a class that is not trusted.
    """
    said, state = files.read(path, "tracker")
    del said["record"]
    description = path.with_suffix(".json")
    if "head" not in said:
        raise UserError(f"{description} does not fit this version of praxino: it lacks 'head'")
    head = _head_of(said.pop("head"), f"{description}: head", trust)
    try:
        head.load_state_dict(state)
    except RuntimeError as error:
        raise UserError(f"{path} holds another head's weights than {description.name} names: {misfit(error)}") from None
    return head, said


def _head_of(said: Any, where: str, trust: tuple[str, ...]) -> SiameseHead:
    given = said.get("init_args") if isinstance(said, dict) else None
    if isinstance(given, dict) and said.get("class_path") == class_path(SiameseHead):
        ours: SiameseHead = built(SiameseHead, given, where, trust)  # looks at each argument
        return ours
    try:
        head = build(said, trust=trust)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    if not isinstance(head, SiameseHead):
        raise UserError(f"{where} is {head!r:.60}, and no siamese head")
    return head
