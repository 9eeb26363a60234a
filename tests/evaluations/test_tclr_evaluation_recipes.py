"""The recipe of TCLR's linear evaluation says what its code does; that of its fine-tuning, which is ours, ends.

The numbers are those of the published code: chapters 2, 3 and 7 of its specification.
"""

import json

import pytest

from praxino.cli.line.configured import configured
from praxino.clips.modes import TemporalModes
from praxino.clips.samplers import RandomClip
from praxino.configuration.complete import instantiate
from praxino.configuration.recipes import recipe_file
from praxino.described import describe
from praxino.encoders.head import Head
from praxino.evaluations.classifying.classifier import Classifier
from praxino.evaluations.classifying.finetune import finetune
from praxino.evaluations.classifying.start import BESIDE, OUTSIDE
from praxino.views.gated import Erase, GatedJitter, GreyOrDrop
from praxino.views.geometry import CentreCrop, Flip, SquareCrop
from praxino.views.pipeline import View
from toys import ToyBackbone

PROTOCOLS = {"linear_tclr": "linear", "finetune_tclr": "finetune"}
MILD = {"brightness": 0.1, "contrast": 0.1, "saturation": 0.1, "hue": 0.05, "p": 0.15, "p_contrast": 0.125}


def built(recipe):
    options = {"catalog": "toys.ToyCatalog", "out": "nowhere"}
    protocol = PROTOCOLS[recipe]
    config = configured(finetune, options, recipe_file(recipe), without=OUTSIDE, kind=protocol, beside=BESIDE)
    return instantiate(finetune, config)


def said(part):
    """A part as a recipe has it, all defaults written out."""
    return json.loads(json.dumps(describe(part)))


@pytest.mark.parametrize(
    ("recipe", "everywhere", "order"), [("linear_tclr", False, "bgr"), ("finetune_tclr", True, "rgb")]
)
def test_what_is_seen(recipe, everywhere, order):
    given = built(recipe)
    assert [said(operation) for operation in given["training_view"].operations] == [
        said(SquareCrop(112, (0.6, 1.0), everywhere=everywhere)),
        said(GatedJitter(**MILD, channel_order=order)),
        said(GreyOrDrop(p_grey=0.1, p_drop=0.0, gamma=0.15, p_gamma=0.75, channel_order=order)),
        said(Flip(p=0.5)),
        said(Erase(low=9, high=18, p=0.25)),
    ]
    protocol = given["protocol"]
    assert list(protocol.views) == ["rgb"]
    assert [said(operation) for operation in protocol.views["rgb"].operations] == [said(CentreCrop(112, share=0.8))]
    assert (protocol.feature, protocol.reestimate_batchnorm, protocol.canvas) == ("time", False, None)


@pytest.mark.parametrize(("recipe", "dropped", "short"), [("linear_tclr", 2, "refuse"), ("finetune_tclr", 0, "mirror")])
def test_which_frames(recipe, dropped, short):
    given = built(recipe)
    assert said(given["sampler"]) == said(RandomClip(16, 2, 1, dropped, short))
    assert said(given["protocol"].sampler) == said(TemporalModes(10, 16, 2))
    if recipe == "linear_tclr":
        assert given["sampler"].min_frames == 33


def test_how_the_linear_classifier_is_trained():
    """Its rates are the golden item's; here is what else is set."""
    given = built("linear_tclr")
    assert (given["frozen"], given["frozen_statistics"], given["average"]) == (True, False, "softmax")
    assert (given["batch_size"], given["test_batch_size"], given["drop_last"]) == (32, 48, False)
    assert given["validation"] == 0
    assert given["tested_after"] == [6, *range(11, 50)]
    (stage,) = given["stages"]
    assert stage.epochs == 100
    optimizer = stage.make_optimizer(Classifier(ToyBackbone(), View([]), Head(6, 2)))
    (group,) = optimizer.param_groups
    assert (type(optimizer).__name__, group["weight_decay"]) == ("Adam", 0)


@pytest.mark.parametrize("best", [0, 2, 8, 30])
def test_fine_tuning_ends_after_two_reductions_more(best):
    """Whenever the best epoch is, in the ten of the warm-up too: three times ten bad epochs, then one more."""
    (stage,) = built("finetune_tclr")["stages"]
    rates = []
    while not stage.schedule.finished():
        epoch = len(rates)
        rates.append(stage.schedule(epoch, 100))
        stage.schedule.observe({"validation/total": 10.0 - epoch if epoch <= best else 20.0})
    # The reduction comes at the warm-up's end at the earliest.
    first = max(best + 11, 10)
    assert rates[:10] == pytest.approx([0.1 * (epoch + 1) for epoch in range(10)])
    assert rates[10:] == pytest.approx([1.0] * (first - 10) + [0.1] * 10 + [0.01] * 10 + [0.001])
