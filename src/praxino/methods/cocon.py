"""CoCon: a network for each view predicts its own blocks, and the networks learn from each other what is alike.

Rai, Adeli, Lee, Gaidon, Niebles: CoCon: Cooperative-Contrastive Learning, CVPR Workshops 2021. Within a view it is DPC
(`praxino.methods.dpc`) on vectors of unit length. docs/methods/cocon.md has the equations and every choice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.backbones.block_recurrent import BlockRecurrent, unit_length
from praxino.batch import ClipBatch
from praxino.described import arguments
from praxino.encoders.encoder import Encoder
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError
from praxino.losses.cooperative import OtherMaps, block_vectors, cooperation, synchronisation
from praxino.losses.dense import dense_nce
from praxino.methods.base import Losses, Method
from praxino.methods.parts.prediction import (
    PredictionNetwork,
    one_clip,
    refuse_places,
    refuse_steps,
    with_running_statistics,
)
from praxino.ranks import gather_rows
from praxino.rng import Rng
from praxino.views.pipeline import View


class CoCon(Method):
    """Contrasts the blocks within each view, and makes the views agree on which blocks are alike.

    The views show the same frames. A run leaves an encoder for each: `RUN:rgb`, `RUN:flow`.

    Args:
        networks: view -> its network. All have maps of as many channels, and blocks of as many frames.
        views: view -> what its network sees.
        predicted: P, how many of a clip's last blocks are predicted.
        temperature: t; scores are cosines divided by t * t, since the original divides both vectors by it.
        unit_length: maps, contexts and predictions are divided by their length along the channels, wherever they arise.
            False: they stay as they are, and the temperature is 1.
        contrast_weight: of the loss within each view.
        cooperation_weight: of the distance between the similarities of two views; 0 drops it.
        synchronisation_weight: of the loss that finds a block in the other view; 0 drops it.
        aligned: all views draw the same boxes and flips. False: as in the original, each its own.
        other_maps: how maps of other sizes than 1, 2, 4 and 7 become one vector a block, as of `block_vectors`.
        zero_bias: of the prediction networks. False: as in the original (`PredictionNetwork`).

    Raises:
        UserError: if networks and views do not have the same names, or networks not the same width or frames of a
            block, if a number is out of range, or all weights of the loss are 0.
    """

    least_videos = 2

    def __init__(
        self,
        networks: dict[str, BlockRecurrent],
        views: dict[str, View],
        predicted: int = 3,
        temperature: float = 0.07,
        unit_length: bool = True,
        contrast_weight: float = 1.0,
        cooperation_weight: float = 10.0,
        synchronisation_weight: float = 10.0,
        aligned: bool = True,
        other_maps: OtherMaps = "average",
        zero_bias: bool = True,
    ) -> None:
        super().__init__()
        _refuse_unlike(networks, views)
        refuse_steps(predicted)
        if not temperature > 0:
            raise UserError(f"temperature must be above 0, not {temperature}")
        _refuse_weights(len(views), contrast_weight, cooperation_weight, synchronisation_weight)
        self.networks = nn.ModuleDict(networks)
        self.views = dict(views)
        self.predicted = predicted
        self.temperature = temperature
        self.unit_length = unit_length
        self.contrast_weight = contrast_weight
        self.cooperation_weight = cooperation_weight
        self.synchronisation_weight = synchronisation_weight
        self.aligned = aligned
        self.other_maps: OtherMaps = other_maps
        self.zero_bias = zero_bias
        self.streams = tuple(dict.fromkeys(view.stream for view in views.values()))
        self.predictions = nn.ModuleDict(
            {name: PredictionNetwork(net.dim, zero_bias) for name, net in networks.items()}
        )
        self._places: dict[str, int] = {}  # view -> predicted of each clip, as the last ones had them

    def refuse_batch(self, videos: int) -> None:
        refuse_places(max(self._places.values(), default=0), videos)

    def forward(self, batch: ClipBatch, rng: Rng) -> Losses:
        keys = {name: rng.child("view") if self.aligned else rng.child("view", name) for name in self.views}
        return self.objective({name: one_clip(view, batch, keys[name]) for name, view in self.views.items()})

    def objective(self, views: dict[str, Tensor], **drawn: Any) -> Losses:
        """views: view -> float32 [B, C, N * L, h, w], of the same frames."""
        maps: dict[str, Tensor] = {}
        losses: dict[str, Tensor] = {}
        terms: dict[str, Tensor] = {}
        rows: dict[str, Tensor] = {}
        scale = self.temperature**2 if self.unit_length else 1.0
        for name, clips in views.items():
            z = self.features(name, clips)
            predictions, _ = self.predict(name, z)
            maps[name], rows[name] = gather_rows(z), z.detach().mean((1, 3, 4))
            self._places[name] = predictions[0, :, 0].numel()
            refuse_places(self._places[name], len(maps[name]))
            found = dense_nce(gather_rows(predictions), maps[name][:, -self.predicted :], scale)
            losses[f"{name}/contrast"] = self.contrast_weight * found.loss
            terms |= {f"{name}/accuracy": found.accuracy, f"{name}/top3": found.top3}
        vectors = {name: block_vectors(z, self.other_maps) for name, z in maps.items()}
        for pair, (first, second) in _pairs(vectors):
            if self.cooperation_weight:
                losses[f"{pair}/cooperation"] = self.cooperation_weight * cooperation(first, second)
            if self.synchronisation_weight:
                same = synchronisation(first, second)
                losses[f"{pair}/synchronisation"] = self.synchronisation_weight * same.loss
                terms |= {f"{pair}/positives": same.positives, f"{pair}/negatives": same.negatives}
        total = torch.stack([*losses.values()]).sum()
        return Losses(total, {name: loss.detach() for name, loss in losses.items()} | terms, rows)

    def features(self, name: str, clips: Tensor) -> Tensor:
        """The maps of a view's blocks: [B, C, N * L, h, w] -> [B, N, D, S, S]."""
        return self._scaled(self._network(name).blocks(clips).transpose(1, 2)).transpose(1, 2)

    def predict(self, name: str, z: Tensor) -> tuple[Tensor, Tensor]:
        """What a view's network expects of the last P blocks, from those before.

        Args:
            name: of the view.
            z: [B, N, D, S, S], as of `features`.

        Returns:
            The predictions [B, P, D, S, S], and the context [B, D, S, S] from which the last one was made.

        Raises:
            UserError: if there are no more blocks than are to be predicted.
        """
        refuse_steps(self.predicted, z.shape[1])
        cell, network = self._network(name).cell, self.predictions[name]
        # Within the first blocks the state is not divided by its length, as in the original.
        context = self._scaled(cell.over(z[:, : -self.predicted])[:, -1])
        predictions = [self._scaled(network(context))]
        while len(predictions) < self.predicted:
            context = self._scaled(cell(predictions[-1], context))
            predictions.append(self._scaled(network(context)))
        return torch.stack(predictions, 1), context

    def exports(self, protocol: Protocol) -> dict[str, Encoder]:
        missing = [name for name in self.views if name not in protocol.views]
        if missing:
            raise UserError(
                f"the protocol has no view '{missing[0]}', and its network is taken home: add it to protocol.views"
            )
        kept = arguments(protocol)
        return {
            name: Encoder(
                with_running_statistics(self._network(name)), **kept | {"views": {name: protocol.views[name]}}
            )
            for name in self.views
        }

    def backbones(self) -> dict[str, tuple[Backbone, ...]]:
        return {name: (self._network(name),) for name in self.views}

    def _network(self, name: str) -> BlockRecurrent:
        network = self.networks[name]
        assert isinstance(network, BlockRecurrent)
        return network

    def _scaled(self, x: Tensor) -> Tensor:
        return unit_length(x) if self.unit_length else x


def _refuse_unlike(networks: Mapping[str, BlockRecurrent], views: Mapping[str, View]) -> None:
    if not networks or set(networks) != set(views):
        raise UserError(f"CoCon takes a network for each view; networks: {_listed(networks)}, views: {_listed(views)}")
    widths = {name: network.dim for name, network in networks.items()}
    if len(set(widths.values())) > 1:
        said = ", ".join(f"{name} {width}" for name, width in widths.items())
        raise UserError(f"CoCon compares the views' maps, which must have as many channels each, and they have: {said}")
    frames = {name: network.block_frames for name, network in networks.items()}
    if len(set(frames.values())) > 1:
        said = ", ".join(f"{name} {number}" for name, number in frames.items())
        raise UserError(
            f"CoCon compares the same blocks in all views, and their block_frames differ ({said}): give all one number"
        )


def _refuse_weights(views: int, contrast: float, cooperation: float, synchronisation: float) -> None:
    weights = {"contrast": contrast, "cooperation": cooperation, "synchronisation": synchronisation}
    for name, weight in weights.items():
        if not 0 <= weight < math.inf:
            raise UserError(f"--method.{name}_weight must be 0 or more, and finite, not {weight}")
    if not contrast and (views == 1 or not (cooperation or synchronisation)):
        alone = " of a single view" if views == 1 else ""
        raise UserError(f"the weights{alone} leave CoCon no loss: pass a --method.contrast_weight above 0")


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "none"


def _pairs(vectors: Mapping[str, Tensor]) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    """Each two views by name, with the vectors [M, d] of their blocks, in alphabetical order.

    Raises:
        UserError: if they are not of one length.
    """
    lengths = {name: v.shape[2] for name, v in vectors.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise UserError(
            f"CoCon compares one vector a block in each view, and they have other lengths ({said}): crop the views to "
            "sizes whose maps are pooled (64, 128 or 224 pixels), or take --method.other_maps average"
        )
    for first, second in combinations(sorted(vectors), 2):
        yield f"{first}-{second}", (vectors[first].flatten(0, 1), vectors[second].flatten(0, 1))
