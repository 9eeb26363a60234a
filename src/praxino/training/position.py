"""Where a run stands, and the running sums of its epoch: plain numbers, which a checkpoint holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Sums:
    """Running sums of an epoch's terms, and of what could not be read."""

    values: dict[str, float] = field(default_factory=dict)
    count: int = 0
    gaps: dict[str, int] = field(default_factory=dict)

    def add(self, terms: Mapping[str, float], gaps: Mapping[str, int]) -> None:
        for name, value in terms.items():
            self.values[name] = self.values.get(name, 0.0) + value
        for name, number in gaps.items():
            self.gaps[name] = self.gaps.get(name, 0) + number
        self.count += 1

    def means(self) -> dict[str, float]:
        return {f"train/{name}": value / self.count for name, value in self.values.items()}


@dataclass
class Position:
    """Where a run stands.

    Attributes:
        stage, stage_step: which stage, and how many of its steps are done.
        epoch, batch: which epoch, and how many of its batches are done.
        step: all steps that are done.
        sums: of this epoch.
        best: best value so far of the number that is watched.
    """

    stage: int = 0
    stage_step: int = 0
    epoch: int = 0
    batch: int = 0
    step: int = 0
    sums: Sums = field(default_factory=Sums)
    best: float | None = None
