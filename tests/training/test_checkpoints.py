"""Checkpoints: a checksum, the last two, one line for whatever else lies in their place."""

import copy
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from test_fit import loader, train

from praxino.errors import UserError
from praxino.training.checkpoint import MARK, DamagedCheckpoint, load_checkpoint, load_either, save_checkpoint
from praxino.training.fit import fit
from praxino.training.run import Run
from praxino.training.schedules import CountedPlateau, Plateau
from toys import toy_method, toy_stages

TESTS = Path(__file__).resolve().parents[1]
KEPT = TESTS / "earlier/kept/pretraining/checkpoints/last.ckpt"
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS / 'training'}"}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that was killed in its eighth step, and the curve that it would have had."""
    folder = tmp_path_factory.mktemp("stopped")
    train(folder / "run", kill=8)
    return folder / "run", train(folder / "whole")[0]


def copied(run, to):
    to.mkdir()
    for path in run.rglob("*"):
        if path.is_file():
            (to / path.relative_to(run)).parent.mkdir(exist_ok=True)
            (to / path.relative_to(run)).write_bytes(path.read_bytes())
    return to


def python(code, *words):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=TESTS,
    )  # fmt: skip


def test_a_checkpoint_is_a_file_of_torch_with_a_checksum(stopped):
    path = stopped[0] / "checkpoints/last.ckpt"
    content = path.read_bytes()
    assert content[-48:-32] == MARK
    assert zipfile.ZipFile(path).testzip() is None
    said = []
    ours, plain = load_checkpoint(path, said.append), torch.load(path, weights_only=True)
    assert ours["position"] == plain["position"]
    assert said == []


def test_every_bit_counts(stopped, tmp_path):
    """A bit anywhere in the file, and its end anywhere. A damaged mark leaves the checksums of the archive's parts."""
    path = stopped[0] / "checkpoints/last.ckpt"
    content, damaged = path.read_bytes(), tmp_path / "damaged.ckpt"
    rng = np.random.default_rng(0)
    places = [*rng.integers(0, len(content), 60).tolist(), 0, 3, len(content) - 48, len(content) - 33, len(content) - 1]
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(rng.integers(8))
        damaged.write_bytes(flipped)
        said = []
        if len(content) - 48 <= place < len(content) - 32:
            loaded = load_checkpoint(damaged, said.append)
            assert all(torch.equal(a, loaded["task"][n]) for n, a in load_checkpoint(path)["task"].items())
            assert "has no checksum" in said[0]
        else:
            with pytest.raises(DamagedCheckpoint, match="damaged"):
                load_checkpoint(damaged, said.append)
    for length in [0, 1, 40, 48, 100, *rng.integers(0, len(content) - 48, 20).tolist()]:
        damaged.write_bytes(content[:length])
        with pytest.raises(DamagedCheckpoint, match="empty" if not length else "damaged"):
            load_checkpoint(damaged)


@pytest.mark.parametrize(
    "content", [b"", b"hello\n" * 50, b"PK\x03\x04" + bytes(500), os.urandom(3000), b"\x80\x02}q\x00."]
)
def test_what_is_no_checkpoint_is_one_line(tmp_path, content):
    (tmp_path / "last.ckpt").write_bytes(content)
    with pytest.raises(UserError, match=r"^the checkpoint \S+last\.ckpt cannot be read: it is (empty|damaged)[^\n]*$"):
        load_checkpoint(tmp_path / "last.ckpt")


def test_other_files_in_its_place(tmp_path):
    """Nothing hangs at a pipe, and nothing of a pickle is run."""
    os.mkfifo(tmp_path / "pipe.ckpt")
    (tmp_path / "folder.ckpt").mkdir()
    torch.save({"weight": torch.zeros(3)}, tmp_path / "foreign.ckpt")
    torch.save([1, 2], tmp_path / "list.ckpt")
    torch.save({"version": torch.zeros(3)}, tmp_path / "odd.ckpt")
    torch.save({"version": 1, "made": Path("/tmp")}, tmp_path / "class.ckpt")
    np.savez(tmp_path / "vectors.npz", a=np.zeros(3))
    for name in (
        "pipe.ckpt",
        "folder.ckpt",
        "foreign.ckpt",
        "list.ckpt",
        "odd.ckpt",
        "class.ckpt",
        "vectors.npz",
        "no",
    ):
        with pytest.raises(DamagedCheckpoint, match=name):
            load_checkpoint(tmp_path / name)


def paths_in(tree, path=()):
    """The places of all values in a tree of mappings and lists."""
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield (*path, name)
        if isinstance(value, dict | list):
            yield from paths_in(value, (*path, name))


def changed(state, path, value):
    """A copy with another value at a place, or without it."""
    state = copy.deepcopy(state)
    at = state
    for name in path[:-1]:
        at = at[name]
    if value is KeyError:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return state


def test_keys_removed_and_types_changed(stopped, tmp_path):
    """Each place of a checkpoint, without it and with values of other types: trained on, or one line; both are right
    where a number takes another's place."""
    run = copied(stopped[0], tmp_path / "run")
    file, metrics = run / "checkpoints/last.ckpt", (run / "metrics.jsonl").read_bytes()
    state = load_checkpoint(file)
    places = [path for path in paths_in(state) if path[0] not in ("version", "task", "optimizer")]
    weight = next(iter(state["task"]))
    places += [("task",), ("task", weight), ("optimizer",), ("optimizer", "state"), ("optimizer", "state", 0)]
    moment = next(name for name, value in state["optimizer"]["state"][0].items() if value.dim())
    places += [("optimizer", "state", 0, moment), ("optimizer", "param_groups"), ("optimizer", "param_groups", 0)]
    places += [("optimizer", "param_groups", 0, "betas"), ("optimizer", "param_groups", 0, "params")]
    refused = tried = 0
    for path in places:
        for value in (KeyError, None, "text", -1, torch.zeros(2, 3)):
            save_checkpoint(file, {n: v for n, v in changed(state, path, value).items() if n != "version"})
            (run / "checkpoints/previous.ckpt").unlink(missing_ok=True)
            (run / "metrics.jsonl").write_bytes(metrics)
            tried += 1
            try:
                fit(toy_method(dropout=0.3, norm=True), loader(), toy_stages(steps=8), Run.open(run), seed=3)
            except UserError as error:
                refused += "\n" not in str(error)
    assert tried > 100
    assert refused > 0.7 * tried, (refused, tried)


@pytest.mark.parametrize("schedule, name", [(Plateau(), "waited"), (CountedPlateau(), "bad")])
def test_a_schedule_that_remembers_other_things(tmp_path, schedule, name):
    run = Run.create(tmp_path / "run", {})
    more = {"seed": 3, "after_epoch": lambda task, epoch: {"validation/total": 1.0}, "checkpoint_steps": 1}
    schedule.metric = "validation/total"
    fit(toy_method(), loader(), toy_stages(epochs=1, schedule=schedule), run, **more)
    state = load_checkpoint(run.previous_file)
    for value in (KeyError, "text"):
        wrong = changed(state, ("schedule", name), value)
        for file in (run.checkpoint_file, run.previous_file):
            save_checkpoint(file, {n: v for n, v in wrong.items() if n != "version"})
        with pytest.raises(UserError, match="does not fit the recipe: schedule"):
            fit(toy_method(), loader(), toy_stages(epochs=2, schedule=schedule), run, **more)


def test_a_damaged_last_one_falls_back_to_the_one_before(stopped, tmp_path, capsys):
    run, whole = copied(stopped[0], tmp_path / "run"), stopped[1]
    last, previous = run / "checkpoints/last.ckpt", run / "checkpoints/previous.ckpt"
    before = load_checkpoint(previous)["position"]["step"]
    assert before < load_checkpoint(last)["position"]["step"]
    content = bytearray(last.read_bytes())
    content[len(content) // 2] ^= 4
    last.write_bytes(content)
    assert train(run)[0] == whole
    said = capsys.readouterr().err
    assert "last.ckpt cannot be read: it is damaged (its checksum is another one): going on from previous" in said
    assert f"previous.ckpt, step {before}" in said
    assert said.count("going on from") == 1
    assert "going on from" in (run / "log.txt").read_text()
    assert load_checkpoint(last)["finished"]


def test_a_damaged_one_never_takes_the_place_of_the_good_one(stopped, tmp_path):
    run = copied(stopped[0], tmp_path / "run")
    (run / "checkpoints/last.ckpt").write_bytes(b"nothing")
    good = (run / "checkpoints/previous.ckpt").read_bytes()
    opened = Run.open(run)
    state = opened.checkpoint()
    opened.save({name: value for name, value in state.items() if name != "version"})
    assert (run / "checkpoints/previous.ckpt").read_bytes() == good
    opened.save({name: value for name, value in state.items() if name != "version"})
    assert load_checkpoint(run / "checkpoints/previous.ckpt")["position"] == state["position"]


def test_both_damaged_or_no_other_one(stopped, tmp_path):
    run = copied(stopped[0], tmp_path / "run")
    last, previous = run / "checkpoints/last.ckpt", run / "checkpoints/previous.ckpt"
    assert load_either(tmp_path / "a", tmp_path / "b") is None
    last.write_bytes(b"text")
    previous.write_bytes(b"")
    with pytest.raises(UserError, match=r"last\.ckpt cannot be read[^\n]*previous\.ckpt cannot be read: it is empty"):
        Run.open(run).checkpoint()
    previous.unlink()
    with pytest.raises(UserError, match=r"there is no previous\.ckpt to go on from: begin anew"):
        Run.open(run).checkpoint()


KILLED_IN_A_RENAME = """
import os, signal, sys
from pathlib import Path
import test_fit
renames, replace = [], os.replace
def counted(a, b):
    if Path(b).suffix == ".ckpt":
        renames.append(b)
        if len(renames) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
    replace(a, b)
os.replace = counted
test_fit.train(Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    "rename", [pytest.param(2, marks=pytest.mark.slow), 3, pytest.param(7, marks=pytest.mark.slow)]
)
def test_a_kill_before_any_rename(stopped, tmp_path, rename):
    """The first checkpoint has one rename, each other one two: the last becomes the previous, the new one the last."""
    killed = python(KILLED_IN_A_RENAME, tmp_path / "run", rename)
    assert killed.wait(100) == -signal.SIGKILL, killed.stderr.read()
    there = {path.name for path in (tmp_path / "run/checkpoints").iterdir()} - {"last.ckpt.part"}
    kept = {2: {"last.ckpt"}, 3: {"previous.ckpt"}, 7: {"previous.ckpt"}}
    assert there == kept[rename]
    assert train(tmp_path / "run")[0] == stopped[1]
    assert {path.name for path in (tmp_path / "run/checkpoints").iterdir()} == {"last.ckpt", "previous.ckpt"}


def test_one_of_an_earlier_version_says_that_it_has_no_checksum(tmp_path):
    said = []
    assert load_checkpoint(KEPT, said.append)["position"]["step"] == 3
    assert len(said) == 1
    assert "has no checksum" in said[0]
    content = bytearray(KEPT.read_bytes())
    with zipfile.ZipFile(KEPT) as archive:
        largest = max(archive.infolist(), key=lambda part: part.file_size)
    content[largest.header_offset + largest.file_size // 2] ^= 1
    (tmp_path / "last.ckpt").write_bytes(content)
    torch.load(tmp_path / "last.ckpt", weights_only=True)  # torch itself sees nothing
    with pytest.raises(DamagedCheckpoint, match=r"it is damaged \(in its part"):
        load_checkpoint(tmp_path / "last.ckpt")


def test_a_checkpoint_of_another_recipe(stopped, tmp_path):
    run = copied(stopped[0], tmp_path / "run")
    with pytest.raises(UserError, match="does not fit the recipe: optimizer"):
        fit(toy_method(dropout=0.3, norm=True), loader(), [Sgd], Run.open(run), seed=3)
    state = load_checkpoint(run / "checkpoints/last.ckpt")
    for name, said in (("batch", "batch 3 of 3"), ("stage", "stage 3 of 1")):
        other = changed(state, ("position", name), 3)
        save_checkpoint(run / "checkpoints/last.ckpt", {n: v for n, v in other.items() if n != "version"})
        with pytest.raises(UserError, match=rf"does not fit the recipe: it stands at .*{said}"):
            fit(toy_method(dropout=0.3, norm=True), loader(), toy_stages(steps=9), Run.open(run), seed=3)


(Sgd,) = toy_stages(steps=13)
Sgd.optimizer = lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9)
