"""The numbers of a run for TensorBoard, and pictures of what its networks see, where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOT_CURVES = ("kind", "epoch", "step")


class Board:
    """Writes the lines of metrics.jsonl as TensorBoard's curves; without TensorBoard it does nothing.

    Nothing is written before the first line, so that a run which is only looked at leaves no files.

    Args:
        folder: the curves' folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer: Any = None
        self._missing = False

    def add(self, numbers: Mapping[str, Any]) -> None:
        """Takes one line of the metrics."""
        if self.is_open(numbers["step"]):
            for name, value in numbers.items():
                if name not in NOT_CURVES:
                    self._writer.add_scalar(name, value, numbers["step"])

    def add_picture(self, name: str, pixels: NDArray[np.uint8], step: int) -> None:
        """Takes a picture.

        Args:
            name: its own.
            pixels: uint8 [height, width, 3], RGB.
            step: of the run.
        """
        if self.is_open(step):
            self._writer.add_image(name, pixels, step, dataformats="HWC")

    def flush(self) -> None:
        """Writes what is held back."""
        if self._writer is not None:
            self._writer.flush()

    def is_open(self, step: int) -> bool:
        """Whether anything is written; False where TensorBoard is not installed.

        Args:
            step: that it begins with, if it has not begun.
        """
        if self._writer is None and not self._missing:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                self._missing = True
                return False
            # After a resume the curves are cut back to the checkpoint, as metrics.jsonl is.
            self._writer = SummaryWriter(str(self.folder), purge_step=step)
        return self._writer is not None
