"""NT-Xent against its definition, written as loops."""

import math

import pytest
import torch

from praxino.losses.contrastive import nt_xent


def by_loops(first, second, temperature):
    rows = [row / row.norm() for row in [*first.double(), *second.double()]]
    total = 0.0
    for a in range(len(rows)):
        partner = (a + len(first)) % len(rows)
        others = [float(rows[a] @ rows[b]) / temperature for b in range(len(rows)) if b != a]
        total += -float(rows[a] @ rows[partner]) / temperature + math.log(sum(math.exp(s) for s in others))
    return total / len(rows)


@pytest.mark.parametrize("videos", [2, 3, 8])
@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
def test_equals_its_definition(videos, temperature):
    torch.manual_seed(videos)
    first, second = torch.randn(2, videos, 7)
    # float32 scores of up to 1/0.05 carry an error of about 20 * 2^-23.
    assert nt_xent(first, second, temperature).item() == pytest.approx(by_loops(first, second, temperature), abs=2e-5)


def test_symmetric_and_blind_to_length():
    torch.manual_seed(0)
    first, second = torch.randn(2, 6, 5, dtype=torch.float64)
    loss = nt_xent(first, second)
    assert torch.allclose(nt_xent(second, first), loss)
    assert torch.allclose(nt_xent(first * 3.0, second * 0.2), loss)


def test_one_video_has_no_negative():
    assert nt_xent(torch.randn(1, 4), torch.randn(1, 4)).item() == 0


def test_chance_is_log_of_the_alternatives():
    same = torch.ones(5, 3)
    assert nt_xent(same, same).item() == pytest.approx(math.log(9), abs=1e-6)


def test_half_precision_is_raised():
    first, second = torch.randn(2, 8, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert nt_xent(first, second).dtype == torch.float32
        assert torch.equal(nt_xent(first, second), nt_xent(first.clone(), second))
    assert nt_xent(first.bfloat16(), second.bfloat16()).dtype == torch.float32


@pytest.mark.parametrize(
    "first, second, temperature",
    [
        (torch.ones(2, 3), torch.ones(3, 3), 0.1),
        (torch.ones(2), torch.ones(2), 0.1),
        (torch.ones(2, 2), torch.ones(2, 2), 0.0),
    ],
)
def test_refuses(first, second, temperature):
    with pytest.raises(ValueError, match="nt_xent"):
        nt_xent(first, second, temperature)
