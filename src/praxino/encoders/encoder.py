"""What a user takes home: a backbone with its views and its protocol, and the head that names classes if it has one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Self, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from praxino.backbones.base import Backbone
from praxino.backbones.pooling import Feature, pool
from praxino.batch import ClipBatch
from praxino.catalogs.base import Video
from praxino.clips.dataset import collate, load_clips
from praxino.clips.samplers import Sampler
from praxino.described import arguments, describe
from praxino.encoders import files, inputs
from praxino.encoders.head import HEAD, Head, refuse_misfit
from praxino.encoders.in_words import in_words
from praxino.encoders.joined import is_joint, joined
from praxino.encoders.modes import evaluating
from praxino.encoders.parts import built
from praxino.encoders.protocol import Protocol
from praxino.encoders.statistics import Statistics, as_state, from_state
from praxino.encoders.trained_views import not_trained
from praxino.errors import UserError, check_numbers, misfit, nearest
from praxino.rng import Rng
from praxino.streams.base import Canvas, Derived, Stream
from praxino.views.pipeline import View

Given = str | Path | Video | NDArray[np.uint8]


class Encoder:
    """A backbone, its named views and its protocol.

    >>> encoder = Encoder.load("runs/mine/encoder.safetensors")
    >>> encoder.embed("my_video.mp4").shape  # doctest: +SKIP
    (10, 128)

    Args:
        backbone: clips in, feature map out.
        views, sampler, canvas, feature, streams, reestimate_batchnorm, centred: as of `Protocol`.
        classes: names of the classes, where the encoder has a head for them.
        head: what says them, from the map's mean; None: where there are classes, a plain linear layer, drawn anew. Its
            weights are saved and loaded with the backbone's.
        record: where it comes from (recipe, versions, seed, steps): written into encoder.json.

    Attributes:
        statistics: view -> what its vectors are measured with; saved and loaded with the weights. A pretraining whose
            protocol asks for them takes them on its training videos; other encoders have none.

    Raises:
        UserError: if the head does not fit the backbone or the classes.
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
        head: Head | None = None,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        if not views:
            raise UserError("an encoder needs at least one view")
        self.backbone = backbone
        self.views = dict(views)
        self.sampler = sampler
        self.canvas = dict(canvas or {})
        self.feature: Feature = feature
        self.streams = dict(streams or {})
        self.reestimate_batchnorm = reestimate_batchnorm
        self.centred = centred
        self.classes = tuple(classes)
        self.head = Head(backbone.dim, len(self.classes)) if head is None and self.classes else head
        if self.head is not None:
            refuse_misfit(self.head, backbone, len(self.classes))
        self.record = dict(record or {})
        self.statistics: dict[str, Statistics] = {}

    @classmethod
    def of(cls, backbone: Backbone, protocol: Protocol) -> Self:
        """The encoder of a backbone that is used as a protocol says."""
        return cls(backbone, **arguments(protocol))

    def view(self, name: str | None = None) -> View:
        """The view of this name, as of `name_of`."""
        return self.views[self.name_of(name)]

    def name_of(self, view: str | None = None) -> str:
        """The name of a view; None: of the first.

        Raises:
            UserError: if there is none.
        """
        if view is not None and view not in self.views:
            raise UserError(f"the encoder has no view '{view}'.{nearest(view, self.views)}")
        return next(iter(self.views)) if view is None else view

    def names_of(self, view: str | None = None) -> tuple[str, ...]:
        """All views, where "joint" is asked for and none is called so; else the one of `name_of`."""
        return tuple(self.views) if is_joint(view, self.views) else (self.name_of(view),)

    @property
    def device(self) -> torch.device:
        return next(self.backbone.parameters()).device

    def to(self, device: torch.device | str) -> Self:
        """Moves the backbone, the head and the statistics, in place."""
        self.backbone.to(device)
        for name, own in self.statistics.items():  # in place: copies that share the backbone share these, too
            self.statistics[name] = own.to(device)
        if self.head is not None:
            self.head.to(device)
        return self

    def eval(self) -> Self:
        """Backbone and head in evaluation mode: what BatchNorm has averaged, and no dropout."""
        self.backbone.eval()
        if self.head is not None:
            self.head.eval()
        return self

    def evaluating(self) -> AbstractContextManager[None]:
        """Evaluation mode inside; afterwards the backbone and the head are in the mode in which they were."""
        return evaluating([part for part in (self.backbone, self.head) if part is not None])

    @torch.no_grad()
    def features(self, batch: ClipBatch, view: str | None = None, as_measured: bool = False) -> Tensor:
        """One vector a clip.

        Args:
            batch: B videos of N clips, on any device.
            view: which view; None: the first; "joint", where none is called so: all of them, as of `joined`.
            as_measured: with the view's own BatchNorm statistics, and less its centre, where the encoder has them; then
                in evaluation mode. False: what the plain network gives, as evaluations need it, which bring their own.

        Returns:
            float32 [B * N, d] on the encoder's device.

        Raises:
            UserError: if the view's centre is a mean of another feature than the encoder's is now.
        """
        batch = batch.to(self.device)
        parts = [self._vectors(batch, name, as_measured) for name in self.names_of(view)]
        return joined(parts) if is_joint(view, self.views) else parts[0]

    def _vectors(self, batch: ClipBatch, name: str, as_measured: bool) -> Tensor:
        own = self.statistics.get(name) if as_measured else None
        clips = self.views[name](batch, Rng(0)).flatten(0, 1)
        if own is None:
            return pool(self.backbone(clips), self.feature).float()
        with self.evaluating():
            return own.vectors(self.backbone, clips, self.feature)

    @torch.no_grad()
    def logits(self, batch: ClipBatch, view: str | None = None) -> Tensor:
        """What the head says of each clip.

        Args:
            batch, view: as of `features`.

        Returns:
            float32 [B * N, classes] on the encoder's device.

        Raises:
            UserError: if the encoder has no head.
        """
        if self.head is None:
            raise UserError("the encoder has no classifier: praxino evaluate finetune trains one")
        clips = self.view(view)(batch.to(self.device), Rng(0)).flatten(0, 1)
        return self.head(pool(self.backbone(clips), "mean")).float()

    @overload
    def embed(
        self, video: Given, view: str | None = None, batch_size: int = 8, times: Literal[False] = False
    ) -> NDArray[np.float32]: ...

    @overload
    def embed(
        self, video: Given, view: str | None = None, batch_size: int = 8, *, times: Literal[True]
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]: ...

    def embed(
        self, video: Given, view: str | None = None, batch_size: int = 8, times: bool = False
    ) -> NDArray[np.float32] | tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The vectors of a video's clips, as they are measured: see `features`.

        Args:
            video: a video file, a picture, a folder of frames, a `Video`, or frames uint8 [T, H, W, 3] in RGB, 25 a
                second.
            view: as of `features`. One that was not trained on, and has no statistics, warns.
            batch_size: clips through the network at once.
            times: also gives the seconds of each clip.

        Returns:
            float32 [clips, d], in the order of the sampler; with `times` also float64 [clips, 2], the times of each
            clip's first and last frame.

        Raises:
            UnreadableVideo: if there is nothing to decode, or it is too short for the sampler.
            UserError: if it is no video at all, or a picture where clips need more frames.
        """
        check_numbers(batch_size=batch_size)
        names = self.names_of(view)
        needed = tuple(dict.fromkeys(self.views[name].stream for name in names))
        for line in filter(None, (not_trained(name, self.record, self.statistics) for name in names)):
            warnings.warn(line, stacklevel=2)
        given, streams = inputs.taken(video, needed, self.streams, self.sampler)
        loaded = load_clips(given, needed, streams, self.canvas, self.sampler, np.random.default_rng(0))
        with self.evaluating():
            parts = [
                self.features(collate([loaded.only(slice(k, k + batch_size))], [0], [None]), view, True).cpu()
                for k in range(0, len(loaded.numbers), batch_size)
            ]
        vectors = torch.cat(parts).numpy()
        return (vectors, loaded.times[:, [0, -1]]) if times else vectors

    def __repr__(self) -> str:
        return in_words(self)

    def description(self) -> dict[str, Any]:
        """Everything but the weights, as plain data."""
        kept = {name: describe(value) for name, value in arguments(self).items() if name != "record"}
        return {**kept, "record": self.record}

    def checksum(self) -> str:
        """What tells the weights and statistics from others: the checksum that stands in encoder.json."""
        return files.checksum_of(self._state())

    def save(self, path: str | Path) -> Path:
        """Writes `path` (safetensors) and, beside it, the description (.json); both aside first, then renamed."""
        files.write(Path(path), self.description(), self._state())
        return Path(path)

    @classmethod
    def load(cls, place: str | Path, *, trust: tuple[str, ...] = ()) -> Self:
        """Reads what `save` wrote. Only classes of `praxino` are built, and of the packages in `trust`.

        Args:
            place: `encoder.safetensors`; a run folder that holds exactly one encoder; `RUN:rgb`, one of several; or
                `built-in`, the one that comes with praxino.

        Raises:
            UserError: if there is no encoder, its weights do not fit, or a class is not trusted.
        """
        path = files.encoder_file(place)
        said, state = files.read(path)
        record = said.pop("record")
        encoder: Self = built(cls, said, str(path.with_suffix(".json")), trust)
        encoder.record = record
        try:
            encoder._load_state(state)
        except RuntimeError as error:
            raise UserError(f"{path} holds another network's weights than its .json names: {misfit(error)}") from None
        return encoder.eval()

    def _state(self) -> dict[str, Tensor]:
        own = self.head.state_dict() if self.head is not None else {}
        head = {HEAD + name: value for name, value in own.items()}
        return {**self.backbone.state_dict(), **head, **as_state(self.statistics)}

    def _load_state(self, state: Mapping[str, Tensor]) -> None:
        if self.head is not None:
            own = {name: value for name, value in state.items() if name.startswith(HEAD)}
            self.head.load_state_dict({name.removeprefix(HEAD): value for name, value in own.items()})
            state = {name: value for name, value in state.items() if name not in own}
        statistics, state = from_state(state, self.views, self.backbone, self.feature)
        self.backbone.load_state_dict(state)
        self.statistics = statistics


def load_encoders(place: str | Path, *, trust: tuple[str, ...] = ()) -> dict[str, Encoder]:
    """All encoders at a place, by their names: those of a run's folder, or the one that `RUN:rgb` or a file names.

    Args:
        place, trust: as of `Encoder.load`.

    Raises:
        UserError: as of `Encoder.load`.
    """
    return {name: Encoder.load(file, trust=trust) for name, file in files.encoder_files(place).items()}
