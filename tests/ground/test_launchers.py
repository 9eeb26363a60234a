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
