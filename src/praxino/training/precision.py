"""fp32, bf16 and fp16: autocast and loss scaling."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from praxino.errors import UserError

Precision = Literal["fp32", "bf16", "fp16"]
Asked = Literal["auto", "fp32", "bf16", "fp16"]  # auto: see praxino.training.precision_choice
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager:
    """The forward's context."""
    if precision == "fp32":
        return torch.autocast(device.type, enabled=False)
    return torch.autocast(device.type, dtype=DTYPES[precision])


def check_precision(precision: Precision, device: torch.device) -> None:
    """Raises UserError where the device cannot train in this precision."""
    if precision == "fp16" and device.type == "cpu":
        raise UserError("--precision fp16 needs a GPU: pass fp32 (or bf16)")


class Scaler:
    """Steps an optimizer; in fp16 with loss scaling, which leaves a step out where gradients overflow."""

    def __init__(self, precision: Precision, device: torch.device) -> None:
        check_precision(precision, device)
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")

    def backward(self, loss: Tensor) -> None:
        self.scaler.scale(loss).backward()

    def step(self, optimizer: Optimizer, parameters: list[nn.Parameter], clip_norm: float | None) -> tuple[bool, float]:
        """Clips and steps.

        Returns:
            Whether the step was taken, and the norm of the gradient before clipping (0 where it is not measured).
        """
        norm = 0.0
        if clip_norm is not None:
            self.scaler.unscale_(optimizer)
            norm = float(nn.utils.clip_grad_norm_(parameters, clip_norm))
        before = self.scaler.get_scale()
        self.scaler.step(optimizer)
        self.scaler.update()
        return self.scaler.get_scale() >= before, norm

    def state_dict(self) -> dict[str, object]:
        return self.scaler.state_dict()

    def load_state_dict(self, state: dict[str, object]) -> None:
        if state:
            self.scaler.load_state_dict(state)
