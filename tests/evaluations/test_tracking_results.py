"""Folders of boxes are whole or not there, and nothing of the user's that lies in their place is removed."""

import pytest
from test_tracking_training import Killed, on_disk

from praxino.catalogs.otb import OTB
from praxino.errors import UserError
from praxino.evaluations.tracking import measure, train
from praxino.evaluations.tracking.measure import compare_trackers
from praxino.evaluations.tracking.train import train_tracker
from sequences import ByColour, write_otb
from tracked import write_sequences

pytest.importorskip("cv2")


@pytest.fixture(scope="module")
def sequences(tmp_path_factory):
    return write_sequences(tmp_path_factory.mktemp("otb"))


def meanwhile(monkeypatch, does):
    """Something that happens while objects are followed."""
    real = measure.follow

    def followed(*words, **more):
        found = real(*words, **more)
        does()
        return found

    monkeypatch.setattr(measure, "follow", followed)


def interrupted():
    raise KeyboardInterrupt


def test_an_evaluation_that_is_stopped_leaves_no_folder_and_can_be_asked_again(tmp_path):
    for seed, name in enumerate(("Couple", "Crossing")):
        write_otb(tmp_path / "data", name, 4, seed)
    asked = {"trackers": {"trained": ByColour()}, "catalog": OTB(tmp_path / "data"), "results": tmp_path / "boxes"}
    with pytest.raises(KeyboardInterrupt):
        compare_trackers(**asked, progress=lambda done, all: interrupted())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    assert compare_trackers(**asked).settings["results"] == str(tmp_path / "boxes")
    assert sorted(path.name for path in (tmp_path / "boxes/trained").glob("*.txt")) == ["Couple.txt", "Crossing.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["boxes", "data"]


def test_what_comes_while_an_evaluation_follows_stays(tmp_path, monkeypatch):
    write_otb(tmp_path / "data", "Couple", 4, 0)
    own = tmp_path / "boxes/own.txt"
    own.parent.mkdir()
    meanwhile(monkeypatch, lambda: own.write_text("mine"))
    with pytest.raises(UserError, match="boxes is there already, and results are never mixed"):
        compare_trackers({"trained": ByColour()}, OTB(tmp_path / "data"), results=own.parent)
    assert [path.name for path in own.parent.iterdir()] == ["own.txt"]


def test_what_comes_while_a_head_is_trained_stays(sequences, tmp_path, monkeypatch):
    own = tmp_path / "boxes/own.txt"
    own.parent.mkdir()
    given = on_disk(sequences, tmp_path / "run", results=own.parent, baselines=False)
    with monkeypatch.context() as patch:
        meanwhile(patch, lambda: own.write_text("mine"))
        with pytest.raises(UserError, match="boxes is there already, and results are never mixed"):
            train_tracker(**given)
    monkeypatch.setattr(measure, "follow", interrupted)  # whatever is refused is refused before that
    with pytest.raises(UserError, match="boxes is there already, and results are never mixed"):
        train_tracker(**given, resume=True)
    assert own.read_text() == "mine"
    own.unlink()
    monkeypatch.undo()
    assert train_tracker(**given, resume=True).result.settings["results"] == str(own.parent)
    assert len(list(own.parent.rglob("D.txt"))) == 1


def test_a_run_that_ends_behind_its_boxes_goes_on_and_replaces_only_these(sequences, tmp_path, monkeypatch):
    boxes = tmp_path / "boxes"
    given = on_disk(sequences, tmp_path / "run", results=boxes, baselines=False)

    def dies(*words):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(train, "write_result", dies)
        for resume in (False, True):
            with pytest.raises(Killed):
                train_tracker(**given, resume=resume)
            assert len(list(boxes.rglob("D.txt"))) == 1
    (boxes / "own.txt").write_text("mine")
    with pytest.raises(UserError, match="boxes is there already, and results are never mixed"):
        train_tracker(**given, resume=True)
    assert (boxes / "own.txt").read_text() == "mine"
    (boxes / "own.txt").unlink()
    assert train_tracker(**given, resume=True).result is not None
    (boxes / "own.txt").write_text("mine")
    monkeypatch.setattr(train.Tracker, "load", lambda place: None)  # it would have to be told whom to trust
    assert train_tracker(**given, resume=True).result is not None  # it is finished, and nothing is replaced
    assert (boxes / "own.txt").read_text() == "mine"
