"""A run from its arguments: what is refused, left out, resumed, and left behind."""

import csv
import json
import os
import signal
import threading

import pytest
import torch

from praxino.catalogs.base import Video
from praxino.encoders.encoder import Encoder
from praxino.encoders.protocol import Protocol
from praxino.errors import UnreadableVideo, UserError
from praxino.streams.base import Probed
from praxino.training.pretrain import pretrain
from praxino.training.run import Run
from praxino.training.schedules import Plateau
from praxino.training.stages import Stage
from praxino.views.pipeline import View
from toys import Noise, ToyCatalog, ToySampler, ToyStream, toy_method, toy_protocol, toy_stages


class Uneven(ToyStream):
    """Videos 3 and 5 cannot be probed, and 7 is too short."""

    def probe(self, video, full=False):
        if video.id in ("video03", "video05"):
            raise UnreadableVideo(video.id, "no video stream")
        return Probed(2 if video.id == "video07" else 20)


def arguments(out, **more):
    given = {
        "catalog": ToyCatalog(),
        "sampler": ToySampler(),
        "method": toy_method(),
        "stages": toy_stages(steps=5),
        "protocol": toy_protocol(),
        "out": str(out),
        "streams": {"rgb": ToyStream()},
        "batch_size": 4,
        "workers": 0,
        "threads": 1,
        "device": "cpu",
    }
    return {**given, **more}


def test_what_a_run_leaves_behind(tmp_path):
    run = pretrain(**arguments(tmp_path / "run"))
    assert run.finished
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {
        "recipe.yaml",
        "environment.json",
        "videos.csv",
        "metrics.jsonl",
        "encoder.safetensors",
        "encoder.json",
    } <= names
    assert not any(path.suffix == ".part" for path in (tmp_path / "run").rglob("*"))
    encoder = Encoder.load(tmp_path / "run", trust=("toys",))
    assert encoder.record["steps"] == 5
    assert encoder.embed(ToyCatalog()[0]).shape == (3, 6)
    assert json.loads((tmp_path / "run/environment.json").read_text())["packages"]["torch"] == torch.__version__


def test_what_is_left_out_is_listed_and_the_rows_are_counted_anew(tmp_path, capsys):
    with pytest.raises(UserError, match=r"3 of 12 videos are unusable.*--max_left_out 0\.26"):
        pretrain(**arguments(tmp_path / "b", streams={"rgb": Uneven()}))
    # The same folder takes the next try.
    assert not any(path.is_file() for path in (tmp_path / "b").rglob("*"))
    pretrain(**arguments(tmp_path / "b", streams={"rgb": Uneven()}, max_left_out=1.0))
    listed = list(csv.DictReader((tmp_path / "b/videos.csv").open()))
    assert [v["row"] for v in listed if v["row"]] == [str(k) for k in range(9)]
    assert [v["id"] for v in listed if not v["row"]] == ["video03", "video05", "video07"]
    assert [v["status"] for v in listed if not v["row"]] == ["unreadable", "unreadable", "too short"]
    assert "3 of 12 videos are left out" in capsys.readouterr().err


def test_nothing_usable(tmp_path):
    class Nothing(ToyStream):
        def probe(self, video, full=False):
            raise UnreadableVideo(video.id, "empty")

    with pytest.raises(UserError, match=r"none of the 12 videos is usable \(the first: video00: empty\)"):
        pretrain(**arguments(tmp_path / "run", streams={"rgb": Nothing()}, max_left_out=1.0))


class NoDecoding(ToyStream):
    def open(self, video, canvas=None):
        raise AssertionError("something was decoded")

    def probe(self, video, full=False):
        raise AssertionError("something was probed")


@pytest.mark.parametrize(
    "change, said",
    [
        ({"sampler": ToySampler(clips=3)}, r"--sampler\.clips 2"),
        ({"batch_size": 50}, "fewer than one batch"),
        ({"batch_size": 1}, "at least 2"),
        ({"protocol": Protocol({"rgb": View([Noise()])}, ToySampler(frames=0))}, "do not fit together.*protocol"),
        ({"precision": "fp16"}, "fp16 needs a GPU"),
        ({"accumulate": 5}, "accumulate"),
        ({"checkpoint_steps": 0}, "--checkpoint_steps must be above 0"),
        ({"stages": toy_stages(steps=2, schedule=Plateau())}, "metric validation/total: nothing is held out"),
        ({"keep_epochs": 0}, "--keep_epochs must be above 0"),
        ({"threads": -1}, "--threads must be above 0"),
        ({"clip_norm": -1.0}, "--clip_norm must be above 0"),
        ({"stages": [Stage(lambda groups: torch.optim.AdamW(groups, lr=-1.0), steps=1)]}, "optimizer refuses.*-1"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_decoded(tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        pretrain(**arguments(tmp_path / "run", **{"streams": {"rgb": NoDecoding()}, **change}))


def test_a_method_that_does_not_fit_its_backbone_is_told(tmp_path):
    method = toy_method()
    method.head[0] = torch.nn.Linear(99, 6)
    with pytest.raises(UserError, match="do not fit together"):
        pretrain(**arguments(tmp_path / "run", method=method, streams={"rgb": NoDecoding()}))


def test_trying_out_changes_nothing(tmp_path):
    method = toy_method(norm=True)
    before = {name: value.clone() for name, value in method.state_dict().items()}

    class Stop(ToyStream):
        def probe(self, video, full=False):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(**arguments(tmp_path / "run", method=method, streams={"rgb": Stop()}))
    assert all(torch.equal(before[name], value) for name, value in method.state_dict().items())
    # Killed before the probe had ended: it starts there again.
    assert pretrain(**arguments(tmp_path / "run"), resume=True).finished


def test_a_second_run_is_refused_and_a_finished_one_left_alone(tmp_path):
    pretrain(**arguments(tmp_path / "run"))
    before = {
        path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file() and path.name != "log.txt"
    }
    with pytest.raises(UserError, match="praxino resume"):
        pretrain(**arguments(tmp_path / "run"))
    assert pretrain(**arguments(tmp_path / "run"), resume=True).finished
    assert before == {path: path.read_bytes() for path in before}


def test_another_catalog_is_refused_on_resume(tmp_path):
    class Renamed(ToyCatalog):
        def video(self, row):
            video = super().video(row)
            return Video("other" if row == 4 else video.id, video.files, video.label)

    pretrain(**arguments(tmp_path / "run"))
    (tmp_path / "run/checkpoints/last.ckpt").unlink()
    with pytest.raises(UserError, match=r"1 video is new \(other\)"):
        pretrain(**arguments(tmp_path / "run", catalog=Renamed()), resume=True)


def test_a_signal_saves_and_resume_goes_on(tmp_path, capfd):
    straight = pretrain(**arguments(tmp_path / "a", stages=toy_stages(steps=8)))

    class Signals(ToyStream):
        calls = 0

        def open(self, video, canvas=None):
            Signals.calls += 1
            if Signals.calls == 14 and threading.current_thread() is threading.main_thread():
                os.kill(os.getpid(), signal.SIGTERM)
            return super().open(video)

    stopped = pretrain(**arguments(tmp_path / "b", stages=toy_stages(steps=8), streams={"rgb": Signals()}))
    assert not stopped.finished
    assert capfd.readouterr().err.count("stopping and saving after this step") == 1
    assert stopped.checkpoint()["position"]["step"] == 4
    assert not (tmp_path / "b/encoder.safetensors").exists()
    again = pretrain(**arguments(tmp_path / "b", stages=toy_stages(steps=8)), resume=True)
    curves = [[line["total"] for line in run.metrics() if line["kind"] == "step"] for run in (straight, again)]
    assert curves[0] == curves[1]
    assert (tmp_path / "a/encoder.safetensors").read_bytes() == (tmp_path / "b/encoder.safetensors").read_bytes()


def test_a_checkpoint_of_another_network_is_told(tmp_path):
    pretrain(**arguments(tmp_path / "run"))
    (tmp_path / "run/encoder.json").unlink()
    with pytest.raises(UserError, match=r"last\.ckpt is of another network.*size mismatch for backbone\.layers\.0"):
        pretrain(**arguments(tmp_path / "run", method=toy_method(dim=4)), resume=True)


def test_a_kill_between_the_last_step_and_the_encoder(tmp_path, monkeypatch):
    import praxino.training.pretrain as module

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "save_encoders", killed)
        with pytest.raises(KeyboardInterrupt):
            pretrain(**arguments(tmp_path / "run"))
    assert not Run(tmp_path / "run").finished
    assert pretrain(**arguments(tmp_path / "run"), resume=True).finished
    pretrain(**arguments(tmp_path / "straight"))
    both = [(tmp_path / name / "encoder.safetensors").read_bytes() for name in ("run", "straight")]
    assert both[0] == both[1]


def test_a_clip_does_not_depend_on_when_a_file_was_found_to_be_shorter(tmp_path):
    """The probe promises 20 frames; a later look finds 12. What is drawn stays the same, what is missing is counted."""

    class Shorter(ToyStream):
        def open(self, video, canvas=None):
            reader = super().open(video)
            reader.times = reader.times[:12]
            return reader

    whole = pretrain(**arguments(tmp_path / "a"))
    shorter = pretrain(**arguments(tmp_path / "b", streams={"rgb": Shorter()}))
    assert sum(line.get("missing_frames", 0) for line in whole.metrics()) == 0
    assert sum(line.get("missing_frames", 0) for line in shorter.metrics() if line["kind"] == "step") > 0


def test_a_damaged_checkpoint_is_told(tmp_path):
    pretrain(**arguments(tmp_path / "run"))
    for name in ("last", "previous"):
        (tmp_path / f"run/checkpoints/{name}.ckpt").write_bytes(b"PK nonsense")
    with pytest.raises(UserError, match=r"last\.ckpt cannot be read"):
        pretrain(**arguments(tmp_path / "run"), resume=True)


def test_open_and_a_half_written_metrics_line(tmp_path):
    with pytest.raises(UserError, match="holds no run"):
        Run.open(tmp_path)
    run = pretrain(**arguments(tmp_path / "run"))
    with (tmp_path / "run/metrics.jsonl").open("a") as file:
        file.write('{"kind": "st')
    assert len(run.metrics()) == 6
