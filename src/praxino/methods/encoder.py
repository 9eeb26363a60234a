"""What a user takes home: a backbone with its views and its evaluation protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.backbones.pooling import pool
from praxino.batch import ClipBatch
from praxino.catalogs.base import Video
from praxino.clips.dataset import collate, load_clips
from praxino.clips.samplers import Sampler
from praxino.described import arguments, build, describe
from praxino.errors import UserError, misfit, nearest
from praxino.files import written_aside
from praxino.rng import Rng
from praxino.streams.base import Canvas, Derived, Stream
from praxino.views.pipeline import View

Feature = Literal["mean", "max", "map", "time"]
CLASSIFIER = "classifier."  # before its names in the file of the weights


class Evaluation:
    """How the encoders of a method are used: what a recipe's `evaluation` says.

    Args:
        views: name -> view, without randomness; the first is the default one.
        sampler: which clips of a video; its vector is their mean.
        canvas: stream -> size of its frames.
        feature: how a feature map becomes a vector: mean or maximum over time and space; the map itself after a 2x2
            spatial maximum (IIC's retrieval feature); or the mean over space at each time (TCLR's).
        streams: stream -> its reader; a stream not named is told by its files.
        reestimate_batchnorm: evaluations first re-estimate the BatchNorm statistics on the gallery's clips of the view
            (without that, features of a view other than the trained one are worthless). The originals do not.
        centred: evaluations take the gallery's mean off all vectors. The originals do not.

    Raises:
        UserError: if there is no view.
    """

    def __init__(
        self,
        views: dict[str, View],
        sampler: Sampler,
        canvas: dict[str, Canvas] | None = None,
        feature: Feature = "max",
        streams: dict[str, Stream | Derived] | None = None,
        reestimate_batchnorm: bool = True,
        centred: bool = True,
    ) -> None:
        if not views:
            raise UserError("an evaluation needs at least one view")
        self.views = views
        self.sampler = sampler
        self.canvas = canvas
        self.feature = feature
        self.streams = streams
        self.reestimate_batchnorm = reestimate_batchnorm
        self.centred = centred


class Encoder:
    """A backbone, its named views and its protocol.

    >>> encoder = Encoder.load("runs/mine/encoder.safetensors")
    >>> encoder.embed("my_video.mp4").shape  # doctest: +SKIP
    (10, 128)

    Args:
        backbone: clips in, feature map out.
        views, sampler, canvas, feature, streams, reestimate_batchnorm, centred: as of `Evaluation`.
        classes: names of the classes, where the encoder has a classifier: a linear layer on the map's mean, drawn anew.
            Its weights are saved and loaded with the backbone's.
        record: where it comes from (recipe, versions, seed, steps): written into encoder.json.
    """

    def __init__(
        self,
        backbone: Backbone,
        views: Mapping[str, View],
        sampler: Sampler,
        canvas: Mapping[str, Canvas] | None = None,
        feature: Feature = "max",
        streams: Mapping[str, Stream | Derived] | None = None,
        reestimate_batchnorm: bool = True,
        centred: bool = True,
        classes: tuple[str, ...] = (),
        record: Mapping[str, Any] | None = None,
    ) -> None:
        self.backbone = backbone
        self.views = dict(views)
        self.sampler = sampler
        self.canvas = dict(canvas or {})
        self.feature: Feature = feature
        self.streams = dict(streams or {})
        self.reestimate_batchnorm = reestimate_batchnorm
        self.centred = centred
        self.classes = tuple(classes)
        self.classifier = nn.Linear(backbone.dim, len(self.classes)) if self.classes else None
        self.record = dict(record or {})

    @classmethod
    def of(cls, backbone: Backbone, evaluation: Evaluation) -> Self:
        """The encoder of a backbone under an evaluation's protocol."""
        return cls(backbone, **arguments(evaluation))

    def view(self, name: str | None = None) -> View:
        """The view of this name; None: the first.

        Raises:
            UserError: if there is none.
        """
        if name is None:
            return next(iter(self.views.values()))
        if name not in self.views:
            raise UserError(f"the encoder has no view '{name}'.{nearest(name, self.views)}")
        return self.views[name]

    @property
    def device(self) -> torch.device:
        return next(self.backbone.parameters()).device

    def to(self, device: torch.device | str) -> Self:
        """Moves the backbone and the classifier, in place."""
        self.backbone.to(device)
        if self.classifier is not None:
            self.classifier.to(device)
        return self

    @torch.no_grad()
    def features(self, batch: ClipBatch, view: str | None = None) -> Tensor:
        """One vector a clip.

        Args:
            batch: B videos of N clips, on any device.
            view: which view; None: the first.

        Returns:
            float32 [B * N, d] on the encoder's device.
        """
        clips = self.view(view)(batch.to(self.device), Rng(0)).flatten(0, 1)
        return pool(self.backbone(clips), self.feature).float()

    @torch.no_grad()
    def logits(self, batch: ClipBatch, view: str | None = None) -> Tensor:
        """What the classifier says of each clip.

        Args:
            batch, view: as of `features`.

        Returns:
            float32 [B * N, classes] on the encoder's device.

        Raises:
            UserError: if the encoder has no classifier.
        """
        if self.classifier is None:
            raise UserError("the encoder has no classifier: praxino evaluate finetune trains one")
        clips = self.view(view)(batch.to(self.device), Rng(0)).flatten(0, 1)
        return self.classifier(pool(self.backbone(clips), "mean")).float()

    def embed(self, video: str | Path | Video, view: str | None = None, batch_size: int = 8) -> NDArray[np.float32]:
        """The vectors of a video's clips.

        Args:
            video: a video file, a folder of frames, or a `Video`.
            view: which view; None: the first.
            batch_size: clips through the network at once.

        Returns:
            float32 [clips, d], in the order of the sampler.

        Raises:
            UnreadableVideo: if there is nothing to decode, or it is too short for the sampler.
        """
        stream = self.view(view).stream
        if not isinstance(video, Video):
            source = self.streams.get(stream)
            video = Video(str(video), {source.of if isinstance(source, Derived) else stream: str(video)})
        loaded = load_clips(video, (stream,), self.streams, self.canvas, self.sampler, np.random.default_rng(0))
        was_training = self.backbone.training
        self.backbone.eval()
        try:
            parts = [
                self.features(collate([loaded.only(slice(k, k + batch_size))], [0], [None]), view).cpu()
                for k in range(0, len(loaded.numbers), batch_size)
            ]
        finally:
            self.backbone.train(was_training)
        return torch.cat(parts).numpy()

    def description(self) -> dict[str, Any]:
        """Everything but the weights, as plain data."""
        kept = {name: describe(value) for name, value in arguments(self).items() if name != "record"}
        return {**kept, "record": self.record}

    def save(self, path: str | Path) -> Path:
        """Writes `path` (safetensors) and, beside it, the description (.json); both aside first, then renamed."""
        from safetensors.torch import save

        path = Path(path)
        # Not `save_file`, which makes a file that only its owner may read.
        weights = save({name: value.detach().cpu().contiguous() for name, value in self._state().items()})
        with written_aside(path.with_suffix(".json")) as description_aside, written_aside(path) as aside:
            aside.write_bytes(weights)
            description_aside.write_text(json.dumps(self.description(), indent=1) + "\n")
        return path

    @classmethod
    def load(cls, path: str | Path, *, trust: tuple[str, ...] = ()) -> Self:
        """Reads what `save` wrote. Only classes of `praxino` are built, and of the packages in `trust`.

        Args:
            path: `encoder.safetensors`, or a run folder that holds exactly one encoder.

        Raises:
            UserError: if there is no encoder, its weights do not fit, or a class is not trusted.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = encoder_file(path)
        description = path.with_suffix(".json")
        if not description.is_file():
            raise UserError(f"{description} is missing: an encoder is {path.name} and {description.name} side by side")
        try:
            said = json.loads(description.read_text())
            state = load_file(path)
            record = said.pop("record")
        except (ValueError, AttributeError, KeyError, TypeError, SafetensorError) as error:
            raise UserError(f"the encoder {path} is damaged: {error}") from None
        try:
            encoder = cls(**build(said, trust=trust), record=record)
        except TypeError as error:
            raise UserError(f"{description} does not fit this version of praxino: {error}") from None
        try:
            encoder._load_state(state)
        except RuntimeError as error:
            raise UserError(f"{path} holds another network's weights than its .json names: {misfit(error)}") from None
        encoder.backbone.eval()
        return encoder

    def _state(self) -> dict[str, Tensor]:
        own = self.classifier.state_dict() if self.classifier is not None else {}
        return {**self.backbone.state_dict(), **{CLASSIFIER + name: value for name, value in own.items()}}

    def _load_state(self, state: Mapping[str, Tensor]) -> None:
        if self.classifier is not None:
            own = {name: value for name, value in state.items() if name.startswith(CLASSIFIER)}
            self.classifier.load_state_dict({name.removeprefix(CLASSIFIER): value for name, value in own.items()})
            state = {name: value for name, value in state.items() if name not in own}
        self.backbone.load_state_dict(state)


def encoder_file(path: str | Path) -> Path:
    """The encoder that `path` means: the file itself, or the only one in a run folder.

    Raises:
        UserError: if there is none, or several.
    """
    path = Path(path)
    if path.is_file() and path.suffix != ".safetensors":
        raise UserError(f"{path} is no encoder: give encoder.safetensors, or the run folder that holds it")
    if path.is_file():
        return path
    found = sorted(path.glob("encoder*.safetensors"))
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"{path} holds several encoders: name one of {', '.join(f.name for f in found)}")
    unfinished = " (the run has not finished: praxino resume)" if (path / "recipe.yaml").is_file() else ""
    raise UserError(f"no encoder at {path}{unfinished}: give encoder.safetensors or a run folder that holds one")
