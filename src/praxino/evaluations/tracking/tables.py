"""The numbers of trackers on sequences, gathered one sequence after the other, and what a result says of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from praxino.evaluations.figures import Curves
from praxino.evaluations.result import Row
from praxino.evaluations.tracking import scores
from praxino.evaluations.tracking.baselines import MIL
from praxino.evaluations.tracking.following import Followed, Track, seconds_a_frame
from praxino.evaluations.tracking.toolkit_files import Form
from praxino.printable import printable
from praxino.rng import Rng

S = TypeVar("S", scores.OTBScores, scores.GOT10kScores)
REPEATS = 2000  # of the bootstrap
MIL_DRAWS = "draws at random: what it has followed before in the same process changes its numbers"
NAMED = 5  # so many frames of a sequence are named where some are missing


class Table(ABC, Generic[S]):
    """What several trackers scored.

    Args:
        trackers: their names, in order.

    Attributes:
        columns: of the table.
        sequences: ids of those that count.
        frames: how many these have.
    """

    columns: ClassVar[list[str]]
    definitions: ClassVar[Mapping[str, str]]

    def __init__(self, trackers: Iterable[str]) -> None:
        self.sequences: list[str] = []
        self.frames = 0
        self._scores: dict[str, list[S]] = {name: [] for name in trackers}
        self._tracks: dict[str, list[Track]] = {name: [] for name in self._scores}
        self._missing: list[str] = []
        self._notes: list[str] = []

    @abstractmethod
    def _scored(self, followed: Followed, track: Track) -> S | None:
        """What a tracker scored on a sequence; None if no frame of it counts."""

    @abstractmethod
    def _over_all(self, each: list[S]) -> S:
        """What it scored over several."""

    @abstractmethod
    def _weight(self, of: S) -> int:
        """How much a sequence counts among several."""

    @abstractmethod
    def _values(self, of: S) -> dict[str, float]:
        """By column, in percent."""

    @abstractmethod
    def curves(self) -> list[Curves]:
        """The charts, a line for each tracker."""

    def add(self, followed: Followed) -> float | None:
        """Takes a sequence in.

        Returns:
            The first column of the first tracker, in percent; None, and nothing is taken, if no frame counts.
        """
        found = {name: self._scored(followed, track) for name, track in followed.tracks.items()}
        told = {name: score for name, score in found.items() if score is not None}
        if len(told) < len(found):
            return None
        for name, score in told.items():
            self._scores[name].append(score)
            self._tracks[name].append(followed.tracks[name])
        self.sequences.append(followed.id)
        self.frames += len(followed.truth)
        self._notes += [f"{followed.id}: {followed.note}"] if followed.note else []
        if followed.missing:
            some = ", ".join(map(str, followed.missing[:NAMED])) + (", ..." if len(followed.missing) > NAMED else "")
            self._missing.append(f"{len(followed.missing)} in {followed.id} ({some})")
        return self.last(next(iter(told)))[self.columns[0]]

    def last(self, tracker: str) -> dict[str, float]:
        """By column, what a tracker scored on the sequence that was taken in last, in percent."""
        return self._values(self._scores[tracker][-1])

    def rows(self) -> list[Row]:
        """A row for each tracker, over all sequences."""
        return [
            Row(name, self._values(self._over_all(each)), self._intervals(each), f"{self._speed(name)} frames/s")
            for name, each in self._scores.items()
        ]

    def _intervals(self, each: list[S]) -> dict[str, list[float]]:
        """Percentile bootstrap over sequences; none of a single one."""
        if len(each) < 2:
            return {}
        weights = np.array([self._weight(score) for score in each], np.float64)
        values = np.array([list(self._values(score).values()) for score in each])
        generator = Rng("bootstrap", 0).shared()
        drawn = (generator.integers(len(each), size=len(each)) for _ in range(REPEATS))
        means = np.array([np.average(values[some], axis=0, weights=weights[some]) for some in drawn])
        ends = np.quantile(means, [0.025, 0.975], axis=0)
        return {column: ends[:, at].tolist() for at, column in enumerate(self.columns)}

    def per_sequence(self) -> dict[str, dict[str, Any]]:
        """Tracker -> column -> numbers in percent, and "sequence" -> their ids, in the catalog's order."""
        return {
            name: {
                "sequence": list(self.sequences),
                **{column: [self._values(score)[column] for score in each] for column in self.columns},
            }
            for name, each in self._scores.items()
        }

    def settings(self) -> dict[str, Any]:
        """What the numbers depend on, what they mean, and what was odd."""
        failures = [
            f"{name}: {track.failures} in {id}" + (f" ({track.reason})" if track.reason else "")
            for name, tracks in self._tracks.items()
            for id, track in zip(self.sequences, tracks, strict=True)
            if track.failures
        ]
        odd = {"frames missing or damaged": self._missing, "frames in which a tracker failed": failures}
        odd |= {"frames and boxes": self._notes}
        return {
            "frames": self.frames,
            **self.definitions,
            "interval": "95 % of the means over sequences that are drawn with replacement",
            "frames/s": "one by the mean of the seconds that a tracker took for a frame, without reading it",
            **({MIL: MIL_DRAWS} if MIL in self._scores else {}),
            f"{self.columns[0]} of each sequence, worst first": "; ".join(
                f"{id} " + ", ".join(f"{name} {value:.1f}" for name, value in values.items())
                for id, values in self._worst_first()
            ),
            **{what: "; ".join(said) or "none" for what, said in odd.items()},
        }

    def lines(self) -> list[str]:
        """For a terminal: the speeds, the definitions, and a line for each sequence, the worst first."""
        names = list(self._scores)
        width = max(map(len, [*self.sequences, "of each sequence"]))
        said = ["", "frames/s: " + ", ".join(f"{name} {self._speed(name)}" for name in names)]
        said += [f"{what}: {meaning}" for what, meaning in self.definitions.items()]
        said += ["", f"{self.columns[0]} of each sequence, worst first", f"{'':{width}}  " + "  ".join(names)]
        for id, values in self._worst_first():
            said.append(f"{id:{width}}  " + "  ".join(f"{values[name]:{len(name)}.1f}" for name in names))
        settings = self.settings()
        odd = list(settings)[-3:]
        said += [f"{what}: {settings[what]}" for what in odd if settings[what] != "none"]
        return [printable(line) for line in said]

    def _worst_first(self) -> list[tuple[str, dict[str, float]]]:
        """Id and first column of each tracker, sorted by the first tracker's."""
        first = {name: [self._values(score)[self.columns[0]] for score in each] for name, each in self._scores.items()}
        each = [(id, {name: first[name][at] for name in first}) for at, id in enumerate(self.sequences)]
        return sorted(each, key=lambda one: next(iter(one[1].values())))

    def _speed(self, name: str) -> str:
        seconds = seconds_a_frame(self._tracks[name])
        return f"{1 / seconds:,.1f}" if seconds else "no"


class OTBTable(Table[scores.OTBScores]):
    """By OTB's rules."""

    columns: ClassVar = ["AUC", "P@20", "SR@0.5"]
    definitions: ClassVar = {
        "AUC": "mean over 21 thresholds 0, 0.05, ..., 1 of the share of frames whose overlap (intersection over union) "
        "is above the threshold; 95.2 is the most",
        "P@20": "share of frames whose centre is at most 20 pixels off",
        "SR@0.5": "share of frames whose overlap is above 0.5",
        "counted": "the first frame as found; over all sequences the mean of their curves, long and short alike",
    }

    def _scored(self, followed: Followed, track: Track) -> scores.OTBScores | None:
        return scores.otb_scores(track.boxes, followed.truth)

    def _over_all(self, each: list[scores.OTBScores]) -> scores.OTBScores:
        return scores.otb_over_all(each)

    def _weight(self, of: scores.OTBScores) -> int:
        return 1

    def _values(self, of: scores.OTBScores) -> dict[str, float]:
        return {"AUC": 100 * of.auc, "P@20": 100 * of.precision_at_20, "SR@0.5": 100 * of.success_rate}

    def curves(self) -> list[Curves]:
        whole = {name: self._over_all(each) for name, each in self._scores.items()}
        return [
            _curves("Success", "overlap above", scores.OVERLAPS, {name: one.success for name, one in whole.items()}),
            _curves("Precision", "pixels off at most", scores.PIXELS, {n: one.precision for n, one in whole.items()}),
        ]


class GOT10kTable(Table[scores.GOT10kScores]):
    """By GOT-10k's rules."""

    columns: ClassVar = ["AO", "SR@0.5", "SR@0.75"]
    definitions: ClassVar = {
        "AO": "mean overlap (intersection over union), boxes cut at the edges of the frame",
        "SR@0.5": "share of frames whose overlap is above 0.5",
        "SR@0.75": "share of frames whose overlap is above 0.75",
        "counted": "neither the first frame of a sequence nor frames in which nothing of the object is seen; over all "
        "sequences all their frames alike",
    }

    def _scored(self, followed: Followed, track: Track) -> scores.GOT10kScores | None:
        size = followed.height, followed.width
        return scores.got10k_scores(track.boxes, followed.truth, followed.cover, *size)

    def _over_all(self, each: list[scores.GOT10kScores]) -> scores.GOT10kScores:
        return scores.got10k_over_all(each)

    def _weight(self, of: scores.GOT10kScores) -> int:
        return len(of.overlaps)

    def _values(self, of: scores.GOT10kScores) -> dict[str, float]:
        rates = {f"SR@{threshold}": 100 * of.success_rate(threshold) for threshold in (0.5, 0.75)}
        return {"AO": 100 * of.average_overlap, **rates}

    def curves(self) -> list[Curves]:
        whole = {name: self._over_all(each).success for name, each in self._scores.items()}
        return [_curves("Success", "overlap above", scores.FINE_OVERLAPS, whole)]


def table_of(form: Form, trackers: Iterable[str]) -> OTBTable | GOT10kTable:
    """An empty table by a data set's rules."""
    return OTBTable(trackers) if form == "otb" else GOT10kTable(trackers)


def _curves(title: str, x: str, thresholds: scores.Floats, lines: Mapping[str, scores.Floats]) -> Curves:
    points = {
        name: [(float(at), 100 * float(share)) for at, share in zip(thresholds, line, strict=True)]
        for name, line in lines.items()
    }
    return Curves(title, x, "frames, %", points)
