"""A convolution's numbers in half precision held against fp32; as a process of its own, which a kernel may kill.

Run as `python -m praxino.training.convolution_check`: a line of settings and a question a line come in as JSON; out go
a line when it is ready, and for each question how many seconds fp32 takes, then the verdict.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from praxino.training.convolutions import FORWARDS, Convolution, Way
from praxino.training.precision import DTYPES, Precision, autocast

BOUND = 0.02  # relative error; bf16 rounds to 0.002 - 0.008, wrong kernels are off by about 1 or more
TIMED = 16  # rows, at most, by which fp32's time is told; one alone takes up to eight times its part of many
ORPHAN_SECONDS = 1800


@dataclass(frozen=True)
class Verdict:
    """Whether a convolution is right.

    Attributes:
        right: whether it is.
        why: what is wrong, in a few words.
        seconds: that it took, forward and backward, or that it was waited for; 0 where it did not come back.
        fp32_seconds: that fp32 takes, about.
        late: it was waited for in vain.
        lasting: whether it would be so again: not where memory did not suffice.
    """

    right: bool
    why: str = ""
    seconds: float = 0.0
    fp32_seconds: float = 0.0
    late: bool = False
    lasting: bool = True


def check(
    asked: Convolution,
    way: Way,
    precision: Precision,
    device: torch.device,
    begun: Callable[[float], None] = lambda seconds: None,
) -> Verdict:
    """Compares output and gradients (input, weight, bias) with those of the same numbers in fp32.

    Args:
        asked: the convolution.
        way: how it is computed.
        precision: bf16 or fp16.
        device: where.
        begun: called with the seconds that fp32 takes, before each of the two times that `way` is tried.
    """
    try:
        return _compared(asked, way, precision, device, begun)
    except (RuntimeError, MemoryError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        full = isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or "allocate memory" in said
        return Verdict(False, said[:200], lasting=not full)


def _compared(
    asked: Convolution, way: Way, precision: Precision, device: torch.device, begun: Callable[[float], None]
) -> Verdict:
    layer, x = _made(asked, DTYPES[precision], device)
    one = layer(x[:1].float()).detach()
    rows = len(x)
    # Scaled so that the weight's gradient is about 1 and does not overflow in fp16.
    weigh = _noise((rows, *one.shape[1:]), x.dtype, 1 / math.sqrt(rows * one[0, 0].numel()), device)
    some = min(rows, TIMED)
    in_fp32 = lambda: _gradients(layer, x[:some].float(), weigh[:some].float())  # noqa: E731
    in_fp32()  # the first call sets up more than it computes
    fp32_seconds = rows / some * _timed(in_fp32, device)[1]
    layer.zero_grad()

    def tried() -> tuple[Tensor, Tensor]:
        with autocast(precision, device):
            return _gradients(lambda x: FORWARDS[way](layer, x), x, weigh)

    begun(fp32_seconds)
    _timed(tried, device)  # as in fp32: the second call is held against fp32's second
    layer.zero_grad()
    begun(fp32_seconds)
    (output, of_input), seconds = _timed(tried, device)
    got = {name: parameter.grad for name, parameter in layer.named_parameters()}
    layer.zero_grad()
    errors = {name: _Error() for name in ("output", "gradient of the input")}
    for row in range(rows):  # by row, so that the fp32 numbers of all rows need not fit into memory
        part = slice(row, row + 1)
        with _without_tf32():
            right, right_of_input = _gradients(layer, x[part].float(), weigh[part].float())
        errors["output"].add(output[part], right)
        errors["gradient of the input"].add(of_input[part], right_of_input)
    for name, parameter in layer.named_parameters():
        errors[f"gradient of the {name}"] = _Error().add(got[name], parameter.grad)
    wrong = [f"{name} off by {error:.2g}" for name, error in errors.items() if not error.relative <= BOUND]
    return Verdict(not wrong, ", ".join(wrong), seconds, fp32_seconds)


class _Error:
    """The relative error of numbers that come in parts."""

    def __init__(self) -> None:
        self.difference = self.size = 0.0

    def add(self, got: Tensor | None, right: Tensor | None) -> _Error:
        assert got is not None
        assert right is not None
        self.difference += (got.float() - right).norm().item() ** 2
        self.size += right.norm().item() ** 2
        return self

    @property
    def relative(self) -> float:
        return math.sqrt(self.difference / self.size) if self.size else self.difference

    def __format__(self, form: str) -> str:
        return format(self.relative, form)


def _made(asked: Convolution, dtype: torch.dtype, device: torch.device) -> tuple[_ConvNd, Tensor]:
    """The layer in fp32, and its input in `dtype`; all numbers are ones that `dtype` has."""
    layer = nn.utils.skip_init(getattr(nn, asked.kind), **dict(asked.settings)).to(device)
    form = torch.contiguous_format
    if asked.channels_last:
        form = torch.channels_last_3d if len(asked.shape) == 5 else torch.channels_last
    for parameter in layer.parameters():
        scale = 1 / math.sqrt(max(parameter[0].numel(), 1))
        parameter.data = _noise(tuple(parameter.shape), dtype, scale, device).float()
    layer = layer.to(memory_format=form)
    shape = asked.shape if len(asked.shape) == layer.weight.dim() else (1, *asked.shape)
    return layer, _noise(shape, dtype, 1.0, device).contiguous(memory_format=form)


def _noise(shape: tuple[int, ...], dtype: torch.dtype, scale: float, device: torch.device) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    made = torch.empty(shape, dtype=dtype)
    for row in made:
        row.copy_(torch.randn(row.shape, generator=generator) * scale)
    return made.to(device)


def _gradients(forward: Callable[[Tensor], Tensor], x: Tensor, weigh: Tensor) -> tuple[Tensor, Tensor]:
    """Output and gradient of the input; the parameters' gradients are added to what they are."""
    x = x.detach().requires_grad_()
    output = forward(x)
    output.backward(weigh.to(output.dtype))
    assert x.grad is not None
    return output.detach(), x.grad


@contextlib.contextmanager
def _without_tf32() -> Iterator[None]:
    # Its numbers are no reference; what fp32 takes is that of a run, which has it where torch does.
    before, torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.allow_tf32, False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def _timed(function: Callable[[], Any], device: torch.device) -> tuple[Any, float]:
    began = time.perf_counter()
    made = function()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return made, time.perf_counter() - began


def main() -> None:
    """Answers until its input ends."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a death is an answer here, and leaves no file
    settings = json.loads(sys.stdin.readline())
    torch.set_num_threads(settings["threads"])
    device = torch.device(settings["device"])
    if device.type == "cuda":
        torch.cuda.set_device(device)
    torch.zeros(1, device=device)
    _say({"ready": True})
    for line in sys.stdin:
        # Where its parent was killed nobody else would end a kernel that hangs.
        faulthandler.dump_traceback_later(ORPHAN_SECONDS, exit=True)
        question = json.loads(line)
        asked = Convolution.from_plain(question["convolution"])
        begun = lambda seconds: _say({"fp32_seconds": seconds})  # noqa: E731
        _say(asdict(check(asked, question["way"], settings["precision"], device, begun)))


def _say(said: dict[str, Any]) -> None:
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
