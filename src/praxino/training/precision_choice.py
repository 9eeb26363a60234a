"""`--precision auto`: bf16 where this machine computes in it more quickly, and rightly or in a way round; else fp32."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import torch

from praxino.training.convolution_cache import processor
from praxino.training.convolution_check import Verdict
from praxino.training.convolution_process import Question
from praxino.training.convolution_ways import Seen, chosen, verdicts
from praxino.training.convolutions import Way
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
    asked: dict[Question, Verdict] = {}

    def ask(questions: Collection[Question]) -> Mapping[Question, Verdict]:
        asked.update(verdicts(questions, "bf16", device, say))
        return asked

    return judged(seen, chosen(seen, ask), asked)


def judged(seen: Seen, ways: Mapping[str, Way], asked: Mapping[Question, Verdict]) -> tuple[Precision, str]:
    """What the verdicts on all convolutions come to, each computed as a bf16 run would compute it.

    Args:
        seen: as of `choose`.
        ways: as of `praxino.training.convolution_ways.chosen`.
        asked: the verdicts, of every convolution computed plainly and in its way.
    """
    seconds = in_fp32 = 0.0
    for name, given in seen.items():
        way = ways.get(name, "plain")
        for one in given:
            fp32 = asked[one, "plain"].fp32_seconds
            in_fp32 += fp32
            seconds += fp32 if way == "fp32" else asked[one, way].seconds
    quicker = in_fp32 / seconds if seconds else 0.0
    apart = f", {len(ways)} of {len(seen)} computed in another way" if ways else ""
    said = f"on this machine convolutions in bf16 are {quicker:.2g} times as quick as in fp32{apart}"
    return ("bf16" if quicker >= WORTH else "fp32"), said
