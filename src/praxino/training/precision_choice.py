"""`--precision auto`: bf16 where this machine computes in it rightly and more quickly, else fp32."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from praxino.training.convolution_cache import processor
from praxino.training.convolution_check import Verdict
from praxino.training.convolution_process import Question
from praxino.training.convolution_ways import Seen, verdicts
from praxino.training.precision import Precision

NATIVE = {"avx512_bf16", "amx_bf16", "bf16"}  # as Linux names it: of x86 with 512 bits, with tiles; of ARM
WORTH = 1.1  # times as quick, or the numbers stay what they are


def has_bf16(device: torch.device) -> bool:
    """Whether the processor or GPU computes in bf16 itself; without that it is slower than fp32, or as slow."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    here = processor()
    return bool(NATIVE & set(f"{here.get('flags', '')} {here.get('Features', '')}".split()))


def choose(seen: Seen, device: torch.device, say: Callable[[str], None]) -> tuple[Precision, str]:
    """The precision of a run, and in a few words why.

    Args:
        seen: the task's convolutions under autocast to bf16, as of `convolutions_seen`.
        device: where the task is.
        say: as of `praxino.training.convolution_ways.verdicts`.
    """
    if not has_bf16(device):
        return "fp32", f"this {'GPU' if device.type == 'cuda' else 'processor'} has no bf16 of its own"
    asked: set[Question] = {(one, "plain") for given in seen.values() for one in given}
    return judged(verdicts(sorted(asked, key=str), "bf16", device, say))


def judged(found: Mapping[Any, Verdict]) -> tuple[Precision, str]:
    """What the verdicts on all convolutions, computed plainly in bf16, come to."""
    wrong = [verdict.why for verdict in found.values() if not verdict.right]
    if wrong:
        return "fp32", f"{len(wrong)} of {len(found)} convolutions are not right in bf16 on this machine ({wrong[0]})"
    seconds, in_fp32 = (sum(getattr(one, name) for one in found.values()) for name in ("seconds", "fp32_seconds"))
    quicker = in_fp32 / seconds if seconds else 0.0
    if quicker < WORTH:
        return "fp32", f"convolutions in bf16 are {quicker:.2g} times as quick as in fp32 on this machine"
    return "bf16", f"on this machine convolutions are right in bf16, and {quicker:.2g} times as quick as in fp32"
