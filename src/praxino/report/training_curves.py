"""Curves of a run as inline SVG: the raw numbers light, their moving mean on top, held-out videos beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from praxino.report.axes import Axes, Points, Style, below, chart, ends, legend, x_range, y_range
from praxino.report.markup import finite, plural, short, text
from praxino.report.meanings import meaning

NAMED = {
    "total": "Loss",
    "lr": "Learning rate",
    "effective_rank": "Effective rank",
    "wait_share": "Share of time waiting for data",
    "clips_per_second": "Clips per second",
}
LAST = ("lr", "effective_rank", "wait_share", "clips_per_second")
FROM_ZERO = ("lr", "effective_rank", "wait_share", "clips_per_second")
# What comes before the numbers of videos that nothing is learnt from, and the style of its lines.
OTHER_VIDEOS = {"validation": 1, "test": 2}
# A curve with no more points than this shows them.
FEW = 30
HIDDEN = ("kind", "epoch", "step", "seconds", "eta_seconds")


@dataclass
class Curve:
    """One kind of number over the steps.

    Attributes:
        key: its name in metrics.jsonl.
        points: (step, value), finite ones only.
        dropped: how many values were not finite.
        beside: the same number of other videos, after each epoch: "validation", "test".
    """

    key: str
    points: Points
    dropped: int = 0
    beside: dict[str, Curve] = field(default_factory=dict)

    @property
    def title(self) -> str:
        if self.key in NAMED:
            return NAMED[self.key]
        whose, _, number = self.key.rpartition("/")
        if whose in NAMED:
            return f"{NAMED[whose]} ({number})"
        words = number.replace("_", " ")
        return words[:1].upper() + words[1:] + (f" ({whose})" if whose else "")

    @property
    def everything(self) -> Points:
        return self.points + [point for curve in self.beside.values() for point in curve.points]


def curves(steps: Sequence[Mapping[str, Any]], epochs: Sequence[Mapping[str, Any]]) -> list[Curve]:
    """The curves worth drawing: the loss, its terms, what the user logged, then the machinery.

    A term that equals the total everywhere says nothing new and is left out; so are the means of an epoch. What
    held-out videos say after an epoch stands in the chart of the same number of the training.
    """
    made = {curve.key: curve for curve in _without_echoes([_collect(key, steps) for key in _keys(steps)])}
    others = []
    for curve in _without_echoes([_collect(key, epochs) for key in _keys(epochs) if not key.startswith("train/")]):
        whose, _, key = curve.key.partition("/")
        if whose in OTHER_VIDEOS and key in made:
            made[key].beside[whose] = curve
        else:
            others.append(curve)
    found = [curve for curve in (*made.values(), *others) if curve.everything or curve.dropped]
    return sorted(found, key=lambda curve: _place(curve.key))


def _without_echoes(made: Sequence[Curve]) -> list[Curve]:
    """Without the terms that equal the total of their kind."""
    totals = {curve.key.removesuffix("total"): curve.points for curve in made if f"/{curve.key}".endswith("/total")}

    def echo(curve: Curve) -> bool:
        kind, slash, term = curve.key.rpartition("/")
        return term != "total" and curve.points == totals.get(kind + slash)

    return [curve for curve in made if not echo(curve)]


def _place(key: str) -> int:
    base = key.partition("/")[0]
    return -1 if key == "total" else LAST.index(base) + 1 if base in LAST else 0


def _keys(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    found: dict[str, None] = {}
    for line in lines:
        for key, value in line.items():
            if _is_number(value) and not _hidden(key):
                found[key] = None
    return list(found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _hidden(key: str) -> bool:
    return key in HIDDEN or key.startswith("memory_")


def _collect(key: str, lines: Iterable[Mapping[str, Any]]) -> Curve:
    values = [(finite(line["step"]), finite(line[key])) for line in lines if _is_number(line.get(key))]
    kept = [(x, y) for x, y in values if x is not None and y is not None]
    return Curve(key, kept, len(values) - len(kept))


def smoothed(points: Points) -> Points:
    """The mean over a centred window of a twentieth of the curve, cut at the ends."""
    reach = _reach(points)
    sums = [0.0]
    for _, y in points:
        sums.append(sums[-1] + y)
    windows = [(max(0, k - reach), min(len(points), k + reach + 1)) for k in range(len(points))]
    return [
        (x, (sums[end] - sums[start]) / (end - start)) for (x, _), (start, end) in zip(points, windows, strict=True)
    ]


def is_smoothed(curve: Curve) -> bool:
    """Whether it has so many points that a moving mean is drawn above them."""
    return _reach(curve.points) > 0


def _reach(points: Points) -> int:
    return len(points) // 40


def steps_of(made: Iterable[Curve]) -> tuple[float, float] | None:
    """The first and the last step of any of these curves, so that their charts stand on one axis."""
    xs = [x for curve in made for x, _ in curve.everything]
    return (min(xs), max(xs)) if xs else None


def draw(curve: Curve, steps: tuple[float, float] | None = None) -> str:
    """A figure: title, chart, and in words where it starts and ends.

    Args:
        curve: to be drawn.
        steps: the ends of the axis across; none: the curve's own.
    """
    title = f'<h3>{text(curve.title)}</h3><p class="meaning">{text(meaning(curve.key))}</p>'
    dropped = curve.dropped + sum(other.dropped for other in curve.beside.values())
    lost = f" Left out, as not finite: {plural(dropped, 'value')}." if dropped else ""
    if not curve.everything:
        return f'<figure class="card">{title}<figcaption>{text(lost.strip())}</figcaption></figure>'
    words = _words(curve)
    styles = {whose: Style(OTHER_VIDEOS[whose]) for whose in curve.beside}
    names = legend([("training", Style(0, strong=True, marked=False)), *styles.items()]) if styles else ""
    picture = chart(_drawn(curve, styles, steps or ()), f"{curve.title} over the steps. {words}")
    return f'<figure class="card">{title}{picture}{names}<figcaption>{text(words + lost)}</figcaption></figure>'


def _words(curve: Curve) -> str:
    said = [_from_to(smoothed(curve.points))] if curve.points else []
    said += [f"{whose}: {_from_to(other.points)}" for whose, other in curve.beside.items() if other.points]
    return " ".join(f"{sentence[:1].upper()}{sentence[1:]}." for sentence in said)


def _from_to(points: Points) -> str:
    return ends(points) if len(points) > 1 else f"{short(points[0][1])} at step {short(points[0][0])}"


def _drawn(curve: Curve, styles: Mapping[str, Style], steps: Sequence[float]) -> str:
    from_zero = curve.key.partition("/")[0] in FROM_ZERO
    xs, ys = [x for x, _ in curve.everything], [y for _, y in curve.everything]
    axes = Axes(*x_range([*steps, *xs]), *y_range(ys, from_zero))
    smooth = smoothed(curve.points)
    lines = [axes.line(curve.points, "raw")] if smooth != curve.points else []
    lines += [axes.line(smooth, "smooth")] if smooth else []
    if len(curve.points) <= FEW:
        places = (axes.at(*point) for point in curve.points)
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in places]
    lines += [axes.series(curve.beside[whose].points, style) for whose, style in styles.items()]
    return axes.grid(whole=True) + "".join(lines) + below("step")
