"""The curves of several runs, those of one number in one chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from praxino.report.axes import Axes, Points, Style, below, chart, ends, legend, x_range, y_range
from praxino.report.markup import note, text
from praxino.report.meanings import meaning
from praxino.report.training_curves import FROM_ZERO, Curve, curves, smoothed, steps_of

Lines = Sequence[Mapping[str, Any]]
BESIDE = "validation"


def draw(runs: Mapping[str, tuple[Lines, Lines]]) -> str:
    """All charts.

    Args:
        runs: name -> the lines of its steps and of its epochs.
    """
    found = {run: {curve.key: curve for curve in curves(*lines)} for run, lines in runs.items()}
    keys = dict.fromkeys(key for own in found.values() for key in own)
    steps = steps_of(curve for own in found.values() for curve in own.values()) or ()
    drawn = []
    for key in keys:
        own = {run: one[key] for run, one in found.items() if key in one}
        drawn.append(_figure(key, {run: smoothed(one.points) for run, one in own.items()}, own, list(runs), steps))
        held_out = {run: one.beside[BESIDE].points for run, one in own.items() if BESIDE in one.beside}
        if held_out:
            drawn.append(_figure(key, held_out, own, list(runs), steps, f", {BESIDE}"))
    if not any(drawn):
        return note("No curves: no run has taken a step yet.")
    return (
        note("Each line is a run: the moving mean over a twentieth of it. Losses of other methods or batches "
             "are other numbers.")
        + f'<div class="charts">{"".join(drawn)}</div>'
    )  # fmt: skip


def _figure(
    key: str,
    lines: Mapping[str, Points],
    own: Mapping[str, Curve],
    order: Sequence[str],
    steps: Sequence[float],
    of: str = "",
) -> str:
    kept = {run: points for run, points in lines.items() if points}
    everything = [point for points in kept.values() for point in points]
    if not everything:
        return ""
    title = next(iter(own.values())).title + of
    axes = Axes(
        *x_range([*steps, *(x for x, _ in everything)]),
        *y_range([y for _, y in everything], key.partition("/")[0] in FROM_ZERO),
    )
    styles = {run: Style(order.index(run)) for run in kept}
    content = "".join(axes.series(points, styles[run]) for run, points in kept.items())
    told = "; ".join(f"{run} {ends(points)}" for run, points in kept.items())
    picture = chart(axes.grid(whole=True) + content + below("step"), f"{title} over the steps. {told}.")
    return (
        f'<figure class="card"><h3>{text(title)}</h3><p class="meaning">{text(meaning(key))}</p>{picture}'
        f"{legend(styles.items())}<figcaption>{text(told)}</figcaption></figure>"
    )
