"""The exact search against all similarities in double precision; clips put together by hand."""

import json
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import praxino
import praxino.search.exact as exact
from indexed import encoder, made, videos
from praxino.errors import UserError
from praxino.search.exact import best_rows
from praxino.search.moments import moments


def of_length_1(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def by_hand(vectors, query, most, without=()):
    scores = (vectors.astype(np.float64) @ query.astype(np.float64).T).max(1).astype(np.float32)
    rows = [row for row in range(len(vectors)) if row not in without]
    order = sorted(rows, key=lambda row: (-scores[row], row))[:most]
    return order, scores[order]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 300), dim=st.integers(1, 9), clips=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    most=st.integers(1, 40), kinds=st.integers(1, 300), block=st.sampled_from([64, 4096, 1 << 20]),
    seed=st.integers(0, 1 << 30),
)  # fmt: skip
def test_best_rows(rows, dim, clips, most, kinds, block, seed):
    """Few kinds of rows: most of them tie."""
    rng = np.random.default_rng(seed)
    vectors = of_length_1(rng.normal(size=(kinds, dim)))[rng.integers(0, kinds, rows)]
    queries = [of_length_1(rng.normal(size=(many, dim))) for many in clips]
    without = [np.unique(rng.integers(0, rows, rng.integers(0, 5))) for _ in queries]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "BLOCK_BYTES", block)
        found = best_rows(vectors, queries, most, without)
    for query, passed, (own, scores) in zip(queries, without, found, strict=True):
        order, wanted = by_hand(vectors, query, most, passed)
        assert own.tolist() == order
        assert np.array_equal(scores, wanted)


def test_equal_rows_in_many_blocks_come_in_their_order(monkeypatch):
    monkeypatch.setattr(exact, "BLOCK_BYTES", 4 * 8 * 100)
    monkeypatch.setattr(exact, "SPARE", 3)
    vector = of_length_1(np.random.default_rng(0).normal(size=(1, 8)))
    ((rows, scores),) = best_rows(np.repeat(vector, 1000, 0), [vector], 7)
    assert rows.tolist() == list(range(7))
    assert np.allclose(scores, 1)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 3.0])
def test_what_is_no_vector_is_told(wrong):
    vectors = of_length_1(np.random.default_rng(0).normal(size=(50, 4)))
    vectors[33] = wrong
    with pytest.raises(ValueError, match="rows 0 to 49"):
        best_rows(vectors, [of_length_1(np.ones((1, 4)))], 3)


def walked(ranked, owners, seconds, k, by="moment"):
    rows = np.array(ranked, np.int64)
    found, beyond = moments(
        rows, np.linspace(1, 0, len(rows), dtype=np.float32), owners, np.array(seconds, float), k, by
    )
    return [(one.video, one.start, one.end, one.row) for one in found], beyond


# Two videos of six clips of 1.2 s, one every second; and as many that nothing asks for.
OWNERS = np.repeat([0, 1, 2, 3], 6)
SECONDS = [[k, k + 1.2] for _ in range(4) for k in range(6)]


def test_moments_are_clips_that_overlap():
    assert walked([1, 0, 8, 2, 4], OWNERS, SECONDS, 9) == ([(0, 0, 3.2, 1), (1, 2, 3.2, 8), (0, 4, 5.2, 4)], False)


def test_a_clip_between_two_moments_makes_them_one():
    assert walked([0, 8, 2, 1], OWNERS, SECONDS, 9) == ([(0, 0, 3.2, 0), (1, 2, 3.2, 8)], False)


def test_clips_are_put_together_before_they_are_counted():
    assert walked([0, 1, 2, 8, 3, 14], OWNERS, SECONDS, 2) == ([(0, 0, 4.2, 0), (1, 2, 3.2, 8)], True)


def test_the_worse_half_of_the_clips_makes_no_moment_longer():
    owners, seconds = np.zeros(6, np.int64), SECONDS[:6]
    assert walked([0, 5, 2, 1, 3, 4], owners, seconds, 9)[0] == [(0, 0, 1.2, 0), (0, 5, 6.2, 5), (0, 2, 3.2, 2)]


def test_by_clip_and_by_video():
    assert walked([1, 0, 8, 2], OWNERS, SECONDS, 3, "clip")[0] == [(0, 1, 2.2, 1), (0, 0, 1.2, 0), (1, 2, 3.2, 8)]
    assert walked([1, 0, 8, 2], OWNERS, SECONDS, 2, "video") == ([(0, 1, 2.2, 1), (1, 2, 3.2, 8)], True)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    made(videos(folder / "v", broken="c"), folder / "i", every=0.2)
    return praxino.open_index(folder / "i")


def test_an_index_is_searched(index):
    whole = np.asarray(index.vectors)
    for by in ("clip", "video", "moment"):
        for number in (0, 40, len(index) - 1):
            hits = index.search(7.5 * whole[number], k=5, by=by)
            assert (hits[0].row, hits[0].rank, len(hits)) == (number, 1, 5)
            assert hits.video[0] == index.record(index.owners[number]).id
            assert hits.start[0] <= index.seconds[number, 0]
            assert hits.end[0] >= index.seconds[number, 1]
            assert (np.diff(hits.similarity) <= 0).all()
    hits = index.search(whole[3], k=1000, by="clip")
    assert hits.row.tolist() == by_hand(whole, whole[3:4], 1000)[0]
    assert len(index.search(whole[3], k=1000, by="video")) == 9
    assert index.search(whole[3], by="clip", without=np.array([3]))[0].row != 3


def test_the_best_of_several_clips_counts(index):
    whole = np.asarray(index.vectors)
    hits = index.search(whole[[5, 60]], k=2, by="clip")
    assert sorted(hits.row) == [5, 60]
    assert np.allclose(hits.similarity, 1)
    both = index.search_many([whole[5], whole[[5, 60]]], k=2, by="clip")
    assert both[1].row.tolist() == hits.row.tolist()
    assert both[0].row[0] == 5


def test_moments_of_one_video_do_not_overlap(index):
    hits = index.search(np.asarray(index.vectors)[30], k=12)
    for id in set(hits.video):
        own = sorted((one.start, one.end) for one in hits if one.video == id)
        assert all(first[1] < second[0] for first, second in pairwise(own))


def test_rows_of_a_moment(index):
    rows = index.rows_of("b.mp4", 0.5, 0.9)
    assert np.allclose(index.seconds[rows, 0], [0.2, 0.4, 0.6, 0.8])
    assert {index.record(number).id for number in index.owners[rows]} == {"b.mp4"}
    for words, said in {
        ("x.mp4",): "has no video 'x.mp4'", ("c.mp4",): "has no clips in the index: broke",
        ("b.mp4", 90.0): r"those of the index lie between 0\.00 and 1\.\d\d s",
    }.items():  # fmt: skip
        with pytest.raises(UserError, match=said):
            index.rows_of(*words)


def test_hits_as_a_table(index, monkeypatch):
    hits = index.search(np.asarray(index.vectors)[3], k=4)
    assert [one.rank for one in hits] == [1, 2, 3, 4]
    assert hits[-1] == hits[3] == hits[2:][1]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UserError, match="pip install pandas"):
        hits.frame()


def test_hits_as_a_table_of_pandas(index):
    pandas = pytest.importorskip("pandas")
    hits = index.search(np.asarray(index.vectors)[3], k=4)
    table = hits.frame()
    assert isinstance(table, pandas.DataFrame)
    rows = [(one.rank, one.video, one.start, one.end, pytest.approx(one.similarity)) for one in hits]
    assert list(table.itertuples(index=False, name=None)) == rows
    assert list(table.columns) == ["rank", "video", "start", "end", "similarity"]
    assert pandas.api.types.is_float_dtype(table["start"])
    empty = type(hits).of([], []).frame()
    assert (len(empty), list(empty.columns)) == (0, list(table.columns))


@pytest.mark.parametrize(
    ("query", "more", "said"),
    [
        (np.zeros((1, 5), np.float32), {}, r"\[clips, 6\] for this index, and this is float32 \[1, 5\]"),
        (np.zeros((0, 6), np.float32), {}, r"float32 \[0, 6\]"),
        (np.zeros((1, 6), np.int64), {}, "int64"),
        (np.full((1, 6), np.nan), {}, "no finite numbers"),
        (np.ones((1, 6)), {"k": 0}, "-k must be 1 or more"),
        (np.ones((1, 6)), {"by": "clips"}, "Did you mean 'clip'"),
    ],
)
def test_queries_that_are_none(index, query, more, said):
    with pytest.raises(UserError, match=said):
        index.search(query, **more)


def test_what_is_gone_is_not_found(tmp_path):
    folder = videos(tmp_path / "v", "abc")
    made(folder, tmp_path / "i")
    vector = np.array(praxino.open_index(tmp_path / "i").vectors[4])
    (folder / "b.mp4").unlink()
    made(folder, tmp_path / "i")
    index = praxino.open_index(tmp_path / "i")
    assert set(index.search(vector, k=99, by="clip").video) == {"a.mp4", "c.mp4"}
    with pytest.raises(UserError, match=r"b\.mp4 is gone"):
        index.rows_of("b.mp4")


def test_an_index_without_clips(tmp_path):
    folder = videos(tmp_path / "v", "ab", broken="ab")
    with pytest.raises(UserError, match="none of 2 videos can be read"):
        made(folder, tmp_path / "i")
    with pytest.raises(UserError, match="has no clips"):
        praxino.open_index(tmp_path / "i").search(np.ones(6))
    videos(folder, "ab")
    assert made(folder, tmp_path / "i").clips == 6
    assert len(praxino.open_index(tmp_path / "i").search(np.ones(6), by="clip")) == 6


def test_an_open_index_outlives_its_folder(tmp_path):
    folder = videos(tmp_path / "v", "abc")
    made(folder, tmp_path / "i")
    index = praxino.open_index(tmp_path / "i")
    before = index.search(np.ones(6), k=3)
    (folder / "a.mp4").unlink()
    made(folder, tmp_path / "i")
    assert index.search(np.ones(6), k=3).video.tolist() == before.video.tolist()


def harmed(tmp_path, what):
    """An index to which something has happened."""
    made(videos(tmp_path / "v", "abc"), tmp_path / "i", one=encoder())
    data = next((tmp_path / "i").glob("data-*"))
    header = tmp_path / "i/index.json"
    said = json.loads(header.read_text())
    if what in ("vectors.npy", "manifest.jsonl", "owners.npy", "seconds.npy"):
        content = (data / what).read_bytes()
        (data / what).write_bytes(content[: len(content) // 2])
    elif what == "other":
        (data / "vectors.npy").write_bytes(b"x" * (data / "vectors.npy").stat().st_size)
    elif what == "numbers":
        content = (data / "vectors.npy").read_bytes()
        (data / "vectors.npy").write_bytes(content[:-24] + np.full(6, np.nan, np.float32).tobytes())
    elif what == "lines":
        content = (data / "manifest.jsonl").read_bytes()
        (data / "manifest.jsonl").write_bytes(content.replace(b'"id"', b'"xy"'))
    elif what == "cut":
        header.write_text(header.read_text()[:40])
    elif what == "version":
        header.write_text(json.dumps({**said, "praxino_index": 7}))
    elif what == "unfinished":
        header.write_text(json.dumps({**said, "data": None}))
    else:
        header.write_text(json.dumps({**said, **what}))
    return tmp_path / "i"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("vectors.npy", r"is damaged \(data-\w+/vectors.npy is not what it was\): make it anew"),
        ("seconds.npy", "seconds.npy is not what it was"),
        ("owners.npy", "owners.npy is not what it was"),
        ("manifest.jsonl", "manifest.jsonl is not what it was"),
        ("other", "is damaged"),
        ("numbers", "rows 0 to 8 hold vectors that are none"),
        ("lines", r"line \d of manifest.jsonl"),
        ("cut", "index.json cannot be read"),
        ("version", "is an index of version 7, and this praxino reads 1"),
        ("unfinished", "is not finished"),
        ({"dim": "x"}, "says nothing right of 'dim'"),
        ({"clips": 400}, "do not fit"),
        ({"videos": 2}, "other lines than videos"),
        ({"more": 2}, "says nothing right of 'more'"),
    ],
)
def test_damaged_indexes_are_one_line(tmp_path, what, said):
    folder = harmed(tmp_path, what)
    with pytest.raises(UserError, match=said) as told:
        praxino.open_index(folder).search(np.ones(6))
    assert "\n" not in str(told.value)


def test_no_index_at_all(tmp_path):
    (tmp_path / "file").write_text("x")
    for name, said in {
        "none": "is not there",
        "": "is no index",
        "file": "is a file, and an index is a folder",
    }.items():
        with pytest.raises(UserError, match=said):
            praxino.open_index(tmp_path / name)
