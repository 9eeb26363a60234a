"""The curves of an evaluation: several named lines in one chart, with a legend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from praxino.report.axes import WITHOUT_NAME, Axes, Points, Style, chart, ends, legend, x_range, y_range
from praxino.report.markup import finite, plural, text

# So many lines are told in words to those who cannot see them.
TOLD = 20


def draw(evaluation: Mapping[str, Any]) -> str:
    """All charts of an evaluation; "" where it has none.

    Args:
        evaluation: content of its file.
    """
    drawn = "".join(_figure(one) for one in evaluation.get("curves") or [])
    return f'<div class="figures lines">{drawn}</div>' if drawn else ""


def _figure(said: Mapping[str, Any]) -> str:
    lines = {name: _kept(points) for name, points in said["lines"].items()}
    dropped = sum(map(len, said["lines"].values())) - sum(map(len, lines.values()))
    styles = _styles(list(lines))
    title, x, y = (str(said.get(key) or "") for key in ("title", "x", "y"))
    lost = f"Left out, as not finite: {plural(dropped, 'point')}." if dropped else ""
    names = legend((name if lines[name] else f"{name} (no point)", styles[name]) for name in lines)
    return (
        f'<figure><h4>{text(title)}</h4><div class="axis">{text(y)}</div>'
        f"{_drawn(lines, styles, f'{title}: {y} by {x}')}"
        f'<div class="axis across">{text(x)}</div>{names}<figcaption>{text(lost)}</figcaption></figure>'
    )


def _kept(points: list[list[Any]]) -> Points:
    """The points that have a place on a chart."""
    numbers = [(finite(x), finite(y)) for x, y in points]
    return [(x, y) for x, y in numbers if x is not None and y is not None]


def _styles(names: list[str]) -> dict[str, Style]:
    """What was trained stands out and chance is a mere reference, as in the table."""
    numbered = sorted(names, key=lambda name: (name.startswith("chance"), not name.startswith("trained")))
    return {
        name: Style(number, plain=name.startswith("chance"), strong=name.startswith("trained"))
        for number, name in enumerate(numbered)
    }


def _drawn(lines: Mapping[str, Points], styles: Mapping[str, Style], label: str) -> str:
    everything = [point for points in lines.values() for point in points]
    if not everything:
        return '<div class="gone">no point</div>'
    xs = [x for x, _ in everything]
    axes = Axes(*x_range(xs), *y_range([y for _, y in everything], from_zero=True))
    # What is strong is drawn last, above the others.
    order = sorted((name for name in lines if lines[name]), key=lambda name: styles[name].strong)
    drawn = "".join(axes.series(lines[name], styles[name]) for name in order)
    told = "; ".join(f"{name} {ends(points)}" for name, points in list(lines.items())[:TOLD] if points)
    whole = all(x.is_integer() for x in xs) and axes.right - axes.left >= 1
    return chart(axes.grid(whole) + drawn, f"{label}. {told}.", WITHOUT_NAME)
