"""Flat batches: which clips come into one, how many bytes, and each pixel once."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.clips.dataset import LoadedFrames, LoadedVideo, collate
from praxino.clips.flat import MOST_BYTES, flat_batch, flat_batches

FRAMES = 4


def video(seed, clips, height=5, width=6, frames=FRAMES):
    """Clips that share all but one frame with the next, of two streams of different size."""
    numbers = np.arange(clips)[:, None] + np.arange(frames)
    draw = np.random.default_rng(seed)
    streams = {
        name: LoadedFrames(draw.integers(0, 256, (clips + frames - 1, *size), np.uint8),
                           draw.random(clips + frames - 1) < 0.8, numbers)
        for name, size in {"rgb": (height, width, 3), "flow": (height // 2, width, 2)}.items()
    }  # fmt: skip
    return LoadedVideo(numbers, numbers / 25, streams)


def test_rows_are_clips_and_each_pixel_is_held_once():
    videos = [video(0, 3), video(1, 1, 8, 4), video(2, 2)]
    batch = flat_batch(videos, [7, 8, 9], [1, None, 0])
    assert batch.index.tolist() == [7, 7, 7, 8, 9, 9]
    assert batch.label.tolist() == [1, 1, 1, -1, 0, 0]
    for name, frames in batch.streams.items():
        assert len(frames.pixels) == (3 + 3) + (1 + 3) + (2 + 3)
        clips, size, place = frames.clips(), frames.sizes(), 0
        assert clips.shape[:3] == (6, 1, FRAMES)
        for one in videos:
            alone = collate([one], [0], [0]).streams[name]
            height, width = one.streams[name].pixels.shape[1:3]
            for clip in alone.clips()[0]:
                assert torch.equal(clips[place, 0, :, :height, :width], clip)
                assert not clips[place, 0, :, height:].any()
                assert not clips[place, 0, :, :, width:].any()
                assert (size[place] == torch.tensor([height, width])).all()
                place += 1
        there = torch.cat([collate([one], [0], [0]).streams[name].present for one in videos])
        assert torch.equal(frames.present, there)
    assert torch.equal(batch.numbers, torch.cat([torch.from_numpy(one.numbers) for one in videos])[:, None])
    assert torch.equal(batch.times, torch.cat([torch.from_numpy(one.times) for one in videos])[:, None])


def run(videos, **how):
    return list(flat_batches(((row, row % 3, one) for row, one in enumerate(videos)), **how))


def test_small_videos_together_and_long_ones_in_parts():
    found = run([video(0, 1), video(1, 1), video(2, 7), video(3, 1)], clips_at_once=4)
    assert [[tuple(piece) for piece in pieces] for _, pieces in found] == [
        [(0, 1, True), (1, 1, True), (2, 2, False)],
        [(2, 4, False)],
        [(2, 1, True), (3, 1, True)],
    ]
    assert [len(batch) for batch, _ in found] == [4, 4, 2]
    assert len(found[1][0].streams["rgb"].pixels) == 4 + FRAMES - 1


def test_frames_of_another_size_or_number_begin_a_batch():
    videos = [video(0, 1), video(1, 1), video(2, 1, 9, 9), video(3, 1)]
    assert [len(batch) for batch, _ in run(videos)] == [2, 1, 1]
    assert [len(batch) for batch, _ in run(videos, padded=True)] == [4]
    videos.append(video(4, 1, frames=3))
    assert [len(batch) for batch, _ in run(videos, padded=True)] == [4, 1]


def test_a_huge_frame_does_not_pad_many_small_ones():
    """Sixty frames of 3,000 x 4,000 would be 2 GB."""
    still = [LoadedVideo(np.zeros((1, 1), np.int64), np.zeros((1, 1)), {"rgb": LoadedFrames(
        np.zeros((1, *size, 3), np.uint8), np.ones(1, bool), np.zeros((1, 1), np.int64))})
        for size in [(30, 40)] * 60 + [(3000, 4000)] + [(30, 40)] * 3]  # fmt: skip
    found = run(still, padded=True)
    assert [len(batch) for batch, _ in found] == [60, 4]
    assert max(batch.pixel_bytes for batch, _ in found) <= MOST_BYTES


@settings(max_examples=80, deadline=None)
@given(
    given_videos=st.lists(st.tuples(st.integers(1, 9), st.sampled_from([2, 5, 16])), min_size=1, max_size=8),
    clips_at_once=st.integers(1, 10),
    padded=st.booleans(),
    most_bytes=st.integers(1, 40_000),
)
def test_a_batch_takes_what_the_bounds_allow(given_videos, clips_at_once, padded, most_bytes):
    videos = [video(row, clips, side, side) for row, (clips, side) in enumerate(given_videos)]
    found = run(videos, clips_at_once=clips_at_once, padded=padded, most_bytes=most_bytes)
    want = clip_by_clip(videos, clips_at_once, padded, most_bytes)
    assert [list(zip(batch.index.tolist(), batch.numbers[:, 0, 0].tolist(), strict=True)) for batch, _ in found] == want
    pieces = [piece for _, some in found for piece in some]
    assert [piece.row for piece in pieces if piece.last] == list(range(len(videos)))
    for batch, some in found:
        assert batch.index.tolist() == [piece.row for piece in some for _ in range(piece.clips)]
        assert len(batch) == 1 or batch.pixel_bytes <= most_bytes


def clip_by_clip(videos, clips_at_once, padded, most_bytes):
    """The batches as (row, clip): each takes the next clip as long as the batch made of all of them is allowed."""
    done, taken = [], []
    for clip in [(row, clip) for row, one in enumerate(videos) for clip in range(len(one.numbers))]:
        tried = [*taken, clip]
        rows = sorted({row for row, _ in tried})
        own = [[number for row, number in tried if row == mine] for mine in rows]
        parts = [videos[row].only(slice(some[0], some[-1] + 1)) for row, some in zip(rows, own, strict=True)]
        sizes = {part.streams["rgb"].pixels.shape[1:] for part in parts}
        batch = flat_batch(parts, rows, rows)
        if taken and (len(tried) > clips_at_once or batch.pixel_bytes > most_bytes or (len(sizes) > 1 and not padded)):
            done.append(taken)
            tried = [clip]
        taken = tried
    return [*done, taken]
