"""What is evaluated together: encoders under their views, each by itself and all side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from praxino.batch import ClipBatch
from praxino.described import describe
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations.features import Embed, VideoFeatures

JOINT = "joint"
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
    names = list(views) if views else [view or next(iter(encoder.views))]
    for name in names:
        encoder.view(name)
        if names.count(name) > 1:
            raise UserError(f"the view '{name}' is named twice: each is joined once")
        if len(names) > 1 and name in TAKEN:
            raise UserError(f"a view '{name}' cannot be joined, as the table has another row of that name: rename it")
    return {name: Member(encoder, name) for name in names}


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

    def rows(self, joint: VideoFeatures) -> dict[str, VideoFeatures]:
        """The features of each member, then of all, by row name."""
        done, rows = 0, {}
        for name, width in zip(self.embeds, self.widths, strict=True):
            rows[name] = replace(joint, vectors=joint.vectors[..., done : done + width])
            done += width
        return rows | {self.joint: joint}
