"""Fine-tuning: one curve and one result whatever happens on the way, the best epoch, and what is refused."""

import contextlib
import json
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.catalogs.base import Video
from praxino.clips.dataset import collate, load_clips
from praxino.configuration.complete import complete
from praxino.encoders.encoder import Encoder
from praxino.encoders.head import Head
from praxino.errors import UnreadableVideo, UserError
from praxino.evaluations.classifying import start as finetune_start
from praxino.evaluations.classifying.classifier import Classifier
from praxino.evaluations.classifying.finetune import finetune
from praxino.evaluations.classifying.recognition import recognise, scores
from praxino.evaluations.result import read_result
from praxino.report.page import write_report
from praxino.rng import Rng
from praxino.training.run import Run
from praxino.training.schedules import Plateau
from praxino.training.start import kind_of
from praxino.views.nearest import NearestCrop
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToyCatalog, ToySampler, ToyStream, toy_stages

MACHINE = ("seconds", "clips_per_second", "wait_share", "eta_seconds")


class ListedToys(ToyCatalog):
    """24 videos, the last 8 of them for the test; two of one class make a group."""

    def __init__(self, part: str = "all", words: str = "") -> None:
        super().__init__(24)
        self.rows = {"all": range(24), "train": range(16), "test": range(16, 24)}[part]
        self.words = words

    def __len__(self):
        return len(self.rows)

    def video(self, row):
        number = self.rows[row]
        name = f"video{number:02d}{self.words}"
        return Video(name, {"rgb": f"/toy/{number}"}, number % 2, f"group{number // 4}-{number % 2}")

    def part(self, name):
        return ListedToys(name, self.words)


def toy_encoder(**more):
    torch.manual_seed(5)
    said = {"streams": {"rgb": ToyStream()}, "feature": "max", **more}
    return Encoder(ToyBackbone(dropout=0.3, norm=True), {"rgb": View([])}, ToySampler(clips=3), **said)


def arguments(out, **more):
    plateau = Plateau(factor=0.5, patience=0)
    given = {
        "encoder": toy_encoder(),
        "catalog": ListedToys(),
        "out": str(out),
        "sampler": ToySampler(clips=1),
        "training_view": View([Noise()]),
        "stages": toy_stages(epochs=4, schedule=plateau),
        "validation": 0.25,
        "batch_size": 4,
        "checkpoint_steps": 2,
        "workers": 0,
        "threads": 1,
        "device": "cpu",
    }
    return {**given, **more}


class Killed(Exception):
    pass


def killed_at(monkeypatch, forward):
    """Dies in one of the forwards: of training, of validation, or of the test."""
    left = [forward]

    def counted(function):
        def run(*words, **more):
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return function(*words, **more)

        return run

    monkeypatch.setattr(Classifier, "logits", counted(Classifier.logits))
    monkeypatch.setattr(Encoder, "logits", counted(Encoder.logits))


def left_behind(folder):
    run = Run.open(folder)
    curve = [{k: v for k, v in line.items() if k not in MACHINE} for line in run.metrics()]
    best = torch.load(folder / "checkpoints/best.ckpt", weights_only=True)
    last = run.checkpoint()
    texts = [(folder / name).read_text() for name in ("evaluations/finetune.json", "validation.txt", "videos.csv")]
    weights = [(folder / f"{name}.safetensors").read_bytes() for name in ("encoder", "start")]
    return curve, best["position"], last["schedule"], last["position"], texts, weights


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    done = finetune(**arguments(folder))
    return folder, done


def test_what_a_fine_tuning_leaves_behind(whole):
    folder, done = whole
    names = {path.name for path in folder.iterdir()}
    assert {"recipe.yaml", "videos.csv", "metrics.jsonl", "encoder.json", "start.json", "validation.txt"} <= names
    assert not any(path.suffix == ".part" for path in folder.rglob("*"))
    assert done.run.finished
    assert [row.name for row in done.result.rows] == ["chance", "fine-tuned"]
    assert read_result(folder, "finetune").rows == done.result.rows
    epochs = [line for line in done.run.metrics() if line["kind"] == "epoch"]
    assert len(epochs) == 4
    assert all({"train/accuracy", "validation/total", "validation/accuracy"} <= set(line) for line in epochs)
    rates = [line["lr"] for line in done.run.metrics() if line["kind"] == "step"]
    assert rates == sorted(rates, reverse=True)


def test_the_encoder_of_the_best_epoch_is_tested(whole):
    folder, done = whole
    losses = [line["validation/total"] for line in done.run.metrics() if line["kind"] == "epoch"]
    best = torch.load(folder / "checkpoints/best.ckpt", weights_only=True)
    assert best["position"]["epoch"] == 1 + int(np.argmin(losses))
    encoder = Encoder.load(folder, trust=("toys",))
    assert encoder.classes == ("even", "odd")
    assert torch.equal(encoder.head.weight, best["task"]["linear.weight"])
    again = recognise(encoder, ListedToys(), workers=0, device="cpu")
    assert again.rows[-1].values == done.result.rows[-1].values
    assert done.result.settings["weights after epoch"] == best["position"]["epoch"]


def test_validation_is_the_mean_over_videos_of_their_mean_logits(whole):
    folder, done = whole
    best = torch.load(folder / "checkpoints/best.ckpt", weights_only=True)
    ids = (folder / "validation.txt").read_text().split()
    encoder, losses = Encoder.load(folder, trust=("toys",)), []
    with torch.no_grad():
        held = [video for video in ListedToys("train") if video.id in ids]
        for position, video in enumerate(held):
            # Each clip where the loader drew it: the toy's sampler is random.
            generator = Rng(0, "clip", best["position"]["epoch"] - 1, position).shared()
            loaded = load_clips(video, ("rgb",), {"rgb": ToyStream()}, {}, ToySampler(clips=3), generator, 20)
            logits = encoder.logits(collate([loaded], [0], [video.label])).mean(0).double()
            losses.append(float(torch.logsumexp(logits, 0) - logits[video.label]))
    line = [line for line in done.run.metrics() if line["kind"] == "epoch"][best["position"]["epoch"] - 1]
    assert line["validation/total"] == pytest.approx(np.mean(losses), rel=1e-5)


@settings(max_examples=10, deadline=None)
@given(kills=st.lists(st.integers(1, 30), min_size=1, max_size=3), workers=st.sampled_from([0, 0, 0, 1]))
def test_a_kill_at_any_forward_changes_nothing(whole, tmp_path_factory, kills, workers):
    folder = tmp_path_factory.mktemp("killed") / "run"
    for kill in kills:
        with pytest.MonkeyPatch.context() as patched:
            killed_at(patched, kill)
            with contextlib.suppress(Killed):
                finetune(**arguments(folder), resume=(folder / "recipe.yaml").exists())
    finetune(**arguments(folder, workers=workers), resume=(folder / "recipe.yaml").exists())
    assert left_behind(folder) == left_behind(whole[0])


def test_resumed_from_its_recipe_alone(tmp_path, whole, monkeypatch):
    """The folder has moved, and the encoder that it began with is gone."""
    pretrained = toy_encoder().save(tmp_path / "pretrained/encoder.safetensors")
    given = {name: value for name, value in arguments("").items() if name != "encoder"}
    given |= {"catalog": "test_finetune.ListedToys", "sampler": {"class_path": "toys.ToySampler", "init_args": {
        "clips": 1}}, "training_view": {"operations": ["toys.Noise"]}, "stages": [
        {"optimizer": {"class_path": "AdamW", "init_args": {"lr": 3e-3}}, "epochs": 4,
         "schedule": {"class_path": "Plateau", "init_args": {"factor": 0.5, "patience": 0}}}]}  # fmt: skip
    config = complete(finetune, {**given, "out": str(tmp_path / "a")}, without=finetune_start.OUTSIDE)
    with monkeypatch.context() as patched:
        killed_at(patched, 9)
        with pytest.raises(Killed):
            finetune_start.start(str(pretrained), ("toys",), config)
    (tmp_path / "a").rename(tmp_path / "b")
    pretrained.unlink()
    assert kind_of(tmp_path / "b") == "finetune"
    unfinished, said = finetune_start.classifier_at(tmp_path / "b", ("toys",))
    assert "unfinished run, after epoch 1" in said
    assert unfinished.classes == ("even", "odd")
    done = finetune_start.resume(tmp_path / "b")
    assert done.result.rows == whole[1].result.rows
    assert left_behind(tmp_path / "b")[:4] == left_behind(whole[0])[:4]
    before = {path: path.read_bytes() for path in (tmp_path / "b").rglob("*") if path.is_file()}
    assert finetune_start.resume(tmp_path / "b").result.rows == done.result.rows
    assert before == {path: path.read_bytes() for path in before}


def test_from_scratch_the_encoders_weights_do_not_matter(tmp_path):
    torch.manual_seed(9)
    other = toy_encoder()
    for parameter in other.backbone.parameters():
        torch.nn.init.normal_(parameter)
    runs = [
        finetune(**arguments(tmp_path / name, scratch=True, encoder=encoder, stages=toy_stages(epochs=1)))
        for name, encoder in (("a", toy_encoder()), ("b", other))
    ]
    assert [row.name for row in runs[0].result.rows] == ["chance", "from scratch"]
    assert runs[0].run.metrics()[0]["total"] == runs[1].run.metrics()[0]["total"]
    assert (tmp_path / "a/encoder.safetensors").read_bytes() == (tmp_path / "b/encoder.safetensors").read_bytes()


def test_the_callers_encoder_stays_as_it_is(tmp_path):
    encoder = toy_encoder()
    before = {name: value.clone() for name, value in encoder.backbone.state_dict().items()}
    finetune(**arguments(tmp_path / "run", encoder=encoder, stages=toy_stages(epochs=1)))
    assert all(torch.equal(before[name], value) for name, value in encoder.backbone.state_dict().items())
    assert encoder.head is None


def test_without_validation_the_last_weights_are_tested(tmp_path):
    done = finetune(**arguments(tmp_path / "run", validation=0, stages=toy_stages(epochs=2)))
    assert not (tmp_path / "run/checkpoints/best.ckpt").exists()
    assert done.result.settings["weights after epoch"] == 2
    assert done.result.settings["training videos"] == 16


def test_validation_as_trained_is_drawn_anew_each_epoch(tmp_path, monkeypatch):
    """IIC's: random start and random crop, one clip a video."""
    seen = []
    scored = Classifier.validated

    def watched(self, batch, rng):
        seen.append(batch.numbers.clone())
        return scored(self, batch, rng)

    monkeypatch.setattr(Classifier, "validated", watched)
    more = {"validation": 6, "validation_by": "video", "validation_as_trained": True}
    finetune(**arguments(tmp_path / "run", **more, stages=toy_stages(epochs=2)))
    assert [len(numbers) for numbers in seen] == [4, 2, 4, 2]  # the last, shorter batch counts
    assert seen[0].shape[1] == 1
    assert not torch.equal(torch.cat(seen[:2]), torch.cat(seen[2:]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"view": "rbg"}, "--view rbg.*Did you mean 'rgb'"),
        ({"sampler": None}, "--sampler is missing.*ToySampler"),
        ({"validation": 800}, "--validation 800: that leaves none of 16.*pass a share, as 0.1, or at most 15"),
        ({"validation": 16.0}, "--validation 16: that leaves none of 16"),
        ({"validation": -0.5}, "--validation -0.5: pass a share, as 0.1"),
        ({"validation": 0.01}, "holds out none"),
        ({"rates": {"conv9": 0.1}}, "no parameter that is trained is called like 'conv9'"),
        ({"catalog": ToyCatalog()}, r"share videos \(video00\)"),
        ({"validation_clips": 0}, "--validation_clips must be above 0"),
        (
            {
                "head": partial(Head, norm=True),
                "validation": 1,
                "validation_by": "video",
                "batch_size": 7,
                "drop_last": False,
            },
            "the last batch of each epoch would hold only 1 of the 2 videos that Classifier needs",
        ),
        ({"precision": "fp16"}, "fp16 needs a GPU"),
        ({"validation": 0}, "--stages.0.schedule.metric validation/total: nothing is held out.*train/total"),
    ],
)
def test_what_is_refused_before_anything_is_decoded(tmp_path, change, said):
    class NoDecoding(ToyStream):
        def open(self, video, canvas=None):
            raise AssertionError("something was decoded")

    encoder = toy_encoder(streams={"rgb": NoDecoding()})
    with pytest.raises(UserError, match=said):
        finetune(**arguments(tmp_path / "run", **{"encoder": encoder, **change}))
    assert not (tmp_path / "run/recipe.yaml").exists()


def test_the_tests_videos_are_looked_at_before_the_first_epoch(tmp_path):
    class Unreadable(ToyStream):
        def probe(self, video, full=False):
            if video.id in ("video17", "video20", "video21"):
                raise UnreadableVideo(video.id, "broke")
            return super().probe(video, full)

    encoder = toy_encoder(streams={"rgb": Unreadable(("video17", "video20", "video21"))})
    with pytest.raises(UserError, match=r"3 of 8 test videos are unusable \(the first: video17: broke"):
        finetune(**arguments(tmp_path / "run", encoder=encoder))
    assert not (tmp_path / "run/recipe.yaml").exists()
    done = finetune(**arguments(tmp_path / "run", encoder=encoder, max_left_out=0.5, stages=toy_stages(epochs=1)))
    assert len(done.result.left_out) == 3
    assert [video.id for video in done.run.videos()] == [f"video{row:02d}" for row in range(16)]
    assert "3 of 8 test videos are left out (the first: video17: broke)" in (tmp_path / "run/log.txt").read_text()


def test_a_test_whose_crop_is_larger_than_its_frames_is_refused_before_the_training(tmp_path):
    """On black frames of a usual size it fits; the training's view has another crop, and nothing is validated."""
    encoder = toy_encoder()
    encoder.views = {"rgb": View([NearestCrop(crop=100, size=6, at="centre")])}
    with pytest.raises(UserError, match="NearestCrop cuts 100x100 pixels, and a frame has"):
        finetune(**arguments(tmp_path / "run", encoder=encoder, validation=0, stages=toy_stages(epochs=1)))
    assert not (tmp_path / "run" / "recipe.yaml").exists()


def test_a_folder_without_a_checkpoint_has_nothing_to_test(tmp_path, monkeypatch):
    killed_at(monkeypatch, 2)  # after the one that tries the parts together
    with pytest.raises(Killed):
        finetune(**arguments(tmp_path / "run"))
    assert (tmp_path / "run/start.safetensors").exists()
    with pytest.raises(UserError, match="run has no checkpoint yet: go on with 'praxino resume"):
        finetune_start.classifier_at(tmp_path / "run", ("toys",))


def test_labels_are_needed(tmp_path):
    class Bare(ListedToys):
        def __init__(self):
            super().__init__()
            self.classes = ()

    with pytest.raises(UserError, match="Bare has no labels"):
        finetune(**arguments(tmp_path / "run", catalog=Bare()))


def test_another_classifier_is_refused():
    encoder = toy_encoder(classes=("even", "add"))
    with pytest.raises(UserError, match="the first that differs: add and odd"):
        recognise(encoder, ListedToys(), workers=0, device="cpu")
    with pytest.raises(UserError, match="no classifier to test"):
        recognise(toy_encoder(), ListedToys(), workers=0, device="cpu")


def test_scores_written_out():
    logits = np.random.default_rng(0).normal(size=(7, 6))
    labels = np.array([0, 5, 2, 2, 1, 3, 4])
    found = scores(logits, labels, batch_size=3)
    right = [int(max(range(6), key=lambda c: row[c]) == label) for row, label in zip(logits, labels, strict=True)]
    losses = [np.log(np.exp(row).sum()) - row[label] for row, label in zip(logits, labels, strict=True)]
    assert found.accuracy == pytest.approx(sum(right) / 7)
    assert found.batch_mean == pytest.approx((sum(right[:3]) / 3 + sum(right[3:6]) / 3 + right[6]) / 3)
    assert found.loss == pytest.approx((np.mean(losses[:3]) + np.mean(losses[3:6]) + losses[6]) / 3)
    assert found.hits[5].tolist() == [sorted(row).index(row[k]) > 0 for row, k in zip(logits, labels, strict=True)]


def test_the_report_shows_it(whole):
    page = write_report(whole[0]).read_text()
    assert "Fine-tuning on ListedToys" in page
    assert "<h3>Accuracy</h3>" in page  # of the training, and of the held-out videos beside it
    assert "Validation: " in page
    assert "without labels" not in page
    assert json.loads((whole[0] / "evaluations/finetune.json").read_text())["columns"] == ["1", "5", "batch mean"]
