"""The approximate search against the exact one, and the file of its graph."""

import json
import os
import shutil
import sys

import numpy as np
import pytest

import praxino
from indexed import files, made, videos
from praxino.cli.main import main
from praxino.errors import UserError
from praxino.search.exact import best_rows
from praxino.search.folder import Header, write_header
from praxino.search.graph import GRAPH, graph_of
from praxino.search.manifest import Record
from praxino.search.store import write_data

usearch = pytest.importorskip("usearch.index")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An index of about 200 clips, without a graph."""
    folder = tmp_path_factory.mktemp("graph")
    made(videos(folder / "v"), folder / "i", every=0.1)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "own")
    return tmp_path / "own"


def clusters(rows, dim, seed=0):
    """Vectors of length 1 around few centres."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(20, dim))[rng.integers(0, 20, rows)] + 0.5 * rng.normal(size=(rows, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_it_finds_nearly_what_the_exact_search_finds(tmp_path):
    """Three of a thousand rows have no direction at all: they are like nothing."""
    vectors, asked = clusters(3000, 24), clusters(40, 24, seed=1)
    vectors[[5, 6, 7]] = 0
    graph = graph_of(tmp_path, "data-x", vectors)
    queries = [asked[:1], *(asked[k : k + 3] for k in range(1, 40, 3))]
    without = [best_rows(vectors, [query], 2)[0][0] for query in queries]
    without = [np.sort(rows) for rows in without]
    exact = best_rows(vectors, queries, 10, without)
    found = graph.best_rows(queries, 10, without)
    met = 0
    for query, passed, (rows, scores), (wanted, _) in zip(queries, without, found, exact, strict=True):
        assert len(rows) == 10
        assert not set(rows) & {5, 6, 7, *passed}
        cosines = (vectors[rows].astype(float) @ query.T.astype(float)).max(1)
        assert np.allclose(scores, cosines, atol=1e-6)
        assert (np.diff(scores) <= 0).all()
        met += len(set(rows) & set(wanted))
    assert met / (10 * len(queries)) > 0.95


def test_an_index_is_searched_by_its_graph(folder):
    index = praxino.open_index(folder / "i")
    query = np.asarray(index.vectors)[[3, 120]]
    for by, k in (("clip", 10), ("moment", 2), ("video", 2)):
        exact, found = index.search(query, k, by), index.search(query, k, by, approximate=True)
        assert found.row.tolist() == exact.row.tolist()
        assert np.array_equal(found.similarity, exact.similarity)
    assert index.search(query, 5, "clip", without=np.array([3]), approximate=True).row[0] == 120
    assert len(index.search(query, 10_000, "clip", approximate=True)) == len(index)


def test_a_graph_is_made_once(folder, monkeypatch):
    query = np.asarray(praxino.open_index(folder / "i").vectors)[:1]
    before = files(folder / "i")
    first = praxino.open_index(folder / "i").search(query, 3, "clip", approximate=True)
    after = files(folder / "i")
    assert set(after) == {*before, GRAPH}
    monkeypatch.setattr(usearch.Index, "add", lambda *_, **__: pytest.fail("it is made again"))
    again = praxino.open_index(folder / "i").search(query, 3, "clip", approximate=True)
    assert again.row.tolist() == first.row.tolist()
    assert files(folder / "i") == after


def test_a_graph_of_other_data_is_made_anew(folder):
    praxino.open_index(folder / "i").graph()
    (folder / "v/a.mp4").unlink()
    made(folder / "v", folder / "i", every=0.1)
    index = praxino.open_index(folder / "i")
    query = np.asarray(index.vectors)[:1]
    found = index.search(query, 5, "clip", approximate=True)
    assert found.row.tolist() == index.search(query, 5, "clip").row.tolist()
    said = json.loads((folder / "i" / GRAPH).read_bytes().split(b"\n")[0])
    assert (said["data"], said["clips"]) == (index.header.data, len(index))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda content: content[:-100], "it is not what was written"),
        (lambda content: content[:-100] + b"x" * 100, "it is not what was written"),
        (lambda content: b"", "its first line cannot be read"),
        (lambda content: content.replace(b"praxino_graph", b"other"), "its first line cannot be read"),
        (lambda content: b"[]\n", "its first line cannot be read"),
    ],
)
def test_a_damaged_graph_is_one_line(folder, harm, said):
    praxino.open_index(folder / "i").graph()
    path = folder / "i" / GRAPH
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(UserError, match=rf"graph.usearch is damaged \({said}.*remove it") as told:
        praxino.open_index(folder / "i").graph()
    assert "\n" not in str(told.value)
    praxino.open_index(folder / "i").search(np.ones(6))  # which walks none
    path.unlink()
    os.mkfifo(path)  # nobody writes into it
    with pytest.raises(UserError, match=r"is damaged \(it is no regular file\)"):
        praxino.open_index(folder / "i").graph()
    path.unlink()
    praxino.open_index(folder / "i").graph()


def test_what_the_library_refuses_is_one_line(folder, monkeypatch):
    """It has no exception of its own: whatever it raises is told, and nothing is left."""

    def refuses(*_, **__):
        raise MemoryError("no room")

    before = files(folder / "i")
    monkeypatch.setattr(usearch.Index, "add", refuses)
    with pytest.raises(UserError, match=r"cannot make the graph of .*: no room"):
        praxino.open_index(folder / "i").graph()
    assert files(folder / "i") == before
    monkeypatch.undo()
    praxino.open_index(folder / "i").graph()
    monkeypatch.setattr(usearch.Index, "load", refuses)
    with pytest.raises(UserError, match=r"is damaged \(no room\)"):
        praxino.open_index(folder / "i").graph()


def test_vectors_that_are_none(tmp_path):
    vectors = clusters(50, 4)
    vectors[33] = np.nan
    with pytest.raises(UserError, match="is damaged"):
        graph_of(tmp_path, "data-x", vectors)
    with pytest.raises(UserError, match="has no clips"):
        graph_of(tmp_path, "data-x", vectors[:0])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("by", ["moment", "clip", "video"])
def test_as_many_hits_as_are_wanted_where_all_clips_are_equal(tmp_path, by):
    """From any of 3,000 of them their graph leads to 249 only."""
    times = np.arange(10)[:, None] + [0.0, 0.5]
    records = [Record(f"{k}.mp4", "done", clips=10) for k in range(300)]
    (tmp_path / "data-x").mkdir()
    _, sizes = write_data(tmp_path / "data-x", records, [(np.full((10, 4), 0.5, np.float32), times)] * 300, 4)
    write_header(tmp_path, Header("", None, "", 1.0, {}, "", 4, 3000, 300, "data-x", sizes))
    index = praxino.open_index(tmp_path)
    for k in (20, 300):
        assert len(index.search(np.ones(4), k, by, approximate=True)) == k


def test_without_usearch(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    index = praxino.open_index(folder / "i")
    assert len(index.search(np.ones(6), 3)) == 3
    with pytest.raises(UserError, match=r'pip install "praxino\[search\]"'):
        index.search(np.ones(6), 3, "clip", approximate=True)


def test_the_command_line(folder, capsys):
    words = ["search", str(folder / "i"), "--of", "b.mp4", "--from", "0", "--to", "0.3", "-k", "4", "--by", "clip"]
    assert main(words) == 0
    exact = capsys.readouterr().out
    assert main([*words, "--approximate"]) == 0
    assert capsys.readouterr().out == exact
    assert (folder / "i" / GRAPH).is_file()
    (folder / "i" / GRAPH).write_bytes(b"x")
    assert main([*words, "--approximate"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"praxino: the graph {folder}/i/{GRAPH} is damaged")
