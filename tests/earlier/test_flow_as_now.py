"""Recipes and descriptions of encoders with a stream for each component of a flow, as they are read today."""

import copy

import pytest

from praxino.configuration import earlier_flow
from praxino.configuration.earlier import as_now
from praxino.configuration.earlier_flow import COMPONENT, flow_as_now

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
