"""CycleContrast and MoCo in the loop: on one process, on two, after a kill; and what they refuse."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from moco_script import OPTIONS, cycle, train

from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import RandomClip
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.methods.cyclecontrast import CycleContrast
from praxino.methods.moco import MoCo
from praxino.rng import Rng
from praxino.training.checkpoint import load_checkpoint
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToyCatalog, ToyStream, toy_stages

HERE = Path(__file__).parent
MINE = ("running_mean", "running_var", "num_batches_tracked")


def moco(**more):
    torch.manual_seed(0)
    options = {"dim": 5, "queue_rows": 20, "momentum": 0.9, **more}
    return MoCo(ToyBackbone(), View([Noise()]), **options)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Ten steps, of two batches each, on two processes."""
    folder = tmp_path_factory.mktemp("two")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}"}
    if os.environ.get("PYTHONPATH"):
        environment["PYTHONPATH"] += os.pathsep + os.environ["PYTHONPATH"]
    environment["GLOO_SOCKET_IFNAME"] = "lo"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [str(HERE / "moco_script.py"), str(folder)]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return folder, torch.load(folder / "out.pt", weights_only=True)


@pytest.mark.parametrize("network", ["plain", "norm"])
def test_two_processes_have_the_same_queues_and_weights_to_the_bit(two, network):
    """Ten steps of twelve keys go round both queues several times. BatchNorm's statistics are each process's own."""
    first, second = two[1][network]["states"]
    shared = [name for name in first if not name.endswith(MINE)]
    assert all(torch.equal(first[name], second[name]) for name in shared)
    assert {"queue.keys", "cycle_queue.pointer", "key_backbone.layers.0.weight"} <= {*shared} or network == "norm"
    assert int(first["queue.pointer"]) == 10 * 12 % OPTIONS["queue_rows"]
    assert int(first["cycle_queue.pointer"]) == 10 * 12 % OPTIONS["cycle_queue_rows"]
    assert (first["queue.videos"] >= 0).all()
    own = [name for name in first if name.endswith("running_mean")]
    assert all(not torch.equal(first[name], second[name]) for name in own)
    assert bool(own) == (network == "norm")


def test_the_first_process_is_exported(two):
    folder, found = two
    saved = Encoder.load(folder / "norm", trust=("toys",)).backbone.state_dict()
    first = found["norm"]["states"][0]
    assert all(torch.equal(value, first[f"backbone.{name}"]) for name, value in saved.items())


def test_two_processes_compute_what_one_does(two, tmp_path):
    """Without BatchNorm; float32 sums of another order differ by about 1e-7 of their terms, of which ten steps of Adam,
    which divides by small numbers, make up to 1e-5."""
    method = cycle()
    made = train(tmp_path / "one", method)
    totals = [line["total"] for line in made.metrics() if line["kind"] == "step"]
    assert two[1]["plain"]["totals"] == pytest.approx(totals, rel=1e-5)
    first = two[1]["plain"]["states"][0]
    for name, value in method.state_dict().items():
        assert torch.allclose(first[name].double(), value.double(), atol=1e-4), name


@pytest.mark.parametrize("stop_at", [1, 4, 7])
def test_a_killed_run_goes_on_with_its_queues_and_keys(tmp_path, monkeypatch, stop_at):
    train(tmp_path / "whole", cycle())
    before, steps = CycleContrast.before_step, []

    def killed(self):
        steps.append(1)
        if len(steps) > stop_at:
            raise KeyboardInterrupt
        before(self)

    monkeypatch.setattr(CycleContrast, "before_step", killed)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", cycle())
    monkeypatch.undo()
    train(tmp_path / "cut", cycle(seed=5), resume=True)
    one, other = (load_checkpoint(tmp_path / name / "checkpoints/last.ckpt")["task"] for name in ("whole", "cut"))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_three_steps_written_out(tmp_path):
    """MoCo in the loop beside its steps by hand: momentum first, the queue last, the keys in their order."""
    arguments = {"sampler": RandomClip(frames=3), "stages": toy_stages(steps=3), "accumulate": 1}
    made = train(tmp_path / "run", moco(), **arguments)
    task = load_checkpoint(made.checkpoint_file)["task"]
    method = moco()
    method.setup(24, 6, Rng(0, "setup"))
    optimizer = torch.optim.AdamW([*method.backbone.parameters(), *method.head.parameters()], lr=3e-3)
    dataset = ClipDataset(ToyCatalog(24), ("rgb",), RandomClip(frames=3), {"rgb": ToyStream()}, seed=0)
    queue, videos = method.queue.keys.clone(), method.queue.videos.clone()
    pairs = [(method.key_backbone, method.backbone), (method.key_head, method.head)]
    batches = ClipLoader(dataset, 6).batches()
    for step in range(3):
        for slow, quick in pairs:
            for key, query in zip(slow.parameters(), quick.parameters(), strict=True):
                key.data = 0.9 * key.data + (1 - 0.9) * query.data
        batch = next(batches)
        losses = method(batch, Rng(0, "step", 0, step))
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
        for row in range(6):
            queue[(6 * step + row) % 20] = losses.kept["keys"][row]
            videos[(6 * step + row) % 20] = batch.index[row]
        method.queue.keys.copy_(queue)
        method.queue.videos.copy_(videos)
    assert torch.allclose(task["queue.keys"], queue, atol=1e-6)
    assert torch.equal(task["queue.videos"], videos)
    for name, value in method.key_backbone.state_dict().items():
        assert torch.allclose(task[f"key_backbone.{name}"], value, atol=1e-6)
    assert all(p.grad is None for p in [*method.key_backbone.parameters(), *method.key_head.parameters()])


def test_held_out_videos_are_held_against_the_queue(tmp_path):
    made = train(tmp_path / "run", cycle(), validation=0.25, validation_by="video")
    last = [line for line in made.metrics() if line["kind"] == "epoch"][-1]
    assert {"validation/contrastive", "validation/cycle", "validation/cycle_accuracy"} <= last.keys()


def test_no_row_of_the_queue_is_a_held_out_videos_own(tmp_path):
    """Held-out videos are numbered from 0, too: by that number none of the training's keys is left out."""
    method = moco(queue_rows=6)
    method.setup(24, 6, Rng(0))
    dataset = ClipDataset(ToyCatalog(6), ("rgb",), RandomClip(frames=3), {"rgb": ToyStream()}, seed=0)
    batch = next(ClipLoader(dataset, 6).batches())
    losses = []
    for videos in (batch.index, torch.full((6,), 99)):
        method.queue.videos.copy_(videos)
        losses.append([one(batch, Rng(0)).total.item() for one in (method.validated, method)])
    assert losses[0][0] == losses[1][0] == losses[1][1]
    assert losses[0][1] < losses[1][1]


REFUSED = [
    ({"contrast_weight": 0.0}, "contrast_weight 0 leaves a head without gradient"),
    ({"cycle_weight": 0.0}, "cycle_weight 0 leaves a head without gradient: .*MoCo, which is"),
    ({"separate_head": False, "cycle_weight": 0.0, "contrast_weight": 0.0}, "contrast_weight 0 leaves"),
    ({"support": 28}, "support 28 leaves none of the 28 rows"),
    ({"separate_head": False, "support": 22}, "support 22 leaves none of the 22 rows"),
    ({"split": "every"}, "'shared', or by 'each'"),
    ({"cycle_weight": -1.0}, "--method.cycle_weight must be from 0 to"),
    ({"cycle_weight": float("inf")}, "--method.cycle_weight must be from 0 to"),
    ({"soft_temperature": 0.0}, "--method.soft_temperature must be from 0.0001 to"),
    ({"temperature": 1e-40}, "--method.temperature must be from 0.0001 to"),
    ({"momentum": 1.5}, "--method.momentum must be from 0 to 1"),
    ({"projection": "mpl"}, "Did you mean 'mlp'"),
    ({"queue_rows": 0}, "--method.queue_rows must be from 1 to"),
    ({"queue_rows": 10**24}, "--method.queue_rows must be from 1 to"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_cannot_work_is_refused_at_once(options, message):
    with pytest.raises(UserError, match=message):
        cycle(**options)


@pytest.mark.parametrize("options", [{"contrast_weight": 0.0}, {"cycle_weight": 0.0}])
def test_one_head_may_serve_a_single_loss(tmp_path, options):
    method = cycle(separate_head=False, **options)
    made = train(tmp_path / "run", method, stages=toy_stages(steps=2))
    assert len([line for line in made.metrics() if line["kind"] == "step"]) == 2


def test_a_queue_shorter_than_a_step_is_refused_before_anything_is_decoded(tmp_path):
    with pytest.raises(UserError, match=r"step has 12 videos .*queue of CycleContrast holds 11: make it longer"):
        train(tmp_path / "run", cycle(cycle_queue_rows=11, support=3))
    assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match="the shortest queue of MoCo holds 5"):
        train(tmp_path / "run", moco(queue_rows=5), sampler=RandomClip(frames=3), accumulate=1)


def test_clips_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(UserError, match="--sampler RelatedFrames"):
        train(tmp_path / "run", cycle(), sampler=RandomClip(frames=1))
    with pytest.raises(UserError, match="MoCo takes one clip or two of each video, not 3: --sampler"):
        train(tmp_path / "run", moco())


def test_each_process_may_draw_its_own_support():
    shared, each = cycle(), cycle(split="each")
    keys = [Rng(0, "step", rank=rank, ranks=2) for rank in (0, 1)]
    first, second = (shared.drawn_split(key, torch.device("cpu")) for key in keys)
    assert torch.equal(first, second)
    first, second = (each.drawn_split(key, torch.device("cpu")) for key in keys)
    assert not torch.equal(first, second)
    assert torch.equal(first.sort().values, torch.arange(28))


def test_a_videos_own_keys_are_told_in_both_parts_of_the_queue():
    method, index = cycle(), torch.tensor([3, 0, 9])
    method.setup(24, 6, Rng(0))
    queue = method.cycle_queue
    queue.videos.copy_(torch.arange(28) % 5)
    split, taken = method.drawn_split(Rng(1), torch.device("cpu")), []
    for back in (False, True):
        keys, left_out = method.part_of_queue(split, index, back)
        rows = [row for key in keys for row in range(28) if torch.equal(key, queue.keys[row])]
        assert left_out.tolist() == [[row % 5 == video for row in rows] for video in (3, 0, 9)]
        taken.append(rows)
    assert [len(rows) for rows in taken] == [9, 19]
    assert sorted(taken[0] + taken[1]) == list(range(28))


def test_earlier_keys_of_the_same_video_are_no_negatives():
    method, index = moco(), torch.tensor([3, 4])
    method.setup(24, 2, Rng(0))
    torch.manual_seed(1)
    queries, keys = torch.nn.functional.normalize(torch.randn(2, 2, 5), dim=2)
    alone = method.contrasted(queries, keys, keys, index).terms["contrastive"]
    method.queue.keys[6] = queries[0]  # the best negative that there can be
    method.queue.videos[6] = 5
    harder = method.contrasted(queries, keys, keys, index).terms["contrastive"]
    method.queue.videos[6] = 3
    own = method.contrasted(queries, keys, keys, index).terms["contrastive"]
    assert float(harder) > float(alone) + 0.2
    assert float(own) < float(alone)
    method.exclude_own = False
    assert torch.equal(method.contrasted(queries, keys, keys, index).terms["contrastive"], harder)
