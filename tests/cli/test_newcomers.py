"""What a newcomer runs into: each is a line that says how to go on."""

import json
import shutil
import warnings

import pytest
import yaml
from torch.utils.data import DataLoader

import videos
from praxino.cli.main import _libraries_quiet, main
from praxino.errors import UserError
from praxino.report.followers import draw
from praxino.report.page import write_report
from praxino.report.read import read_run
from praxino.training.run import Run
from praxino.training.schedules import Cosine
from praxino.training.stages import Stage, all_warmup

QUICK = "--workers 0 --threads 1 --device cpu --batch_size 2 --method.backbone.width 2"


@pytest.fixture
def films(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c"):
        videos.write(tmp_path / f"{name}.mp4", 20, size=(24, 32), seed=ord(name))
    return tmp_path


def last_line(capsys, words):
    assert main(words.split()) == 2
    return capsys.readouterr().err.splitlines()[-1]


def lr(run):
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return max(line["lr"] for line in lines if line["kind"] == "step")


def test_a_run_that_is_all_warm_up_says_so(films, capsys):
    assert main(f"pretrain simclr_small --videos . --out one --epochs 1 {QUICK}".split()) == 0
    said = "all of stage 0 is warm-up, 1 of 1 epochs"
    out, err = capsys.readouterr()
    assert said in err
    *_, look, vectors = out.splitlines()
    assert look == f"to look at it: praxino report {films / 'one'}"
    assert vectors.startswith(f"for its vectors of videos: praxino embed {films / 'one'} --videos DIR")
    assert main(look.partition("praxino ")[2].split()) in (None, 0)
    advice = err.partition("or pass ")[2].splitlines()[0]
    assert advice == "--stages.0.schedule.warmup 0"
    assert main(f"pretrain simclr_small --videos . --out two --epochs 1 {advice} {QUICK}".split()) == 0
    assert "warm-up" not in capsys.readouterr().err
    assert lr(films / "two") > 100 * lr(films / "one") > 0
    assert main(f"pretrain simclr_small --videos . --out three --epochs 2 {QUICK}".split()) == 0
    assert said not in capsys.readouterr().err
    videos.write(films / "d.mp4", 20, size=(24, 32), seed=4)
    # Two batches a step: two steps are two epochs.
    assert main(f"pretrain simclr_small --videos . --out four --steps 2 --accumulate 2 {QUICK}".split()) == 0
    assert said not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("steps", "warmup", "said"), [(5, 0, False), (10, 1, True), (11, 1, False), (10, 2.5, True), (25, 2.5, True)]
)
def test_warm_up_by_steps(steps, warmup, said):
    stages = [Stage(list, steps=1000), Stage(list, steps=steps, schedule=Cosine(warmup=warmup))]
    assert bool(all_warmup(stages, 10)) == said


@pytest.mark.parametrize("option", ["--start", "--stages.0.rate_factors", "--canvas"])
def test_a_name_that_is_typed_twice(films, capsys, option):
    words = ["pretrain", "simclr_small", "--videos", ".", "--out", "run", option, "{rgb: 1, rgb: 2}"]
    assert main(words) == 2
    assert "'rgb' stands twice" in capsys.readouterr().err


def test_a_run_is_resumed_as_a_whole(films, capsys):
    (films / "run").mkdir()
    (films / "run/recipe.yaml").write_text("out: run")
    assert last_line(capsys, "resume run:first").endswith("leave out ':first'")
    with pytest.raises(UserError, match="holds no run"):
        Run.open(films / "other:first")


def test_a_refusal_behind_the_probe_leaves_no_folder(films, capsys):
    """But a folder that was there before stays."""
    for name in ("a", "b"):
        (films / f"{name}.mp4").write_text("no video")
    (films / "there").mkdir()
    for out in ("gone", "there"):
        assert "are unusable" in last_line(capsys, f"pretrain simclr_small --videos . --out {out} --steps 1 {QUICK}")
    assert not (films / "gone").exists()
    assert not list((films / "there").iterdir())


def test_the_arguments_of_any_evaluation_are_printed(films, capsys):
    assert main(f"pretrain simclr_small --videos . --out run --steps 1 {QUICK}".split()) == 0
    capsys.readouterr()
    assert main(["evaluate", "linear", "run", "--draws", "3", "--print_config"]) == 0
    said = yaml.safe_load(capsys.readouterr().out)
    assert said["draws"] == 3
    assert said["catalog"]["init_args"]["root"] == str(films)
    assert not (films / "run/evaluations").exists()


def test_a_report_names_the_runs_that_began_with_it(films):
    for name in ("run", "run/finetune-split1"):
        (films / name).mkdir()
        (films / name / "recipe.yaml").write_text("kind: finetune" if "/" in name else "seed: 1")
    shutil.copytree(films / "run/finetune-split1", films / "run/linear")
    (films / "run/linear/evaluations").mkdir()
    (films / "run/linear/evaluations/linear.json").write_text(
        '{"protocol": "linear", "columns": ["1"], "rows": [{"name": "trained", "values": {"1": 45.25}}]}'
    )
    page = write_report(films / "run").read_text()
    assert "finetune-split1</td><td>finetune</td><td>no test yet" in page
    assert "linear</td><td>finetune</td><td>Linear classifier @1: 45.2 %" in page
    assert draw(read_run(films / "run/linear")) == ""


def test_libraries_keep_their_warnings_to_themselves():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        _libraries_quiet()
        DataLoader([1, 2], num_workers=4000)
        warnings.warn_explicit("Corrupt EXIF data", UserWarning, "TiffImagePlugin.py", 1, "PIL.TiffImagePlugin")
        warnings.warn("ours", stacklevel=1)
    assert [str(one.message) for one in said] == ["ours"]
