"""What all charts share: places on the axes, grid, lines that are told apart without colour, legend."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from praxino.report.markup import short, text

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 8, 34
WITHOUT_NAME = HEIGHT - 16
POINTS = 360
# Where a line has more points, about eight of them get a mark.
MARKS = 24
FLAT = 1e-9
NEAR = 1e-6
TINY = 1e-100

Points = list[tuple[float, float]]

COLOURS, DASHES = 7, 4
SHAPES: tuple[Callable[[float, float], str], ...] = (
    lambda x, y: f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="3"/>',
    lambda x, y: f'<rect class="mark" x="{x - 2.8:.1f}" y="{y - 2.8:.1f}" width="5.6" height="5.6"/>',
    lambda x, y: f'<path class="mark" d="M{x:.1f} {y - 3.8:.1f}l3.8 6.6h-7.6z"/>',
    lambda x, y: f'<path class="mark" d="M{x:.1f} {y - 4:.1f}l4 4l-4 4l-4 -4z"/>',
    lambda x, y: f'<path class="mark" d="M{x:.1f} {y + 3.8:.1f}l3.8 -6.6h-7.6z"/>',
)


@dataclass(frozen=True)
class Style:
    """How a line is drawn: by colour, dashes and shape of its marks, each of which tells neighbours apart alone.

    Attributes:
        number: of the line in its chart; no two of the first 140 look alike.
        plain: a grey dotted line, for what is a mere reference.
        strong: thicker.
        marked: whether points have marks; those of a plain line have none.
    """

    number: int
    plain: bool = False
    strong: bool = False
    marked: bool = True

    @property
    def classes(self) -> str:
        """For a group of SVG elements."""
        if self.plain:
            return "series plain"
        strong = " strong" if self.strong else ""
        return f"series c{self.number % COLOURS} d{self.number % DASHES}{strong}"

    def mark(self, x: float, y: float) -> str:
        """A mark at a place; "" where the line has none."""
        return SHAPES[self.number % len(SHAPES)](x, y) if self.marked and not self.plain else ""


@dataclass(frozen=True)
class Axes:
    """Numbers to places on a chart: `left` to `right` across, `low` to `high` upwards."""

    left: float
    right: float
    low: float
    high: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place of a point."""
        across = LEFT + (x - self.left) / (self.right - self.left) * (WIDTH - LEFT - RIGHT)
        return across, HEIGHT - BOTTOM - (y - self.low) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)

    def grid(self, whole: bool) -> str:
        """Lines and numbers of the grid; `whole`: across at whole numbers only."""
        across = [x for x in ticks(self.left, self.right) if not whole or float(x).is_integer()]
        lines = [_horizontal(self.at(self.left, y)[1], y) for y in ticks(self.low, self.high)]
        return "".join(lines + [_vertical(self.at(x, self.low)[0], x) for x in across])

    def line(self, points: Points, kind: str) -> str:
        """Joined points."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in thinned(points)))
        return f'<polyline class="{kind}" points="{places}"/>'

    def series(self, points: Points, style: Style) -> str:
        """A line with its marks."""
        every = 1 if len(points) <= MARKS else -(-len(points) // 8)
        # Lines that lie upon each other show their marks in turn.
        marked = points[style.number * every // 3 % every :: every]
        marks = "".join(style.mark(*self.at(*point)) for point in marked)
        return f'<g class="{style.classes}">{self.line(points, "line")}{marks}</g>'


def chart(content: str, label: str, height: int = HEIGHT) -> str:
    """The picture around what is drawn.

    Args:
        content: SVG elements.
        label: what it shows, in words, for those who cannot see it.
        height: less where no name of an axis stands below, see `WITHOUT_NAME`.
    """
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{text(label)}">{content}</svg>'


def below(word: str) -> str:
    """The name of the axis across, a short one."""
    return f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}">{text(word)}</text>'


def legend(lines: Iterable[tuple[str, Style]]) -> str:
    """Names beside a piece of their lines."""
    made = "".join(
        f'<li><svg class="chart key" viewBox="0 0 34 12" aria-hidden="true"><g class="{style.classes}">'
        f'<polyline class="line" points="1,6 33,6"/>{style.mark(17, 6)}</g></svg><span>{text(name)}</span></li>'
        for name, style in lines
    )
    return f'<ul class="legend">{made}</ul>'


def ends(points: Points) -> str:
    """In words, where a line starts and ends; of a single point, where that is."""
    if len(points) == 1:
        return short(points[0][1])
    return f"from {short(points[0][1])} to {short(points[-1][1])}"


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
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def x_range(xs: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis for these numbers; a single one stands in its middle, and 0 at its left end."""
    low, high = min(xs), max(xs)
    if not _flat(low, high):
        return low, high
    room = max(1.0, abs(low) * NEAR)
    return (low if low == 0 else low - room), high + room


def y_range(ys: Sequence[float], from_zero: bool) -> tuple[float, float]:
    """The same with some room, and where asked from 0 on, unless something lies below it."""
    low, high = min(ys), max(ys)
    if from_zero and low >= 0:
        low = 0.0
    if _flat(low, high):
        size = abs(low) if abs(low) > TINY else 1.0
        return low - size / 2, high + size / 2
    room = (high - low) * 0.04
    return (low if from_zero else low - room), high + room


def _flat(low: float, high: float) -> bool:
    return high - low <= max(FLAT * max(abs(low), abs(high)), TINY)


def _horizontal(y: float, value: float) -> str:
    label = f'<text x="{LEFT - 6}" y="{y + 3.5:.1f}" class="left">{text(short(value))}</text>'
    return f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>{label}'


def _vertical(x: float, value: float) -> str:
    whole = float(value).is_integer() and abs(value) < 1e9
    label = f"{value:,.0f}" if whole else short(value)
    return f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 14}" class="below">{text(label)}</text>'
