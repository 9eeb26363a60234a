"""The demo: what it says, and over three seeds what it promises."""

import numpy as np
import pytest

import videos
from praxino.catalogs.folder import VideoFolder
from praxino.configuration.documents import read, write
from praxino.configuration.recipes import recipe_file
from praxino.demo.run import _cautions, _config, _recipe, _remarks, demo
from praxino.errors import UserError
from praxino.evaluations.metrics import bootstrap_interval
from praxino.evaluations.result import Result, Row
from praxino.training.run import Run


def result(trained, untrained, handmade, half=2.0):
    def row(name, value):
        return Row(name, {"1": value}, {"1": [value - half, value + half]})

    rows = [Row("chance", {"1": 10.0}), row("untrained", untrained), row("frame difference", handmade)]
    return Result("retrieval", "", {}, ["1"], [*rows, row("trained", trained)])


def test_a_hand_made_feature_that_wins_is_printed():
    said = " ".join(_remarks(result(50.0, 20.0, 60.0)))
    assert "'frame difference', a hand-made feature, beats the trained network at 1: 60.0 against 50.0" in said
    assert "overlap" not in said
    close = " ".join(_remarks(result(50.0, 20.0, 53.0)))
    assert "is above the trained network at 1: 53.0 against 50.0 (the intervals overlap" in close
    assert _remarks(result(50.0, 20.0, 40.0)) == []


def test_no_difference_is_called_no_difference():
    assert "no difference" in _remarks(result(22.0, 20.0, 10.0))[0]


def test_few_videos_are_those_that_could_be_read():
    few = result(50.0, 20.0, 10.0)
    few.left_out = [("broken.mp4", "no video")]
    assert _cautions(few, 31) == [
        "30 videos are few: so short a run shows that it works, not what is possible",
        "left out: 1 video; the report lists them",
    ]
    assert len(_cautions(few, 101)) == 1
    assert _cautions(result(50.0, 20.0, 10.0), None) == []


def test_the_best_hand_made_feature_is_held_against_query_by_query():
    shown = result(75.0, 20.0, 25.0)
    shown.rows.insert(1, Row("colour histogram", {"1": 0.0}, {"1": [0.0, 0.0]}))
    hits = {"trained": [1, 1, 1, 0], "frame difference": [0, 0, 0, 1], "colour histogram": [0, 0, 0, 0]}
    shown.per_query = {name: {"1": list(map(bool, row))} for name, row in hits.items()}
    (said,) = _remarks(shown)
    assert "trained less 'frame difference', the best hand-made, query by query at 1: +50.0 [-50.0, +100.0]" in said


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("nope", "there is no recipe 'nope'"),
        ("moco_small", "measures the view 'residual', and this recipe has rgb: pass one that has it"),
        ("finetune", "measures the view 'residual', and this recipe says nothing of views"),
    ],
)
def test_a_recipe_that_cannot_be_measured_is_refused_before_anything_is_rendered(tmp_path, recipe, said):
    with pytest.raises(UserError, match=said):
        demo(out=tmp_path / "out", recipe=recipe)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("stages", [None, [], {"epochs": 3}])
def test_a_recipe_without_stages_is_refused_before_anything_is_rendered(tmp_path, stages):
    recipe = read(recipe_file("simclr_small"))
    recipe.pop("stages")
    write(tmp_path / "mine.yaml", recipe | ({} if stages is None else {"stages": stages}))
    with pytest.raises(UserError, match="its 'stages' are no list"):
        demo(out=tmp_path / "out", recipe=str(tmp_path / "mine.yaml"), steps=20)
    assert not (tmp_path / "out").exists()


def test_a_run_of_another_recipe_is_not_measured_as_this_ones(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    for seed in range(4):
        videos.write(folder / f"{seed}.mp4", 20, size=(24, 32), seed=seed)
    config = _config(VideoFolder(str(folder)), tmp_path / "out", 0, 1, 0, 1, _recipe("simclr_small"))
    Run.create(tmp_path / "out", config)
    with pytest.raises(UserError, match="differs in its method"):
        demo(videos=folder, out=tmp_path / "out", recipe="iic_small", steps=1)


def test_too_few_videos(tmp_path):
    with pytest.raises(UserError, match="no video"):
        demo(videos=tmp_path, out=tmp_path / "out")
    videos.write(tmp_path / "long.mp4", 20, size=(24, 32), seed=1)
    with pytest.raises(UserError, match=r"1 video is too few to learn from: .* --cut 10' makes several"):
        demo(videos=tmp_path / "long.mp4", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_three_seeds_beat_every_baseline(tmp_path):
    """Query by query, over three seeds together."""
    hits = {}
    for seed in range(3):
        got = demo(out=tmp_path / str(seed), seed=seed)
        for name, row in got.per_query.items():
            hits.setdefault(name, []).extend(row["1"])
        assert (tmp_path / str(seed) / "report.html").exists()
    assert len(hits) == 8
    trained = np.array(hits.pop("trained"), float)
    for name, row in hits.items():
        assert bootstrap_interval(trained - np.array(row, float))[0] > 0, name
