"""What fine-tuning takes where it is not told: from the encoder how clips are seen, from its usual recipe the stage."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal

from praxino.clips.blocks import BlockClip, BlockWindows
from praxino.clips.samplers import EvenClips, RandomClip, Sampler
from praxino.clips.seconds import EvenSeconds, RandomSeconds
from praxino.configuration.complete import complete, instantiate
from praxino.configuration.documents import read
from praxino.configuration.recipes import recipe_file
from praxino.configuration.signatures import arguments_of
from praxino.described import arguments, class_path
from praxino.encoders.encoder import Encoder
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError, nearest
from praxino.training.stages import Stage
from praxino.views.geometry import CentreCrop, Flip, Resize, ResizeShorterSide, SquareCrop
from praxino.views.nearest import NearestCrop
from praxino.views.pipeline import Operation, View


def protocol_of(encoder: Encoder, protocol: Protocol | None = None, view: str | None = None) -> Protocol:
    """How the classifier is tested: as `evaluation` says, else as the encoder is evaluated; `view` stands first.

    An evaluation that names no streams reads the encoder's: how frames come out of a video is no matter of the test.

    Raises:
        UserError: if there is no such view.
    """
    said: dict[str, Any] = {name: getattr(protocol or encoder, name) for name in arguments_of(Protocol)}
    views = dict(said["views"])
    first = view or next(iter(views))
    if first not in views:
        raise UserError(f"--view {first}: there is no such view.{nearest(first, views)}")
    said["streams"] = said["streams"] or encoder.streams or None
    return Protocol(**said | {"views": {first: views.pop(first), **views}})


def taken_from(
    encoder: Encoder,
    protocol: Protocol | None,
    sampler: Sampler | None,
    training_view: View | None,
    view: str | None,
    flip: bool,
) -> tuple[Protocol, Sampler, View]:
    """Test protocol, training clips and training view: as given, else as the encoder's follow.

    Raises:
        UserError: as of `protocol_of` and `one_random_clip`.
    """
    protocol = protocol_of(encoder, protocol, view)
    test_view = next(iter(protocol.views.values()))
    return protocol, sampler or one_random_clip(protocol.sampler), training_view or trained_as(test_view, flip)


def trained_as(view: View, flip: bool = True) -> View:
    """A view for training: the crop in the middle at a random place instead, and half of the clips mirrored.

    A whole resized frame that keeps a square keeps it anywhere; other crops become squares of 0.6 to 1 of the shorter
    side. A view without a crop stays as it is.

    Args:
        view: of the test.
        flip: mirrors; only where the stream is RGB, since a mirrored flow would have to change its sign as well.
    """
    operations: list[Operation] = []
    for operation in view.operations:
        anywhere = _anywhere(operation)
        operations.append(anywhere or operation)
        if anywhere is not None and flip and view.stream == "rgb":
            operations.append(Flip())
    return View(operations, view.stream)


def _anywhere(operation: Operation) -> Operation | None:
    if isinstance(operation, Resize) and operation.crop is not None:
        return Resize(**arguments(operation) | {"at": "random"})
    if isinstance(operation, NearestCrop) and operation.at == "centre" and operation.outside == "refuse":
        return NearestCrop(**arguments(operation) | {"at": "random"})
    if isinstance(operation, CentreCrop):
        return SquareCrop(operation.size, exact=operation.exact)
    if isinstance(operation, ResizeShorterSide):
        return SquareCrop(operation.crop, exact=operation.exact)
    return None


def one_random_clip(sampler: Sampler) -> Sampler:
    """A clip at a random place, as long and as wide apart as those of the test.

    Raises:
        UserError: if the test's sampler does not say how long that is.
    """
    if isinstance(sampler, EvenSeconds):
        return RandomSeconds(sampler.frames, sampler.rate)
    if isinstance(sampler, BlockWindows):
        return BlockClip(sampler.blocks, sampler.frames, sampler.stride, 1, sampler.short)
    if not isinstance(sampler, EvenClips):
        raise UserError(f"--sampler is missing: what a training clip is does not follow from {type(sampler).__name__}")
    short: Literal["repeat", "refuse"] = "repeat" if sampler.short == "repeat" else "refuse"
    return RandomClip(sampler.frames, sampler.stride, 1, sampler.drop_last_frames, short)


def fewer_clips(sampler: Sampler, clips: int) -> Sampler:
    """The sampler with at most so many clips; one that does not count its clips stays as it is."""
    said = arguments(sampler)
    if "clips" not in said:
        return sampler
    # Of a sampler that gives each video another number, every video has to have as many.
    return type(sampler)(**said | {"clips": clips if said["clips"] is None else min(clips, said["clips"])})


def only_view(encoder: Encoder, view: str) -> Encoder:
    """The encoder with one of its views."""
    other = copy.copy(encoder)
    other.views = {view: encoder.view(view)}
    return other


def usual_stages() -> list[dict[str, Any]]:
    """Those of the recipe `finetune`, as complete plain data."""
    stages = read(recipe_file("finetune"))["stages"]
    return [{"class_path": class_path(Stage), "init_args": complete(Stage, stage)} for stage in stages]


def rates_as_factors(config: Mapping[str, Any]) -> dict[str, Any]:
    """A complete configuration whose learning rates by name (`rates`) stand as `rate_factors` of its stages.

    A factor is the rate divided by the optimizer's own; factors that a stage has are replaced.
    """
    rates = config.get("rates")
    if rates is None:
        return dict(config)
    stages = []
    for stage in config.get("stages") or usual_stages():
        factors = Stage(**instantiate(Stage, stage["init_args"])).with_rates(rates).rate_factors
        stages.append({**stage, "init_args": {**stage["init_args"], "rate_factors": factors}})
    return {**config, "rates": None, "stages": stages}
