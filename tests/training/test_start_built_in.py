"""--start built-in: what begins with it, what is noted of it, what is refused, and that a stop changes nothing."""

import json

import pytest
import torch

import praxino
from praxino.backbones.r3d import R3D
from praxino.built_in import FILE
from praxino.configuration.complete import complete, instantiate
from praxino.configuration.documents import read
from praxino.configuration.recipes import recipe_file, recipe_files
from praxino.encoders import files
from praxino.errors import UserError
from praxino.methods.base import Method
from praxino.methods.simclr import SimCLR
from praxino.training.fitting import recipes_that_fit
from praxino.training.pretrain import pretrain
from praxino.training.run import Run
from praxino.training.start_weights import begin_with
from praxino.views.pipeline import View
from toys import Noise, ToyCatalog, ToySampler, ToyStream, toy_protocol, toy_stages

CHECKSUM = json.loads(FILE.with_suffix(".json").read_text())["checksum"]


def method():
    torch.manual_seed(0)
    return SimCLR(R3D(16), View([Noise()]), dim=5)


def same(one, other):
    return all(torch.equal(one[key], other[key]) for key in other)


def test_the_network_has_its_weights_and_not_its_views_statistics():
    begun, encoder = method(), praxino.load_encoder()
    (started,) = begin_with(begun, "built-in")
    assert same(begun.backbone.state_dict(), encoder.backbone.state_dict())
    assert started.checksum == CHECKSUM
    assert started.line == (
        f"starts from built-in: {len(encoder.backbone.state_dict())} tensors, checksum {CHECKSUM}; BatchNorm's running "
        "averages come along, and the statistics of its views (residual, rgb) stay behind"
    )


def test_another_network_is_told_which_one_it_is_and_what_fits():
    with pytest.raises(UserError) as told:
        begin_with(SimCLR(R3D(8), View([]), dim=5), "built-in")
    line = str(told.value)
    assert "\n" not in line
    assert "built-in is R3D(width=16" in line
    assert "its stem.conv.weight has the shape [16, 3, 3, 7, 7], not [8, 3, 3, 7, 7]" in line
    assert "simclr_small" in line
    assert "simclr_r3d" not in line


def shapes(state):
    return {key: tuple(value.shape) for key, value in state.items()}


def method_of(name):
    def only(method: Method) -> None: ...

    return instantiate(only, complete(only, {"method": read(recipe_file(name))["method"]}))["method"]


def test_recipes_that_are_said_to_fit_begin_with_it():
    """And the networks of the other small ones have other weights."""
    weights = {key: value for key, value in files.read(FILE)[1].items() if not key.startswith("views.")}
    fit = recipes_that_fit(weights)
    assert "simclr_small" in fit
    for name in recipe_files():
        if not name.endswith("_small"):
            continue
        if name in fit:
            begin_with(method_of(name), "built-in")
        else:
            networks = [one for some in method_of(name).backbones().values() for one in some]
            assert len(networks) != 1 or shapes(networks[0].state_dict()) != shapes(weights)


def run(out, **more):
    given = {
        "catalog": ToyCatalog(), "sampler": ToySampler(), "method": method(), "out": str(out),
        "stages": toy_stages(steps=4), "protocol": toy_protocol(), "streams": {"rgb": ToyStream()}, "batch_size": 4,
        "workers": 0, "threads": 1, "device": "cpu", "checkpoint_steps": 2, "start": "built-in",
    }  # fmt: skip
    return pretrain(**given | more)


class Stopped(Exception):
    pass


def stopping(step):
    stopped = method()
    inner, seen = stopped.objective, []

    def objective(views, **drawn):
        seen.append(1)
        if len(seen) == step:
            raise Stopped
        return inner(views, **drawn)

    stopped.objective = objective
    return stopped


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole") / "run")


def test_a_run_says_from_which_weights_it_began(whole, tmp_path):
    encoder = praxino.load_encoder(whole.path, trust=("toys",))
    assert encoder.record["started from"] == {"": {"place": "built-in", "checksum": CHECKSUM}}
    assert "starts from built-in" in (whole.path / "log.txt").read_text()
    assert not same(encoder.backbone.state_dict(), praxino.load_encoder().backbone.state_dict())
    anew = praxino.load_encoder(run(tmp_path / "anew", start=None).path, trust=("toys",))
    assert "started from" not in anew.record


@pytest.mark.parametrize("dies_at", [1, 3])
def test_a_run_that_was_killed_comes_to_the_same(whole, tmp_path, dies_at):
    """Before its first checkpoint and behind it, there without a look at the encoder that it began with."""
    place = tmp_path / "killed"
    with pytest.raises(Stopped):
        run(place, method=stopping(1 + dies_at))
    begun = Run(place).checkpoint() is not None
    assert begun == (dies_at == 3)
    again = run(place, resume=True, start="gone" if begun else "built-in")
    assert same(again.checkpoint()["task"], whole.checkpoint()["task"])
    record = praxino.load_encoder(place, trust=("toys",)).record
    assert record["started from"] == {"": {"place": "built-in", "checksum": CHECKSUM}}


def test_a_refusal_leaves_no_note(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(UserError):
        run(tmp_path / "there", catalog=ToyCatalog(12), streams={"rgb": ToyStream()}, max_left_out=0.0, sampler=Long())
    assert not list((tmp_path / "there").iterdir())


class Long(ToySampler):
    min_frames = 21  # the probe finds 20
