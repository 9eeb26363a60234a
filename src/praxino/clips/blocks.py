"""Clips of successive blocks of frames, as DPC and CoCon take them: N blocks of L frames are a clip of N * L frames.

Han, Xie, Zisserman: Video Representation Learning by Dense Predictive Coding, ICCV Workshops 2019; Rai, Adeli, Lee,
Gaidon, Niebles: CoCon: Cooperative-Contrastive Learning, CVPR Workshops 2021.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from praxino.clips.samplers import Sampler, consecutive, refuse_numbers
from praxino.errors import UserError, nearest

Short = Literal["stretch", "refuse"]
FILLED = 0.9  # share of a short video that a stretched clip reaches over


class _Blocks(Sampler):
    """Clips of blocks of frames, a stride apart.

    Args:
        blocks: N, of a clip.
        frames: L, of a block.
        stride: from one frame to the next.
        short: whether a video of no more than N * L * stride frames is stretched, or left out and listed.
    """

    def __init__(self, blocks: int, frames: int, stride: int, short: Short) -> None:
        refuse_numbers(blocks=blocks, frames=frames, stride=stride)
        if short not in ("stretch", "refuse"):
            raise UserError(f"unknown rule {short!r} for short videos.{nearest(short, ('stretch', 'refuse'))}")
        self.blocks = blocks
        self.frames = frames
        self.stride = stride
        self.short: Short = short
        self.min_frames = 1 if short == "stretch" else blocks * frames * stride + 1

    def step(self, length: int) -> float:
        """From one frame of a clip to the next: the stride, or in a short video a fraction, so that frames repeat."""
        whole = self.blocks * self.frames
        return float(self.stride) if length > whole * self.stride else ((length - 1) / whole) * FILLED


class BlockClip(_Blocks):
    """A clip of N successive blocks at a random place.

    CoCon's "dynamic" sampler is the default; with `short="refuse"` it is CoCon's "disjoint" one, and DPC's.

    Args:
        blocks: N, of a clip.
        frames: L, of a block.
        stride: from one frame to the next.
        clips: how many, each at a place of its own.
        short: a video of N * L * stride frames or fewer is passed more slowly, so that a clip reaches over nine tenths
            of it and frames repeat ("stretch"), or is left out and listed ("refuse").
        start: "random", or "first": always at the video's beginning.

    Raises:
        UserError: if a number is too small, or a word unknown.
    """

    def __init__(
        self,
        blocks: int = 8,
        frames: int = 5,
        stride: int = 3,
        clips: int = 1,
        short: Short = "stretch",
        start: Literal["random", "first"] = "random",
    ) -> None:
        super().__init__(blocks, frames, stride, short)
        refuse_numbers(clips=clips)
        if start not in ("random", "first"):
            raise UserError(f"BlockClip: unknown start {start!r}.{nearest(start, ('random', 'first'))}")
        self.clips = clips
        self.start = start

    def places(self, length: int) -> int:
        """How many starts a video of `length` frames has: 0, 1, ... places - 1."""
        return length - int(self.blocks * self.frames * self.step(length))

    def numbers(self, length: int, starts: ArrayLike) -> NDArray[np.int64]:
        """Frame numbers int64 [clips, N * L] of the clips that begin at `starts` [clips], each below `places`."""
        step = self.step(length)
        first = np.asarray(starts, np.float64)[:, None, None]
        # In this order, in float64: another one cuts off some fractions otherwise than CoCon does.
        block = np.arange(self.blocks)[:, None] * step * self.frames + first
        return (block + np.arange(self.frames) * step).astype(np.int64).reshape(len(first), -1)

    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        if self.start == "first":
            return self.numbers(len(times), np.zeros(self.clips))
        return self.numbers(len(times), rng.integers(self.places(len(times)), size=self.clips))


class BlockWindows(_Blocks):
    """All clips of N successive blocks of a video, always the same; as many as it holds, one at least.

    The video is cut into blocks of L frames from its beginning; windows of N blocks begin at every `apart`-th block
    while they fit. So CoCon and DPC test.

    Args:
        blocks: N, of a window.
        frames: L, of a block.
        stride: from one frame to the next.
        apart: blocks from one window's start to the next: N // 2 on UCF101, 3 * N // 4 on HMDB51.
        short: as of `BlockClip`; CoCon stretches, DPC leaves out.
        clips: None: all windows; else so many, evenly chosen among them, some twice where there are fewer.

    Raises:
        UserError: if a number is too small, or the rule unknown.
    """

    def __init__(
        self,
        blocks: int = 8,
        frames: int = 5,
        stride: int = 3,
        apart: int = 4,
        short: Short = "stretch",
        clips: int | None = None,
    ) -> None:
        super().__init__(blocks, frames, stride, short)
        refuse_numbers(apart=apart, **({} if clips is None else {"clips": clips}))
        self.apart = apart
        self.clips = clips

    def numbers(self, length: int) -> NDArray[np.int64]:
        """Frame numbers int64 [windows, N * L] of a video of `length` frames."""
        step = self.step(length)
        whole = self.blocks * self.frames
        # A video of one frame has a step of 0: it is that frame all the time.
        taken = np.arange(0, length, step).astype(np.int64) if step else np.zeros(whole, np.int64)
        last = (len(taken) // self.frames - self.blocks) // self.apart
        windows = np.arange(last + 1) if self.clips is None else np.linspace(0, last, self.clips).round().astype(int)
        starts = self.frames * self.apart * windows
        return taken[consecutive(starts, whole, 1)]

    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        return self.numbers(len(times))


class ScatteredBlocks(Sampler):
    """N blocks at random places, each with a random stride; they may overlap, and are in no order.

    CoCon's "random" sampler. The stride is uniform from 1 to the largest with which L frames and one more stride fit.

    Args:
        blocks: N, of a clip.
        frames: L, of a block.
        clips: how many.

    Raises:
        UserError: if a number is too small.
    """

    def __init__(self, blocks: int = 8, frames: int = 5, clips: int = 1) -> None:
        refuse_numbers(blocks=blocks, frames=frames, clips=clips)
        self.blocks = blocks
        self.frames = frames
        self.clips = clips
        self.min_frames = frames + 1

    def largest_stride(self, length: int) -> int:
        """Strides are 1, 2, ... this one, in a video of `length` frames."""
        return (length - 1) // self.frames

    def places(self, length: int, strides: ArrayLike) -> NDArray[np.int64]:
        """How many starts a block of this stride has: 0, 1, ... places - 1."""
        return length - self.frames * np.asarray(strides, np.int64)

    def numbers(self, strides: ArrayLike, starts: ArrayLike) -> NDArray[np.int64]:
        """Frame numbers int64 [clips, N * L] of blocks with these strides and starts, both [clips, N]."""
        first, step = (np.asarray(x, np.int64)[..., None] for x in (starts, strides))
        return (first + step * np.arange(self.frames)).reshape(len(first), -1)

    def __call__(self, times: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
        shape = self.clips, self.blocks
        strides = rng.integers(1, self.largest_stride(len(times)), size=shape, endpoint=True)
        return self.numbers(strides, rng.integers(self.places(len(times), strides), size=shape))
