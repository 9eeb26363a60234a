"""Pictures and curves of an evaluation; files of any form."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_runs import NASTY, Page, evaluation, figures, read

from praxino.report import axes, form, gallery, opening, pictures, tables
from praxino.report import evaluation_curves as charts
from praxino.report.read import Record


def written(run: Path, name: str, content: dict[str, Any]) -> Page:
    (run / "evaluations" / f"{name}.json").write_text(json.dumps(content))
    return read(run)


def test_pictures_stand_in_the_card_of_their_evaluation(run: Path) -> None:
    images = [attrs for attrs in written(run, "tracking", figures(run, "words")).all("img") if "png" in attrs["src"]]
    assert [attrs["alt"].rpartition("/")[2] for attrs in images] == [
        f"{name}.png: words" for name in ("matrix", "strip", "large")
    ]
    page = Page(pictures.draw(run, figures(run)))
    assert [attrs["class"].split()[1:] for attrs in page.all("figure")] == [["small"], ["wide"], []]
    # A strip of 600 x 60 pixels is shown at least as wide as it is, since it is lower than what is asked for.
    assert [attrs["style"] for attrs in page.all("div", "pan")] == ["--least:600px"]


def test_curves_are_lines_with_a_legend(run: Path) -> None:
    page = Page(charts.draw(figures(run, "other")))
    assert [text for tag, text in page.texts if tag == "span"] == ["trained", "chance", "other"]
    assert len(page.all("svg", "key")) == 3
    (chart,) = [attrs for attrs in page.all("svg") if "role" in attrs]
    told = "Success other: share other by overlap other. trained from 90.5 to 1; chance from 3 to 3; other 50."
    assert chart["aria-label"] == told
    lines = [attrs["points"] for attrs in page.all("polyline", "line")][:3]
    width = axes.WIDTH - axes.LEFT - axes.RIGHT
    strong = [tuple(map(float, place.split(","))) for place in lines[-1].split()]
    assert [x for x, _ in strong] == pytest.approx([axes.LEFT + share * width for share in (0, 0.5, 1)])
    top = axes.HEIGHT - axes.TOP - axes.BOTTOM
    assert [axes.HEIGHT - axes.BOTTOM - y for _, y in strong] == pytest.approx(
        [top * value / (1.04 * 90.5) for value in (90.5, 40, 1)], abs=0.06
    )
    assert "Left out, as not finite: 1 point." in page.words
    assert len(page.all("g", "strong")) == len(page.all("g", "plain")) == 2  # of chart and legend


def test_titles_captions_and_names_are_text(run: Path) -> None:
    page = written(run, "tracking", figures(run) | {"title": NASTY, "protocol": NASTY})
    assert not page.all("script")
    assert page.words.count(NASTY) >= 3 + 3 * 2 + 3 + 1 + 2
    assert sum(NASTY in attrs["alt"] for attrs in page.all("img")) == 3
    assert sum(NASTY in attrs.get("aria-label", "") for attrs in page.all("svg")) == 1


def test_a_page_with_figures_holds_everything(run: Path) -> None:
    written(run, "tracking", figures(run))
    text = (run / "report.html").read_text(encoding="utf-8")
    without_pictures = re.sub(r"data:image/(jpeg|png);base64,[A-Za-z0-9+/=]+", "", text)
    assert not re.search(r"https?:|url\(|[\"'(]//|evaluations/[^\"<]*png\"", without_pictures)


def test_figures_without_a_table_are_shown(run: Path) -> None:
    page = written(run, "tracking", {key: value for key, value in figures(run, "x").items() if key not in ("rows",)})
    assert "holds no table" in page.words
    assert len([attrs for attrs in page.all("img") if "png" in attrs["src"]]) == 3


@pytest.mark.parametrize("file", ["missing.png", "../secret.png", "recipe.yaml", "a\0b", "\ud800", "x" * 5000, "", "."])
def test_a_picture_that_cannot_be_read_is_said(run: Path, file: str) -> None:
    content = figures(run, "odd \ud800")
    content["pictures"][0]["file"] = file
    page = written(run, "tracking", content)
    assert len(page.all("span", "gone")) == 1
    assert "picture missing" in page.words


def test_half_a_png_does_no_harm(run: Path) -> None:
    content = figures(run)
    file = run / content["pictures"][1]["file"]
    for length in (2, 8, 20, 23, 24, 30):
        file.write_bytes((run / content["pictures"][0]["file"]).read_bytes()[:length])
        Page(pictures.draw(run, content))


@pytest.mark.parametrize(
    "lines",
    [
        {}, {"a": []}, {"a": [[1, None]], "b": []}, {"a": [[math.nan, 1], [1, math.inf]]},
        {"a": [[10**400, 1], [0, -(10**400)]]},
    ],
)  # fmt: skip
def test_curves_without_a_point(run: Path, lines: dict[str, Any]) -> None:
    page = written(run, "tracking", figures(run) | {"curves": [{"lines": lines}]})
    assert "no point" in page.words
    assert all(name in " ".join(t for tag, t in page.texts if tag == "span") for name in lines)


@pytest.mark.parametrize(
    "broken",
    [
        {"pictures": {}}, {"pictures": [1]}, {"pictures": [{}]}, {"pictures": [{"file": 3}]},
        {"curves": "a"}, {"curves": [{}]}, {"curves": [{"lines": []}]}, {"curves": [{"lines": {"a": 1}}]},
        {"curves": [{"lines": {"a": [1, 2]}}]}, {"curves": [{"lines": {"a": [[1]]}}]},
        {"curves": [{"lines": {"a": [["1", 2]]}}]}, {"gallery": [{"query": {}, "neighbours": 5}]},
        {"gallery": [{"query": {"frames": 3}}]}, {"gallery": [{}]}, {"columns": 1}, {"rows": [{"values": [1]}]},
    ],
)  # fmt: skip
def test_another_form_is_said_and_left_out(run: Path, broken: dict[str, Any]) -> None:
    page = written(run, "tracking", figures(run, "hidden words") | broken)
    assert "evaluations/tracking.json is no evaluation of the known form and is left out." in page.words
    assert "hidden words" not in page.words


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([10**400, -(10**400)]) | words
anything = st.recursive(
    leaves, lambda some: st.lists(some, max_size=3) | st.dictionaries(words, some, max_size=3), max_leaves=6
)
names = st.sampled_from(["1", "chance", "trained", "untrained", "spectrum", "trained, joint"]) | words
values = st.dictionaries(names, leaves | st.floats(0, 100), max_size=3)


def given_or_not(**parts: st.SearchStrategy) -> st.SearchStrategy:
    """Mostly of the right form, now and then of any."""
    return st.fixed_dictionaries({}, optional={key: part | anything for key, part in parts.items()})


shown = given_or_not(id=words, label=words, frames=st.lists(words, max_size=5), similarity=leaves, hit=leaves)
contents = given_or_not(
    protocol=words,
    title=words,
    settings=st.dictionaries(st.just("encoder") | words, anything, max_size=3),
    columns=st.lists(names, max_size=3),
    rows=st.lists(given_or_not(name=names, values=values, intervals=st.dictionaries(names, anything)), max_size=4),
    gallery=st.lists(given_or_not(query=shown, neighbours=st.lists(shown, max_size=2)), max_size=2),
    left_out=st.lists(given_or_not(id=words, reason=words), max_size=2),
    pictures=st.lists(given_or_not(title=words, caption=words, file=words), max_size=2),
    curves=st.lists(
        given_or_not(
            title=words,
            x=words,
            y=words,
            lines=st.dictionaries(names, st.lists(st.lists(leaves, min_size=2, max_size=2), max_size=40), max_size=3),
        ),
        max_size=2,
    ),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents)
def test_whatever_a_file_holds_is_refused_or_drawn(tmp_path: Path, content: dict[str, Any]) -> None:
    if not form.is_evaluation(content):
        return
    record = Record(tmp_path, evaluations={"a": content})
    Page(tables.draw(content, "a", charts.draw(content) + pictures.draw(tmp_path, content)))
    Page(gallery.draw(tmp_path, content, "a"))
    Page(opening.facts(record))


def test_what_write_result_leaves_is_of_the_form(run: Path) -> None:
    assert form.is_evaluation(evaluation(run))
    assert form.is_evaluation(figures(run))
    assert form.is_evaluation({"protocol": "knn"})
    assert not form.is_evaluation({})
