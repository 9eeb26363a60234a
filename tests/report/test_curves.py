"""Curves: thinned, smoothed, with round ticks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_runs import Page

from praxino.report import axes
from praxino.report import training_curves as curves


def test_thinning_keeps_the_peaks() -> None:
    points = [(float(x), math.sin(x / 7)) for x in range(100_000)]
    points[54_321] = (54_321.0, 9.0)
    points[54_333] = (54_333.0, -9.0)
    thin = axes.thinned(points)
    assert len(thin) <= 2 * axes.POINTS
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
    made = axes.ticks(low, high)
    assert 2 <= len(made) <= 6
    assert all(low - 1e-9 * abs(high) <= t <= high * (1 + 1e-9) for t in made)


LOGGED = ("total", "nt_xent", "accuracy")


def logged(videos: str, step: int) -> dict[str, float]:
    """Loss, its only term, and accuracy."""
    return {f"{videos}{name}": float(step % 7 + (name == "accuracy")) for name in LOGGED}


def test_held_out_videos_stand_beside_the_same_number_of_the_training() -> None:
    steps = [{"kind": "step", "step": k, **logged("", k)} for k in range(60)]
    epochs = [
        {"kind": "epoch", "step": k, **logged("train/", k), **logged("validation/", k + 3)} for k in range(9, 60, 10)
    ]
    epochs[2]["test/accuracy"] = 4.5
    epochs[3]["validation/total"] = epochs[3]["validation/nt_xent"] = math.nan
    epochs[4]["validation/margin"] = 0.25
    made = {curve.key: curve for curve in curves.curves(steps, epochs)}
    assert list(made) == ["total", "accuracy", "validation/margin"]
    beside = made["total"].beside["validation"]
    assert beside.points == [(float(k), float((k + 3) % 7)) for k in range(9, 60, 10) if k != 39]
    assert list(made["accuracy"].beside) == ["validation", "test"]
    page = Page(curves.draw(made["total"]))
    assert [name for tag, name in page.texts if tag == "span"] == ["training", "validation"]
    assert "Validation: from 5 to 6. Left out, as not finite: 1 value." in page.words
    marks = page.all("rect", "mark")[:-1]
    xs = [float(mark["x"]) + 2.8 for mark in marks]
    places = [axes.LEFT + k / 59 * (axes.WIDTH - axes.LEFT - axes.RIGHT) for k, _ in beside.points]
    assert xs == pytest.approx(places, abs=0.1)  # a tenth is what the page's numbers hold


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("total", "Loss"),
        ("top3", "Top3"),
        ("rgb/contrast", "Contrast (rgb)"),
        ("flow-rgb/cooperation", "Cooperation (flow-rgb)"),
        ("effective_rank/flow", "Effective rank (flow)"),
        ("validation/rgb/contrast", "Contrast (validation/rgb)"),
    ],
)
def test_titles_name_the_number_first(key: str, title: str) -> None:
    assert curves.Curve(key, []).title == title


def test_a_loss_of_held_out_videos_alone_is_drawn_still() -> None:
    steps = [{"kind": "step", "step": k, "total": math.nan} for k in range(3)]
    (curve,) = curves.curves(steps, [{"kind": "epoch", "step": 2, "validation/total": 1.5}])
    words = Page(curves.draw(curve)).words
    assert "Validation: 1.5 at step 2." in words
    assert "Left out, as not finite: 3 values." in words


numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e100, max_value=1e100)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=60), st.booleans())
def test_any_finite_curve_has_a_place(points: list[tuple[float, float]], from_zero: bool) -> None:
    chart = axes.Axes(*axes.x_range([x for x, _ in points]), *axes.y_range([y for _, y in points], from_zero))
    for point in points:
        x, y = chart.at(*point)
        assert axes.LEFT - 1e-6 <= x <= axes.WIDTH - axes.RIGHT + 1e-6
        assert axes.TOP - 1e-6 <= y <= axes.HEIGHT - axes.BOTTOM + 1e-6
    Page("<svg>" + chart.grid(whole=False) + chart.series(points, axes.Style(1)) + "</svg>")


some = st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.sampled_from([10**400]), st.just("x"))
keys = st.sampled_from(["total", "a", "lr/x", "validation/total", "validation/a", "test/total", "train/total"])


@given(*[st.lists(st.dictionaries(keys, some), max_size=4)] * 2)
def test_whatever_was_logged(steps: list[dict], epochs: list[dict]) -> None:
    for number, line in enumerate([*steps, *epochs]):
        line["step"] = number
    for curve in curves.curves(steps, epochs):
        Page(curves.draw(curve))


def test_no_two_lines_of_a_chart_look_alike_even_without_colour() -> None:
    looks = [(style.classes, style.mark(0, 0)) for style in map(axes.Style, range(140))]
    assert len(set(looks)) == 140
    grey = {(style.number % axes.DASHES, style.mark(0, 0)) for style in map(axes.Style, range(20))}
    assert len(grey) == 20


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0], [0.0, 0.0], [float("nan")], [float("inf"), 1.0], [-5.0, 3.0]])
def test_odd_curves(values: list[float]) -> None:
    lines = [{"kind": "step", "step": k, "total": v} for k, v in enumerate(values)]
    drawn = [curves.draw(curve) for curve in curves.curves(lines, [])]
    assert len(drawn) == 1
    Page(drawn[0])
    assert "nan" not in drawn[0]
    assert ("not finite" in drawn[0]) == (not all(map(math.isfinite, values)))


@pytest.mark.parametrize("x", [0.0, 1.0, 9.0, 5000.0])
def test_the_axis_of_a_single_measurement_is_about_it(x: float) -> None:
    low, high = axes.x_range([x])
    assert low <= x < high
    assert high - low <= 2
    assert low >= 0
    curve = curves.Curve("effective_rank", [(x, 33.0)])
    alone, along = curves.draw(curve), curves.draw(curve, (0.0, 6000.0))
    assert f">{x:,.0f}</text>" in alone
    assert ">6,000</text>" in along


def test_a_moving_mean_is_told_where_there_is_one() -> None:
    few, many = (curves.Curve("total", [(float(k), k % 3) for k in range(count)]) for count in (39, 40))
    assert not curves.is_smoothed(few)
    assert 'class="raw"' not in curves.draw(few)
    assert curves.is_smoothed(many)
    assert 'class="raw"' in curves.draw(many)


def test_a_single_point_has_no_ends() -> None:
    assert axes.ends([(9, 33.1)]) == "33.1"
    assert axes.ends([(9, 33.1), (18, 4.0)]) == "from 33.1 to 4"
