"""What is evaluated together: encoders under their views, each by itself and all side by side."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from praxino.backbones.pooling import Feature
from praxino.batch import ClipBatch
from praxino.clips.samplers import Sampler
from praxino.described import describe
from praxino.encoders.encoder import Encoder
from praxino.encoders.joined import JOINT, is_joint
from praxino.errors import UserError
from praxino.evaluations.features import Embed, VideoFeatures
from praxino.ranks import Device, pick_device

Joined = Literal["as_they_are", "equally"]

TAKEN = (JOINT, "one frame")


class Member(NamedTuple):
    """An encoder and the view that it sees; several of them have a joint feature (IIC's two views, an ensemble)."""

    encoder: Encoder
    view: str


def members_of(encoder: Encoder, view: str | None = None, views: Sequence[str] | None = None) -> dict[str, Member]:
    """One encoder under one or several of its views, by the view's name.

    Args:
        encoder: what is evaluated.
        view: a single one; None: the first.
        views: several, in the order in which their features are joined.

    Raises:
        UserError: if there is no such view, one is named twice or like another row, or both arguments are given.
    """
    if view and views:
        raise UserError("one view and a list of views were given: leave out --view or --views")
    if is_joint(view, encoder.views):
        all_views = ",".join(encoder.views)
        raise UserError(f"--view {JOINT} is for 'praxino embed': pass --views [{all_views}], which has a row '{JOINT}'")
    names = list(views) if views else [view or next(iter(encoder.views))]
    for name in names:
        encoder.view(name)
        if names.count(name) > 1:
            raise UserError(f"the view '{name}' is named twice: each is joined once")
        if len(names) > 1 and name in TAKEN:
            raise UserError(f"a view '{name}' cannot be joined, as the table has another row of that name: rename it")
    return {name: Member(encoder, name) for name in names}


def members_of_all(
    encoders: Mapping[str, Encoder], view: str | None = None, views: Sequence[str] | None = None
) -> dict[str, Member]:
    """Several encoders by their names, each under its first view; a single one under its views, as of `members_of`.

    Args:
        encoders: by name; that of an only one does not matter.
        view, views: of a single one.

    Raises:
        UserError: if views are asked for of several encoders, or one is named like another row, or as of `members_of`.
    """
    if len(encoders) == 1:
        return members_of(next(iter(encoders.values())), view, views)
    if view or views:
        raise UserError(
            f"--view and --views are of one encoder, and these are {', '.join(encoders)}: name one of them, as RUN:"
            f"{next(iter(encoders))}"
        )
    if taken := next((name for name in encoders if name in TAKEN), None):
        raise UserError(f"an encoder '{taken}' cannot be joined, as the table has another row of that name")
    return {name: Member(encoder, next(iter(encoder.views))) for name, encoder in encoders.items()}


def asked_of(
    encoders: Mapping[str, Encoder], feature: Feature | None, sampler: Sampler | None, device: Device
) -> dict[str, Encoder]:
    """Copies of encoders, with what an evaluation asks for in place of their own, on a device; None: as each says."""
    asked = {name: copy.copy(encoder) for name, encoder in encoders.items()}
    for encoder in asked.values():
        encoder.feature, encoder.sampler = feature or encoder.feature, sampler or encoder.sampler
        encoder.to(pick_device(device))
    return asked


def refuse_other_clips(members: Mapping[str, Member]) -> None:
    """Refuses members that could not share one pass over the frames.

    Raises:
        UserError: if sampler, streams or canvas of one differ from the first one's.
    """
    encoders = [(name, member.encoder) for name, member in members.items()]
    for part in ("sampler", "streams", "canvas"):
        first, *others = [(name, describe(getattr(encoder, part))) for name, encoder in encoders]
        for name, said in others:
            if said != first[1]:
                raise UserError(
                    f"'{name}' has another {part} than '{first[0]}': what is joined reads the same clips of a video"
                )


def row_names(kind: str, members: Mapping[str, Member]) -> list[str]:
    """The members' rows of one kind: "trained", or of several "trained, rgb" and so on."""
    return [kind] if len(members) == 1 else [f"{kind}, {name}" for name in members]


def joint_row(kind: str, members: Mapping[str, Member]) -> str:
    """The row of all members together, which is the only one's where there is one."""
    return kind if len(members) == 1 else f"{kind}, {JOINT}"


class SideBySide:
    """Embeds a batch by several functions, whose vectors stand side by side in the order given, as they are.

    All lie in one array: a member's vectors are columns of the joint ones, and no copy.

    Args:
        embeds: row name -> function of a batch: [N, d].
        joint: name of the row of all.
    """

    def __init__(self, embeds: Mapping[str, Embed], joint: str) -> None:
        self.embeds, self.joint = dict(embeds), joint
        self.widths: list[int] = []

    def __call__(self, batch: ClipBatch) -> Tensor:
        """[N, the sum of all d]."""
        parts = [embed(batch) for embed in self.embeds.values()]
        self.widths = [part.shape[1] for part in parts]
        return torch.cat(parts, dim=1)

    def equalise(self, joint: VideoFeatures) -> None:
        """Gives each member's vectors the length 1, in place: in the joint cosine all members then have the same say.

        Vectors of the length 0 stay what they are.
        """
        for part in np.split(joint.vectors, np.cumsum(self.widths)[:-1], axis=-1):
            lengths = np.linalg.norm(part, axis=-1, keepdims=True)
            np.divide(part, lengths, out=part, where=lengths > 0)

    def rows(self, joint: VideoFeatures) -> dict[str, VideoFeatures]:
        """The features of each member, then of all, by row name."""
        done, rows = 0, {}
        for name, width in zip(self.embeds, self.widths, strict=True):
            rows[name] = replace(joint, vectors=joint.vectors[..., done : done + width])
            done += width
        return rows | {self.joint: joint}
