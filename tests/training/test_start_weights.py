"""--start: what begins with an encoder's weights, what stays as drawn, and what is refused."""

import json
import shutil

import pytest
import torch
from torch import nn

from praxino.backbones.block_recurrent import BlockRecurrent
from praxino.backbones.resnet2d3d import ResNet2D3D18
from praxino.encoders.encoder import Encoder
from praxino.encoders.statistics import Statistics
from praxino.errors import UserError
from praxino.methods.cocon import CoCon
from praxino.methods.cyclecontrast import CycleContrast
from praxino.methods.dpc import DPC
from praxino.methods.moco import MoCo
from praxino.training.pretrain import pretrain
from praxino.training.run import Run
from praxino.training.start_weights import begin_with
from praxino.views.pipeline import View
from toys import ToyBackbone, ToyCatalog, ToySampler, ToyStream, toy_method, toy_protocol, toy_stages


def saved(place, backbone, classes=(), statistics=None):
    """An encoder whose every weight, and running statistic, is another one than at the start."""
    with torch.no_grad():
        for value in backbone.state_dict().values():
            value.add_(1 + torch.rand_like(value.float()).to(value.dtype))
    encoder = Encoder(backbone, {"rgb": View([])}, ToySampler(), classes=classes)
    encoder.statistics = statistics or {}
    encoder.save(place / "encoder.safetensors")
    return str(place / "encoder.safetensors")


def recurrent(channels=3, running_statistics=True):
    backbone = ResNet2D3D18(width=2, in_channels=channels, running_statistics=running_statistics)
    return BlockRecurrent(backbone, block_frames=4)


def cocon():
    views = {"rgb": View([]), "flow": View([], "flow")}
    return CoCon({"rgb": recurrent(), "flow": recurrent(2)}, views)


def copied(module):
    return {key: value.clone() for key, value in module.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[key], other[key]) for key in other)


def test_the_backbone_is_the_encoders_and_the_head_stays_as_drawn(tmp_path):
    backbone, method = ToyBackbone(norm=True), toy_method(norm=True)
    place, head = saved(tmp_path, backbone), copied(method.head)
    (started,) = begin_with(method, place)
    said = json.loads((tmp_path / "encoder.json").read_text())["checksum"]
    assert started.line == f"starts from {place}: {len(backbone.state_dict())} tensors, checksum {said}"
    assert same(method.backbone.state_dict(), backbone.state_dict())
    assert same(method.head.state_dict(), head)


def test_an_encoders_classifier_and_statistics_of_views_are_none_of_the_networks(tmp_path):
    backbone, method = ToyBackbone(norm=True), toy_method(norm=True)
    names = [key for key in backbone.state_dict() if "running" in key]
    own = Statistics({key: torch.full((6,), 7.0) for key in names}, torch.zeros(6))
    place = saved(tmp_path, backbone, classes=("a", "b"), statistics={"rgb": own})
    begin_with(method, place)
    assert same(method.backbone.state_dict(), backbone.state_dict())


@pytest.mark.parametrize("method", [MoCo, CycleContrast])
def test_what_follows_a_network_begins_where_it_does(tmp_path, method):
    backbone = ToyBackbone(norm=True)
    follows = method(ToyBackbone(norm=True), View([]), dim=4, queue_rows=8)
    begin_with(follows, {"": saved(tmp_path, backbone)})
    assert same(follows.backbone.state_dict(), backbone.state_dict())
    assert same(follows.key_backbone.state_dict(), backbone.state_dict())


def test_one_view_of_several(tmp_path):
    method, network = cocon(), recurrent(2)
    before = copied(method)
    (started,) = begin_with(method, {"flow": saved(tmp_path, network)})
    assert started.line.startswith("flow starts from")
    assert started.name == "flow"
    assert same(method.networks["flow"].state_dict(), network.state_dict())
    after = method.state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed == {f"networks.flow.{key}" for key in network.state_dict()}


def test_a_network_without_running_statistics_takes_none(tmp_path):
    network, method = recurrent(), DPC(recurrent(running_statistics=False), View([]))
    begin_with(method, saved(tmp_path, network))
    own = method.network.state_dict()
    assert same(network.state_dict(), own)
    assert not [key for key in own if "running" in key]


def test_what_lacks_running_statistics_is_refused_where_they_are_kept(tmp_path):
    place = saved(tmp_path, recurrent(running_statistics=False))
    with pytest.raises(UserError, match=r"method's BlockRecurrent: it has no \S+running_mean; "):
        begin_with(DPC(recurrent(), View([])), place)


def test_another_width_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"method's ToyBackbone: its .* has the shape \[.*\], not \[.*\]; leave"):
        begin_with(toy_method(dim=5), saved(tmp_path, ToyBackbone()))


def test_names_are_asked_for(tmp_path):
    place = saved(tmp_path, recurrent())
    with pytest.raises(UserError, match="several encoders, so name which one: --start"):
        begin_with(cocon(), place)
    with pytest.raises(UserError, match=r"leaves no encoder 'rgbb'\. Did you mean 'rgb'"):
        begin_with(cocon(), {"rgbb": place})
    with pytest.raises(UserError, match="leaves one, so leave out the name"):
        begin_with(toy_method(), {"rgb": place})
    with pytest.raises(UserError, match="no encoder at"):
        begin_with(toy_method(), str(tmp_path / "nowhere"))


class Mapped(type(toy_method())):
    """Keeps its network under a name of its own."""

    def backbones(self):
        return super(type(toy_method()), self).backbones()


def test_a_method_that_does_not_say_which_is_refused(tmp_path):
    method = Mapped(ToyBackbone(), View([]))
    method.backbone = nn.Identity()
    with pytest.raises(UserError, match="Mapped cannot --start from weights"):
        begin_with(method, saved(tmp_path, ToyBackbone()))


def run(out, **more):
    given = {
        "catalog": ToyCatalog(), "sampler": ToySampler(), "method": toy_method(norm=True), "out": str(out),
        "stages": toy_stages(steps=6), "protocol": toy_protocol(), "streams": {"rgb": ToyStream()}, "batch_size": 4,
        "workers": 0, "threads": 1, "device": "cpu", "checkpoint_steps": 2,
    }  # fmt: skip
    return pretrain(**given | more)


class Stopped(Exception):
    pass


def stopping(step):
    method = toy_method(norm=True)
    inner, seen = method.objective, []

    def objective(views, **drawn):
        seen.append(1)
        if len(seen) == step:
            raise Stopped
        return inner(views, **drawn)

    method.objective = objective
    return method


@pytest.mark.parametrize("dies_at", [2, 5])
def test_a_run_that_was_killed_goes_on_to_the_same_weights(tmp_path, dies_at):
    """Behind its first checkpoint without the encoder that it began with; before it, it begins again."""
    (tmp_path / "first").mkdir()
    place = saved(tmp_path / "first", ToyBackbone(norm=True))
    whole = run(tmp_path / "whole", start=place)
    assert "starts from" in (tmp_path / "whole/log.txt").read_text()
    with pytest.raises(Stopped):
        run(tmp_path / "killed", start=place, method=stopping(1 + dies_at))
    if Run(tmp_path / "killed").checkpoint() is not None:
        shutil.rmtree(tmp_path / "first")
    again = run(tmp_path / "killed", start=place, resume=True)
    assert same(again.checkpoint()["task"], whole.checkpoint()["task"])
    assert not same(run(tmp_path / "anew").checkpoint()["task"], whole.checkpoint()["task"])


def test_what_does_not_fit_is_told_before_there_is_a_folder(tmp_path):
    (tmp_path / "first").mkdir()
    place = saved(tmp_path / "first", ToyBackbone(dim=5))
    with pytest.raises(UserError, match="another network"):
        run(tmp_path / "run", start=place)
    assert not (tmp_path / "run").exists()
