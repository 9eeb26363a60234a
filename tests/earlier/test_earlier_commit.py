"""What the commit before the rooms were redrawn has left on a disk still works, and ends in the very same numbers.

That commit's source trains, is stopped, and measures. Today's goes on where it was stopped, and measures the same runs.
Both work through the command line alone. Where there is no history of the repository, these tests are skipped;
test_kept_folders.py does with the folders that are kept beside it.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from earlier_commands import measurements, trainings, write_clips
from earlier_runs import metrics, result, run_all, scores, source_of
from safetensors.torch import load_file

import praxino

# Over a minute; the folders kept beside it stay in the quick suite.
pytestmark = pytest.mark.slow
COMMIT = "23a61d9"
NOW = Path(praxino.__file__).parents[1]

# Run -> the step after which it is stopped, in the middle of an epoch, one step after a checkpoint.
STOPPED = {"iic": 6, "simclr": 8, "finetune": 8, "linear": 10}
MEASURED = [
    ("iic", "retrieval"), ("iic", "retrieval-rgb-residual"), ("iic", "knn"), ("iic", "linear"),
    ("simclr", "retrieval"), ("simclr", "instance"), ("finetune", "retrieval"), ("finetune", "recognition"),
    ("linear", "recognition"), ("finetune-stopped", "recognition"), ("linear-stopped", "recognition"),
]  # fmt: skip


@pytest.fixture(scope="module")
def earlier_source(tmp_path_factory):
    return source_of(COMMIT, tmp_path_factory.mktemp("source"))  # the one before the rooms were redrawn


@pytest.fixture(scope="module")
def runs(earlier_source, tmp_path_factory):
    """(then, now): two folders of the same runs, the first measured with the earlier source, the second with today's.

    Of today's, the stopped ones have been resumed besides.
    """
    clips = write_clips(tmp_path_factory.mktemp("clips"))
    folder = tmp_path_factory.mktemp("runs")
    then, now = folder / "then", folder / "now"
    then.mkdir()
    lines = []
    for name, line in trainings(clips).items():
        lines.append([*line, "--out", name])
        lines.append([STOPPED[name], *line, "--out", f"{name}-stopped"])
    run_all(earlier_source, lines, then)
    shutil.copytree(then, now)
    run_all(earlier_source, measurements(clips), then)
    resuming = [["resume", f"{name}{part}"] for part in ("", "-stopped") for name in STOPPED]
    done = run_all(NOW, [*measurements(clips), *resuming], now)
    assert done.stderr.count("nothing to do") == len(STOPPED)
    return then, now


def assert_within(earlier, later, place="", strict=True):
    """Whether the later one holds all of the earlier one, bit by bit; it may hold more.

    Unless `strict`, only what both have by the same name is compared.
    """
    if isinstance(earlier, dict):
        assert not strict or earlier.keys() <= later.keys(), f"{place}: lacks {earlier.keys() - later.keys()}"
        for name in earlier.keys() & later.keys():
            assert_within(earlier[name], later[name], f"{place}.{name}", strict)
    elif isinstance(earlier, list | tuple):
        assert len(earlier) == len(later), place
        for number, (one, other) in enumerate(zip(earlier, later, strict=True)):
            assert_within(one, other, f"{place}.{number}", strict)
    elif isinstance(earlier, torch.Tensor):
        assert torch.equal(earlier, later), place
    else:
        assert earlier == later, place


def as_configured(source: Path, recipes: dict[str, str], folder: Path) -> list[dict]:
    """What a source makes of recipes: name or file -> which kind of run it is of."""
    lines = []
    for recipe, kind in recipes.items():
        words = ["pretrain", recipe] if kind == "pretrain" else ["evaluate", kind, "iic", "--recipe", recipe]
        lines += [[*words, "--print_config"], ["--version"]]
    *texts, _ = re.split(r"^praxino .*\n", run_all(source, lines, folder).stdout, flags=re.M)
    return [yaml.safe_load(text) for text in texts]


def checkpoint(run: Path) -> dict:
    return torch.load(run / "checkpoints/last.ckpt", weights_only=True)


@pytest.mark.parametrize("name", STOPPED)
def test_stopped_in_the_middle(runs, name):
    """What the others show would be little, had the earlier source come to the end or stopped before its first step."""
    then, _ = runs
    whole, part = metrics(then / name), metrics(then / f"{name}-stopped")
    assert part == whole[: len(part)]
    saved = checkpoint(then / f"{name}-stopped")
    assert 0 < saved["position"]["step"] == STOPPED[name] < checkpoint(then / name)["position"]["step"]
    assert saved["position"]["batch"] > 0
    assert not list((then / f"{name}-stopped").glob("encoder*"))


@pytest.mark.parametrize("name", STOPPED)
def test_resumed_as_if_never_stopped(runs, name):
    then, now = runs
    assert metrics(now / f"{name}-stopped") == metrics(then / name)
    earlier, later = checkpoint(then / name), checkpoint(now / f"{name}-stopped")
    for part in ("task", "schedule", "position", "finished"):
        assert_within(earlier[part], later[part], part)
    assert earlier["task"].keys() == later["task"].keys()
    assert_within(earlier["optimizer"]["state"], later["optimizer"]["state"], "state")
    assert_within(earlier["optimizer"]["param_groups"], later["optimizer"]["param_groups"], "groups", strict=False)
    (file,) = (now / f"{name}-stopped").glob("encoder*.safetensors")
    earlier, later = load_file(then / name / file.name), load_file(file)
    # Statistics of its views are new; only a pretraining whose protocol asks for them takes any.
    more = later.keys() - earlier.keys()
    assert bool(more) == (name == "simclr")
    assert all(key.startswith("views.") for key in more)
    assert_within(earlier, later)


def test_what_was_resumed_had_state_to_lose(runs):
    """Banks, groups with rates of their own, schedules that have counted: each would show if it began anew."""
    then, _ = runs
    banks = [name for name in checkpoint(then / "iic-stopped")["task"] if "bank" in name]
    assert len(banks) == 3
    saved = checkpoint(then / "finetune-stopped")
    assert [group["lr"] for group in saved["optimizer"]["param_groups"]] == pytest.approx([1e-4, 1.3e-3, 5e-4])
    assert saved["schedule"]["multiplier"] == pytest.approx(0.1)
    assert checkpoint(then / "linear-stopped")["schedule"]["best"] < math.inf


@pytest.mark.parametrize("name", ["finetune", "linear"])
def test_tested_with_the_same_result(runs, name):
    then, now = runs
    assert scores(result(now / f"{name}-stopped", name)) == scores(result(then / name, name))


@pytest.mark.parametrize("name", STOPPED)
def test_finished_runs_stay_as_they_are(runs, name):
    then, now = runs
    for file in ("metrics.jsonl", "checkpoints/last.ckpt", "encoder.safetensors"):
        assert (now / name / file).read_bytes() == (then / name / file).read_bytes()


@pytest.mark.parametrize(("run", "name"), MEASURED)
def test_measured_with_the_same_result(runs, run, name):
    earlier, later = (result(folder / run, name) for folder in runs)
    assert scores(later) == scores(earlier)
    assert later["columns"] == earlier["columns"]
    if name != "instance":  # which shows the other videos first today
        assert without_folders(later["gallery"]) == without_folders(earlier["gallery"])
    # Others are words, which may be chosen better.
    numbers = {word: value for word, value in earlier["settings"].items() if not isinstance(value, str)}
    assert_within(numbers, later["settings"], strict=False)


def without_folders(gallery):
    """With the pictures' own names: their folder bears the name of the result, which today has a hash.

    Without the seconds and the moving picture of each clip, which only today's have.
    """
    plain = json.loads(re.sub(r'"evaluations/[^"]*/', '"', json.dumps(gallery)))
    for shown in plain:
        for one in (shown["query"], *shown["neighbours"]):
            for name in ("seconds", "clip"):
                one.pop(name, None)
    return plain


@pytest.mark.parametrize("file", ["iic.npz", "finetune.npz"])
def test_the_same_vectors(runs, file):
    earlier, later = (np.load(folder / file) for folder in runs)
    assert set(earlier) == {"vectors", "video", "start", "end"}
    for name in earlier:
        assert np.array_equal(earlier[name], later[name]), name


@pytest.mark.parametrize("run", ["iic", "finetune", "linear-stopped"])
def test_reported_with_the_same_pictures(runs, run):
    earlier, later = ((folder / run / "report.html").read_text() for folder in runs)
    assert "<svg" in later
    # Where four frames stood side by side, one picture plays today.
    assert 4 * later.count("<img") == earlier.count("<img")
    for name in [name for of, name in MEASURED if of == run]:
        assert all(row["name"] in later for row in result(runs[1] / run, name)["rows"])


def test_resolved_recipes_are_understood(earlier_source, runs, tmp_path):
    """Each recipe of that commit, as it stands in the folder of a run, word for word, is one for today's source."""
    files = sorted((earlier_source / "praxino/recipes").glob("*.yaml"))
    kinds = [yaml.safe_load(file.read_text()).get("protocol", "pretrain") for file in files]
    named = {file.stem: kind for file, kind in zip(files, kinds, strict=True)}
    resolved = as_configured(earlier_source, named, runs[0])
    written = {}
    for file, kind, recipe in zip(files, kinds, resolved, strict=True):
        said = recipe if kind == "pretrain" else {"protocol": kind, **recipe}
        (tmp_path / file.name).write_text(yaml.safe_dump(said, sort_keys=False))
        written[str(tmp_path / file.name)] = kind
    for file, earlier, later in zip(files, resolved, as_configured(NOW, written, runs[0]), strict=True):
        kept = {name: value for name, value in earlier.items() if name != "rates"}  # today factors of a rate
        assert not numbers(kept) - numbers(later), file.stem


def numbers(value) -> Counter:
    """All numbers in plain data, wherever they stand."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = Counter([value] if isinstance(value, int | float) else [])
    return sum((numbers(item) for item in inside), own)
