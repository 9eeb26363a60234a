"""Curves of a run as inline SVG: the raw numbers light, their moving mean on top."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from praxino.report.markup import short, text

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 8, 34
POINTS = 360

Points = list[tuple[float, float]]

NAMED = {
    "total": "Loss",
    "lr": "Learning rate",
    "effective_rank": "Effective rank",
    "wait_share": "Share of time waiting for data",
    "clips_per_second": "Clips per second",
}
LAST = ("lr", "effective_rank", "wait_share", "clips_per_second")
FROM_ZERO = ("lr", "effective_rank", "wait_share", "clips_per_second")
HIDDEN = ("kind", "epoch", "step", "seconds", "eta_seconds")


@dataclass
class Curve:
    """One kind of number over the steps.

    Attributes:
        key: its name in metrics.jsonl.
        points: (step, value), finite ones only.
        dropped: how many values were not finite.
    """

    key: str
    points: Points
    dropped: int = 0

    @property
    def title(self) -> str:
        words = self.key.replace("_", " ")
        return NAMED.get(self.key, words[:1].upper() + words[1:])


def curves(steps: Sequence[Mapping[str, Any]], epochs: Sequence[Mapping[str, Any]]) -> list[Curve]:
    """The curves worth drawing: the loss, its terms, what the user logged, then the machinery.

    A term that equals the total everywhere says nothing new and is left out; so are the means of an epoch.
    """
    made = [_collect(key, steps) for key in _keys(steps)]
    total = next((curve.points for curve in made if curve.key == "total"), None)
    made = [curve for curve in made if curve.key == "total" or curve.points != total]
    made += [_collect(key, epochs) for key in _keys(epochs) if not key.startswith("train/")]
    return sorted((c for c in made if c.points or c.dropped), key=lambda curve: _place(curve.key))


def _place(key: str) -> int:
    base = key.partition("/")[0]
    return -1 if key == "total" else LAST.index(base) + 1 if base in LAST else 0


def _keys(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    found: dict[str, None] = {}
    for line in lines:
        for key, value in line.items():
            if isinstance(value, int | float) and not isinstance(value, bool) and not _hidden(key):
                found[key] = None
    return list(found)


def _hidden(key: str) -> bool:
    return key in HIDDEN or key.startswith("memory_")


def _collect(key: str, lines: Iterable[Mapping[str, Any]]) -> Curve:
    values = [(float(line["step"]), float(line[key])) for line in lines if isinstance(line.get(key), int | float)]
    kept = [(x, y) for x, y in values if math.isfinite(y)]
    return Curve(key, kept, len(values) - len(kept))


def smoothed(points: Points) -> Points:
    """The mean over a centred window of a twentieth of the curve, cut at the ends."""
    reach = len(points) // 40
    sums = [0.0]
    for _, y in points:
        sums.append(sums[-1] + y)
    windows = [(max(0, k - reach), min(len(points), k + reach + 1)) for k in range(len(points))]
    return [
        (x, (sums[end] - sums[start]) / (end - start)) for (x, _), (start, end) in zip(points, windows, strict=True)
    ]


def thinned(points: Points) -> Points:
    """At most two points for each place on the screen, the lowest and the highest: no peak gets lost."""
    if len(points) <= 2 * POINTS:
        return points
    kept: list[int] = []
    for k in range(POINTS):
        bin = range(k * len(points) // POINTS, (k + 1) * len(points) // POINTS)
        ends = {min(bin, key=lambda i: points[i][1]), max(bin, key=lambda i: points[i][1])}
        kept += sorted(ends)
    return [points[i] for i in kept]


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers inside [low, high], about as many as asked."""
    step = 10 ** math.floor(math.log10((high - low) / about))
    step = next(step * k for k in (1, 2, 5, 10) if (high - low) / (step * k) <= about)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def draw(curve: Curve) -> str:
    """A figure: title, chart, and in words where it starts and ends."""
    title = f"<h3>{text(curve.title)}</h3>"
    lost = f" {curve.dropped} values are not finite." if curve.dropped else ""
    if not curve.points:
        return f'<figure class="card">{title}<figcaption>{text(lost.strip())}</figcaption></figure>'
    smooth = smoothed(curve.points)
    if len(curve.points) == 1:
        words = f"{short(smooth[0][1])} at step {short(smooth[0][0])}."
    else:
        words = f"From {short(smooth[0][1])} to {short(smooth[-1][1])}."
    chart = _chart(curve, smooth, f"{curve.title} over the steps. {words}")
    return f'<figure class="card">{title}{chart}<figcaption>{text(words + lost)}</figcaption></figure>'


def _chart(curve: Curve, smooth: Points, label: str) -> str:
    xs, ys = [x for x, _ in curve.points], [y for _, y in curve.points]
    left, right = min(xs), max(max(xs), min(xs) + 1)
    low, high = _range(ys, from_zero=curve.key.partition("/")[0] in FROM_ZERO)

    def at(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (x - left) / (right - left) * (WIDTH - LEFT - RIGHT)
        return across, HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def line(points: Points, kind: str) -> str:
        places = " ".join(f"{px:.1f},{py:.1f}" for px, py in (at(x, y) for x, y in thinned(points)))
        return f'<polyline class="{kind}" points="{places}"/>'

    grid = [_horizontal(at(left, y)[1], y) for y in ticks(low, high)]
    grid += [_vertical(at(x, low)[0], x) for x in ticks(left, right) if float(x).is_integer()]
    lines = [line(smooth, "smooth")]
    if smooth != curve.points:
        lines.insert(0, line(curve.points, "raw"))
    if len(curve.points) <= 30:
        lines += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="2.5"/>' for px, py in (at(x, y) for x, y in curve.points)]
    axis = f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}">step</text>'
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text(label)}">'
        f"{''.join(grid)}{''.join(lines)}{axis}</svg>"
    )


def _range(ys: Sequence[float], from_zero: bool) -> tuple[float, float]:
    low, high = min(ys), max(ys)
    if from_zero and low >= 0:
        low = 0.0
    if high == low:
        return low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    room = (high - low) * 0.04
    return (low if from_zero else low - room), high + room


def _horizontal(y: float, value: float) -> str:
    label = f'<text x="{LEFT - 6}" y="{y + 3.5:.1f}" class="left">{text(short(value))}</text>'
    return f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>{label}'


def _vertical(x: float, value: float) -> str:
    return f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 14}" class="below">{text(f"{value:,.0f}")}</text>'
