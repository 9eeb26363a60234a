"""IIC and CMC: what the golden items do not pin: draws, options, banks, and how the forms belong together."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from praxino.batch import ClipBatch, Frames
from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.errors import UserError
from praxino.losses.nce import info_nce
from praxino.methods.cmc import CMC
from praxino.methods.cmc_in_batch import CMCInBatch
from praxino.methods.iic import IIC
from praxino.methods.iic_in_batch import IICInBatch
from praxino.methods.parts.memory_bank import MemoryBank, draw_candidates
from praxino.methods.parts.two_views import two_views
from praxino.rng import Rng
from praxino.views.geometry import Resize
from praxino.views.motion import Repeat, Residual, Shuffle, destroyed, residual
from praxino.views.pipeline import View
from toys import ToyBackbone, ToyCatalog, ToySampler, ToyStream


def batch_of(clips=1, size=4):
    dataset = ClipDataset(ToyCatalog(), ("rgb",), ToySampler(clips=clips), {"rgb": ToyStream()}, seed=1)
    return next(ClipLoader(dataset, size).batches())


def built(kind, seed=0, norm=False, **more):
    torch.manual_seed(seed)
    second = more.pop("second", View([Residual()]))
    method = kind(ToyBackbone(norm=norm), View([]), second, **more)
    method.setup(12, 4, Rng(seed, "setup"))
    return method


@given(st.integers(1, 9), st.integers(1, 40), st.booleans(), st.integers(0, 99))
def test_candidates(videos, negatives, exclude_own, seed):
    videos += exclude_own
    index = torch.arange(videos)
    drawn = draw_candidates(Rng(seed), index, negatives, videos, exclude_own)
    assert drawn.shape == (videos, 1 + negatives)
    assert torch.equal(drawn[:, 0], index)
    assert drawn.min() >= 0
    assert drawn.max() < videos
    if exclude_own:
        assert (drawn[:, 1:] != index[:, None]).all()


def test_candidates_are_uniform_where_the_own_row_is_excluded():
    drawn = draw_candidates(Rng(0), torch.tensor([2]), 40_000, 5, exclude_own=True)[0, 1:]
    shares = drawn.bincount(minlength=5) / len(drawn)
    assert shares[2] == 0
    assert (shares[[0, 1, 3, 4]] - 0.25).abs().max() < 0.01


@pytest.mark.parametrize("count", [11, 300])  # 3 * 300 candidates are more than the 500 rows
def test_a_bank_is_filled_scored_and_moved(count):
    bank = MemoryBank(6)
    bank.fill(500, Rng(0))
    assert bank.rows.abs().max() < (3 / 6) ** 0.5
    assert float(bank.rows.std()) == pytest.approx(6**-0.5, rel=0.05)  # uniform in [-s, s): s / sqrt(3)
    before = bank.rows.clone()
    features, index = torch.randn(3, 6), torch.tensor([7, 0, 499])
    candidates = torch.randint(0, 500, (3, count))
    slow = [[float(features[b] @ bank.rows[c]) for c in candidates[b]] for b in range(3)]
    assert torch.allclose(bank.scores(features, candidates), torch.tensor(slow), atol=1e-6)
    two = bank.scores(torch.stack([features, -features]), candidates)
    assert torch.allclose(two, torch.tensor([slow, slow]) * torch.tensor([1, -1])[:, None, None], atol=1e-6)
    bank.update(index, features, 0.25)
    for row, feature in zip(index, features, strict=True):
        want = 0.25 * before[row] + 0.75 * feature
        assert torch.allclose(bank.rows[row], want / want.norm(), atol=1e-6)
    rest = torch.ones(500, dtype=torch.bool)
    rest[index] = False
    assert torch.equal(bank.rows[rest], before[rest])


@pytest.mark.parametrize("kind", [CMC, IIC])
@pytest.mark.parametrize("form", ["softmax", "nce"])
def test_a_step_moves_the_rows_of_the_batch_and_no_others(kind, form):
    method, batch = built(kind, loss=form, negatives=5), batch_of()
    before = copy.deepcopy(method.state_dict())
    losses = method(batch, Rng(0, "step"))
    losses.total.backward()
    assert all(p.grad is not None for p in method.parameters())
    assert losses.total == sum(losses.terms[name] for name in ("first", "second"))
    assert 0 < losses.terms["first_probability"] < 1
    assert losses.kept["index"].tolist() == batch.index.tolist()
    method.after_step(losses.kept)
    banks = [name for name in before if name.endswith("bank.rows")]
    assert len(banks) == (3 if kind is IIC else 2)
    for name in banks:
        changed = (method.state_dict()[name] != before[name]).any(1).nonzero().flatten()
        assert changed.tolist() == sorted(batch.index.tolist())
    assert bool((method.constants > 0).all()) == (form == "nce")
    constants = method.constants.clone()
    method(batch, Rng(0, "other"))
    assert torch.equal(method.constants, constants)


def test_the_positive_is_the_own_row_of_the_other_bank():
    """Where a bank remembers of each video of the batch what the other view is now, its probability is nearly 1."""
    method, batch = built(CMC, negatives=8, normalise=True, exclude_own=True), batch_of(size=1)
    kept = method(batch, Rng(0)).kept
    for bank, view in ((method.second_bank, "first"), (method.first_bank, "second")):
        bank.rows.copy_(-kept[view].expand(12, -1))
        bank.rows[batch.index] = kept[view]
    terms = method(batch, Rng(0)).terms
    assert min(terms["first_probability"], terms["second_probability"]) > 0.99
    method.first_bank.rows.neg_()
    terms = method(batch, Rng(0)).terms
    assert terms["first_probability"] > 0.99
    assert terms["second_probability"] < 0.01


def test_batchnorm_sees_every_forward_and_negatives_carry_no_gradient():
    method, batch = built(IIC, norm=True, negatives=3).train(), batch_of()
    method(batch, Rng(0))
    assert int(method.backbone.layers[1].num_batches_tracked) == 3
    assert not method(batch, Rng(0)).kept["intra"].requires_grad
    same = built(CMC, norm=True, negatives=3, second=None).train()
    losses = same(batch, Rng(0))
    assert int(same.backbone.layers[1].num_batches_tracked) == 1
    assert torch.equal(losses.kept["first"], losses.kept["second"])


def test_iic_is_cmc_with_more_candidates():
    cmc, iic, batch = built(CMC, negatives=7), built(IIC, negatives=7), batch_of()
    assert torch.equal(cmc.first_bank.rows, iic.first_bank.rows)
    assert torch.equal(cmc.candidates(batch.index, Rng(3)), iic.candidates(batch.index, Rng(3)))
    ours, theirs = cmc(batch, Rng(3)), iic(batch, Rng(3))
    assert torch.equal(ours.kept["first"], theirs.kept["first"])
    for view in ("first", "second"):
        assert theirs.terms[view] > ours.terms[view]
    tables = []
    for method in (cmc, iic):
        rows = method.loss_rows
        method.loss_rows = lambda scores, view, rows=rows: (tables.append(scores.detach()), rows(scores, view))[1]
        method(batch, Rng(3))
    for plain, longer in zip(tables[:2], tables[2:], strict=True):
        assert plain.shape == (4, 8)
        assert longer.shape == (4, 16)
        assert torch.equal(longer[:, :8], plain)


@pytest.mark.parametrize("operation", [Repeat(), Shuffle()])
def test_intra_negatives_hold_the_clips_own_frames(operation):
    x = torch.rand(6, 3, 8, 2, 2)
    made = destroyed(x, operation, Rng(0))
    assert made.shape == x.shape
    for clip, original in zip(made.unbind(0), x.unbind(0), strict=True):
        frames = [int((original - frame[:, None]).abs().sum((0, 2, 3)).argmin()) for frame in clip.unbind(1)]
        if isinstance(operation, Repeat):
            assert len(set(frames)) == 1
        else:
            assert sorted(frames) == list(range(8))
            assert frames != list(range(8))
    assert torch.equal(made, destroyed(x, operation, Rng(0)))
    assert not torch.equal(made, destroyed(x, operation, Rng(1)))
    assert torch.equal(destroyed(x[:3], operation, Rng(0, ranks=2)), made[:3])
    assert torch.equal(destroyed(x[3:], operation, Rng(0, rank=1, ranks=2)), made[3:])


def moving(clips):
    """Videos of noise, large enough to be cropped."""
    pixels = torch.randint(0, 256, (2 * clips * 4, 40, 50, 3), dtype=torch.uint8)
    where = torch.arange(len(pixels)).view(2, clips, 4)
    rgb = Frames(
        pixels, torch.tensor([40, 50]).expand(len(pixels), 2), torch.ones(len(pixels), dtype=torch.bool), where
    )
    return ClipBatch({"rgb": rgb}, torch.arange(2), torch.tensor([-1, -1]), where, where.double())


def test_aligned_views_share_their_box_and_others_do_not():
    crop = Resize(20, 24, crop=12, at="random")
    first, second = View([crop]), View([crop, Residual()])
    views = two_views(moving(1), Rng(0), first, second, aligned=True)
    assert torch.allclose(views["second"], residual(views["first"]), atol=1e-6)
    apart = two_views(moving(1), Rng(0), first, second, aligned=False)
    assert not torch.allclose(apart["second"], residual(apart["first"]), atol=1e-3)


def test_the_second_view_is_of_the_last_clip():
    batch = moving(2)
    views = two_views(batch, Rng(0), View([]), View([]), aligned=True)
    both = View([])(batch, Rng(0))
    assert torch.equal(views["first"], both[:, 0])
    assert torch.equal(views["second"], both[:, 1])
    with pytest.raises(UserError, match=r"sampler\.clips 1"):
        two_views(batch, Rng(0), View([]), None, aligned=True)
    with pytest.raises(UserError, match="not 3"):
        two_views(moving(3), Rng(0), View([]), View([]), aligned=True)


@pytest.mark.parametrize("kind", [CMCInBatch, IICInBatch])
def test_within_the_batch(kind):
    method, batch = built(kind, dim=5, temperature=0.2), batch_of(clips=2)
    views = two_views(batch, Rng(0), method.first, method.second, False)
    views["intra"] = destroyed(views["first"], Repeat(), Rng(0).child("intra"))
    losses = method(batch, Rng(0))
    one, two, intra = (method.head(method.backbone(views[name]).mean((2, 3, 4))) for name in views)
    more = intra if kind is IICInBatch else None
    want = (info_nce(one, two, 0.2, more) + info_nce(two, one, 0.2, more)) / 2
    assert torch.allclose(losses.total, want)
    assert set(losses.embeddings) == {"first", "second"}
    losses.total.backward()
    assert all(p.grad is not None for p in method.parameters())


def test_refuses():
    with pytest.raises(UserError, match="softmax or nce"):
        built(CMC, loss="hinge")
    with pytest.raises(UserError, match="batch_size"):
        built(IICInBatch).setup(5, 1, Rng(0))
    with pytest.raises(UserError, match="two videos"):
        built(CMC, exclude_own=True).setup(1, 1, Rng(0))


def test_a_short_run_with_banks_is_told_so():
    assert "143,000" in built(IIC).advice(500)
    assert "cmc_small" in built(CMC).advice(500)
    assert built(IIC).advice(143_000) is None
    assert built(IICInBatch).advice(500) is None


@pytest.mark.parametrize("kind", [CMC, IIC, CMCInBatch, IICInBatch])
def test_numbers_that_cannot_be_are_refused(kind):
    odd = {"temperature": ("from 0.0001 to 10000.0", (0, -1, float("nan")))}
    if kind in (CMC, IIC):
        odd |= {"momentum": ("from 0 to 1", (2, -1)), "negatives": ("from 1 to 2147483647", (0, -5))}
        assert [built(kind, momentum=one).momentum for one in (0, 1)] == [0, 1]
    else:
        odd |= {"dim": ("from 1 to 2147483647", (0,)), "hidden": ("from 1 to 2147483647", (-1,))}
    for name, (wanted, numbers) in odd.items():
        for number in numbers:
            with pytest.raises(UserError, match=f"^--method.{name} must be {wanted}, not {number}$"):
                built(kind, **{name: number})
