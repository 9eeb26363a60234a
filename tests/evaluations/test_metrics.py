"""Retrieval, votes, chance and intervals, against slow versions that can be read at a glance."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.errors import UserError
from praxino.evaluations.metrics import bootstrap_interval, chance, hits_interval, knn_vote, nearest_rows, retrieval
from praxino.evaluations.wilson import wilson_interval


def slow_order(query, gallery):
    """All gallery rows by exact cosine of small whole numbers, ties by row."""

    def cosine(a, b):
        norms = np.sqrt(float(a @ a) * float(b @ b))
        return float(a @ b) / norms if norms else 0.0

    return sorted(range(len(gallery)), key=lambda row: (-round(cosine(query, gallery[row]), 11), row))


def features(draw, rows, dim):
    # Small whole numbers: many exact ties, zero rows, and parallel rows of different length.
    numbers = draw(st.lists(st.integers(-2, 2), min_size=rows * dim, max_size=rows * dim))
    return np.array(numbers, np.float32).reshape(rows, dim)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 7), st.integers(1, 12), st.integers(1, 4), st.integers(1, 20))
def test_retrieval_is_the_slow_one(data, queries, gallery, dim, chunk):
    q, g = features(data.draw, queries, dim), features(data.draw, gallery, dim)
    label = st.integers(0, 3)
    ql = data.draw(st.lists(label, min_size=queries, max_size=queries))
    gl = data.draw(st.lists(label, min_size=gallery, max_size=gallery))
    k = (5, 1, 3)
    got = retrieval(q, torch.from_numpy(g), ql, gl, k, chunk=chunk)
    assert got.k == (1, 3, 5)
    for i in range(queries):
        order = slow_order(q[i], g)[:5]
        assert got.neighbours[i].tolist() == order
        assert got.hits[i].tolist() == [any(gl[row] == ql[i] for row in order[:cut]) for cut in got.k]
    assert got.accuracy == {cut: np.mean(got.hits[:, i]) for i, cut in enumerate(got.k)}


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(0, 9))
def test_chunks_change_nothing(chunk, seed):
    generator = np.random.default_rng(seed)
    g = generator.normal(size=(50, 8)).astype(np.float32)
    g[30:] = g[:20]  # ties far apart
    rows, cosines = nearest_rows(g, g, 50)
    again, _ = nearest_rows(g, g, 50, chunk=chunk)
    assert np.array_equal(rows, again)
    assert [rows[i, :2].tolist() for i in range(20)] == [[i, i + 30] for i in range(20)]
    unit = g.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    # The cosine itself to float64's rounding, and the unit of comparison.
    np.testing.assert_allclose(cosines, np.take_along_axis(unit @ unit.T, rows, 1), rtol=0, atol=2e-12)
    assert (np.diff(cosines, axis=1) <= 0).all()


def test_excluded_rows_are_not_found():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(9, 4))
    x[5] = -x[2]
    rows, _ = nearest_rows(x, x, 20, exclude=np.arange(9), chunk=4)
    assert rows.shape == (9, 8)
    assert all(sorted({i, *rows[i]}) == list(range(9)) for i in range(9))
    assert rows[5, -1] == 2
    one = retrieval(x, x, [0, 0, 1, 1, 2, 2, 3, 3, 4], [0, 0, 1, 1, 2, 2, 3, 3, 4], (8,), exclude=np.arange(9))
    assert one.hits[:, 0].tolist() == [True] * 8 + [False]


def test_zero_rows_are_at_a_distance_of_one():
    rows, cosines = nearest_rows([[1.0, 0.0], [0.0, 0.0]], [[-1.0, 0.0], [0.0, 0.0], [1.0, 1.0]], 3)
    assert rows.tolist() == [[2, 1, 0], [0, 1, 2]]
    np.testing.assert_allclose(cosines, [[0.5**0.5, 0, -1], [0, 0, 0]], atol=1e-12)


def test_vote_is_the_slow_one():
    generator = np.random.default_rng(1)
    q, g, labels = generator.normal(size=(6, 5)), generator.normal(size=(40, 5)), generator.integers(0, 4, 40)
    got = knn_vote(q, g, labels, k=7, temperature=0.2)
    for i in range(6):
        cosine = g @ q[i] / np.linalg.norm(g, axis=1) / np.linalg.norm(q[i])
        votes = np.zeros(4)
        for row in np.argsort(-cosine)[:7]:
            votes[labels[row]] += np.exp(cosine[row] / 0.2)
        np.testing.assert_allclose(got[i], votes / votes.sum(), rtol=1e-9)
    nearest = retrieval(q, g, [0] * 6, labels, (1,)).neighbours[:, 0]
    assert knn_vote(q, g, labels, 7, temperature=1e-5).argmax(1).tolist() == labels[nearest].tolist()


def test_chance_where_some_queries_are_in_the_gallery():
    gallery = [0, 0, 0, 1, 1]
    inside, outside = (chance([0], gallery, (1, 2), kind) for kind in (True, False))
    mixed = chance([0, 0], gallery, (1, 2), np.array([True, False]))
    assert mixed == pytest.approx({k: (inside[k] + outside[k]) / 2 for k in (1, 2)})


@pytest.mark.parametrize("in_gallery", [False, True])
def test_chance_by_counting_all_draws(in_gallery):
    gallery = [0, 0, 0, 1, 1, 2]
    queries = gallery if in_gallery else [0, 1, 1, 3]
    for k, got in chance(queries, gallery, (1, 2, 3, 6, 9), in_gallery).items():
        shares = []
        for i, label in enumerate(queries):
            rows = [g for j, g in enumerate(gallery) if not (in_gallery and i == j)]
            draws = list(combinations(rows, min(k, len(rows))))
            shares.append(np.mean([label in draw for draw in draws]))
        assert got == pytest.approx(np.mean(shares), abs=1e-12)


def test_chance_of_ten_even_classes():
    got = chance(np.repeat(np.arange(10), 21), np.repeat(np.arange(10), 50), (1, 5))
    assert got[1] == pytest.approx(0.1)
    assert got[5] == pytest.approx(1 - np.prod([(450 - i) / (500 - i) for i in range(5)]))


def test_bootstrap_interval():
    hits = np.arange(200) < 100
    low, high = bootstrap_interval(hits, seed=3)
    assert (low, high) == bootstrap_interval(hits, seed=3) != bootstrap_interval(hits, seed=4)
    # The standard error is 0.0354; 1.96 of them on both sides, give or take a query or two of 200.
    assert low == pytest.approx(0.5 - 0.0693, abs=0.011)
    assert high == pytest.approx(0.5 + 0.0693, abs=0.011)
    # Shares that are all alike, but no hits: what was drawn says nothing else.
    assert bootstrap_interval(np.full(9, 0.5)) == (0.5, 0.5)
    narrow = bootstrap_interval(hits, seed=3, level=0.5)
    assert low < narrow[0] < narrow[1] < high


@pytest.mark.parametrize(("asked", "end"), [(10, 0.2775), (60, 0.0602), (1000, 0.003827)])
def test_no_hit_and_nothing_but_hits_have_wilsons_interval(asked, end):
    """z^2 / (n + z^2), z = 1.96; the figures of statsmodels' proportion_confint(0, n, method="wilson")."""
    assert hits_interval(np.zeros(asked, bool)) == pytest.approx((0, end), rel=1e-3)
    assert hits_interval(np.ones(asked, bool)) == pytest.approx((1 - end, 1), rel=1e-3)


def test_differences_that_are_all_alike_are_no_hits():
    """Of two equal rows the difference is 0 in each query: no interval of a share lies around it."""
    assert bootstrap_interval(np.zeros(20)) == (0, 0)
    assert bootstrap_interval(np.ones(20)) == (1, 1)
    mixed = np.arange(20) < 7
    assert hits_interval(mixed) == bootstrap_interval(mixed)


def test_wilsons_interval_holds_what_solves_its_equation():
    """Its ends are the p for which |p - share| is z standard errors of p."""
    for hits, asked in ((3, 17), (40, 41), (1, 2)):
        for p in wilson_interval(hits, asked):
            assert abs(p - hits / asked) == pytest.approx(1.959964 * np.sqrt(p * (1 - p) / asked), rel=1e-6)


def test_refusals():
    x = np.ones((3, 2))
    for wrong, said in (
        (lambda: retrieval(x, x, [0, 0], [0, 0, 0]), "do not fit"),
        (lambda: retrieval(x, x, [0, -1, 0], [0, 0, 0]), "without a label"),
        (lambda: retrieval(x, x, [0] * 3, [0] * 3, (0,)), "at least 1"),
        (lambda: nearest_rows(x, np.ones((3, 4)), 1), "cannot compare"),
        (lambda: nearest_rows(x, np.ones((0, 2)), 1), "cannot compare"),
        (lambda: nearest_rows(x[:1], x[:1], 1, exclude=[0]), "nothing to find"),
        (lambda: nearest_rows(x, x * np.nan, 1), "not finite"),
        (lambda: nearest_rows(x, x, 1, chunk=2**22), "too many"),
        (lambda: knn_vote(x, x, [0, -1, 0]), "without a label"),
        (lambda: knn_vote(x, x, [0, 1, 0], k=0), "k of at least 1"),
        (lambda: knn_vote(x, x, [0, 1, 0], temperature=0), "temperature above 0"),
        (lambda: bootstrap_interval([]), "one number a query"),
    ):
        with pytest.raises(UserError, match=said):
            wrong()
