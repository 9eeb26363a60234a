"""Toys: a method that leaves two encoders, a backbone that wraps another one, videos with lists."""

from __future__ import annotations

import torch.nn.functional as F
from torch import nn

from praxino.backbones.base import Backbone
from praxino.backbones.pooling import pool
from praxino.catalogs.base import Video
from praxino.encoders.encoder import Encoder
from praxino.losses.nce import info_nce
from praxino.methods.base import Losses, Method
from praxino.ranks import gather_rows
from praxino.views.pipeline import View
from toys import ToyCatalog


class Listed(ToyCatalog):
    """24 videos of two classes, the last 8 of them for the test; two of one class make a group."""

    def __init__(self, part: str = "all") -> None:
        super().__init__(24)
        self.rows = {"all": range(24), "train": range(16), "test": range(16, 24)}[part]

    def __len__(self):
        return len(self.rows)

    def video(self, row):
        number = self.rows[row]
        group = f"group{number // 4}-{number % 2}"
        return Video(f"video{number:02d}", {"rgb": f"/toy/{number}"}, number % 2, group)

    def part(self, name):
        return Listed(name)


class Wrapped(Backbone):
    """Another backbone with a layer of its own behind it.

    Args:
        inner: the other one.
        several: more of them, for the sake of containers.
        scale: of the map.
    """

    def __init__(self, inner: Backbone, several: list[Backbone] | None = None, scale: float = 2.0) -> None:
        super().__init__()
        self.inner = inner
        self.several = nn.ModuleList(several or [])
        self.scale = scale
        self.dim = inner.dim
        self.last = nn.Conv3d(inner.dim, inner.dim, 1)

    def forward(self, x):
        return self.scale * self.last(self.inner(x))


class Two(Method):
    """Two networks, one for each of a clip's two views, that are to agree on the video.

    Args:
        first, second: the networks; the encoders "first" and "second" are of these.
        view: what both see, drawn apart.
    """

    def __init__(self, first: Backbone, second: Backbone, view: View) -> None:
        super().__init__()
        self.first = first
        self.second = second
        self.view = view
        self.head = nn.Linear(second.dim, first.dim)

    def forward(self, batch, rng):
        clips = {name: self.view(batch, rng.child(name), slice(0, 1)).squeeze(1) for name in ("first", "second")}
        return self.objective(clips)

    def objective(self, views, **drawn):
        made = {name: pool(getattr(self, name)(clips), "mean") for name, clips in views.items()}
        one, two = (F.normalize(gather_rows(x), dim=1) for x in (made["first"], self.head(made["second"])))
        loss = (info_nce(one, two, 0.1) + info_nce(two, one, 0.1)) / 2
        return Losses(loss, {"contrastive": loss.detach()}, {name: rows.detach() for name, rows in made.items()})

    def exports(self, protocol):
        return {name: Encoder.of(getattr(self, name), protocol) for name in ("first", "second")}
