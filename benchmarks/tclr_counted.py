"""Bytes that a TCLR step holds, plain and for each number of clips that lean keeps; counted, and nothing is timed.

python benchmarks/tclr_counted.py [--batch_size 2] [--width 64] [--size 112] [--frames 16] [--kept 1 2 5 10]

From bytes of 240x320, through the view, `DilatedR3D18`, head and loss. First the distinct storages that the whole
forward saves for the backward, without weights and buffers. Then the most bytes of tensors alive at once that forward
and backward have made: so without weights, Adam's state, the batch of bytes, and what a layer uses inside of itself,
but with the weights' gradients. A batch and one twice as large tell those of 40. The slow layers' arithmetic is left
out, once a narrow network has given equal bytes with it and without. Prints Markdown.
"""

from __future__ import annotations

import argparse
import weakref
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from praxino.rng import Rng
from praxino.training.precision import autocast
from tclr_step import PUBLISHED, batch_of, method_of

CPU = torch.device("cpu")
aten = torch.ops.aten
SLOW = {aten.convolution, aten.convolution_backward, aten.native_batch_norm, aten.native_batch_norm_backward}
SLOW |= {aten.threshold_backward}


class Living(TorchDispatchMode):
    """Follows the storages made inside it: bytes of those alive now, and the most there were at once.

    Args:
        arithmetic: False: the slow layers give zeros. The bytes are the same, in a fraction of the time.
    """

    def __init__(self, arithmetic: bool) -> None:
        super().__init__()
        self.arithmetic = arithmetic
        self.held: dict[int, int] = {}
        self.now = self.most = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self.arithmetic or function.overloadpacket not in SLOW:
            made = function(*args, **(kwargs or {}))
        else:
            shapes = function(*tree_map_only(Tensor, lambda one: one.to("meta"), args))
            made = tree_map_only(Tensor, lambda one: torch.zeros(one.shape, dtype=one.dtype), shapes)
        given = {one.untyped_storage()._cdata for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)}
        for one in tree_leaves(made):
            if isinstance(one, Tensor) and one.untyped_storage()._cdata not in given | self.held.keys():
                storage = one.untyped_storage()
                self.held[storage._cdata] = storage.nbytes()
                weakref.finalize(storage, self.gone, storage._cdata)
                self.now += storage.nbytes()
        self.most = max(self.most, self.now)
        return made

    def gone(self, key: int) -> None:
        self.now -= self.held.pop(key)


def bytes_of(way: str, kept: int, videos: int, given: argparse.Namespace, arithmetic: bool = False) -> tuple[int, int]:
    """Of storages saved for the backward, and the most alive at once in forward and backward."""
    method, batch = method_of(way, given, kept), batch_of(way, videos, given)
    own = {one.untyped_storage().data_ptr() for one in (*method.parameters(), *method.buffers())}
    saved: dict[int, int] = {}

    def hold(tensor: Tensor) -> Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with Living(arithmetic) as living:
        with (
            torch.autograd.graph.saved_tensors_hooks(hold, lambda one: one),
            autocast(given.precision, torch.device("cpu")),
        ):
            total = method(batch, Rng(0)).total
        alive = living.now
        total.backward()
    held = sum(size for place, size in saved.items() if place not in own)
    assert abs(alive - held) < 1e-3 * alive, f"{alive} bytes are alive after the forward, and {held} were saved"
    return held, living.most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"batch_size": 2, "width": 64, "size": 112, "frames": 16}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--kept", type=int, nargs="+", default=[1, 2, 5, 10], help="lean's kept_clips")
    given = parser.parse_args()
    given.device = "cpu"
    narrow = argparse.Namespace(**{**vars(given), "width": 8})
    for way in ("plain", "lean"):
        assert bytes_of(way, 1, 2, narrow) == bytes_of(way, 1, 2, narrow, arithmetic=True)
    first = given.batch_size
    print(f"| | saved, batch {first} | values a clip | batch {PUBLISHED}: saved | most alive at once |")
    print("|---|---|---|---|---|")
    for way, kept in [("plain", 1), *(("lean", kept) for kept in given.kept)]:
        low, high = (bytes_of(way, kept, videos, given) for videos in (first, 2 * first))
        saved, most = (a + (PUBLISHED - first) * (b - a) / first for a, b in zip(low, high, strict=True))
        clips = kept if way == "lean" else 2 + given.frames // 2
        name = f"lean, {kept} kept" if way == "lean" else way
        values = (high[0] - low[0]) / first / clips / (2 if given.precision == "bf16" else 4)
        print(f"| {name} | {low[0] / 1e9:.3f} GB | {values:,.0f} | {saved / 1e9:.2f} GB | {most / 1e9:.2f} GB |")


if __name__ == "__main__":
    main()
