"""The training of a siamese head: it learns, it is the same head whatever happens on the way, and what is refused."""

import functools
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.otb import OTB
from praxino.encoders.encoder import Encoder
from praxino.encoders.siamese import SiameseHead
from praxino.errors import UserError
from praxino.evaluations.result import read_result
from praxino.evaluations.tracking import start as tracking_start
from praxino.evaluations.tracking.siamese import Siamese
from praxino.evaluations.tracking.tracker import Tracker
from praxino.evaluations.tracking.train import train_tracker
from praxino.evaluations.tracking.trunk import Trunk
from praxino.losses.siamese import balanced, focal, label_map
from praxino.training.run import Run
from praxino.training.schedules import Exponential
from praxino.training.stages import Stage
from praxino.training.start import kind_of
from tracked import MovingSequences, MovingStream, moving, toy_encoder, write_sequences

pytest.importorskip("cv2")
MACHINE = ("seconds", "clips_per_second", "wait_share", "eta_seconds")
SMALL = functools.partial(Tracker, exemplar=48, instance=102, response_up=4)


def stages(steps=6, lr=3e-3):
    return [Stage(functools.partial(torch.optim.Adam, lr=lr), steps=steps, schedule=Exponential(0.1))]


def arguments(out, **more):
    given = {
        "encoder": toy_encoder(),
        "train": MovingSequences(4),
        "out": str(out),
        "streams": {"rgb": MovingStream()},
        "tracker": SMALL,
        "pairs": 4,
        "margin": 3,
        "stages": stages(),
        "batch_size": 4,
        "checkpoint_steps": 2,
        "workers": 0,
        "threads": 1,
        "device": "cpu",
        "with_mil": False,
    }
    return {**given, **more}


@pytest.fixture(scope="module")
def sequences(tmp_path_factory):
    return write_sequences(tmp_path_factory.mktemp("otb"))


def on_disk(root, out, **more):
    return arguments(out, train=OTB(root, held_out=("D",)), catalog=OTB(root, held_out=("D",)), streams=None, **more)


@pytest.fixture(scope="module")
def whole(sequences, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, train_tracker(**on_disk(sequences, folder))


def test_what_a_training_leaves_behind(whole, sequences):
    folder, done = whole
    names = {path.name for path in folder.iterdir()}
    assert {"recipe.yaml", "videos.csv", "encoder.json", "start.json"} <= names
    assert {"encoder.tracker.safetensors", "encoder.tracker.json"} <= names
    assert not any(path.suffix == ".part" for path in folder.rglob("*"))
    assert done.run.finished
    assert kind_of(folder) == "tracking"
    rows = ["trained, with its head", "trained", "untrained", "box that never moves"]
    assert [row.name for row in done.result.rows] == rows
    assert read_result(folder, "tracking").rows == done.result.rows
    assert done.result.settings["training sequences"] == 3
    assert [line.split(",")[1] for line in (folder / "videos.csv").read_text().splitlines()[1:]] == ["A", "B", "C"]


def test_the_folder_is_an_encoder_with_its_tracker(whole):
    folder, done = whole
    tracker, plain = (Tracker.load(one, trust=("tracked",)) for one in (folder, folder / "start.safetensors"))
    assert (tracker.exemplar, tracker.instance, tracker.response_up) == (48, 102, 4)
    assert plain.head.channels is None
    frames, boxes = moving(seed=9)
    found = []
    for one in (tracker, done.tracker):
        one.init(frames[0], boxes[0])
        found.append([one.update(frame) for frame in frames[1:]])
    assert (np.array(found[0]) == np.array(found[1])).all()
    before = toy_encoder().backbone.state_dict()
    own = Encoder.load(folder, trust=("tracked",)).backbone.state_dict()
    assert all(torch.equal(value, own[name]) for name, value in before.items())


def test_it_learns(tmp_path):
    """Less is lost at the end, and most objects are found; a sequence that it has not seen is followed, too."""
    more = {"stages": stages(120, 3e-2), "pairs": 16, "batch_size": 8, "positive": 8}
    done = train_tracker(**arguments(tmp_path / "run", **more))
    steps = [line for line in done.run.metrics() if line["kind"] == "step"]
    first, last = (np.mean([line["total"] for line in part]) for part in (steps[:10], steps[-10:]))
    assert last < 0.8 * first
    assert np.mean([line["found"] for line in steps[-10:]]) > 0.9
    frames, boxes = moving(seed=77)
    done.tracker.init(frames[0], boxes[0])
    found = [done.tracker.update(frame) for frame in frames[1:]]
    assert np.abs(np.array(found)[:, :2] - boxes[1:, :2]).max() < 6


class Killed(Exception):
    pass


def left_behind(folder):
    run = Run.open(folder)
    curve = [{k: v for k, v in line.items() if k not in MACHINE} for line in run.metrics()]
    result = json.loads((folder / "evaluations/tracking.json").read_text())
    scores = [(row["name"], row["values"]) for row in result["rows"]]  # a row's note is how many frames a second
    assert len(scores) == 4
    weights = [(folder / f"{name}.safetensors").read_bytes() for name in ("encoder", "start", "encoder.tracker")]
    return curve, run.checkpoint()["position"], scores, result["curves"], weights


def test_boxes_are_written_whole_or_not_at_all(sequences, tmp_path):
    """Stopped while it follows, the run goes on; a folder that holds anything is refused before it begins."""
    results = tmp_path / "boxes"
    given = on_disk(sequences, tmp_path / "run", results=results, baselines=False)
    left = [12]  # forwards: one of the trial, six steps, and some of the frames

    def dies(self, *words, function=SiameseHead.response):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return function(self, *words)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SiameseHead, "response", dies)
        with pytest.raises(Killed):
            train_tracker(**given)
    assert not results.exists()
    done = train_tracker(**given, resume=True)
    assert len(list(results.rglob("D.txt"))) == 1
    assert done.result.settings["results"] == str(results)
    with pytest.raises(UserError, match="boxes"):
        train_tracker(**on_disk(sequences, tmp_path / "other", results=results))
    assert not (tmp_path / "other" / "recipe.yaml").exists()


@pytest.mark.slow
@settings(deadline=None, max_examples=8)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.sampled_from([0, 2]))
def test_it_is_the_same_whatever_happens_on_the_way(whole, sequences, tmp_path_factory, kills, workers):
    """Killed in any forward, of the training or of the tracking: the same head to the bit, and the same boxes."""
    folder = tmp_path_factory.mktemp("killed") / "run"
    for forward in kills:
        left = [forward]

        def dies(self, *words, left=left, function=SiameseHead.response):
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return function(self, *words)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SiameseHead, "response", dies)
            with pytest.raises(Killed):
                train_tracker(**on_disk(sequences, folder), resume=(folder / "recipe.yaml").exists())
        if not (folder / "recipe.yaml").exists():
            assert forward <= 1  # the trial of the parts
    train_tracker(**on_disk(sequences, folder, workers=workers), resume=(folder / "recipe.yaml").exists())
    assert left_behind(folder) == left_behind(whole[0])


def test_resumed_from_its_recipe_alone(sequences, tmp_path):
    """A whole recipe as the command line completes it, stopped, and gone on with where the folder is now."""
    from praxino.configuration.complete import complete

    toy_encoder().save(tmp_path / "one.safetensors")
    said = {
        "train": {"class_path": "OTB", "init_args": {"root": str(sequences), "held_out": ["D"]}},
        "catalog": {"class_path": "OTB", "init_args": {"root": str(sequences), "held_out": ["D"]}},
        "tracker": {"class_path": "Tracker", "init_args": {"exemplar": 48, "instance": 102, "response_up": 4}},
        "head": {"class_path": "SiameseHead", "init_args": {"channels": 8}},
        "stages": [{"steps": 6, "optimizer": {"class_path": "Adam", "init_args": {"lr": 1e-3}}}],
        "pairs": 4, "margin": 3, "batch_size": 4, "workers": 0, "threads": 1, "device": "cpu", "with_mil": False,
    }  # fmt: skip
    folders = [tmp_path / name for name in ("whole", "stopped")]
    for folder in folders:
        config = complete(train_tracker, {**said, "out": str(folder)}, without=tracking_start.OUTSIDE)
        with pytest.MonkeyPatch.context() as patch:
            if folder.name == "stopped":
                steps = iter(range(3))
                patch.setattr(Siamese, "before_step", lambda self, steps=steps: next(steps))
                with pytest.raises((StopIteration, RuntimeError)):
                    tracking_start.start(str(tmp_path / "one.safetensors"), ("tracked",), config)
            else:
                tracking_start.start(str(tmp_path / "one.safetensors"), ("tracked",), config)
    (tmp_path / "one.safetensors").unlink()
    moved = tmp_path / "moved"
    folders[1].rename(moved)
    done = tracking_start.resume(moved)
    assert left_behind(moved) == left_behind(folders[0])
    assert tracking_start.resume(moved).result.rows == done.result.rows


def test_sequences_without_pairs_are_listed(tmp_path):
    done = train_tracker(**arguments(tmp_path / "run", train=MovingSequences(5, small=(1, 3)), stages=stages(1)))
    assert (done.run.path / "without_pairs.txt").read_text() == "moving01\nmoving03\n"
    assert "left out: 2 of 5 sequences, listed in without_pairs.txt" in (done.run.path / "log.txt").read_text()
    assert "3 sequences, 4 pairs of each an epoch" in (done.run.path / "log.txt").read_text()
    with pytest.raises(UserError, match="nothing can be learnt from 2 sequences: each has fewer"):
        train_tracker(**arguments(tmp_path / "none", train=MovingSequences(2, small=(0, 1))))
    assert not (tmp_path / "none" / "recipe.yaml").exists()


def test_an_epoch_has_four_hundred_pairs_of_a_few_sequences(tmp_path):
    done = train_tracker(**arguments(tmp_path / "run", train=MovingSequences(3), pairs=None, stages=stages(1)))
    assert "3 sequences, 134 pairs of each" in (done.run.path / "log.txt").read_text()


def test_the_head_of_an_untrained_network(tmp_path):
    done = train_tracker(**arguments(tmp_path / "run", scratch=True, stages=stages(1)))
    own, given = (one.backbone.weight for one in (done.tracker.encoder, toy_encoder()))
    assert not torch.equal(own, given)
    again = train_tracker(**arguments(tmp_path / "again", scratch=True, stages=stages(1)))
    assert torch.equal(own, again.tracker.encoder.backbone.weight)


@pytest.mark.parametrize("loss", ["focal", "balanced"])
def test_the_task_is_the_loss_of_the_heads_response(loss):
    torch.manual_seed(0)
    head = SiameseHead(16, 4, 0.1)
    task = Siamese(Trunk.of(toy_encoder()), head, loss, positive=8)
    views = {"exemplar": torch.rand(3, 16, 4, 4), "search": torch.rand(3, 16, 9, 9)}
    losses = task.objective(views, moved=torch.zeros(len(views["search"]), 2))
    response, labels = head(views["exemplar"], views["search"]), label_map(6, 6, positive=8)
    assert torch.equal(losses.total, focal(response, labels) if loss == "focal" else balanced(response, labels))
    hits = [labels.flatten()[one.argmax()].item() for one in response]
    assert losses.terms["found"].item() == pytest.approx(np.mean(hits))
    assert {id(p) for group in task.parameter_groups() for p in group["params"]} == {id(p) for p in head.parameters()}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"head": SiameseHead}, "this head has nothing to train: pass --head.channels"),
        ({"loss": "hinge"}, "--loss is focal or balanced, not hinge"),
        ({"positive": -1.0}, "--positive must be 0 or more"),
        ({"pairs": 0}, "--pairs must be above 0"),
        ({"shift": 500}, "--shift must be from 0 to"),
        ({"margin": 40}, "is below the exemplar's side"),
        ({"batch_size": 64}, "16 videos are fewer than one batch"),
    ],
)
def test_mistakes_are_told_before_anything_is_trained(more, said, tmp_path):
    with pytest.raises(UserError, match=said):
        train_tracker(**arguments(tmp_path / "run", **more))
    assert not (tmp_path / "run" / "recipe.yaml").exists()


def test_a_catalog_without_boxes_is_refused(tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/one.mp4").touch()
    with pytest.raises(UserError, match="VideoFolder has no boxes to learn from"):
        train_tracker(**arguments(tmp_path / "run", train=VideoFolder(str(tmp_path / "videos"))))
