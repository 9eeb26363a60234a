"""Objects as plain data and back."""

import json

import pytest
import torch

from praxino.described import build, describe
from praxino.errors import UserError
from praxino.streams.base import Canvas


class Forgetful:
    def __init__(self, size: int) -> None:
        self.length = size


def test_round_trip():
    value = {"a": [Canvas(exact=(3, 4)), None, 1.5], "b": torch.nn.ModuleDict()}
    said = json.loads(json.dumps(describe(value)))
    again = build(said)
    assert again["a"][0].size(10, 10) == (3, 4)
    assert describe(again) == said


def test_an_argument_that_is_not_kept_is_named():
    with pytest.raises(TypeError, match="'size'"):
        describe(Forgetful(3))


@pytest.mark.parametrize(
    "path, said",
    [
        ("os.system", "trust=..os"),
        ("praxino.nothing.Here", "not there"),
        ("praxino.streams.base.Nothing", "not there"),
        ("praxino.errors.nearest", "not a class"),
        ("praxino.described.PurePath", "not trusted"),
        ("praxino.streams.base.Canvas", "does not take"),
    ],
)
def test_refuses(path, said):
    with pytest.raises(UserError, match=said):
        build({"class_path": path, "init_args": {"wrong": 1}})


def test_trusted_packages_are_built():
    assert str(build({"class_path": "fractions.Fraction", "init_args": {"numerator": 3}}, trust=("fractions",))) == "3"
