"""Recipes and descriptions of encoders with a stream for each component of a flow, as they are read today."""

import copy

import pytest

from praxino.cli.line.configured import configured
from praxino.cli.main import main
from praxino.configuration import earlier_flow
from praxino.configuration.earlier import as_now
from praxino.configuration.earlier_flow import COMPONENT, flow_as_now
from praxino.configuration.recipes import recipe_file
from praxino.errors import UserError
from praxino.training.pretrain import pretrain
from praxino.training.start import OUTSIDE

DIS = "praxino.streams.flow.DISFlow"
CROP = {"class_path": "praxino.views.geometry.CentreCrop", "init_args": {"size": 24}}


def dis(component=None, **more):
    return {"class_path": DIS, "init_args": {**({"component": component} if component else {}), **more}}


def taken(component):
    return {"class_path": COMPONENT, "init_args": {"component": component}}


def view(stream, *operations):
    said = {"operations": list(operations), "stream": stream}
    return {"class_path": "praxino.views.pipeline.View", "init_args": said}


@pytest.fixture(autouse=True)
def said_anew():
    earlier_flow._say.cache_clear()


def test_two_streams_become_one(capsys):
    recipe = {
        "method": {"class_path": "X", "init_args": {"view": view("flow_u", CROP), "second": view("rgb", CROP)}},
        "streams": {"rgb": "VideoFile", "flow_u": dis("u", bound=5.0), "flow_v": dis("v", bound=5.0)},
        "protocol": {
            "init_args": {"views": {"flow_v": view("flow_v", CROP)}, "streams": {"flow_v": dis("v", bound=5.0)}}
        },
    }
    before = copy.deepcopy(recipe)
    now = as_now(recipe)
    assert recipe == before
    assert now["streams"] == {"rgb": "VideoFile", "flow": dis(bound=5.0)}
    assert now["method"]["init_args"] == {"view": view("flow", taken("u"), CROP), "second": view("rgb", CROP)}
    inside = now["protocol"]["init_args"]
    assert inside == {"views": {"flow_v": view("flow", taken("v"), CROP)}, "streams": {"flow": dis(bound=5.0)}}
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "flow_u and flow_v are read as 'flow'" in said
    assert as_now(now) == now
    as_now(recipe)
    assert capsys.readouterr().err == ""


def test_different_flows_keep_their_names():
    streams = {"flow_u": dis("u", bound=5.0), "flow_v": dis("v", bound=20.0)}
    now = flow_as_now({"streams": streams, "views": [view("flow_v"), view("flow_u")]})
    assert now["streams"] == {"flow_u": dis(bound=5.0), "flow_v": dis(bound=20.0)}
    assert now["views"] == [view("flow_v", taken("v")), view("flow_u", taken("u"))]


def test_a_name_of_ones_own_is_kept():
    now = flow_as_now({"streams": {"motion": dis("v")}, "view": view("motion", CROP)})
    assert now == {"streams": {"motion": dis()}, "view": view("motion", taken("v"), CROP)}


def test_another_stream_that_is_called_flow_is_left_alone():
    now = flow_as_now({"streams": {"flow_u": dis("u"), "flow": "FrameFolder"}, "view": view("flow_u")})
    assert now == {"streams": {"flow_u": dis(), "flow": "FrameFolder"}, "view": view("flow_u", taken("u"))}


def test_a_name_alone_is_the_horizontal_one_as_ever():
    now = flow_as_now({"streams": {"flow_u": "DISFlow"}, "view": {"operations": [], "stream": "flow_u"}})
    assert now["streams"] == {"flow": {"class_path": "DISFlow", "init_args": {}}}
    assert now["view"] == {"operations": [taken("u")], "stream": "flow"}


@pytest.mark.parametrize(
    "said",
    [
        {"streams": {"flow_u": "FrameFolder"}, "view": view("flow_u", CROP)},
        {"catalog": {"init_args": {"u_root": "here"}}, "view": view("flow_u", CROP)},
        {"streams": {"flow": dis(bound=5.0), "motion": dis()}, "view": view("flow", taken("u"), CROP)},
        {"streams": None, "view": None, "views": {"rgb": view("rgb")}},
    ],
    ids=["pictures", "told", "today", "none"],
)
def test_anything_else_stays(said, capsys):
    assert flow_as_now(said) == said
    assert capsys.readouterr().err == ""


def test_what_an_encoder_only_remembers_stays():
    recipe = {"streams": {"flow_u": dis("u")}}
    now = flow_as_now({"views": {"x": view("flow_u")}, "streams": {"flow_u": dis("u")}, "record": {"recipe": recipe}})
    assert now["record"] == {"recipe": recipe}
    assert now["views"] == {"x": view("flow", taken("u"))}


def test_settings_of_one_name_in_two_places_are_both_kept():
    """Joined they would be one, and training would see what only the protocol says, or the other way round."""
    said = {
        "streams": {"flow_u": dis("u", bound=5.0), "flow_v": dis("v", bound=5.0)},
        "view": view("flow_v"),
        "protocol": {"streams": {"flow_u": dis("u", bound=20.0), "flow_v": dis("v", bound=20.0)}},
    }
    now = flow_as_now(said)
    assert now["streams"] == {"flow_u": dis(bound=5.0), "flow_v": dis(bound=5.0)}
    assert now["protocol"]["streams"] == {"flow_u": dis(bound=20.0), "flow_v": dis(bound=20.0)}
    assert now["view"] == view("flow_v", taken("v"))


@pytest.mark.parametrize("other", [dis("v"), "FrameFolder", dis(of="rgb", bound=20.0, preset="medium")])
def test_one_name_for_a_component_and_something_else_is_refused(other):
    with pytest.raises(UserError, match=r"^the stream flow_u is a flow of one component in one place .* two names$"):
        flow_as_now({"streams": {"flow_u": dis("u")}, "protocol": {"streams": {"flow_u": other}}})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--streams.flow_u DISFlow", "--streams.flow_u: a computed flow is one stream of both components now, "),
        ("--streams.flow_v DISFlow --streams.flow_v.bound 5", "--streams.flow_v: a computed flow is one stream"),
        ("--streams.flow DISFlow --streams.flow.component v", "--streams.flow.component: a computed flow is one "),
        ("--protocol.streams.flow_u DISFlow", "both components now, --protocol.streams.flow DISFlow, and a view"),
        (
            "--streams.flow DISFlow --method.second.stream flow_v",
            "--method.second.stream flow_v: its view takes a component of the stream flow, which holds both now: "
            "--method.second.operations.0.component v",
        ),
        (
            "--protocol.views.flow.stream flow_u",
            "holds both now: --protocol.views.flow.operations.0.component u",
        ),
    ],
)
def test_typed_as_it_was_is_told_in_one_line(options, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["pretrain", "iic_ucf101_flow", "--videos", ".", *options.split()]) == 2
    told = capsys.readouterr().err
    assert told.startswith("praxino: --")
    assert said in told
    assert told.count("\n") == 1


def config_of(recipe, options):
    words = options.split()
    typed = {"catalog.root": "nowhere", **dict(zip(words[::2], words[1::2], strict=True))}
    return configured(pretrain, typed, recipe, without=OUTSIDE)


def test_what_the_lines_say_is_taken():
    config = config_of(recipe_file("iic_ucf101_flow"), "streams.flow DISFlow method.second.operations.0.component v")
    second = config["method"]["init_args"]["second"]["init_args"]
    assert second["operations"][0] == taken("v")
    assert second["stream"] == "flow"
    assert list(config["streams"]) == ["flow"]


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        # Folders of pictures that a catalog finds.
        ("method.second.operations [] method.second.stream flow_u", "flow_u"),
        # A stream of both under a name of one's own.
        ("streams.motion DISFlow method.second.stream motion protocol.views.flow.stream motion", "motion"),
        # Described completely, as recipes of today are.
        (
            "streams.flow_v DISFlow streams.flow_v.of rgb streams.flow_v.bound 5 streams.flow_v.preset fast "
            "method.second.stream flow_v protocol.views.flow.stream flow_v",
            "flow_v",
        ),
    ],
)
def test_what_means_something_today_is_taken(options, seen):
    config = config_of(recipe_file("iic_ucf101_flow"), options)
    assert config["method"]["init_args"]["second"]["init_args"]["stream"] == seen


def test_an_option_over_streams_that_kept_their_names(tmp_path):
    """An earlier recipe of two different flows: nothing of it was typed, so nothing is refused."""
    path = tmp_path / "earlier.yaml"
    text = recipe_file("iic_ucf101_flow").read_text()
    streams = "streams: {flow_u: {class_path: DISFlow, init_args: {component: u, bound: 5.0}}, "
    streams += "flow_v: {class_path: DISFlow, init_args: {component: v, bound: 9.0}}}\n"
    path.write_text(streams + text.replace("stream: flow\n", "stream: flow_u\n"))
    config = config_of(path, "streams.flow_u.preset fast")
    said = {name: (one["init_args"]["bound"], one["init_args"]["preset"]) for name, one in config["streams"].items()}
    assert said == {"flow_u": (5.0, "fast"), "flow_v": (9.0, "medium")}
