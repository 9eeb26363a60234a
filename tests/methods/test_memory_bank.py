"""A bank's update where a video is in a step twice: a substitute of two batches of it."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from praxino.methods.parts.memory_bank import MemoryBank
from praxino.rng import Rng


class Backwards(TorchDispatchMode):
    """Rows are written in the reverse order, as a device may that writes many at once."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.index_put_.default:
            rows, (index,), values = args
            self.written = True
            return func(rows, (index.flip(0),), values.flip(0))
        return func(*args, **(kwargs or {}))


def test_of_a_video_that_is_there_twice_the_last_feature_counts_in_whatever_order():
    bank = MemoryBank(3)
    bank.fill(6, Rng(0))
    index, features = torch.tensor([2, 4, 2, 0, 4, 2]), torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    expected = bank.rows.clone()
    for row, place in {2: 5, 4: 4, 0: 3}.items():
        moved = 0.5 * expected[row] + 0.5 * features[place]
        expected[row] = moved / moved.norm()
    with Backwards() as mode:
        bank.update(index, features, 0.5)
    assert mode.written
    torch.testing.assert_close(bank.rows, expected)
