"""Under which names operations draw: the class's own as ever, or another one's, whose draws are then shared."""

import importlib
import pkgutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino import views
from praxino.batch import ClipBatch, Frames
from praxino.rng import Rng
from praxino.views.colour import Brightness, Normalise
from praxino.views.geometry import Flip, RandomResizedCrop, Resize
from praxino.views.pipeline import Operation, View

# Draws are keyed by these names: another one would be another crop in every run of the past.
NAMES = {
    "channels": ["OneChannel"],
    "colour": ["Blur", "Brightness", "ColourJitter", "Contrast", "Grey", "Hue", "Normalise", "Saturation"],
    "flow": ["Component"],
    "flow_values": ["FlowFlip as Flip", "FlowValues", "WrappedFlow"],
    "gated": ["Erase", "GatedJitter", "GreyOrDrop"],
    "geometry": ["CentreCrop", "Flip", "RandomResizedCrop", "Resize", "ResizeShorterSide", "SquareCrop"],
    "keypoints": ["KeypointFlip as Flip"],
    "motion": ["Repeat", "Residual", "Shuffle"],
    "nearest": ["LiveliestCrop", "NearestCrop"],
    "sized": ["SizedCrop"],
}


class FlowFlip(Flip):
    """Mirrors a flow: what goes to the right goes to the left then."""

    drawn_as = "Flip"

    def apply(self, x, **drawn):
        x = super().apply(x, **drawn)
        sign = torch.where(drawn["on"], -1, 1)[:, :, None, :, None, None]
        return torch.cat([x[:, :, :1] * sign, x[:, :, 1:]], 2)


class OwnFlip(Flip):
    pass


class FinerFlip(FlowFlip):
    pass


def batch(videos=6, clips=2, seed=0):
    rng = np.random.default_rng(seed)

    def frames(height, width, channels):
        pixels = torch.from_numpy(rng.integers(0, 256, (videos * 4, height, width, channels), dtype=np.uint8))
        size = torch.tensor([height, width]).expand(len(pixels), 2)
        where = torch.arange(len(pixels)).view(videos, 1, 4).expand(videos, clips, 4)
        return Frames(pixels, size, torch.ones(len(pixels), dtype=torch.bool), where)

    streams = {"rgb": frames(20, 30, 3), "flow": frames(10, 15, 2)}
    none = torch.zeros(videos, dtype=torch.int64)
    return ClipBatch(streams, none, none, torch.zeros(videos, clips, 4), torch.zeros(videos, clips, 4))


def test_our_operations_keep_their_names():
    found = {}
    for module in pkgutil.iter_modules(views.__path__):
        own = vars(importlib.import_module(f"{views.__name__}.{module.name}")).values()
        kinds = [one for one in own if isinstance(one, type) and issubclass(one, Operation)]
        public = [
            one for one in kinds if one.__module__.endswith(f".{module.name}") and not one.__name__.startswith("_")
        ]
        drawn = {one.__name__: one.__new__(one).drawn_as for one in public if one is not Operation}
        if drawn:
            found[module.name] = sorted(name if name == key else f"{name} as {key}" for name, key in drawn.items())
    assert found == NAMES


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([Flip, OwnFlip, Brightness, Normalise]), max_size=8))
def test_names_are_class_and_occurrence(kinds):
    names = View([kind() for kind in kinds])._names()
    assert names == [f"{kind.__name__}.{kinds[:k].count(kind)}" for k, kind in enumerate(kinds)]


def test_names_that_are_shared():
    flips = [Flip(), FlowFlip(), OwnFlip(), FinerFlip(), Resize(4, 4)]
    assert View(flips)._names() == ["Flip.0", "Flip.1", "OwnFlip.0", "Flip.2", "Resize.0"]


def test_draws_are_those_of_the_key():
    x, rng = batch(), Rng(3, "view")
    drawn = View([RandomResizedCrop(8), Flip(), Flip()]).draw(x, rng)
    size = torch.tensor([8, 8]).expand(6, 2, 4, 2)
    for k, one in enumerate(drawn[1:]):
        assert torch.equal(one["on"], Flip().draw(rng.child(f"Flip.{k}"), (6, 2, 4), size)["on"])


@pytest.mark.parametrize("kind", [FlowFlip, FinerFlip])
@pytest.mark.parametrize("per", ["video", "clip", "frame"])
def test_a_flow_is_mirrored_with_its_pictures(kind, per):
    x, rng = batch(), Rng(7)
    rgb = View([RandomResizedCrop(8), Brightness(), Flip(per=per)])
    flow = View([RandomResizedCrop(8), kind(per=per), Normalise((0.5, 0.5), (0.5, 0.5))], stream="flow")
    seen, moving = rgb.draw(x, rng), flow.draw(x, rng)
    on = seen[2]["on"]
    assert torch.equal(on, moving[1]["on"])
    assert on.any()
    assert not on.all()
    other = View([RandomResizedCrop(8), OwnFlip(per=per)], stream="flow").draw(x, rng)
    assert not torch.equal(on, other[1]["on"])
