"""Batches are a function of the seed and the position, of nothing else."""

import multiprocessing
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.batch import ClipBatch
from praxino.clips.black import zero_batch
from praxino.clips.dataset import BatchKey, ClipDataset, collate, load_clips
from praxino.clips.loader import ClipLoader
from praxino.errors import UserError
from praxino.streams.base import Derived
from toys import ToyCatalog, ToySampler, ToyStream


def loader(videos=12, batch_size=4, workers=0, broken=(), **more):
    dataset = ClipDataset(ToyCatalog(videos), ("rgb",), ToySampler(), {"rgb": ToyStream(broken)}, seed=5)
    return ClipLoader(dataset, batch_size, workers, **more)


def take(batches, count):
    return [next(batches) for _ in range(count)]


def same(a: ClipBatch, b: ClipBatch):
    return (
        torch.equal(a.index, b.index)
        and torch.equal(a.numbers, b.numbers)
        and torch.equal(a.streams["rgb"].clips(), b.streams["rgb"].clips())
    )


def test_every_video_once_an_epoch_and_another_order_each_time():
    batches = take(loader().batches(), 6)
    first, second = (torch.cat([b.index for b in part]) for part in (batches[:3], batches[3:]))
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(12))
    assert first.tolist() != second.tolist()


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 3), st.booleans(), st.integers(1, 3))
def test_the_shortest_batch_of_an_epoch(videos, rows, ranks, drop_last, accumulate):
    try:
        made = loader(videos, rows * ranks, ranks=ranks, drop_last=drop_last, multiple_of=accumulate)
    except UserError:
        return
    assert made.least_videos == min(key.last - key.first for key in (made.key(0, batch) for batch in range(len(made))))


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(workers):
    alone = take(loader().batches(), 5)
    others = take(loader(workers=workers).batches(), 5)
    assert all(same(a, b) for a, b in zip(alone, others, strict=True))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 3), st.integers(0, 2))
def test_any_starting_point(epoch, batch):
    everything = take(loader().batches(), 15)
    again = take(loader().batches(epoch, batch), 3)
    start = epoch * 3 + batch
    assert all(same(a, b) for a, b in zip(everything[start : start + 3], again, strict=True))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 30), st.booleans())
def test_ranks_share_each_batch_in_rank_order(ranks, rows, more, drop_last):
    videos = ranks * rows + more
    whole = loader(videos, ranks * rows, drop_last=drop_last)
    parts = [loader(videos, ranks * rows, rank=r, ranks=ranks, drop_last=drop_last) for r in range(ranks)]
    order = whole.dataset.order(0)
    for batch in range(len(parts[0])):
        keys = [part.key(0, batch) for part in parts]
        assert len({key.last - key.first for key in keys}) == 1
        covered = [p for key in keys for p in range(key.first, key.last)]
        assert covered == list(range(keys[0].batch_first, keys[0].batch_last))
    assert len(order) - parts[0].key(0, len(parts[0]) - 1).batch_last == parts[0].left_out
    if drop_last:
        assert parts[0].left_out == videos % (ranks * rows)
    else:
        assert parts[0].left_out == videos % (ranks * rows) % ranks


def test_a_broken_video_is_replaced_by_one_outside_of_the_batch_and_told():
    batches = take(loader(broken=("video03",)).batches(), 3)
    told = [b for b in batches if b.replaced]
    assert len(told) == 1
    assert "video03 broke" in told[0].replaced[0]
    for batch, clean in zip(batches, take(loader().batches(), 3), strict=True):
        assert len(set(batch.index.tolist())) == 4
        assert 3 not in batch.index
        kept = clean.index != 3
        assert torch.equal(batch.index[kept], clean.index[kept])
    assert same(told[0], take(loader(workers=2, broken=("video03",)).batches(), 3)[batches.index(told[0])])


@pytest.mark.parametrize("workers", [0, 1])
def test_nothing_left_to_replace_with(workers):
    everything = tuple(f"video{k:02d}" for k in range(12))
    with pytest.raises(UserError, match=r"^no video outside of the batch can replace .*broke$"):
        next(loader(broken=everything, workers=workers).batches())


@pytest.mark.parametrize(
    "arguments, said",
    [
        ({"videos": 3}, "--batch_size 3 or less"),
        ({"videos": 1, "batch_size": 2}, "fewer than one batch: one video can be told from no other; --cut 60 makes"),
        ({"batch_size": 4, "ranks": 3}, "multiple"),
        ({"batch_size": 0}, "--batch_size must be at least 1, not 0"),
        ({"workers": -1}, "--workers must be at least 0"),
        ({"multiple_of": 0}, "--accumulate must be at least 1"),
        ({"videos": 8, "multiple_of": 3}, "accumulate"),
        ({"videos": 1, "batch_size": 2, "ranks": 2, "drop_last": False}, "fewer than 2 processes"),
    ],
)
def test_refuses(arguments, said):
    with pytest.raises(UserError, match=said):
        loader(**arguments)


class NextFrame(Derived):
    """Frame k is the next frame's pixels less this one's."""

    of = "rgb"

    def needs(self, wanted):
        return np.concatenate([wanted, np.minimum(wanted + 1, 19)])

    def make(self, pixels, wanted):
        now, then = np.split(pixels, 2)
        return then - now


def test_a_derived_stream_is_made_from_the_same_decode():
    streams = {"rgb": ToyStream(), "flow_u": NextFrame()}
    video = ToyCatalog()[2]
    loaded = load_clips(video, ("flow_u", "rgb"), streams, {}, ToySampler(), np.random.default_rng(0))
    assert list(loaded.streams) == ["flow_u", "rgb"]
    clips = loaded.streams["flow_u"].pixels[loaded.streams["flow_u"].where]
    last = loaded.numbers == 19
    assert (clips[~last][:, 4:] == 1).all()
    assert len(loaded.streams["rgb"].pixels) == len(np.unique(loaded.numbers))


def test_collate_pads_right_and_below():
    small = zero_batch(1, ("rgb",), {}, ToySampler())
    assert small.streams["rgb"].pixels.shape[1:] == (240, 320, 3)
    videos = []
    for row in (0, 1):
        loaded = load_clips(
            ToyCatalog()[row], ("rgb",), {"rgb": ToyStream()}, {}, ToySampler(), np.random.default_rng(row)
        )
        loaded.streams["rgb"].pixels = loaded.streams["rgb"].pixels[:, : 6 - row, : 8 - 2 * row]
        videos.append(loaded)
    batch = collate(videos, [0, 1], [None, 3])
    frames = batch.streams["rgb"]
    assert frames.pixels.shape[1:] == (6, 8, 3)
    assert frames.sizes()[1].unique(dim=1).reshape(-1, 2)[0].tolist() == [5, 6]
    assert batch.label.tolist() == [-1, 3]
    assert (frames.clips()[1, ..., 5:, :, :] == 0).all()
    one = videos[0].only(slice(1, 2))
    assert np.array_equal(
        one.streams["rgb"].pixels[one.streams["rgb"].where],
        videos[0].streams["rgb"].pixels[videos[0].streams["rgb"].where[1:]],
    )


def test_a_key_is_enough():
    dataset = loader().dataset
    assert same(dataset[BatchKey(1, 4, 8, 4, 8)], take(loader().batches(1, 1), 1)[0])


def test_a_loading_process_ends_after_it_is_told_to(monkeypatch):
    """The interpreter ends its children by SIGTERM and waits: one that ignored it would be waited for without end."""
    monkeypatch.setattr("praxino.clips.loading_process.GRACE_SECONDS", 2)
    before = set(multiprocessing.active_children())
    batches = loader(workers=1).batches()
    next(batches)
    (worker,) = set(multiprocessing.active_children()) - before
    began = time.monotonic()
    worker.terminate()
    next(batches)  # it still works for some seconds: the loop finishes its step
    worker.join(timeout=30)
    assert not worker.is_alive()
    assert time.monotonic() - began < 20
    batches.close()


def test_closing_ends_the_loading_processes():
    before = set(multiprocessing.active_children())
    batches = loader(workers=2).batches()
    next(batches)
    assert len(set(multiprocessing.active_children()) - before) == 2
    batches.close()
    assert not set(multiprocessing.active_children()) - before
