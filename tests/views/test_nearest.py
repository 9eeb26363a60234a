"""Crops with the nearest pixel, against Pillow frame by frame; what is lively, against numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from praxino.errors import UserError
from praxino.rng import Rng
from praxino.views.flow_values import FlowFlip, FlowValues, WrappedFlow
from praxino.views.geometry import Flip
from praxino.views.nearest import LiveliestCrop, NearestCrop, take_nearest
from praxino.views.pipeline import View


def clips(shape, channels=3, seed=0):
    videos, number, frames, height, width = shape
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 256, (videos, number, channels, frames, height, width), dtype=np.uint8))


def sizes(x):
    return torch.tensor(x.shape[-2:]).expand(*x.shape[:2], x.shape[3], 2)


def in_pillow(x, corners, crop, size, resample):
    """The same one plane after the other."""
    videos, number, channels, frames = x.shape[:4]
    y = np.zeros((videos, number, channels, frames, size, size), np.uint8)
    for b, n, c, t in np.ndindex(videos, number, channels, frames):
        top, left = (int(v) for v in corners[b, n, t % corners.shape[2]])
        cut = Image.fromarray(x[b, n, c, t].numpy()).crop((left, top, left + crop, top + crop))
        y[b, n, c, t] = np.asarray(cut.resize((size, size), resample))
    return torch.from_numpy(y)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 20), st.integers(1, 24), st.sampled_from([1, 2, 3]), st.sampled_from(["clip", "frame"]),
    st.integers(0, 2**31), st.sampled_from(["nearest", "bilinear"]),
)  # fmt: skip
def test_a_random_crop_is_pillows(crop, size, channels, per, seed, filter):
    x = clips((2, 2, 3, 20, 23), channels, seed)
    operation = NearestCrop(crop, size, filter=filter, per=per)
    drawn = operation.draw(Rng(seed), (2, 2, 3), sizes(x))
    assert drawn["corner"].shape == (2, 2, 3 if per == "frame" else 1, 2)
    how = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR}[filter]
    assert operation.apply(x, **drawn).equal(in_pillow(x, drawn["corner"], crop, size, how))
    assert operation.size_after(sizes(x)).unique().tolist() == [size]


@pytest.mark.parametrize(("height", "width"), [(20, 31), (9, 30), (10, 10), (7, 6)])
def test_a_crop_in_the_centre_is_black_outside(height, width):
    x = clips((1, 1, 2, height, width))
    operation = NearestCrop(10, 7, at="centre", outside="black")
    drawn = operation.draw(Rng(0), (1, 1, 2), sizes(x))
    place = [round((height - 10) / 2), round((width - 10) / 2)]  # Python rounds half to even, too
    assert drawn["corner"].flatten().tolist() == place
    assert operation.apply(x, **drawn).equal(in_pillow(x, drawn["corner"], 10, 7, Image.Resampling.NEAREST))


def test_a_frame_that_is_too_small_is_said():
    x = clips((1, 1, 2, 9, 30))
    for operation in (NearestCrop(10), NearestCrop(10, at="centre"), LiveliestCrop(10)):
        with pytest.raises(UserError, match=r"cuts 10x10 pixels, and a frame has 9x30.*canvas"):
            operation.draw(Rng(0), (1, 1, 2), sizes(x))


def plain_liveliest(x, corners, crop, of):
    """The index of the proposal that wins, clip by clip, from the crops themselves."""
    best = np.zeros(x.shape[:2], int)
    for b, n in np.ndindex(*x.shape[:2]):
        scores = []
        for top, left in corners[b, n, 0]:
            total = 0
            for frame in x[b, n].transpose(0, 1).numpy().astype(int):
                cut = frame[:, top : top + crop, left : left + crop]
                blank = of == "flow" and frame.max() < 10
                total += 0 if blank else np.abs(cut - (127 if of == "flow" else 0)).mean()
            scores.append(round(total, 9))
        best[b, n] = int(np.argmax(scores))
    return best


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 12), st.integers(1, 15), st.sampled_from(["flow", "maps"]), st.integers(1, 4), st.integers(0, 2**31)
)
def test_the_liveliest_wins(crop, size, of, proposals, seed):
    x = clips((2, 3, 2, 12, 15), 2, seed)
    x[0, 1] = 127  # nothing happens: the first wins
    x[1, 0, :, 0] = 3  # a blank frame
    operation = LiveliestCrop(crop, size, of, proposals)
    drawn = operation.draw(Rng(seed), (2, 3, 2), sizes(x))
    assert drawn["corners"].shape == (2, 3, 1, proposals, 2)
    best = torch.from_numpy(plain_liveliest(x, drawn["corners"], crop, of)).view(2, 3, 1, 1, 1).expand(-1, -1, 1, 1, 2)
    corner = drawn["corners"].gather(3, best)[:, :, :, 0]
    assert operation.apply(x, **drawn).equal(take_nearest(x, corner, crop, size))


def test_flow_values_are_around_zero():
    x = torch.tensor([0, 127, 128, 255], dtype=torch.uint8).view(1, 1, 2, 1, 1, 2)
    assert FlowValues().apply(x).flatten().tolist() == pytest.approx(
        [-0.5, 127 / 255 - 0.5, 128 / 255 - 0.5, 0.5], abs=1e-6
    )
    dark = torch.full((1, 1, 2, 1, 2, 2), 70, dtype=torch.uint8)  # mean 0.27
    both = torch.cat([dark, dark + 20])
    assert FlowValues("cocon").apply(both)[:, 0, 0, 0, 0, 0].tolist() == pytest.approx([70 / 255, 90 / 255 - 0.5])


def test_wrapped_flow_is_cocons_mistake():
    x = torch.tensor([0, 64, 100, 126, 127, 128, 200, 255], dtype=torch.uint8).view(1, 1, 2, 1, 1, 4)
    assert WrappedFlow().apply(x).flatten().tolist() == [129, 193, 229, 255, 0, 0, 72, 127]
    every = torch.arange(256).to(torch.uint8).view(1, 1, 2, 1, 8, 16)
    wanted = ((every.double() / 255 - 0.5) * 255).round(decimals=6).trunc().remainder(256).to(torch.uint8)
    assert WrappedFlow().apply(every).equal(wanted)
    with pytest.raises(UserError, match="takes bytes"):
        WrappedFlow().apply(x / 255)


@pytest.mark.parametrize("floats", [False, True])
def test_a_mirrored_flow_goes_the_other_way(floats):
    x = clips((2, 1, 2, 4, 6), 2)
    x = x / 255 if floats else x
    on = torch.tensor([True, False]).view(2, 1, 1)
    y = FlowFlip().apply(x, on=on)
    u, v = x[0, 0].flip(-1)
    torch.testing.assert_close(y[0, 0], torch.stack([(1 if floats else 255) - u, v]))
    assert y[1].equal(x[1])
    assert FlowFlip().apply(y, on=on).sub(x).abs().max() < 1e-6  # twice is once more the same
    with pytest.raises(UserError, match="two channels"):
        FlowFlip().apply(clips((1, 1, 1, 4, 6)), on=on[:1])


def test_rgb_and_flow_are_mirrored_together():
    sizes_ = torch.tensor([20, 30]).expand(8, 1, 2, 2)
    names = [View(operations)._names()[0] for operations in ([Flip()], [FlowFlip()])]
    assert names[0] == names[1]
    one, two = (operation.draw(Rng(3, "view"), (8, 1, 2), sizes_)["on"] for operation in (Flip(), FlowFlip()))
    assert one.equal(two)
    assert one.any()
    assert not one.all()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: NearestCrop(0), "at least 1 pixel"),
        (lambda: NearestCrop(8, 0), "at least 1 pixel"),
        (lambda: NearestCrop(8, at="center"), "'center'.*centre"),
        (lambda: NearestCrop(8, outside="white"), "outside"),
        (lambda: NearestCrop(8, filter="bicubic"), "filter"),
        (lambda: LiveliestCrop(8, of="map"), "maps"),
        (lambda: LiveliestCrop(8, proposals=0), "proposals"),
        (lambda: FlowValues("never"), "rule"),
    ],
)
def test_what_is_no_setting_is_refused(make, said):
    with pytest.raises(UserError, match=said):
        make()


def test_floats_have_no_bytes_to_count():
    with pytest.raises(UserError, match="counts bytes"):
        LiveliestCrop(2).apply(torch.rand(1, 1, 2, 1, 4, 4), corners=torch.zeros(1, 1, 1, 3, 2, dtype=torch.int64))
