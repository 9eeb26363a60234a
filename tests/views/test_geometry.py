import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.batch import ClipBatch, Frames
from praxino.errors import UserError
from praxino.rng import Rng
from praxino.views.geometry import CentreCrop, Flip, RandomResizedCrop, Resize, ResizeShorterSide, SquareCrop, resample
from praxino.views.pipeline import View

SHAPE = (64, 2, 3)


def sizes(height, width, shape=SHAPE):
    return torch.tensor([height, width]).expand(*shape, 2)


def batch_of(pixels, clips=1, **other):
    """pixels uint8 [B, n * T, H, W, C] of each stream."""
    streams = {}
    for name, frames in {"rgb": pixels, **other}.items():
        videos, count, height, width, channels = frames.shape
        where = torch.arange(videos * count).view(videos, clips, -1)
        size = torch.tensor([height, width]).expand(videos * count, 2)
        flat = frames.reshape(-1, height, width, channels)
        streams[name] = Frames(flat, size, torch.ones(len(flat), dtype=torch.bool), where)
    numbers = torch.arange(count).view(1, clips, -1).expand(videos, -1, -1)
    return ClipBatch(streams, torch.arange(videos), torch.full((videos,), -1), numbers, numbers.double())


def noise(*shape):
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


OPERATIONS = [
    Resize(20, 30, crop=16, at="random"),
    RandomResizedCrop(12),
    SquareCrop(12),
    Flip(),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("per", ["video", "clip", "frame"])
def test_draws_have_the_axes_of_what_shares_them(operation, per):
    kind = type(operation)
    one = {"Resize": dict(height=20, width=30, crop=16, at="random"), "Flip": {}}.get(kind.__name__, {"size": 12})
    drawn = kind(**one, per=per).draw(Rng(0), SHAPE, sizes(40, 50))
    axes = {"video": (64, 1, 1), "clip": (64, 2, 1), "frame": (64, 2, 3)}[per]
    random = next(value for key, value in drawn.items() if key in ("corner", "on") or len(drawn) == 1)
    assert random.shape[:3] == axes


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: type(o).__name__)
def test_draws_do_not_depend_on_the_number_of_ranks(operation):
    whole = operation.draw(Rng(3, "step"), SHAPE, sizes(40, 50))
    for rank in range(2):
        half = operation.draw(Rng(3, "step", rank=rank, ranks=2), (32, *SHAPE[1:]), sizes(40, 50, (32, *SHAPE[1:])))
        for key, value in half.items():
            want = whole[key][32 * rank : 32 * (rank + 1)] if len(whole[key]) == 64 else whole[key]
            assert torch.equal(value, want), key


def test_the_centre_is_rounded_half_to_even():
    """IIC's spec: top 8, left 30 (of 29.5)."""
    drawn = Resize(128, 171, crop=112).draw(Rng(0), (1, 1, 1), sizes(240, 320, (1, 1, 1)))
    assert drawn["corner"].flatten().tolist() == [8, 30]


def test_random_corners_reach_every_place_alike():
    drawn = Resize(8, 11, crop=7, at="random").draw(Rng(1), (4000, 1, 1), sizes(20, 20, (4000, 1, 1)))
    counts = np.bincount(drawn["corner"][..., 1].flatten().numpy(), minlength=5)
    assert len(counts) == 5
    assert counts.min() > 700  # 800 expected, standard deviation 25
    assert set(drawn["corner"][..., 0].flatten().tolist()) == {0, 1}


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 1000))
def test_random_resized_crop_keeps_its_law(height, width, seed):
    box = RandomResizedCrop(8, scale=(0.2, 1.0)).draw(Rng(seed), (16, 1, 1), sizes(height, width, (16, 1, 1)))["box"]
    top, left, tall, wide = box.unbind(-1)
    assert (box >= 0).all() and (tall > 0).all() and (wide > 0).all()  # noqa: PT018
    assert (top + tall <= height).all() and (left + wide <= width).all()  # noqa: PT018
    if min(height, width) > 60 and max(height, width) < 1.3 * min(height, width):
        assert ((wide / tall) > 0.73).all()
        assert ((wide / tall) < 1.37).all()
        assert (tall * wide >= 0.19 * height * width).all()


@pytest.mark.parametrize("rounded", [True, False])
def test_random_resized_crop_against_a_plain_loop(rounded):
    """torchvision's rule, written out for one frame at a time, on the same uniform numbers. Where it is not asked of
    rounded sides, what fits by rounding alone is refused."""
    operation = RandomResizedCrop(8, scale=(0.3, 1.0), ratio=(0.5, 2.0), rounded=rounded)
    height, width = 60, 25
    rng = Rng(7)
    got = operation.draw(rng, (200, 1, 1), sizes(height, width, (200, 1, 1)))["box"].flatten(0, 2)
    u = operation.uniform(rng, (200, 1, 1), 10, 4).flatten(0, 2).numpy()
    by_rounding = False
    for row in range(200):
        want = None
        for share, slant, down, across in u[row]:
            area = (0.3 + 0.7 * share) * height * width
            ratio = np.exp(np.log(0.5) + (np.log(2.0) - np.log(0.5)) * slant)
            wide, tall = np.sqrt(area * ratio), np.sqrt(area / ratio)
            by_rounding |= (wide > width and round(wide) == width) or (tall > height and round(tall) == height)
            wide, tall = (round(wide), round(tall)) if rounded else (wide, tall)
            if wide <= width and tall <= height:
                wide, tall = round(wide), round(tall)
                want = [int(down * (height - tall + 1)), int(across * (width - wide + 1)), tall, wide]
                break
        want = want or [(height - 50) // 2, 0, 50, 25]
        assert got[row].tolist() == want
    assert by_rounding


def test_where_no_try_fits_the_middle_is_taken():
    box = RandomResizedCrop(8, scale=(1.0, 1.0)).draw(Rng(0), (1, 1, 1), sizes(10, 100, (1, 1, 1)))["box"]
    assert box.flatten().tolist() == [0, (100 - 13) // 2, 10, 13]


def test_square_and_centre_crops():
    box = SquareCrop(8, scale=(0.6, 0.8)).draw(Rng(0), (50, 1, 1), sizes(100, 140, (50, 1, 1)))["box"].flatten(0, 2)
    assert torch.equal(box[:, 2], box[:, 3])
    assert 60 <= box[:, 2].min() < 65
    assert 75 < box[:, 2].max() <= 80
    assert (box[:, :2] + box[:, 2:] <= torch.tensor([100, 140])).all()
    centre = CentreCrop(112, share=0.8).draw(Rng(0), (1, 1, 1), sizes(240, 320, (1, 1, 1)))["box"]
    assert centre.flatten().tolist() == [24, 64, 192, 192]


def test_shorter_side_as_on_imagenet():
    drawn = ResizeShorterSide(256, 224).draw(Rng(0), (1, 1, 1), sizes(375, 500, (1, 1, 1)))
    assert drawn["grid"].flatten().tolist() == [256, 341]
    assert drawn["corner"].flatten().tolist() == [16, 58]  # of 58.5: half to even


def test_true_sizes_and_not_the_padding_limit_the_boxes():
    size = torch.tensor([[20, 30], [40, 10]]).view(2, 1, 1, 2).expand(2, 1, 3, 2)
    for operation in (Resize(8, 8), RandomResizedCrop(8), SquareCrop(8), CentreCrop(8)):
        box = operation.draw(Rng(0), (2, 1, 3), size)["box"]
        assert (box[..., :2] + box[..., 2:] <= size[:, :, :1]).all(), operation


def test_streams_of_different_resolution_are_aligned():
    """Equal rng: a box in a stream of twice the resolution is twice the box, up to a pixel of rounding."""
    for operation in (RandomResizedCrop(8), SquareCrop(8)):
        small, large = (operation.draw(Rng(5), SHAPE, sizes(120 * k, 160 * k))["box"] for k in (1, 2))
        assert (large - 2 * small).abs().max() <= 3


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(3, 5), st.integers(3, 7)),
    st.tuples(st.integers(12, 60), st.integers(12, 60)),
    st.sampled_from([SquareCrop(8, (0.6, 1.0)), SquareCrop(8, (1.0, 1.0)), RandomResizedCrop(8)]),
    st.integers(0, 99),
)
def test_streams_of_one_aspect_ratio_show_the_same_part(ratio, scales, operation, seed):
    """All four edges, by shares of the frame: each is rounded down twice, so up to three pixels of the coarser one."""
    one, other = (
        operation.draw(Rng(seed), SHAPE, sizes(scale * ratio[0], scale * ratio[1]))["box"].double() / scale
        for scale in scales
    )
    apart = (edges(one) - edges(other)).abs().max() * min(scales)
    assert apart <= 3


def test_streams_of_other_aspect_ratios_do_not():
    wide, high = (SquareCrop(8).draw(Rng(3), SHAPE, sizes(*size))["box"].double() for size in ((96, 192), (192, 96)))
    shares = [edges(box) / torch.tensor([h, w, h, w]) for box, h, w in ((wide, 96, 192), (high, 192, 96))]
    assert (shares[0] - shares[1]).abs().max() > 0.2


def edges(box):
    return torch.cat([box[..., :2], box[..., :2] + box[..., 2:]], -1)


def test_a_flow_view_without_colour_shares_the_crops_of_an_rgb_view_with_it():
    from praxino.views.colour import Brightness

    batch = batch_of(noise(4, 2, 30, 40, 3), flow=noise(4, 2, 30, 40, 1))
    rgb = View([RandomResizedCrop(10), Brightness(), Flip()])
    flow = View([RandomResizedCrop(10), Flip()], stream="flow")
    first, second = rgb.draw(batch, Rng(1)), flow.draw(batch, Rng(1))
    assert torch.equal(first[0]["box"], second[0]["box"])
    assert torch.equal(first[2]["on"], second[1]["on"])


def test_flipping_twice_is_nothing_and_only_the_drawn_ones_are_flipped():
    x = noise(4, 2, 3, 3, 5, 6)
    for per in ("video", "clip", "frame"):
        flip = Flip(0.5, per)
        drawn = flip.draw(Rng(2), (4, 2, 3), sizes(5, 6, (4, 2, 3)))
        once = flip.apply(x, **drawn)
        assert torch.equal(flip.apply(once, **drawn), x)
        on = drawn["on"].expand(4, 2, 3)
        for at in itertools.product(range(4), range(2), range(3)):
            frame = x[at[0], at[1], :, at[2]]
            assert torch.equal(once[at[0], at[1], :, at[2]], frame.flip(-1) if on[at] else frame)


def test_a_flip_of_padded_frames_is_refused():
    size = torch.tensor([[20, 30], [40, 10]]).view(2, 1, 1, 2)
    with pytest.raises(UserError, match="Flip needs frames of one size: put a resize or a crop before it"):
        Flip().draw(Rng(0), (2, 1, 1), size)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Resize(10, 20, crop=11),
        lambda: Resize(10, 20, at="centr"),
        lambda: ResizeShorterSide(10, 11),
        lambda: RandomResizedCrop(8, scale=(1.0, 0.5)),
        lambda: RandomResizedCrop(0),
        lambda: SquareCrop(8, scale=(0.5, 1.5)),
        lambda: CentreCrop(8, share=0.0),
    ],
)
def test_what_cannot_be_is_refused(make):
    with pytest.raises(UserError):
        make()


def test_a_view_in_pieces_is_the_view_at_once(monkeypatch):
    batch = batch_of(noise(5, 6, 24, 30, 3), clips=3)
    view = View([RandomResizedCrop(10), Flip()])
    want = view(batch, Rng(4))
    assert want.shape == (5, 3, 3, 2, 10, 10)
    for size in (1, 2 * 24 * 30 * 3, 7 * 2 * 24 * 30 * 3):
        monkeypatch.setattr("praxino.views.pipeline.PIECE", {"cpu": size})
        assert torch.equal(view(batch, Rng(4)), want)


def test_a_view_is_what_its_operations_do():
    batch = batch_of(noise(2, 4, 24, 30, 3), clips=2)
    view = View([Resize(16, 20, crop=12)])
    x = batch.streams["rgb"].clips().movedim(-1, 2)
    want = resample(x, (0, 0, 24, 30), (16, 20), (2, 4, 12, 12)) / 255
    assert torch.equal(view(batch, Rng(0)), want)
    assert torch.equal(view(batch, Rng(0), clips=1), want[:, 1:])
