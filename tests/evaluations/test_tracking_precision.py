"""A head trained in bf16 on a CPU: the losses of fp32 but for their last digits, and a head of full precision."""

import pytest
import torch
from test_tracking_training import arguments, stages

from praxino.evaluations.tracking.train import train_tracker

pytest.importorskip("cv2")


def trained(out, precision):
    """The steps' numbers, and the head."""
    more = {"stages": stages(20, 1e-2), "batch_size": 8, "pairs": 8, "precision": precision}
    done = train_tracker(**arguments(out, **more))
    return [line for line in done.run.metrics() if line["kind"] == "step"], done.tracker.head


def test_bf16_is_close_to_fp32(tmp_path):
    (exact, head), (near, half) = (trained(tmp_path / one, one) for one in ("fp32", "bf16"))
    losses = [[line["total"] for line in steps] for steps in (exact, near)]
    assert losses[0] != losses[1]  # or it was no bf16
    assert losses[1] == pytest.approx(losses[0], rel=0.02)  # bf16 tells apart what differs by 1 of 256
    assert losses[1][-1] < 0.95 * losses[1][0]
    assert {value.dtype for value in half.state_dict().values()} == {torch.float32}
    for own, other in zip(half.state_dict().values(), head.state_dict().values(), strict=True):
        torch.testing.assert_close(own, other, rtol=0, atol=0.05)
