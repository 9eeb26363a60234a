"""What a page shows of an index: map, groups, labels and neighbours, beside NumPy's and scikit-learn's own words."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import praxino.browse.groups as groups
import praxino.browse.points as points
from indexed import made, videos
from praxino.browse.collection import Collection, labels_of
from praxino.browse.groups import groups_of
from praxino.browse.points import points_of
from praxino.errors import UserError
from praxino.search.index import open_index
from praxino.search.lengths import of_length_1


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def heaps(counts, dim=16, seed=0, wide=0.15):
    """Vectors of length 1 around random middles, and which one each is of."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(len(counts)), counts)
    return unit(rng.normal(size=(len(counts), dim))[of] + wide * rng.normal(size=(len(of), dim))), of


@pytest.fixture
def collection(tmp_path):
    folder = videos(tmp_path / "v", "abcdef", broken="c")
    made(folder, tmp_path / "i")
    return Collection.of(open_index(tmp_path / "i"), groups=3)


@pytest.mark.parametrize("second", [np.nan, np.inf])
def test_clips_at_no_time_are_told_before_anything_is_shown(tmp_path, second):
    made(videos(tmp_path / "v", "ab"), tmp_path / "i")
    (place,) = (tmp_path / "i").glob("data-*/seconds.npy")
    seconds = np.load(place)
    seconds[2, 1] = second
    np.save(place, seconds)
    with pytest.raises(UserError, match=r"is damaged \(seconds.npy: there are clips at no time\)"):
        Collection.of(open_index(tmp_path / "i"))


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 40), st.integers(2, 9), st.integers(0, 1000), st.integers(1, 16))
def test_pca_is_that_of_a_singular_value_decomposition(rows, dim, seed, block):
    vectors = unit(np.random.default_rng(seed).normal(size=(rows, dim)) * np.linspace(3, 1, dim))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(points, "BLOCK_BYTES", 4 * dim * block)
        found = points.pca(vectors)
    wide = vectors.astype(np.float64)
    wide -= wide.mean(0)
    left, size, right = np.linalg.svd(wide, full_matrices=False)
    for axis in range(min(2, len(size))):
        if size[axis] < 1e-6 or (axis + 1 < len(size) and size[axis] - size[axis + 1] < 1e-4 * size[0]):
            return  # no direction of its own
        sign = np.sign(right[axis, np.abs(right[axis]).argmax()])
        np.testing.assert_allclose(found[:, axis], sign * left[:, axis] * size[axis], atol=1e-5)


@pytest.mark.parametrize("rows, dim", [(2, 3), (7, 8), (5, 200)])
def test_few_vectors_of_many_numbers_have_the_map_that_more_of_them_have(rows, dim, monkeypatch):
    vectors = unit(np.random.default_rng(0).normal(size=(rows, dim)) * np.linspace(3, 1, dim))
    often = points.pca(np.tile(vectors, (dim, 1)))  # the same middle and directions
    sides, real = [], np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda one: sides.append(len(one)) or real(one))
    found = points.pca(vectors)
    np.testing.assert_allclose(np.tile(found, (dim, 1)), often, atol=1e-7)
    assert np.array_equal(points.pca(vectors), found)
    assert max(sides) == rows
    on_a_line = np.outer(np.arange(rows), vectors[0]).astype(np.float32)
    np.testing.assert_allclose(np.ptp(points.pca(on_a_line), axis=0), [rows - 1, 0], atol=1e-5)


def test_a_map_reaches_from_minus_one_to_one_in_one_scale():
    vectors, _ = heaps([30, 20, 10])
    found, raw = points_of(vectors), points.pca(vectors)
    assert found.dtype == np.float32
    assert np.abs(found).max() == 1
    assert found[:, 0].min() == -found[:, 0].max() == -1
    spans = np.ptp(raw, axis=0)
    np.testing.assert_allclose(np.ptp(found, axis=0) / 2, spans / spans.max(), rtol=1e-5)
    assert np.array_equal(points_of(vectors), found)


@pytest.mark.parametrize("vectors", [np.ones((1, 4)), np.ones((5, 4)), np.ones((3, 1))])
def test_vectors_without_two_directions_have_a_map(vectors):
    assert np.abs(points_of(unit(vectors))).max() < 1e-6 or vectors.shape[0] > 1
    assert np.isfinite(points_of(unit(vectors))).all()


@pytest.mark.parametrize("make", [points_of, lambda v: groups_of(v, np.arange(len(v)), 2)])
def test_vectors_that_are_no_numbers_are_refused(make):
    vectors, _ = heaps([5, 5])
    vectors[3, 2] = np.nan
    with pytest.raises(ValueError, match="no finite numbers"):
        make(vectors)


def test_there_is_no_such_map():
    with pytest.raises(UserError, match=r"--map: there is no 'tsne'\. Known: pca, umap"):
        points_of(np.eye(4, dtype=np.float32), "tsne")


@pytest.mark.parametrize(
    "package, call",
    [
        ("umap", lambda v: points_of(v, "umap")),
        ("sklearn.cluster", lambda v: groups.fitted(v, 2)),
        ("sklearn.metrics", lambda v: groups_of(v, np.arange(len(v)))),
    ],
)
def test_a_package_that_is_missing_is_named(package, call, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(UserError, match=r"pip install 'praxino\[(umap|browse)\]'"):
        call(np.eye(6, dtype=np.float32))


def test_umap_keeps_heaps_apart():
    pytest.importorskip("umap", reason="umap-learn is not installed")
    vectors, of = heaps([20, 20])
    found = points_of(vectors, "umap")
    assert np.array_equal(found, points_of(vectors, "umap"))
    middles = np.stack([found[of == one].mean(0) for one in (0, 1)])
    assert (np.linalg.norm(found[:, None] - middles, axis=2).argmin(1) == of).all()
    assert points_of(vectors[:5], "umap").shape == (5, 2)
    with pytest.raises(UserError, match="5 clips or more"):
        points_of(vectors[:4], "umap")


@pytest.mark.parametrize("counts", [[40, 25, 12], [9, 30], [20, 18, 16, 14, 12, 10]])
def test_the_number_of_groups_is_that_of_the_heaps(counts):
    vectors, of = heaps(counts)
    found = groups_of(vectors, np.arange(len(vectors)))
    assert found.sizes.tolist() == sorted(counts, reverse=True)
    assert len({(a, b) for a, b in zip(found.of.tolist(), of.tolist(), strict=True)}) == len(counts)


def test_clips_beyond_those_that_are_fitted_go_to_the_nearest_middle(monkeypatch):
    vectors, of = heaps([300, 200, 100])
    monkeypatch.setattr(groups, "FITTED", 60)
    monkeypatch.setattr(points, "BLOCK_BYTES", 4 * 16 * 7)
    found = groups_of(vectors, np.arange(600), 3)
    assert found.of.dtype == np.int32
    assert np.array_equal(found.of, of)
    assert np.array_equal(groups_of(vectors, np.arange(600), 3).of, found.of)


def test_the_clips_of_a_group_are_the_nearest_of_different_videos():
    vectors, _ = heaps([40, 30])
    owners = np.repeat(np.arange(35), 2)
    found = groups_of(vectors, owners, 2)
    for group, rows in enumerate(found.nearest):
        own = np.flatnonzero(found.of == group)
        middle = vectors[own].astype(np.float64).mean(0)
        apart = dict(zip(own.tolist(), np.linalg.norm(vectors[own] - middle, axis=1).tolist(), strict=True))
        best = {}
        for row in sorted(apart, key=apart.get):
            best.setdefault(owners[row], row)
        assert rows == list(best.values())[:8]
    few = groups_of(vectors, np.zeros(70, np.int64), 2)
    assert [len(rows) for rows in few.nearest] == [8, 8]


def test_fewer_clips_that_differ_make_fewer_groups():
    same = np.tile(unit(np.ones((1, 4))), (6, 1))
    assert groups_of(same, np.arange(6)).sizes.tolist() == [6]
    assert groups_of(same, np.arange(6), 3).sizes.tolist() == [6]
    with pytest.raises(UserError, match="--groups must be from 1 to 6, the clips of the index, not 7"):
        groups_of(same, np.arange(6), 7)


def test_about_and_arrays_fit_each_other(collection):
    about, arrays = json.loads(json.dumps(collection.about())), collection.arrays()
    assert (about["name"], about["clips"], about["map"], about["view"]) == ("i", 15, "PCA", "seen")
    assert [one["id"] for one in about["videos"]] == ["a.mp4", "b.mp4", "d.mp4", "e.mp4", "f.mp4"]
    assert about["labels"] == []
    assert {one["label"] for one in about["videos"]} == {-1}
    assert (about["failed"], about["failed_count"]) == ([["c.mp4", "broke"]], 1)
    assert np.frombuffer(arrays["owners"], "<i4").tolist() == np.repeat(np.arange(5), 3).tolist()
    assert np.frombuffer(arrays["points"], "<f4").reshape(-1, 2).shape == (15, 2)
    seconds = np.frombuffer(arrays["seconds"], "<f4").reshape(-1, 2)
    np.testing.assert_allclose(seconds, collection.index.seconds, rtol=1e-6)
    of = np.frombuffer(arrays["groups"], "<i4")
    assert [one["clips"] for one in about["groups"]] == np.bincount(of).tolist()
    assert all((of[one["nearest"]] == number).all() for number, one in enumerate(about["groups"]))


def test_neighbours_are_those_of_the_cosine_first_of_other_videos(collection):
    index = collection.index
    for row in range(len(collection)):
        hits = collection.neighbours(row, k=30, own=30)
        video, start, end = collection.moment(row)
        own = [one["video"] == video for one in hits]
        assert own == sorted(own)
        assert not [one for one in hits if one["video"] == video and one["start"] <= end and one["end"] >= start]
        alike = np.asarray(index.vectors, np.float64) @ index.vectors[row]
        for whose in (False, True):
            some = [one for one, is_own in zip(hits, own, strict=True) if is_own == whose]
            assert [one["similarity"] for one in some] == sorted((one["similarity"] for one in some), reverse=True)
            apart = (index.seconds[:, 0] > end) | (index.seconds[:, 1] < start)
            may = (collection.owners == video) & apart if whose else collection.owners != video
            assert bool(some) == may.any()
            if some:
                assert some[0]["row"] == int(np.where(may, alike, -2).argmax())
        for one in hits:
            assert one["video"] == collection.owners[one["row"]]
            assert one["similarity"] == pytest.approx(alike[one["row"]], abs=1e-6)
    assert collection.neighbours_of([0, 7]) == [collection.neighbours(0), collection.neighbours(7)]
    assert [len(collection.neighbours(0, k=2, own=one)) for one in (0, 1)] == [2, 3]


def test_videos_and_moments_go_by_the_numbers_of_the_page(collection, tmp_path):
    assert collection.video(2).id == "d.mp4"
    assert collection.video(2).files["rgb"] == str(tmp_path / "v/d.mp4")
    assert collection.moment(6)[0] == 2
    moved = Collection.of(collection.index, root="elsewhere", groups=1)
    assert moved.video(0).files["rgb"] == "elsewhere/a.mp4"
    for call in (collection.video, collection.moment, collection.neighbours):
        for number in (-1, 99):
            with pytest.raises(IndexError):
                call(number)


@pytest.mark.parametrize("videos, number", [(24, 6), (12, 3), (6, 6)])
def test_of_few_videos_a_chosen_group_is_no_single_video(videos, number):
    """Clips of a video that are all but equal: their silhouette is best where each video is a group."""
    rng = np.random.default_rng(0)
    middles = rng.normal(size=(videos, 16))
    vectors = of_length_1(np.repeat(middles, 10, 0) + 0.01 * rng.normal(size=(10 * videos, 16)))
    assert len(groups_of(vectors, np.repeat(np.arange(videos), 10))) == number


def test_an_index_without_clips_is_refused(tmp_path):
    folder = videos(tmp_path / "v", "ab")
    made(folder, tmp_path / "i")
    (folder / "a.mp4").write_bytes(b"broken")
    (folder / "b.mp4").unlink()
    with pytest.raises(UserError, match="none of"):
        made(folder, tmp_path / "i")
    with pytest.raises(UserError, match="has no clips"):
        Collection.of(open_index(tmp_path / "i"))


@pytest.mark.parametrize(
    "ids, names, labels",
    [
        (["b/1.mp4", "a/2.mp4", "b/3.mp4"], ["a", "b"], [1, 0, 1]),
        (["x/b/1.mp4", "x/a/2.mp4"], ["a", "b"], [1, 0]),
        (["x/1.mp4", "x/2.mp4"], [], [-1, -1]),
        (["a/1.mp4", "2.mp4"], [], [-1, -1]),
        (["x/a/1.mp4", "x/2.mp4"], [], [-1, -1]),
        (["1.mp4"], [], [-1]),
        (["b/1.mp4", "2.mp4", "a/3.mp4"], ["a", "b", "(no folder)"], [1, 2, 0]),
        (["x/b/1.mp4", "x/2.mp4", "x/a/3.mp4"], ["a", "b", "(no folder)"], [1, 2, 0]),
    ],
)
def test_labels_are_the_first_folders_that_differ(ids, names, labels):
    assert labels_of(ids) == (names, labels)
