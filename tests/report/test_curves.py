"""Curves: thinned, smoothed, with round ticks."""

from __future__ import annotations

import math

import pytest
from report_runs import Page

from praxino.report import curves


def test_thinning_keeps_the_peaks() -> None:
    points = [(float(x), math.sin(x / 7)) for x in range(100_000)]
    points[54_321] = (54_321.0, 9.0)
    points[54_333] = (54_333.0, -9.0)
    thin = curves.thinned(points)
    assert len(thin) <= 2 * curves.POINTS
    assert {points[54_321], points[54_333]} <= set(thin)
    assert thin == sorted(thin)


def test_smoothing_is_a_mean_over_a_centred_window() -> None:
    points = [(float(x), float(x * x % 17)) for x in range(200)]
    made = curves.smoothed(points)
    for k in (0, 3, 100, 199):
        window = [y for _, y in points[max(0, k - 5) : k + 6]]
        assert made[k] == pytest.approx((k, sum(window) / len(window)))


@pytest.mark.parametrize("low, high", [(0, 1), (1.3, 5.4), (-2e-7, 3e-7), (0, 123456), (99, 99.5), (1e-12, 2e-12)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    made = curves.ticks(low, high)
    assert 2 <= len(made) <= 6
    assert all(low - 1e-9 * abs(high) <= t <= high * (1 + 1e-9) for t in made)


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0], [0.0, 0.0], [float("nan")], [float("inf"), 1.0], [-5.0, 3.0]])
def test_odd_curves(values: list[float]) -> None:
    lines = [{"kind": "step", "step": k, "total": v} for k, v in enumerate(values)]
    drawn = [curves.draw(curve) for curve in curves.curves(lines, [])]
    assert len(drawn) == 1
    Page(drawn[0])
    assert "nan" not in drawn[0]
    assert ("not finite" in drawn[0]) == (not all(map(math.isfinite, values)))
