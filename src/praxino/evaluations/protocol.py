"""What all evaluations share: which features of which videos, under one protocol that is written beside the number."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from praxino.batch import ClipBatch
from praxino.catalogs.base import Catalog
from praxino.described import arguments
from praxino.evaluations import handmade
from praxino.evaluations.batchnorm import reestimate_batchnorm as reestimate
from praxino.evaluations.features import Embed, VideoFeatures, extract, one_frame_only
from praxino.methods.encoder import Encoder
from praxino.rng import Rng
from praxino.views.geometry import Resize
from praxino.views.pipeline import View

HANDMADE: dict[str, Callable[[Tensor], Tensor]] = {
    "one frame: 8x8 thumbnail": handmade.one_frame,
    "mean 8x8 thumbnail": handmade.thumbnail,
    "colour histogram": handmade.colour_histogram,
    "frame difference": handmade.frame_difference,
    "temporal spectrum": handmade.temporal_spectrum,
}
ONE_FRAME = "untrained, one frame"


@dataclass
class Compared:
    """Features of gallery and queries by row name ("trained", "untrained", hand-made ones), and how they were taken.

    Attributes:
        gallery, queries: row name -> features.
        settings: the protocol, as plain data.
        left_out: (id, reason) of both parts.
    """

    gallery: dict[str, VideoFeatures]
    queries: dict[str, VideoFeatures]
    settings: dict[str, Any]
    left_out: list[tuple[str, str]] = field(default_factory=list)


def compared_features(
    encoder: Encoder,
    gallery: Catalog,
    queries: Catalog,
    *,
    view: str | None = None,
    baselines: bool = True,
    reestimate_batchnorm: bool | None = None,
    centred: bool | None = None,
    workers: int = 2,
    max_left_out: float = 0.1,
    clips_apart: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Compared:
    """The features of an encoder, and of baselines in the same pass over the same frames.

    Args:
        encoder: what is evaluated.
        gallery, queries: catalogs; the same object is read once.
        view: of the encoder; None: its first.
        baselines: also those of an untrained twin of the backbone (with and without motion) and of hand-made features.
        reestimate_batchnorm, centred: None: as the encoder's protocol says. Both go for every row.
        workers: loading processes.
        max_left_out: largest share of unreadable videos of a part.
        clips_apart: keeps the clips' vectors instead of their mean.
        progress: called with (videos done, videos of this part).
    """
    name = view or next(iter(encoder.views))
    reestimated = encoder.reestimate_batchnorm if reestimate_batchnorm is None else reestimate_batchnorm
    centre = encoder.centred if centred is None else centred
    # Of its own: the statistics that are re-estimated below are this evaluation's, and not the caller's encoder's.
    own = copy.copy(encoder)
    own.backbone = copy.deepcopy(encoder.backbone)
    networks = {"trained": (own, name)}
    # A residual of one frame is nothing at all: the single frame is seen in RGB, where the encoder has that view.
    still = "rgb" if "rgb" in encoder.views else name
    if baselines:
        networks |= {"untrained": (untrained(encoder), name), ONE_FRAME: (untrained(encoder), still)}
    clips = 0
    if reestimated:
        clips = reestimate(networks, gallery, streams=encoder.streams, workers=workers, one_frame=(ONE_FRAME,))
    embeds: dict[str, Embed] = {row: _embed(*network) for row, network in networks.items()}
    needed = list(dict.fromkeys(network.view(seen).stream for network, seen in networks.values()))
    if baselines:
        embeds[ONE_FRAME] = _one_frame(*networks[ONE_FRAME])
        embeds |= {row: _handmade(function, encoder.device) for row, function in HANDMADE.items()}
        needed += ["rgb"] if "rgb" not in needed else []
    common: dict[str, Any] = {
        "needed": needed, "sampler": encoder.sampler, "streams": encoder.streams, "canvas": encoder.canvas,
        "workers": workers, "max_left_out": max_left_out, "clips_apart": clips_apart, "progress": progress,
    }  # fmt: skip
    for network, _ in networks.values():
        network.backbone.eval()
    taken = extract(gallery, embeds, **common)
    asked = taken if queries is gallery else extract(queries, embeds, **common)
    if centre:
        taken, asked = _centred(taken, asked)
    settings = {
        "view": name,
        "view of the single frame": still,
        "feature": encoder.feature,
        "sampler": type(encoder.sampler).__name__,
        "clips a video": int(getattr(encoder.sampler, "clips", 1)),
        "batchnorm re-estimated on clips": clips,
        "centred on the gallery": centre,
        "gallery videos": len(next(iter(taken.values())).ids),
        "query videos": len(next(iter(asked.values())).ids),
    }
    left_out = next(iter(taken.values())).left_out + ([] if queries is gallery else next(iter(asked.values())).left_out)
    return Compared(taken, asked, settings, left_out)


def untrained(encoder: Encoder, seed: int = 0) -> Encoder:
    """The encoder with a fresh backbone of the same kind: every layer drawn anew."""
    twin = copy.copy(encoder)
    twin.backbone = copy.deepcopy(encoder.backbone)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(Rng(seed, "untrained").shared().integers(2**31)))
        fresh = type(encoder.backbone)(**arguments(encoder.backbone))
    twin.backbone.load_state_dict(fresh.state_dict())
    return twin


def _embed(encoder: Encoder, view: str) -> Embed:
    return lambda batch: encoder.features(batch, view)


def _one_frame(encoder: Encoder, view: str) -> Embed:
    return lambda batch: encoder.features(one_frame_only(batch), view)


def _handmade(function: Callable[[Tensor], Tensor], device: torch.device) -> Embed:
    whole = View([Resize(64, 64, exact=False)])

    def embed(batch: ClipBatch) -> Tensor:
        return function(whole(batch.to(device), Rng(0)).flatten(0, 1))

    return embed


def _centred(
    gallery: Mapping[str, VideoFeatures], queries: Mapping[str, VideoFeatures]
) -> tuple[dict[str, VideoFeatures], dict[str, VideoFeatures]]:
    def less(features: VideoFeatures, mean: Any) -> VideoFeatures:
        moved = copy.copy(features)
        moved.vectors = features.vectors - mean
        return moved

    means = {row: features.vectors.reshape(-1, features.vectors.shape[-1]).mean(0) for row, features in gallery.items()}
    moved = {row: less(features, means[row]) for row, features in gallery.items()}
    asked = moved if queries is gallery else {row: less(features, means[row]) for row, features in queries.items()}
    return moved, asked
