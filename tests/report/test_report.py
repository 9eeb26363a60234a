"""The report of a run: one page that holds everything, of a whole run and of broken ones."""

from __future__ import annotations

import base64
import io
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from praxino.errors import UserError
from praxino.report import curves, tables
from praxino.report.page import write_report

VOID = {"meta", "img", "br", "hr", "link", "input"}
SVG_VOID = {"line", "polyline", "circle", "path", "rect"}
NASTY = "<script>alert(\"x\")</script> & 'é' ü"


class Page(HTMLParser):
    """The elements of a page; complains about tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SVG_VOID, f"<{tag}/> does not close itself in HTML"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> without a start"
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def all(self, tag: str, cls: str = "") -> list[dict[str, str]]:
        return [a for t, a in self.tags if t == tag and (not cls or cls in a.get("class", "").split())]

    @property
    def words(self) -> str:
        return " ".join(text for tag, text in self.texts if tag != "style").replace("\u00a0", " ")


def picture(folder: Path, name: str, seed: int) -> str:
    path = folder / "evaluations" / "retrieval-frames" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)).save(path)
    return str(path.relative_to(folder))


def row(name: str, at_1: float, at_5: float, half: float | None = 3.0) -> dict[str, Any]:
    values = {"1": at_1, "5": at_5}
    between = {k: [v - half, v + half] for k, v in values.items()} if half else {}
    return {"name": name, "values": values, "intervals": between, "note": ""}


def shown(folder: Path, id: str, label: str | None, seed: int) -> dict[str, Any]:
    return {"id": id, "label": label, "frames": [picture(folder, f"{seed}-{k}.jpg", seed + k) for k in range(4)]}


def evaluation(folder: Path, labelled: bool = True) -> dict[str, Any]:
    def neighbour(seed: int, hit: bool) -> dict[str, Any]:
        label = ("zoom" if hit else "slide") if labelled else None
        return {**shown(folder, f"n{seed}.mp4", label, seed), "similarity": 0.9 - seed / 1000, "hit": hit}

    query = shown(folder, "zoom/q.mp4", "zoom" if labelled else None, 10)
    return {
        "protocol": "retrieval",
        "title": f"Retrieval {NASTY}",
        "settings": {"feature": "max", "clips a video": 3, "centred on the gallery": True, "view": None},
        "columns": ["1", "5"],
        "rows": [
            row("chance", 16.7, 60.0, None),
            row("frame difference", 25.0, 62.5),
            row("temporal spectrum", 75.0, 90.0),
            row("untrained", 26.7, 62.5),
            row("trained", 67.5, 93.0),
        ],
        "gallery": [{"query": query, "neighbours": [neighbour(20, True), neighbour(30, False)]}],
        "left_out": [{"id": "gone.mp4", "reason": "moov atom not found"}],
    }


def steps(count: int) -> str:
    lines = []
    for step in range(count):
        loss = 4.0 * math.exp(-step / 50) + 0.1 * (step % 3)
        line = {
            "kind": "step",
            "epoch": step // 10,
            "step": step,
            "total": loss,
            "nt_xent": loss,
            "accuracy": step / count,
        }
        line |= {"lr": 1e-3, "seconds": 0.5, "clips_per_second": 50.0, "wait_share": 0.1, "eta_seconds": 9.0}
        lines.append(line | ({"effective_rank": 9.0 + step % 2} if step % 10 == 9 else {}))
        if step % 10 == 9:
            lines.append(
                {"kind": "epoch", "epoch": step // 10, "step": step, "train/total": loss, "validation/total": 2.0}
            )
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "my run & co"
    (folder / "evaluations").mkdir(parents=True)
    (folder / "recipe.yaml").write_text(
        "catalog:\n  class_path: praxino.catalogs.folder.VideoFolder\n  init_args: {root: /films/<b>}\n"
        f"method: {{class_path: praxino.methods.simclr.SimCLR}}\n# {NASTY}\n"
    )
    (folder / "environment.json").write_text(
        json.dumps({"python": "3.11.7", "packages": {"praxino": "0.1", "torch": "2"}})
    )
    quoted = NASTY.replace('"', '""')
    (folder / "videos.csv").write_text(
        "row,id,frames,status,reason\n0,a.mp4,40,ok,\n1,b.mp4,44,ok,timestamps repeat\n"
        f',<i>bad</i>.mp4,0,unreadable,"no video stream, {quoted}"\n,c.mp4,3,too short,"3 frames, 8 needed"\n'
    )
    (folder / "metrics.jsonl").write_text(steps(100))
    (folder / "evaluations" / "retrieval.json").write_text(json.dumps(evaluation(folder)))
    return folder


def read(run: Path) -> Page:
    path = write_report(run)
    assert path == run / "report.html"
    assert not [p.name for p in run.iterdir() if p.name.endswith(".part")]
    return Page(path.read_text(encoding="utf-8"))


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


def test_without_labels_a_hit_is_the_same_video(run: Path) -> None:
    (run / "evaluations" / "retrieval.json").write_text(json.dumps(evaluation(run, labelled=False)))
    page = read(run)
    assert "is of the query's own video" in page.words
    assert "None" not in page.words.replace("None was", "")
    assert page.all("img")[0]["alt"] == "query, zoom/q.mp4: frame 1 of 4"


def test_labels_do_not_turn_own_videos_into_classes(run: Path) -> None:
    (run / "evaluations" / "retrieval.json").write_text(json.dumps(evaluation(run) | {"protocol": "instance"}))
    assert "✓ hit: the neighbour is of the query's own video" in read(run).words


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
    assert "Settings of the protocol protocol retrieval feature max clips a video 3" in page.words
    assert "gone.mp4 moov atom not found" in page.words


def test_what_the_table_says_in_words() -> None:
    rows = [
        row("chance", 10, 40, None),
        row("frame difference", 48, 60),
        row("untrained", 30, 50),
        row("trained", 40, 70),
    ]
    said = [s.replace("\u00a0", " ") for s in tables.findings({"columns": ["1", "5"], "rows": rows})]
    assert said == [
        "Frame difference, a hand-made feature, beats the trained network here at k = 1 (48.0 against 40.0).",
        "The trained network stands 30.0 points above chance and 10.0 points above “untrained” at k = 1.",
    ]
    rows[1] = row("frame difference", 44, 60)
    assert tables.findings({"columns": ["1"], "rows": rows})[0].endswith(
        "the intervals overlap, so no difference is shown."
    )
    rows[1] = row("frame difference", 36, 60)
    said = tables.findings({"columns": ["1"], "rows": rows})
    assert len(said) == 1
    assert "4.0 points above “frame difference” (the intervals overlap)" in said[0]


def test_columns_that_chance_fills_tell_nothing() -> None:
    rows = [row("chance", 10, 97.7, None), row("frame difference", 20, 99, None), row("trained", 40, 98, None)]
    said = [s.replace("\u00a0", " ") for s in tables.findings({"columns": ["1", "5"], "rows": rows})]
    assert said == [
        "The trained network stands 30.0 points above chance and 20.0 points above “frame difference” at k = 1.",
        "Chance alone reaches 97.7 at k = 5: nothing is to be learnt there.",
    ]


def test_all_of_the_best_are_bold(run: Path) -> None:
    content = evaluation(run) | {"rows": [row("untrained", 50, 60), row("trained", 50, 70)]}
    (run / "evaluations" / "retrieval.json").write_text(json.dumps(content))
    page = read(run)
    assert [text for tag, text in page.texts if tag == "strong"] == ["50.0", "50.0", "70.0"]
    assert len(page.all("tr", "winner")) == 1


@pytest.mark.parametrize(
    "name, wanted",
    [
        ("chance", "chance"),
        ("untrained, one frame", "untrained"),
        ("one frame: 8x8 thumbnail", "hand-made"),
        ("colour histogram", "hand-made"),
        ("temporal spectrum", "hand-made"),
        ("trained", "trained"),
    ],
)
def test_kinds_of_rows(name: str, wanted: str) -> None:
    assert tables.kind({"name": name}) == wanted


def test_curves(run: Path) -> None:
    page = read(run)
    titles = [text for tag, text in page.texts if tag == "h3"][1:8]
    assert titles == [
        "Loss",
        "Accuracy",
        "Validation/total",
        "Learning rate",
        "Effective rank",
        "Share of time waiting for data",
        "Clips per second",
    ]
    charts = page.all("svg")
    assert len(charts) == 7
    assert all(a["role"] == "img" and "over the steps" in a["aria-label"] and "viewbox" in a for a in charts)
    assert all("width" not in a for a in charts), "a chart of a fixed width does not shrink"
    for attrs in page.all("polyline"):
        for place in attrs["points"].split():
            x, y = map(float, place.split(","))
            assert 0 <= x <= curves.WIDTH
            assert 0 <= y <= curves.HEIGHT


def test_thinning_keeps_the_peaks() -> None:
    points = [(float(x), math.sin(x / 7)) for x in range(100_000)]
    points[54_321] = (54_321.0, 9.0)
    points[54_333] = (54_333.0, -9.0)
    thin = curves.thinned(points)
    assert len(thin) <= 2 * curves.POINTS
    assert {points[54_321], points[54_333]} <= set(thin)
    assert thin == sorted(thin)


def test_smoothing_is_a_mean_over_a_centred_window() -> None:
    points = [(float(x), float(x * x % 17)) for x in range(200)]
    made = curves.smoothed(points)
    for k in (0, 3, 100, 199):
        window = [y for _, y in points[max(0, k - 5) : k + 6]]
        assert made[k] == pytest.approx((k, sum(window) / len(window)))


@pytest.mark.parametrize("low, high", [(0, 1), (1.3, 5.4), (-2e-7, 3e-7), (0, 123456), (99, 99.5), (1e-12, 2e-12)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    made = curves.ticks(low, high)
    assert 2 <= len(made) <= 6
    assert all(low - 1e-9 * abs(high) <= t <= high * (1 + 1e-9) for t in made)


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0], [0.0, 0.0], [float("nan")], [float("inf"), 1.0], [-5.0, 3.0]])
def test_odd_curves(values: list[float]) -> None:
    lines = [{"kind": "step", "step": k, "total": v} for k, v in enumerate(values)]
    drawn = [curves.draw(curve) for curve in curves.curves(lines, [])]
    assert len(drawn) == 1
    Page(drawn[0])
    assert "nan" not in drawn[0]
    assert ("not finite" in drawn[0]) == (not all(map(math.isfinite, values)))


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
        "No evaluation yet",
        "No curves",
        "No pictures",
        "No list of videos yet",
    ):
        assert said in words
    assert "No environment.json" in words


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
        "2 line(s) of metrics.jsonl",
        "environment.json is no",
        "odd.json is no",
        "recipe.yaml is no",
        "holds no table",
    ):
        assert said in page.words
    gone = [a["aria-label"] for a in page.all("span", "gone")]
    assert gone == ["neighbour 1, zoom, n20.mp4: frame 1 of 4: picture missing"]


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
