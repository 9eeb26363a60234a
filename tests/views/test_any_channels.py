"""Clips of any number of channels: what takes them treats each one alone, and what needs colours says so."""

import numpy as np
import pytest
import torch

from praxino.cli.line.configured import configured
from praxino.configuration.complete import complete, instantiate
from praxino.errors import UserError
from praxino.rng import Rng
from praxino.training.pretrain import pretrain
from praxino.training.start import OUTSIDE
from praxino.views.colour import Blur, Brightness, ColourJitter, Contrast, Grey, Hue, Normalise, Saturation
from praxino.views.gated import Erase, GatedJitter, GreyOrDrop
from praxino.views.geometry import CentreCrop, Flip, RandomResizedCrop, Resize, ResizeShorterSide, SquareCrop
from praxino.views.motion import Repeat, Residual, Shuffle

SHAPE = (3, 2, 4)
SIZE = torch.tensor([14, 18]).expand(*SHAPE, 2)
ANY = [
    Brightness(), Blur(0.5, 2.0), Erase(2, 6), Residual(), Repeat(), Shuffle(), Flip(), CentreCrop(8),
    RandomResizedCrop(8), SquareCrop(8), Resize(9, 10), Resize(9, 10, 7, "random", False), ResizeShorterSide(9, 8),
]  # fmt: skip
COLOUR = [
    Contrast(p=0.0), Saturation(p=0.0), Hue(p=0.0), Grey(p=0.0), ColourJitter(p=0.0),
    GatedJitter(p=0.0, p_contrast=0.0), GreyOrDrop(p_grey=0.0, p_drop=0.0),
]  # fmt: skip


def clips(channels, floats=False):
    x = torch.from_numpy(np.random.default_rng(channels).integers(0, 256, (3, 2, channels, 4, 14, 18), dtype=np.uint8))
    return x.float() / 255 if floats else x


def named(operation):
    return type(operation).__name__


@pytest.mark.parametrize("operation", ANY, ids=named)
@pytest.mark.parametrize("channels", [1, 2, 17])
@pytest.mark.parametrize("floats", [False, True])
def test_each_channel_alone(operation, channels, floats):
    x = clips(channels, floats)
    drawn = operation.draw(Rng(1), SHAPE, SIZE)
    got = operation.apply(x, **drawn)
    assert got.shape[:3] == x.shape[:3]
    for channel in range(channels):
        alone = operation.apply(x[:, :, channel : channel + 1].clone(), **drawn)
        # Floats are summed in another order where a product is over more columns.
        torch.testing.assert_close(got[:, :, channel : channel + 1], alone, rtol=0, atol=1e-6 if floats else 1e-7)


@pytest.mark.parametrize("operation", COLOUR, ids=named)
@pytest.mark.parametrize("channels", [1, 2, 17])
def test_colours_are_asked_for_whatever_is_drawn(operation, channels):
    """With a probability of 0: a try of the parts has to find it, and not the thousandth batch."""
    drawn = operation.draw(Rng(1), SHAPE, SIZE)
    assert torch.equal(operation.apply(clips(3), **drawn), clips(3))
    with pytest.raises(UserError, match=f"^{named(operation)} needs RGB, and the clips have {channels} channels: "):
        operation.apply(clips(channels), **drawn)


@pytest.mark.parametrize("channels", [1, 2, 17])
def test_normalise(channels):
    rng = np.random.default_rng(0)
    mean, std = rng.random(channels).tolist(), (0.1 + rng.random(channels)).tolist()
    for floats in (False, True):
        x = clips(channels, floats)
        got = Normalise(tuple(mean), tuple(std)).apply(x)
        shaped = [np.array(v)[:, None, None, None] for v in (mean, std)]
        want = (x.numpy().astype(np.float64) / (1 if floats else 255) - shaped[0]) / shaped[1]
        # float32, of numbers up to 10.
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=2e-6)
    for other in {1, 2, 3, 17} - {channels}:
        with pytest.raises(UserError, match=f"^Normalise has mean and std for {channels} channels, .* have {other}: "):
            Normalise(tuple(mean), tuple(std)).apply(clips(other))


@pytest.mark.parametrize(
    ("mean", "std", "said"),
    [
        ((0.5, 0.5), (0.5,), "mean has 2 numbers and std 1"),
        ((0.5, 0.5), (0.5, 0.0), r"each std must be above 0, not \[0.5, 0.0\]"),
        ((0.5,), (-0.1,), r"not \[-0.1\]"),
        ((0.5,), (float("nan"),), "not .nan"),
    ],
)
def test_normalise_refuses(mean, std, said):
    with pytest.raises(UserError, match="^Normalise: .*" + said):
        Normalise(mean, std)


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "toy.yaml"
    path.write_text("""\
out: run
catalog: toys.ToyCatalog
sampler: toys.ToySampler
streams: {flow: {class_path: toys.ToyPlanes, init_args: {channels: 2}}}
method:
  class_path: SimCLR
  init_args:
    backbone: {class_path: R3D, init_args: {width: 4, in_channels: 2}}
    view:
      stream: flow
      operations: [{class_path: Normalise, init_args: {mean: [0.5, 0.4], std: [0.25, 1]}}]
stages: [{optimizer: {class_path: AdamW, init_args: {lr: 1e-2}}, steps: 1}]
protocol: {views: {flow: {stream: flow, operations: [Normalise]}}, sampler: toys.ToySampler}
""")
    return path


def built(recipe, **options):
    config = configured(pretrain, options, recipe, without=OUTSIDE)
    return config, instantiate(pretrain, config)


def test_numbers_from_a_recipe_and_from_the_command_line(recipe):
    config, objects = built(recipe)
    said = config["method"]["init_args"]["view"]["init_args"]["operations"][0]["init_args"]
    assert said == {"mean": [0.5, 0.4], "std": [0.25, 1.0]}
    normalise = objects["method"].view.operations[0]
    assert (normalise.mean, normalise.std) == ((0.5, 0.4), (0.25, 1.0))
    assert objects["streams"]["flow"].channels == 2
    assert objects["protocol"].views["flow"].operations[0].mean == (0.485, 0.456, 0.406)
    place = "method.view.operations.0."
    for mean, std in (("[0.1,0.2,0.3,0.4,0.5]", "[1, 1, 1, 1, 2]"), ("0.1,0.2,0.3,0.4,0.5", "1,1,1,1,2")):
        _, objects = built(recipe, **{place + "mean": mean, place + "std": std})
        normalise = objects["method"].view.operations[0]
        assert (normalise.mean, normalise.std) == ((0.1, 0.2, 0.3, 0.4, 0.5), (1, 1, 1, 1, 2))
    # One channel: a list of one, or the number alone.
    for mean in ("[0.5]", "0.5"):
        _, objects = built(recipe, **{place + "mean": mean, place + "std": "[2]"})
        assert objects["method"].view.operations[0].mean == (0.5,)


def test_numbers_that_are_none_are_told_with_their_place(recipe):
    with pytest.raises(
        UserError, match=r"^--method\.view\.operations\.0\.mean: takes a list of numbers, not '.*red.*'"
    ):
        built(recipe, **{"method.view.operations.0.mean": "[red,green]"})
    with pytest.raises(UserError, match="mean has 3 numbers and std 2"):
        built(recipe, **{"method.view.operations.0.mean": "[0.5,0.5,0.5]"})
    assert complete(Normalise, {"mean": [1, 0]})["mean"] == [1.0, 0.0]
