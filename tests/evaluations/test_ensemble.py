"""Several classifiers' probabilities joined by the videos' ids."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from praxino.cli.main import main
from praxino.errors import UserError
from praxino.evaluations import probabilities
from praxino.evaluations.classifying.ensemble import ensemble
from praxino.evaluations.probabilities import Probabilities, read_probabilities, write_probabilities

CLASSES = ("a", "b", "c")
LABELS = np.array([0, 1, 2, 0, 1])
IDS = [f"v{k}.mp4" for k in range(5)]


def written(folder, values, ids=IDS, labels=LABELS, classes=CLASSES, name="finetune"):
    (folder / "evaluations").mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text("kind: finetune\n")
    values = np.asarray(values, np.float32)
    said = Probabilities(list(ids), np.asarray(labels), tuple(classes), values)
    write_probabilities(folder / f"evaluations/{name}-probabilities.npz", said)
    return folder


def drawn(seed, videos=5):
    p = np.random.default_rng(seed).random((videos, 3))
    return p / p.sum(1, keepdims=True)


def test_videos_are_joined_by_id_and_not_by_order(tmp_path):
    one, two = drawn(0), drawn(1)
    order = [3, 0, 4, 2, 1]
    a = written(tmp_path / "a", one)
    b = written(tmp_path / "b", two[order], [IDS[k] for k in order], LABELS[order])
    result = ensemble([a, b], [2, 1])
    wanted = ((2 * one + two) / 3).argmax(1) == LABELS
    assert result.per_query["ensemble"]["1"] == wanted.tolist()
    assert result.per_query["b"]["1"] == (two.argmax(1) == LABELS).tolist()
    assert [row.name for row in result.rows] == ["chance", "a", "b", "ensemble"]
    assert result.row("ensemble").values["1"] == pytest.approx(100 * wanted.mean())
    equal = ensemble([a, b]).per_query["ensemble"]["1"]
    assert equal == (((one + two) / 2).argmax(1) == LABELS).tolist()


def test_what_not_all_have_tested_is_listed(tmp_path):
    a = written(tmp_path / "a", drawn(0))
    b = written(tmp_path / "b", drawn(1, 4), IDS[1:], LABELS[1:])
    result = ensemble([a, b])
    assert result.settings["videos"] == 4
    assert result.left_out == [("v0.mp4", f"not in the test of {b}")]


def test_what_does_not_belong_together_is_refused(tmp_path):
    a = written(tmp_path / "a", drawn(0))
    for folder, given, said in (
        (written(tmp_path / "b", drawn(1), classes=("a", "b", "d")), None, "other classes"),
        (written(tmp_path / "c", drawn(1), labels=LABELS[::-1]), None, "v0.mp4 has another class"),
        (written(tmp_path / "d", drawn(1), ids=[f"w{k}" for k in range(5)]), None, "share no test video"),
        (written(tmp_path / "e", drawn(1)), [1], "1 weights for 2 folders"),
        (tmp_path / "e", [0, 0], "not all are 0"),
        (tmp_path / "e", [1, -1], "0 or above"),
        (tmp_path / "e", [1, float("nan")], "finite"),
        (tmp_path / "none", None, "praxino evaluate recognition"),
        (a, None, "named twice"),
        (written(tmp_path / "f", drawn(1), ids=["v0.mp4"] * 5), None, "twice"),
        (written(tmp_path / "g", drawn(1) * np.nan), None, "their sum is 1"),
    ):
        with pytest.raises(UserError, match=said) as refused:
            ensemble([a, folder], given)
        assert "\n" not in str(refused.value)
    with pytest.raises(UserError, match="two folders"):
        ensemble([a])
    (tmp_path / "e/evaluations/finetune-probabilities.npz").write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(UserError, match="damaged"):
        ensemble([a, tmp_path / "e"])


def test_weights_whose_sum_is_no_number_are_refused(tmp_path):
    """Their mean would be infinite over infinite, and every video of the first class."""
    folders = [written(tmp_path / name, drawn(seed)) for seed, name in enumerate("ab")]
    with pytest.raises(UserError, match="their sum is finite"):
        ensemble(folders, [1e308, 1e308])


@pytest.mark.parametrize("factor", [-3.0, 3.0, np.nan])
def test_what_are_no_probabilities_is_refused(tmp_path, factor):
    folders = [written(tmp_path / "a", drawn(0)), written(tmp_path / "b", factor * drawn(1))]
    with pytest.raises(UserError, match=r"b/evaluations/finetune-probabilities.npz is damaged: .* their sum is 1"):
        ensemble(folders)


def test_a_pipe_is_not_waited_for(tmp_path):
    written(tmp_path, drawn(0))
    path = tmp_path / "evaluations/finetune-probabilities.npz"
    path.unlink()
    os.mkfifo(path)
    asked = "from praxino.evaluations.probabilities import read_probabilities as r; r(Path(sys.argv[1]))"
    command = [sys.executable, "-c", f"import sys; from pathlib import Path; {asked}", str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert b"is no regular file" in done.stderr


def test_what_unpacks_to_more_than_any_test_has_is_refused(tmp_path, monkeypatch):
    folder = written(tmp_path, drawn(0))
    monkeypatch.setattr(probabilities, "MOST_BYTES", 100)
    with pytest.raises(UserError, match="damaged"):
        read_probabilities(folder)


@pytest.mark.skipif(os.getuid() == 0, reason="whatever the rights, root reads")
def test_what_may_not_be_read_is_not_called_damaged_or_missing(tmp_path, capsys):
    folders = [written(tmp_path / name, drawn(seed)) for seed, name in enumerate("ab")]
    path = folders[0] / "evaluations/finetune-probabilities.npz"
    for place, said in ((path, str(path)), (path.parent, str(path.parent)), (folders[0], str(folders[0]))):
        place.chmod(0)
        try:
            assert main(["evaluate", "ensemble", *map(str, folders)]) == 2
        finally:
            place.chmod(0o755)
        assert f"{said} cannot be read: Permission denied" in capsys.readouterr().err


def test_a_pickle_is_not_run(tmp_path):
    folder = written(tmp_path / "a", drawn(0))
    path = folder / "evaluations/finetune-probabilities.npz"
    np.savez(
        path, ids=np.array([object()], dtype=object), labels=LABELS, classes=np.array(CLASSES), probabilities=drawn(0)
    )
    with pytest.raises(UserError, match="damaged"):
        read_probabilities(folder)


def test_by_the_command_line(tmp_path, capsys):
    a, b = (written(tmp_path / name, drawn(seed)) for seed, name in enumerate("ab"))
    assert main(["evaluate", "ensemble", str(a), str(b), "--weights", "2,1"]) in (None, 0)
    out = capsys.readouterr().out
    assert "Ensemble of 2 classifiers of 3 classes" in out
    (file,) = (a / "evaluations").glob("ensemble-*.json")
    assert json.loads(file.read_text())["settings"]["weights"] == [2.0, 1.0]
    assert main(["evaluate", "ensemble", str(a), str(b), "--weights", "2;1"]) == 2
    assert main(["evaluate", "ensemble", str(a), str(tmp_path)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert main(["evaluate", "ensemble", "--help"]) in (None, 0)


@pytest.mark.parametrize(
    ("folders", "called"),
    [
        (("a/x", "b/y"), ["x", "y"]),
        (("a/x", "b/x"), ["a/x", "b/x"]),
        (("a/x", "b/ensemble"), ["x", "b/ensemble"]),
        (("a/r/x", "b/r/x"), ["{}/a/r/x", "{}/b/r/x"]),
    ],
)
def test_no_classifier_takes_the_place_of_another(tmp_path, folders, called):
    places = [written(tmp_path / folder, drawn(seed)) for seed, folder in enumerate(folders)]
    result = ensemble(places)
    names = [name.format(tmp_path.resolve()) for name in called]
    assert [row.name for row in result.rows] == ["chance", *names, "ensemble"]
    for name, seed in zip(names, range(2), strict=True):
        assert result.per_query[name]["1"] == (drawn(seed).argmax(1) == LABELS).tolist()
