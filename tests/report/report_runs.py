"""A run's folder with invented numbers, and a reader of the page that comes of it."""

from __future__ import annotations

import json
import math
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from praxino.report.page import write_report

VOID = {"meta", "img", "br", "hr", "link", "input", "source"}
SVG_VOID = {"line", "polyline", "circle", "path", "rect"}
NASTY = "<script>alert(\"x\")</script> & 'é' ü"


class Page(HTMLParser):
    """The elements of a page; complains about tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text.replace("<wbr>", ""))  # where a name may be broken is no part of it
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


def figures(folder: Path, words: str = NASTY) -> dict[str, Any]:
    """An evaluation with pictures and curves, whose titles, captions, axes and names are these words."""
    made = {"matrix.png": (40, 40), "strip.png": (60, 600), "large.png": (300, 300)}
    place = folder / "evaluations" / "tracking-frames"
    place.mkdir(parents=True, exist_ok=True)
    for name, shape in made.items():
        Image.fromarray(np.zeros((*shape, 3), np.uint8)).save(place / name)
    files = [str((place / name).relative_to(folder)) for name in made]
    lines = {"trained": [[0, 90.5], [0.5, 40.0], [1, 1]], "chance": [[0, 3], [1, 3]], words: [[0, 50], [1, None]]}
    return {
        "protocol": "tracking",
        "title": "Tracking",
        "columns": ["success"],
        "rows": [{"name": "trained", "values": {"success": 44.0}}],
        "pictures": [{"title": f"{words} {file}", "caption": words, "file": file} for file in files],
        "curves": [{"title": f"Success {words}", "x": f"overlap {words}", "y": f"share {words}", "lines": lines}],
    }


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
