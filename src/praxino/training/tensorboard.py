"""The numbers of a run for TensorBoard, where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
        if self._writer is None and not self._missing:
            self._open(numbers["step"])
        if self._writer is not None:
            for name, value in numbers.items():
                if name not in NOT_CURVES:
                    self._writer.add_scalar(name, value, numbers["step"])

    def flush(self) -> None:
        """Writes what is held back."""
        if self._writer is not None:
            self._writer.flush()

    def _open(self, step: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self._missing = True
            return
        # After a resume the curves are cut back to the checkpoint, as metrics.jsonl is.
        self._writer = SummaryWriter(str(self.folder), purge_step=step)
