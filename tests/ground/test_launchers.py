"""Who the processes are, as launchers tell it."""

import pytest
import torch

from praxino import ranks
from praxino.errors import UserError

STEP = {"SLURM_STEP_NUM_TASKS": "8", "SLURM_PROCID": "5", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "61234"}


@pytest.mark.parametrize(
    "hosts, first",
    [
        ("node7", "node7"),
        ("gpu[01-04]", "gpu01"),
        ("gpu[3,7-9]", "gpu3"),
        ("a1,b[2-3]", "a1"),
        ("rack2-n[010-012].site,other", "rack2-n010.site"),
    ],
)
def test_slurm_steps(hosts, first):
    said = ranks.slurm_variables({**STEP, "SLURM_STEP_NODELIST": hosts})
    assert said == {
        "RANK": "5",
        "LOCAL_RANK": "1",
        "WORLD_SIZE": "8",
        "MASTER_ADDR": first,
        "MASTER_PORT": str(20000 + 61234 % 20000),
    }


@pytest.mark.parametrize(
    "environment",
    [{}, {"SLURM_NTASKS": "8", "SLURM_PROCID": "0"}, {"SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}],
)
def test_one_process_and_a_batch_script_are_alone(environment):
    assert ranks.slurm_variables(environment) == {}


def test_alone_everything_is_the_identity():
    x = torch.randn(3, 2, requires_grad=True)
    assert ranks.gather_rows(x) is x
    assert ranks.mean_over_ranks(x) is x
    assert ranks.broadcast_object([1]) == [1]
    assert ranks.gather_objects(1) == [1]
    assert (ranks.rank(), ranks.world()) == (0, 1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there():
    assert ranks.pick_device("auto").type == "cpu"
    with pytest.raises(UserError, match="--device cpu"):
        ranks.pick_device("cuda")


def test_a_slurm_step_names_the_device_before_the_processes_have_joined(monkeypatch):
    for name, value in STEP.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert ranks.local_rank() == 1
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="process 2 of this machine finds 1 GPUs"):
        ranks.pick_device("auto")


def test_a_gradient_that_others_use_too_is_not_summed_in_place(monkeypatch):
    """Two ranks that hold the same rows: the sum over the ranks is twice each one's gradient."""
    monkeypatch.setattr(ranks, "world", lambda: 2)
    monkeypatch.setattr(ranks, "rank", lambda: 0)
    monkeypatch.setattr(ranks.dist, "all_gather", lambda parts, x: [part.copy_(x) for part in parts])
    monkeypatch.setattr(ranks.dist, "all_reduce", lambda x: x.mul_(2))
    first, second = (torch.randn(3, 2).T.requires_grad_() for _ in range(2))
    together = ranks.gather_rows(first) + ranks.gather_rows(second)
    together.backward(torch.ones(4, 3))
    assert torch.equal(first.grad, torch.full((2, 3), 2.0))
    assert torch.equal(second.grad, torch.full((2, 3), 2.0))
