import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.errors import UserError
from praxino.views.motion import Residual, repeat, residual, shuffle


def clips(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random(shape, dtype=np.float32))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("rescale", [True, False])
def test_residual_frame_by_frame(sign, rescale):
    x = clips(2, 3, 5, 4, 6)
    kept = x.clone()
    got = residual(x, rescale, sign)
    for t in range(5):
        want = sign * (x[:, :, t] - x[:, :, t - 1])  # t = 0: the last frame
        torch.testing.assert_close(got[:, :, t], (want + 1) / 2 if rescale else want, rtol=0, atol=1e-6)
    assert torch.equal(x, kept)
    assert torch.equal(residual(x[None], rescale, sign)[0], got)


def test_residual_of_bytes_is_that_of_their_floats():
    x = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (1, 2, 3, 4, 5, 6), dtype=np.uint8))
    assert torch.equal(Residual(False).apply(x), residual(x.float() / 255, False))
    assert Residual().apply(x).aminmax().min >= 0


def test_repeat_stands_still():
    x = clips(3, 2, 5, 4, 4)
    frames = torch.tensor([4, 0, 2])
    got = repeat(x, frames)
    assert got.shape == x.shape
    for row, frame in enumerate(frames):
        for t in range(5):
            assert torch.equal(got[row, :, t], x[row, :, frame])


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([4, 7, 8, 10, 11, 12, 13, 16, 17, 30, 64]), st.integers(0, 1000))
def test_shuffle_swaps_two_chunks(length, seed):
    draws = random.Random(seed)
    x = clips(5, 2, length, 2, 2, seed=seed)
    first = [draws.randint(0, 3) for _ in range(5)]
    step = [draws.randint(0, 2) for _ in range(5)]
    got = shuffle(x, torch.tensor(first), torch.tensor(step))
    for row in range(5):
        chunks = list(torch.chunk(x[row], 4, 1))
        a, b = first[row], (first[row] + step[row] + 1) % 4
        chunks[a], chunks[b] = chunks[b], chunks[a]
        assert torch.equal(got[row], torch.cat(chunks, 1))


@pytest.mark.parametrize("length", [1, 2, 3, 5, 6, 9])
def test_shuffle_refuses_lengths_that_give_fewer_chunks(length):
    assert len(torch.chunk(torch.zeros(length), 4)) < 4
    with pytest.raises(UserError, match=f"{length} frames cannot be shuffled"):
        shuffle(clips(1, 1, length, 2, 2), torch.tensor([0]), torch.tensor([0]))
