"""Tiles that play, with a picture that stands still for those who ask for it; scores class by class; meanings."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image
from report_runs import evaluation, read, run  # noqa: F401

from praxino.evaluations.by_class import by_class, from_plain, plain
from praxino.evaluations.thumbnails import MOVING_BYTES, moving
from praxino.report import gallery
from praxino.report.meanings import MEANINGS, TERM, meaning

WORST = np.random.default_rng(0).integers(0, 256, (40, 96, 192, 3), np.uint8)


def with_clip(folder, frames=5):
    """The evaluation, whose query moves."""
    content = evaluation(folder)
    shown = content["gallery"][0]["query"]
    data = moving(WORST[:frames, ::8, ::8], 80)
    (folder / "evaluations/retrieval-frames/000.webp").write_bytes(data)
    shown |= {"clip": "evaluations/retrieval-frames/000.webp", "seconds": [1.2, 1.84]}
    (folder / "evaluations" / "retrieval.json").write_text(json.dumps(content))
    return data


def test_a_tile_plays_and_stands_still_where_that_is_asked_for(run):  # noqa: F811
    data = with_clip(run)
    page = read(run)
    (source,) = page.all("source")
    assert source["media"] == "(prefers-reduced-motion: reduce)"
    assert source["srcset"].startswith("data:image/jpeg;base64,")
    image = page.all("img")[0]
    assert base64.b64decode(image["src"].removeprefix("data:image/webp;base64,")) == data
    assert image["alt"] == "query, zoom, zoom/q.mp4: a clip"
    assert "1.2 to 1.8 s" in page.words
    assert "A tile plays one of the clips" in page.words
    shown = Image.open(io.BytesIO(data))
    shown.load()
    assert (shown.n_frames, shown.info["loop"], shown.info["duration"]) == (5, 0, 80)


@pytest.mark.parametrize("broken", [b"", b"GIF89a", b"RIFF"])
def test_a_clip_that_is_none_leaves_the_frames(run, broken):  # noqa: F811
    with_clip(run)
    (run / "evaluations/retrieval-frames/000.webp").write_bytes(broken[:3])
    assert not read(run).all("source")
    assert read(run).all("img")[0]["alt"].endswith("frame 1 of 4")


def test_no_clip_is_larger_than_it_may_be():
    """Noise is the worst that there is."""
    data = moving(WORST, 40)
    assert 0 < len(data) <= MOVING_BYTES
    assert Image.open(io.BytesIO(data)).n_frames > 1
    assert moving(WORST[:1], 40) == b""


def test_a_page_has_room_for_so_many_bytes(run, monkeypatch):  # noqa: F811
    """Beyond it tiles stand still; so a page stays below 12 MB of clips, in base64, whatever a run holds."""
    assert gallery.PAGE_BYTES * 4 / 3 < 12e6
    data = with_clip(run)
    content = json.loads((run / "evaluations" / "retrieval.json").read_text())
    content["gallery"] *= 5
    room = gallery.Room(2 * len(data) + 1)
    drawn = gallery.draw(run, content, "", room)
    assert drawn.count("<picture>") == 2
    assert drawn.count("frame 1 of 4") == 5 * 2 + 3
    assert room.left == 1


def test_scores_class_by_class(run):  # noqa: F811
    scores = by_class("trained", "1", [True, False, True, True], [2, 2, 0, 0], ("a", "b", "<c>"))
    assert scores.classes == [("a", 2, 100.0), ("<c>", 2, 50.0)]
    assert from_plain(json.loads(json.dumps(plain(scores)))) == scores
    assert from_plain(plain(None)) is None
    content = evaluation(run) | {"by_class": plain(scores)}
    (run / "evaluations" / "retrieval.json").write_text(json.dumps(content))
    page = read(run)
    assert "Class by class, at k = 1" in page.words
    heads = [text for tag, text in page.texts if tag == "th"]
    assert heads[heads.index("trained, %") :][1:3] == ["a", "<c>"]


def test_every_curve_says_what_it_means(run):  # noqa: F811
    words = read(run).words
    for key in ("total", "lr", "effective_rank", "wait_share", "clips_per_second", "accuracy"):
        assert MEANINGS[key] in words
    assert meaning("rgb/accuracy") == MEANINGS["accuracy"]
    assert meaning("effective_rank/clip") == MEANINGS["effective_rank"]
    assert meaning("one's own") == TERM
