"""What a result leaves in a run's folder: pictures and curves, whole or not at all."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from praxino.catalogs.base import Video
from praxino.errors import UserError
from praxino.evaluations.figures import Curves, Picture, curves_of, plain_curves
from praxino.evaluations.result import Neighbours, Result, Row, read_result, table_lines, write_result
from praxino.report.page import write_report

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 14, 3), np.uint8)
LINES = {"trained": [(1.0, 20.5), (5.0, 40.0)], "chance": [(1.0, 1.0), (5.0, math.nan)]}


def result(**more):
    rows = [Row("chance", {"1": 1.0}), Row("trained", {"1": 20.5}, {"1": [18.0, 23.0]})]
    return Result("linear", "Linear", {"encoder": "rgb"}, ["1"], rows, **more)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def whole():
    pictures = [Picture("matrix", PIXELS, "how alike"), Picture("turned", PIXELS.transpose(1, 0, 2)[::-1])]
    return result(pictures=pictures, curves=[Curves("few labels", "labels a class", "accuracy, %", LINES)])


def test_pictures_keep_every_pixel(tmp_path, whole):
    path = write_result(tmp_path, "linear@rgb", whole, ())
    assert path == tmp_path / "evaluations/linear@rgb.json"
    said = json.loads(path.read_text())["pictures"]
    assert [(one["title"], one["caption"]) for one in said] == [("matrix", "how alike"), ("turned", "")]
    for one, picture in zip(said, whole.pictures, strict=True):
        assert Image.open(tmp_path / one["file"]).format == "PNG"
        assert np.array_equal(np.asarray(Image.open(tmp_path / one["file"])), picture.pixels)
    assert sorted(p.name for p in path.parent.iterdir()) == ["linear@rgb-frames", "linear@rgb.json"]


def test_curves_come_back(tmp_path, whole):
    write_result(tmp_path, "linear", whole, ())
    strict = json.loads(
        (tmp_path / "evaluations/linear.json").read_text(), parse_constant=lambda word: pytest.fail(word)
    )
    assert strict["curves"][0]["lines"]["chance"] == [[1, 1], [5, None]]
    found = read_result(tmp_path, "linear")
    (curves,) = found.curves
    assert (curves.title, curves.x, curves.y) == ("few labels", "labels a class", "accuracy, %")
    assert list(curves.lines) == ["trained", "chance"]
    assert curves.lines["trained"] == LINES["trained"]
    assert curves.lines["chance"][0] == (1, 1)
    assert math.isnan(curves.lines["chance"][1][1])
    assert (found.rows, found.pictures) == (whole.rows, [])


points = st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.floats()), max_size=5)


@given(st.dictionaries(st.text(), points, min_size=1, max_size=4))
def test_any_line_goes_through_its_file(lines):
    said = json.loads(json.dumps(plain_curves(Curves("t", "x", "y", lines)), allow_nan=False))
    back = curves_of(said).lines
    assert list(back) == list(lines)
    for name, line in lines.items():
        kept = [(x, y if math.isfinite(y) else math.nan) for x, y in line]
        assert np.array_equal(np.array(back[name]), np.array(kept), equal_nan=True)


def test_numpy_numbers_are_numbers():
    made = plain_curves(Curves("t", "x", "y", {"a": list(zip(np.arange(2), np.float32([0.5, 1]), strict=True))}))
    assert json.dumps(made["lines"]) == '{"a": [[0.0, 0.5], [1.0, 1.0]]}'


def test_a_result_of_an_earlier_version_has_no_curves(tmp_path):
    path = write_result(tmp_path, "linear", result(), ())
    said = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in said.items() if key not in ("curves", "pictures")}))
    assert read_result(tmp_path, "linear") == result()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"pictures": [Picture("m", PIXELS / 255)]}, r"picture 'm': .* not float64 \[9, 14, 3\]"),
        ({"pictures": [Picture("m", PIXELS[..., 0])]}, r"uint8 \[height, width, 3\], not uint8 \[9, 14\]"),
        ({"pictures": [Picture("m", PIXELS[..., :2])]}, r"not uint8 \[9, 14, 2\]"),
        ({"pictures": [Picture("m", PIXELS[:0])]}, r"not uint8 \[0, 14, 3\]"),
        ({"pictures": [Picture("m", PIXELS.tolist())]}, "a numpy array, not list"),
        ({"curves": [Curves("c", "x", "y", {})]}, "curves 'c': there is no line"),
        ({"curves": [Curves("c", "x", "y", {"a": [(1, 2, 3)]})]}, r"line 'a': \(1, 2, 3\) is no pair of numbers"),
        ({"curves": [Curves("c", "x", "y", {"a": [1, 2]})]}, "line 'a': 1 is no pair"),
        ({"curves": [Curves("c", "x", "y", {"a": [(None, 2)]})]}, "is no pair"),
        ({"curves": [Curves("c", "x", "y", {"a": [(math.nan, 2)]})]}, "line 'a': x is nan"),
    ],
)
def test_what_is_no_figure_is_refused_and_nothing_written(tmp_path, whole, more, said):
    write_result(tmp_path, "linear", whole, ())
    before = files(tmp_path)
    with pytest.raises(ValueError, match=said):
        write_result(tmp_path, "linear", result(**more), ())
    assert files(tmp_path) == before


class Breaking:
    """A classes' list that fails when the gallery is made."""

    def __len__(self):
        raise RuntimeError("broke")


def test_a_failure_leaves_what_was_there(tmp_path, whole, monkeypatch):
    write_result(tmp_path, "linear", whole, ())
    before = files(tmp_path)
    seen = result(neighbours=[Neighbours(Video("a", {}, label=0), [])], pictures=whole.pictures)
    with pytest.raises(RuntimeError, match="broke"):
        write_result(tmp_path, "linear", seen, Breaking())
    assert files(tmp_path) == before

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", full)
    with pytest.raises(UserError, match=r"linear-frames cannot be written: No space left on device"):
        write_result(tmp_path, "linear", whole, ())
    assert files(tmp_path) == before
    assert not list(tmp_path.rglob("*.part"))


def test_pictures_of_before_are_gone(tmp_path, whole):
    write_result(tmp_path, "linear", whole, ())
    (tmp_path / "evaluations/linear-frames.part").mkdir()
    write_result(tmp_path, "linear", result(pictures=whole.pictures[:1]), ())
    assert list(files(tmp_path)) == ["evaluations/linear-frames/picture-000.png", "evaluations/linear.json"]


def test_the_report_shows_them(tmp_path, whole):
    (tmp_path / "recipe.yaml").write_text("seed: 0\n")
    write_result(tmp_path, "linear@rgb", whole, ())
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 2
    assert "few labels: accuracy, % by labels a class. trained from 20.5 to 40; chance 1." in page


def test_columns_that_chance_fills_are_not_printed():
    rows = [Row("chance", {"1": 10.0, "20": 95.0, "50": 99.5}), Row("trained", {"1": 50.0, "20": 97.0, "50": 99.9})]
    lines = table_lines(Result("retrieval", "t", {}, ["1", "20", "50"], rows))
    assert lines[0].split() == ["@1", "@20"]
    assert lines[-1] == "not shown, since chance alone reaches more than 95 %: @50"
    lines = table_lines(Result("retrieval", "t", {}, ["50"], rows))
    assert lines[0].split() == ["@50"]
