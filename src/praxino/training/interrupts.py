"""SIGTERM and SIGINT: finish the step, save, leave."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Self

import torch
import torch.distributed as dist

from praxino import ranks

STDERR = 2
SAID = b"\nstopping and saving after this step; Ctrl-C again ends at once, at the last checkpoint\n"


class Interrupts:
    """Remembers that somebody asked to stop; a second SIGINT stops at once.

    Args:
        device: of the ranks, which agree on it.
        said: what the terminal is told at the first signal.
    """

    def __init__(self, device: torch.device, said: bytes = SAID) -> None:
        self.device = device
        self.said = said
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not self.asked and ranks.rank() == 0:
            # Not by print: the signal may have come in the middle of one.
            with suppress(OSError):
                os.write(STDERR, self.said)
        self.asked = True

    def agreed(self) -> bool:
        """Whether any rank was asked: all ranks leave after the same step."""
        if ranks.world() == 1:
            return self.asked
        flag = torch.tensor([float(self.asked)], device=self.device)
        dist.all_reduce(flag)
        return bool(flag.item() > 0)
