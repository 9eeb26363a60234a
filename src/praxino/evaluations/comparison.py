"""What all evaluations share: which features of which videos, under one protocol that is written beside the number."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from praxino.backbones.pooling import pool
from praxino.batch import ClipBatch
from praxino.catalogs.base import Video
from praxino.clips.samplers import clips_a_video, frames_a_clip
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations import handmade
from praxino.evaluations.batchnorm import reestimate_batchnorm as reestimate
from praxino.evaluations.features import Embed, VideoFeatures, evens_out, extract, one_frame_only
from praxino.evaluations.joint import Joined, Member, SideBySide, joint_row, refuse_other_clips, row_names
from praxino.evaluations.untrained import untrained
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
OF_MOTION = ("frame difference", "temporal spectrum")
ONE_FRAME = "untrained, one frame"
JOINED: dict[Joined, str] = {"as_they_are": "as they are", "equally": "each of the length 1"}
WHOLE = View([Resize(64, 64, exact=False)])  # what hand-made features see


@dataclass
class Compared:
    """Features of gallery and queries by row name ("trained", "untrained", hand-made ones), and how they were taken.

    Of several members each kind has a row for each and one for all: "trained, rgb", "trained, residual",
    "trained, joint".

    Attributes:
        gallery, queries: row name -> features.
        settings: the protocol, as plain data.
        main: the row that the evaluation is about: "trained" or "trained, joint".
        left_out: (id, reason) of both parts.
    """

    gallery: dict[str, VideoFeatures]
    queries: dict[str, VideoFeatures]
    settings: dict[str, Any]
    main: str = "trained"
    left_out: list[tuple[str, str]] = field(default_factory=list)


def compared_features(
    members: Mapping[str, Member],
    gallery: Sequence[Video],
    queries: Sequence[Video],
    *,
    baselines: bool = True,
    reestimate_batchnorm: bool | None = None,
    centred: bool | None = None,
    drop_last: int | None = None,
    workers: int = 2,
    clips_at_once: int = 64,
    max_left_out: float = 0.1,
    clips_apart: bool = False,
    joined: Joined = "as_they_are",
    progress: Callable[[int, int], None] | None = None,
) -> Compared:
    """The features of one or several encoders and views, and of baselines, in one pass over the same frames.

    The joint feature of several members is theirs side by side, in their order. As they are, which is how IIC joins RGB
    and its second view, the member with the longest vectors decides most of a cosine; equally, each has the length 1.

    Args:
        members: name -> what is evaluated, as of `members_of`; all read the same clips.
        gallery, queries: catalogs; the same object is read once.
        baselines: also those of an untrained twin of each backbone, of one without motion and of hand-made features;
            those of motion are left out where no clip has two different frames, and the settings say so.
        reestimate_batchnorm, centred: None: as the first encoder's protocol says. Both go for every row.
        drop_last: videos a batch; what fills no whole batch at the end of gallery and queries is dropped (IIC: 8).
        workers: loading processes.
        clips_at_once: clips through the networks at once, of several videos or of a part of one.
        max_left_out: largest share of unreadable videos of a part.
        clips_apart: keeps the clips' vectors instead of their mean.
        joined: whether members' vectors are brought to one length before they are joined, after the centre is off.
        progress: called with (videos done, videos of this part).

    Raises:
        UserError: if members read other clips than the first, or no videos are left, or too few can be read.
    """
    refuse_other_clips(members)
    first = next(iter(members.values()))
    encoder = first.encoder
    reestimated = encoder.reestimate_batchnorm if reestimate_batchnorm is None else reestimate_batchnorm
    centre = encoder.centred if centred is None else centred
    answers = _whole_batches(gallery, drop_last)
    asks = answers if queries is gallery else _whole_batches(queries, drop_last)
    # A residual of one frame is nothing at all: the single frame is seen in RGB, where the encoder has that view.
    coloured = next((member.encoder for member in members.values() if "rgb" in member.encoder.views), None)
    still = first if coloured is None else Member(coloured, "rgb")
    networks = _networks(members, still, baselines)
    clips = 0
    if reestimated:
        clips = reestimate(networks, answers, streams=encoder.streams, workers=workers, one_frame=(ONE_FRAME,))
    for network, _ in networks.values():
        network.backbone.eval()
    needed = dict.fromkeys(network.view(seen).stream for network, seen in networks.values())
    common: dict[str, Any] = {
        "needed": [*(needed | {"rgb": None} if baselines else needed)], "sampler": encoder.sampler,
        "streams": encoder.streams, "canvas": encoder.canvas, "workers": workers, "max_left_out": max_left_out,
        "clips_apart": clips_apart, "clips_at_once": clips_at_once, "progress": progress,
        "padded": all(evens_out(network.view(seen)) for network, seen in networks.values()),
    }  # fmt: skip
    without = list(OF_MOTION) if baselines and frames_a_clip(encoder.sampler) < 2 else []
    embeds = _embeds(networks, members, baselines, without)
    taken = extract(answers, embeds, **common)
    asked = taken if asks is answers else extract(asks, embeds, **common)
    without += [row for row, embed in embeds.items() if isinstance(embed, _OfMotion) and not embed.moved]
    embeds = {row: embed for row, embed in embeds.items() if row not in without}
    if centre:
        _centre(taken, asked)
    if joined == "equally":
        _equalise(embeds, taken, asked)
    settings = {
        "view": ", ".join(members),
        **({"joint": f"the views' features side by side, in this order, {JOINED[joined]}"} if len(members) > 1 else {}),
        "view of the single frame": still.view,
        "feature": ", ".join(dict.fromkeys(member.encoder.feature for member in members.values())),
        "sampler": type(encoder.sampler).__name__,
        "clips a video": clips_a_video(encoder.sampler),
        "batchnorm re-estimated on clips": clips,
        "centred on the gallery": centre,
        "dropped at the end": _dropped(len(gallery) - len(answers), len(queries) - len(asks), drop_last),
        **({"left out": f"{', '.join(without)}: features of motion need two frames"} if without else {}),
        "gallery videos": len(next(iter(taken.values())).ids),
        "query videos": len(next(iter(asked.values())).ids),
    }
    left_out = next(iter(taken.values())).left_out + ([] if asks is answers else next(iter(asked.values())).left_out)
    main = joint_row("trained", members)
    return Compared(_by_row(taken, embeds), _by_row(asked, embeds), settings, main, left_out)


def _networks(members: Mapping[str, Member], still: Member, baselines: bool) -> dict[str, Member]:
    """The networks by row, each with a backbone of its own, so that each view has its own BatchNorm statistics."""
    networks = dict(zip(row_names("trained", members), map(_own, members.values()), strict=True))
    if baselines:
        # Networks of one kind get other weights each: with the same ones they would agree more than strangers do.
        seeds = {one: k for k, one in enumerate(dict.fromkeys(id(member.encoder) for member in members.values()))}
        twins = [_twin(member, seeds[id(member.encoder)]) for member in members.values()]
        networks |= zip(row_names("untrained", members), twins, strict=True)
        networks[ONE_FRAME] = _twin(still, seeds[id(still.encoder)])
    return networks


def _own(member: Member) -> Member:
    # Statistics that are re-estimated are this evaluation's, and not the caller's encoder's.
    own = copy.copy(member.encoder)
    own.backbone = copy.deepcopy(member.encoder.backbone)
    return Member(own, member.view)


def _twin(member: Member, seed: int) -> Member:
    return Member(untrained(member.encoder, seed), member.view)


def _whole_batches(videos: Sequence[Video], batch: int | None) -> Sequence[Video]:
    if batch is None:
        return videos
    if not 1 <= batch <= max(1, len(videos)):
        raise UserError(f"drop_last={batch} leaves none of {len(videos)} videos: it is the number of videos in a batch")
    return videos[: len(videos) // batch * batch]


def _dropped(gallery: int, queries: int, batch: int | None) -> str:
    return "none" if batch is None else f"{gallery} of the gallery, {queries} of the queries (batches of {batch})"


def _embeds(
    networks: Mapping[str, Member], members: Mapping[str, Member], baselines: bool, without: Collection[str]
) -> dict[str, Embed]:
    """What is computed of each clip, by kind of row: that of all members side by side is cut into rows later."""

    seen = _Seen()

    def beside(kind: str) -> SideBySide:
        embeds = {row: _embed(*networks[row], seen) for row in row_names(kind, members)}
        return SideBySide(embeds, joint_row(kind, members))

    if not baselines:
        return {"trained": beside("trained")}
    one_frame = _one_frame(*networks[ONE_FRAME])
    device = networks[ONE_FRAME].encoder.device
    by_hand = {row: _handmade(function, device, seen) for row, function in HANDMADE.items() if row not in without}
    by_hand |= {row: _OfMotion(by_hand[row]) for row in OF_MOTION if row in by_hand}
    return {"trained": beside("trained"), "untrained": beside("untrained"), ONE_FRAME: one_frame, **by_hand}


class _OfMotion:
    """A feature of motion, which notes whether any clip has two different frames: a picture's are all the same."""

    def __init__(self, embed: Embed) -> None:
        self.embed = embed
        self.moved = False

    def __call__(self, batch: ClipBatch) -> Tensor:
        self.moved |= bool((batch.numbers != batch.numbers[..., :1]).any())
        return self.embed(batch)


def _by_row(features: Mapping[str, VideoFeatures], embeds: Mapping[str, Embed]) -> dict[str, VideoFeatures]:
    rows: dict[str, VideoFeatures] = {}
    for kind, embed in embeds.items():
        rows |= embed.rows(features[kind]) if isinstance(embed, SideBySide) else {kind: features[kind]}
    return rows


class _Seen:
    """What views make of a batch, each once for all rows that ask: a network and its untrained twin see the same."""

    def __init__(self) -> None:
        self.batch: ClipBatch | None = None
        self.made: dict[int, Tensor] = {}

    def __call__(self, view: View, batch: ClipBatch, device: torch.device) -> Tensor:
        """float32 [clips, C, T, H, W] on the device."""
        if batch is not self.batch:
            self.batch, self.made = batch, {}
        if id(view) not in self.made:
            self.made[id(view)] = view(batch.to(device), Rng(0)).flatten(0, 1)
        return self.made[id(view)]


def _embed(encoder: Encoder, view: str, seen: _Seen) -> Embed:
    # `Encoder.features`, of clips that others look at, too.
    def embed(batch: ClipBatch) -> Tensor:
        return pool(encoder.backbone(seen(encoder.view(view), batch, encoder.device)), encoder.feature).float()

    return embed


def _one_frame(encoder: Encoder, view: str) -> Embed:
    return lambda batch: encoder.features(one_frame_only(batch), view)


def _handmade(function: Callable[[Tensor], Tensor], device: torch.device, seen: _Seen) -> Embed:
    return lambda batch: function(seen(WHOLE, batch, device))


def _centre(gallery: Mapping[str, VideoFeatures], queries: Mapping[str, VideoFeatures]) -> None:
    """Takes the gallery's mean off all vectors, in place; of vectors side by side that is each one's own mean."""
    for row, features in gallery.items():
        mean = features.vectors.reshape(-1, features.vectors.shape[-1]).mean(0)
        features.vectors -= mean
        if queries is not gallery:
            queries[row].vectors -= mean


def _equalise(
    embeds: Mapping[str, Embed], gallery: Mapping[str, VideoFeatures], queries: Mapping[str, VideoFeatures]
) -> None:
    for row, embed in embeds.items():
        for features in [gallery] if queries is gallery else [gallery, queries]:
            if isinstance(embed, SideBySide):
                embed.equalise(features[row])
