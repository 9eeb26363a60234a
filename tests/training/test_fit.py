"""The loop: one curve whatever happens on the way."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.errors import UserError
from praxino.methods.base import Losses, Task
from praxino.training.checkpoint import save_checkpoint
from praxino.training.fit import fit
from praxino.training.run import Run
from praxino.training.schedules import Cosine, Plateau, Schedule
from toys import ToyCatalog, ToySampler, ToyStream, toy_method, toy_stages

MACHINE = ("seconds", "clips_per_second", "wait_share", "eta_seconds")


class Killed(Exception):
    pass


class KilledAt(Task):
    """Wraps a task; dies in the forward of one step, as a crash would."""

    def __init__(self, task, forward):
        super().__init__()
        self.task, self.left, self.streams = task, forward, task.streams

    def forward(self, batch, rng):
        self.left -= 1
        if self.left == 0:
            raise Killed
        return self.task(batch, rng)

    def state_dict(self, **more):
        return self.task.state_dict(**more)

    def load_state_dict(self, state, **more):
        return self.task.load_state_dict(state, **more)


def loader(workers=0, accumulate=1):
    dataset = ClipDataset(ToyCatalog(), ("rgb",), ToySampler(), {"rgb": ToyStream(("video07",))}, seed=1)
    return ClipLoader(dataset, 4, workers, multiple_of=accumulate)


def curve(run):
    return [{k: v for k, v in line.items() if k not in MACHINE} for line in run.metrics()]


def train(folder, kill=None, workers=0, accumulate=1, steps=13, **more):
    run = Run.open(folder) if (folder / "recipe.yaml").exists() else Run.create(folder, {})
    task = toy_method(dropout=0.3, norm=True)
    stages = more.pop("stages", None) or toy_stages(steps=steps, schedule=Cosine(warmup=1))
    more = {"seed": 3, "checkpoint_steps": 2, "clip_norm": 1.0, **more}
    wrapped = KilledAt(task, kill) if kill else task
    try:
        fit(wrapped, loader(workers, accumulate), stages, run, accumulate=accumulate, **more)
    except Killed:
        return None
    return curve(run), task.state_dict()


def equal(a, b):
    return a[0] == b[0] and all(torch.equal(a[1][name], b[1][name]) for name in a[1])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return train(tmp_path_factory.mktemp("whole") / "run")


def test_every_line_is_json_also_where_fp16_skips_a_step(tmp_path, monkeypatch):
    monkeypatch.setattr("praxino.training.precision.Scaler.step", lambda self, *given: (False, float("inf")))
    run = Run.create(tmp_path / "run", {})
    fit(toy_method(), loader(), toy_stages(steps=2), run, clip_norm=1.0)

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    lines = [json.loads(line, parse_constant=refuse) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert len([line for line in lines if line["kind"] == "step"]) == 2


def test_every_step_and_epoch_has_its_line(whole):
    steps = [line["total"] for line in whole[0] if line["kind"] == "step"]
    assert len(steps) == 13
    epochs = [line for line in whole[0] if line["kind"] == "epoch"]
    assert len(epochs) == 4
    assert epochs[1]["train/total"] == pytest.approx(np.mean(steps[3:6]))


def test_it_trains(tmp_path):
    """Without dropout; chance is log 7."""
    run = Run.create(tmp_path / "run", {})
    fit(toy_method(), loader(), toy_stages(steps=30), run)
    steps = [line["total"] for line in run.metrics() if line["kind"] == "step"]
    assert np.mean(steps[-9:]) < np.mean(steps[:3]) - 0.3


def test_a_gradient_that_is_not_finite_is_in_no_checkpoint(tmp_path):
    run = Run.create(tmp_path / "run", {})
    task = toy_method()
    calls = []

    def poison(gradient):
        calls.append(1)
        return gradient * float("nan") if len(calls) == 6 else gradient

    task.head[2].bias.register_hook(poison)
    with pytest.raises(UserError, match="not finite"):
        fit(task, loader(), toy_stages(steps=6), run, checkpoint_steps=1)
    saved = run.checkpoint()
    assert saved["position"]["step"] == 5
    assert all(value.isfinite().all() for value in saved["task"].values())


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(whole, tmp_path, workers):
    assert equal(train(tmp_path / "run", workers=workers), whole)


@settings(max_examples=12, deadline=None)
@given(kills=st.lists(st.integers(1, 12), min_size=1, max_size=3), workers=st.sampled_from([0, 0, 0, 2]))
def test_a_kill_at_any_step_changes_nothing(whole, tmp_path_factory, kills, workers):
    folder = tmp_path_factory.mktemp("killed") / "run"
    for kill in kills:
        # Counted from the last checkpoint on: a later kill may come after the end.
        train(folder, kill=kill)
    assert equal(train(folder, workers=workers), whole)


@settings(max_examples=8, deadline=None)
@given(kill=st.integers(1, 16), accumulate=st.sampled_from([1, 3]))
def test_stages_plateau_and_accumulation_resume_too(tmp_path_factory, kill, accumulate):
    def stages():
        plateau = Plateau("train/total", factor=0.5, patience=0)
        return toy_stages(steps=4 if accumulate == 1 else 2) + toy_stages(epochs=3, schedule=plateau)

    folder = tmp_path_factory.mktemp("stages")
    straight = train(folder / "a", stages=stages(), accumulate=accumulate)
    train(folder / "b", stages=stages(), accumulate=accumulate, kill=kill)
    assert equal(train(folder / "b", stages=stages(), accumulate=accumulate), straight)


def test_a_finished_run_stays_as_it_is(tmp_path):
    first = train(tmp_path / "run")
    before = (tmp_path / "run" / "metrics.jsonl").read_bytes()
    again = train(tmp_path / "run")
    assert equal(first, again)
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == before


def test_accumulation_is_the_mean_of_the_parts(tmp_path):
    """One step of two batches has the mean of their gradients, for a loss that is a mean over videos."""

    class Mean(Task):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(()))
            self.seen = []

        def forward(self, batch, rng):
            self.seen.append(batch.index)
            return Losses((self.weight * batch.index.float().mean() - 1) ** 2, kept={"index": batch.index})

        def after_step(self, kept):
            self.kept = kept

    task, run = Mean(), Run.create(tmp_path / "run", {})
    sgd = toy_stages(steps=1)
    sgd[0].optimizer = lambda groups: torch.optim.SGD(groups, lr=0.01)
    fit(task, loader(accumulate=3), sgd, run, accumulate=3)
    means = torch.stack([index.float().mean() for index in task.seen])
    assert task.weight.item() == pytest.approx(1 - 0.01 * (2 * (means - 1) * means).mean().item(), rel=1e-6)
    assert torch.equal(task.kept["index"], torch.cat(task.seen))


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(tmp_path):
    class Breaks(KilledAt):
        def forward(self, batch, rng):
            self.left -= 1
            losses = self.task(batch, rng)
            if self.left == 0:
                losses.total = losses.total * float("nan")
                losses.terms["contrastive"] = losses.total.detach()
            return losses

    run = Run.create(tmp_path / "run", {})
    with pytest.raises(UserError, match=r"not finite at step 4 of epoch 1 \(contrastive\)"):
        fit(Breaks(toy_method(), 5), loader(), toy_stages(steps=9), run, checkpoint_steps=1)
    assert run.checkpoint()["position"]["step"] == 4
    assert all(np.isfinite(line["total"]) for line in run.metrics() if line["kind"] == "step")


def test_the_best_epoch_is_kept(tmp_path, monkeypatch):
    """What is no number is never the best, and each epoch writes each of its files once."""
    values = iter([float("nan"), 1.0, 2.0])
    run = Run.create(tmp_path / "run", {})
    seen, written = [], []
    monkeypatch.setattr(
        "praxino.training.run.save_checkpoint",
        lambda path, *more: (written.append(path.name), save_checkpoint(path, *more)),
    )

    class Watching(Schedule):
        def __call__(self, epoch, epochs):
            return 1.0

        def observe(self, metrics):
            seen.append(metrics["validation/total"])

    fit(
        toy_method(), loader(), toy_stages(epochs=3, schedule=Watching()), run, keep_epochs=2,
        after_epoch=lambda task, epoch: {"validation/total": next(values)}, best=("validation/total", "min"),
    )  # fmt: skip
    assert seen == pytest.approx([float("nan"), 1.0, 2.0], nan_ok=True)
    assert written == ["last.ckpt", "best.ckpt", "epoch-0002.ckpt", "last.ckpt", "last.ckpt", "last.ckpt"]
    best = torch.load(tmp_path / "run/checkpoints/best.ckpt", weights_only=True)
    assert best["position"]["epoch"] == 2
    assert sorted(p.name for p in (tmp_path / "run/checkpoints").iterdir()) == [
        "best.ckpt",
        "epoch-0002.ckpt",
        "last.ckpt",
        "previous.ckpt",
    ]


def test_a_schedule_may_end_its_stage(tmp_path):
    class Short(Schedule):
        done = False

        def __call__(self, epoch, epochs):
            return 1.0

        def observe(self, metrics):
            self.done = True

        def finished(self):
            return self.done

    run = Run.create(tmp_path / "run", {})
    fit(toy_method(), loader(), toy_stages(epochs=9, schedule=Short()), run)
    assert run.checkpoint()["position"]["step"] == 3
    assert run.checkpoint()["finished"]


def test_what_could_not_be_read_is_counted(whole):
    """Video 7 of 12 breaks whenever it comes: once in each of the four whole epochs."""
    epochs = [line for line in whole[0] if line["kind"] == "epoch"]
    assert [line["replaced_videos"] for line in epochs] == [1, 1, 1, 1]
    assert sum(line.get("replaced_videos", 0) for line in whole[0] if line["kind"] == "step" and line["epoch"] < 4) == 4
    assert not any("missing_frames" in line for line in whole[0])


def test_metrics_have_no_settings_and_no_events(whole):
    assert {type(v) for line in whole[0] for v in line.values()} <= {int, float, str}
    assert json.dumps(whole[0])
    assert any("effective_rank" in line for line in whole[0])


def test_half_precision_is_close_and_resumes(tmp_path, whole):
    """bf16 has 8 bits: the first loss, before any step, agrees to one per cent. The toy is 8 and 4 pixels wide,
    where the CPU's bf16 gradients are right."""
    straight = train(tmp_path / "a", precision="bf16")
    assert straight[0][0]["total"] == pytest.approx(whole[0][0]["total"], rel=0.01)
    assert straight[0][0]["total"] != whole[0][0]["total"]
    assert all(value.dtype != torch.bfloat16 for value in straight[1].values())
    train(tmp_path / "b", precision="bf16", kill=6)
    assert equal(train(tmp_path / "b", precision="bf16"), straight)
