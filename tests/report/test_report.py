"""The report of a run: one page that holds everything, of a whole run and of broken ones."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image
from report_runs import NASTY, evaluation, picture, read, row

from praxino.errors import UserError
from praxino.report import axes
from praxino.report.page import write_report


def test_the_page_is_self_contained(run: Path) -> None:
    page = read(run)
    text = (run / "report.html").read_text(encoding="utf-8")
    without_pictures = re.sub(r"data:image/jpeg;base64,[A-Za-z0-9+/=]+", "", text)
    assert not re.search(r"https?:|[\"'(]//", without_pictures, re.IGNORECASE), "a remote link"
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "base", "form"}
    assert all(attrs["href"].startswith("#") for attrs in page.all("a"))
    assert {attrs["href"][1:] for attrs in page.all("a")} == {attrs["id"] for attrs in page.all("section")}
    assert not re.search(r"@import|url\(", text)
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert "default-src 'none'" in next(a["content"] for a in page.all("meta") if "http-equiv" in a)


def test_it_is_a_page_for_wide_and_narrow_light_and_dark(run: Path) -> None:
    page = read(run)
    assert page.tags[0] == ("html", {"lang": "en"})
    assert any(a.get("name") == "viewport" and "width=device-width" in a["content"] for a in page.all("meta"))
    style = next(text for tag, text in page.texts if tag == "style")
    assert "prefers-color-scheme:dark" in style
    assert style.count("{") == style.count("}")
    assert len(page.all("h1")) == 1
    assert len(page.all("table")) == len([a for a in page.all("div", "scroll")]), "a table that could widen the page"


def test_pictures_are_inlined_and_told(run: Path) -> None:
    images = read(run).all("img")
    assert len(images) == 3 * 4
    for attrs in images:
        head, _, data = attrs["src"].partition(",")
        assert head == "data:image/jpeg;base64"
        assert Image.open(io.BytesIO(base64.b64decode(data, validate=True))).size == (16, 12)
    assert [attrs["alt"] for attrs in images[:5]] == [
        *(f"query, zoom, zoom/q.mp4: frame {k} of 4" for k in (1, 2, 3, 4)),
        "neighbour 1, zoom, n20.mp4: frame 1 of 4",
    ]


def test_hits_are_told_by_word_and_mark(run: Path) -> None:
    page = read(run)
    badges = [text for tag, text in page.texts if tag == "span"]
    assert badges.count("✓ hit") == badges.count("✗ miss") == 1
    assert "✓ hit: the neighbour is of the query's class" in page.words
    assert "0.88" in badges


def test_without_labels_nothing_is_a_miss(run: Path) -> None:
    (run / "evaluations" / "retrieval.json").write_text(json.dumps(evaluation(run, labelled=False)))
    page = read(run)
    assert "see for yourself whether they are alike" in page.words
    assert not [a for tag, a in page.tags if {"hit", "miss"} & set(a.get("class", "").split())]
    assert "None" not in page.words.replace("None was", "")
    assert page.all("img")[0]["alt"] == "query, zoom/q.mp4: frame 1 of 4"


@pytest.mark.parametrize(("similarity", "said"), [(0.99, "place 1"), (0.875, "place 2"), (0.1, "behind these 2")])
def test_other_videos_come_before_the_querys_own(run: Path, similarity: float, said: str) -> None:
    """Whether there are labels or not, and in whatever order the file has them."""
    content = evaluation(run) | {"protocol": "instance"}
    match = content["gallery"][0]
    own = {**match["query"], "similarity": similarity, "hit": True}
    match["neighbours"].insert(0, own)
    (run / "evaluations" / "retrieval.json").write_text(json.dumps(content))
    page = read(run)
    badges = [text for tag, text in page.texts if tag == "span"]
    assert badges.index("1") < badges.index("2") < badges.index(f"own video, {said}")
    nearest = 1 if said == "place 1" else 0
    assert f"For {nearest} of 1 query the own video is nearest." in page.words
    assert not [a for tag, a in page.tags if {"hit", "miss"} & set(a.get("class", "").split())]


def test_table_of_an_evaluation(run: Path) -> None:
    page = read(run)
    scores = page.all("tr", "winner")
    assert len(scores) == 1
    assert "hand-made" in scores[0]["class"]
    heads = [text for tag, text in page.texts if tag == "th"]
    assert heads[:2] == ["@1", "@5"]
    assert heads[2:7] == ["chance", "frame difference", "temporal spectrum", "untrained", "trained"]
    bold = [text for tag, text in page.texts if tag == "strong"]
    assert bold == ["75.0", "93.0"]
    assert "72.0–78.0" in page.words
    assert "best at k = 1" in page.words
    assert "Settings evaluation retrieval feature max clips a video 3" in page.words
    assert "gone.mp4 moov atom not found" in page.words


def test_all_of_the_best_are_bold(run: Path) -> None:
    content = evaluation(run) | {"rows": [row("untrained", 50, 60), row("trained", 50, 70)]}
    (run / "evaluations" / "retrieval.json").write_text(json.dumps(content))
    page = read(run)
    assert [text for tag, text in page.texts if tag == "strong"] == ["50.0", "50.0", "70.0"]
    assert len(page.all("tr", "winner")) == 1


def test_curves(run: Path) -> None:
    page = read(run)
    titles = [text for tag, text in page.texts if tag == "h3"][1:7]
    assert titles == [
        "Loss",
        "Accuracy",
        "Learning rate",
        "Effective rank",
        "Share of time waiting for data",
        "Clips per second",
    ]
    charts = [attrs for attrs in page.all("svg", "chart") if "key" not in attrs["class"].split()]
    assert len(charts) == 6
    assert all(a["role"] == "img" and "over the steps" in a["aria-label"] and "viewbox" in a for a in charts)
    assert all("width" not in a for a in charts), "a chart of a fixed width does not shrink"
    for attrs in page.all("polyline"):
        for place in attrs["points"].split():
            x, y = map(float, place.split(","))
            assert 0 <= x <= axes.WIDTH
            assert 0 <= y <= axes.HEIGHT


def test_what_was_left_out(run: Path) -> None:
    words = read(run).words
    assert "2 videos of 4 used." in words
    assert "1 unreadable, 1 too short" in words
    assert "c.mp4 3 too short 3 frames, 8 needed" in words
    assert "b.mp4 44 ok timestamps repeat" in words


def test_text_of_a_run_is_text(run: Path) -> None:
    page = read(run)
    assert page.words.count(NASTY) >= 3
    assert "<i>bad</i>.mp4" in page.words
    assert "/films/<b>" in page.words
    assert not page.all("b") or all(not a for a in page.all("b"))


def test_facts_and_recipe(run: Path) -> None:
    words = read(run).words
    assert "SimCLR, trained without labels on the videos of VideoFolder (/films/<b>)." in words
    assert "Retrieval @1 67.5 % chance: 16.7 %" in words
    assert "Steps 100 10 whole epochs" in words
    assert "Training time 0 min 50 s" in words
    assert "packages: torch 2" in words


def test_a_run_that_has_only_begun(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("seed: 0\n")
    words = read(tmp_path).words
    for said in (
        "No step has been taken yet",
        f"No evaluation yet. To make one: praxino evaluate retrieval {tmp_path}",
        f"of videos without labels: praxino evaluate instance {tmp_path}",
        "No curves",
        "No pictures",
        "No list of videos yet",
    ):
        assert said in words
    assert "No environment.json" in words


def test_the_way_to_ones_own_videos(run: Path) -> None:
    assert "praxino browse" not in read(run).words  # an encoder is there when the run has ended
    for name in ("rgb", "flow"):
        (run / f"encoder-{name}.safetensors").touch()
    assert f"praxino embed {run}:flow --videos DIR --out vectors/, then praxino browse vectors/" in read(run).words


def test_broken_pieces_are_said(run: Path) -> None:
    with (run / "metrics.jsonl").open("a") as file:
        file.write('[1]\n{"kind": "step", "st')
    (run / "environment.json").write_text("{")
    (run / "evaluations" / "odd.json").write_text('{"rows": [1]}')
    (run / "evaluations" / "empty.json").write_text('{"protocol": "knn"}')
    (run / "recipe.yaml").write_text("a: [")
    (run / "evaluations" / "retrieval-frames" / "20-0.jpg").unlink()
    page = read(run)
    for said in (
        "2 lines of metrics.jsonl",
        "environment.json is no",
        "odd.json is no",
        "recipe.yaml is no",
        "holds no table",
    ):
        assert said in page.words
    gone = [a["aria-label"] for a in page.all("span", "gone")]
    assert gone == ["neighbour 1, zoom, n20.mp4: frame 1 of 4: picture missing"]


BAD = ["NaN", "Infinity", "1" + "0" * 400, "1" * 5000, '"x"', "null", "[]", "{}", "true"]


@pytest.mark.parametrize("value", BAD, ids=range(len(BAD)))
def test_numbers_of_metrics_that_are_none(run: Path, value: str) -> None:
    """Each number of a line in turn: the page is written, and shows no more than what is a number."""
    path = run / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()[:3]]
    for name in lines[0]:
        odd = [json.dumps({**line, name: "@"}).replace('"@"', value) for line in lines]
        path.write_text("\n".join(odd) + "\n")
        page = write_report(run).read_text()
        assert page.endswith("</html>\n")


def test_pictures_from_outside_the_run_are_not_read(run: Path) -> None:
    outside = picture(run.parent, "secret.jpg", 1)
    content = evaluation(run)
    content["gallery"][0]["query"]["frames"] = [f"../{outside}", str(run.parent / outside), "recipe.yaml"]
    (run / "evaluations" / "retrieval.json").write_text(json.dumps(content))
    assert len(read(run).all("span", "gone")) == 3


def test_writing_again_replaces_the_page(run: Path) -> None:
    before = write_report(run).read_text(encoding="utf-8")
    assert write_report(run).read_text(encoding="utf-8") == before


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no run"):
        write_report(tmp_path)
    with pytest.raises(UserError, match="no folder"):
        write_report(tmp_path / "missing")


def test_a_long_list_is_cut_and_says_so(run: Path) -> None:
    lines = "".join(f",v{k}.mp4,0,unreadable,empty file\n" for k in range(1200))
    (run / "videos.csv").write_text("row,id,frames,status,reason\n" + lines)
    words = read(run).words
    assert "1,200 unreadable" in words
    assert "And 700 more in videos.csv." in words
