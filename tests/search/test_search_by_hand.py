"""A search of a whole index against a slow plain one, which ranks every clip and puts clips together one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import praxino.search.exact as exact
import praxino.search.index as index_module
from praxino.search import open_index
from praxino.search.duplicates import _candidates
from praxino.search.folder import Header, write_header
from praxino.search.manifest import Record
from praxino.search.store import write_data


def of_length_1(vectors):
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def written(folder, videos, dim, gone=0):
    """An index of (vectors, seconds) of each video; of the last ones it is said that they are gone."""
    statuses = ["done"] * (len(videos) - gone) + ["gone"] * gone
    records = [
        Record(f"{number}.mp4", status if len(vectors) else "failed", clips=len(vectors))
        for number, (status, (vectors, _)) in enumerate(zip(statuses, videos, strict=True))
    ]
    (folder / "data-x").mkdir(parents=True)
    _, sizes = write_data(folder / "data-x", records, [video for video in videos if len(video[0])], dim)
    live = sum(record.clips for record in records if record.status == "done")
    write_header(folder, Header("0" * 32, None, "rgb", 1.0, {}, "", dim, live, len(records), "data-x", sizes))
    return open_index(folder)


def ranked(vectors, query, without):
    scores = (vectors.astype(np.float64) @ query.astype(np.float64).T).max(1).astype(np.float32)
    rows = [row for row in range(len(vectors)) if row not in set(without)]
    return sorted(rows, key=lambda row: (-scores[row], row)), scores


def by_hand(index, query, k, by, without=()):
    """(row of the best clip, from, to) of each hit."""
    order, _ = ranked(np.asarray(index.vectors), query, without)
    found = []
    for place, row in enumerate(order):
        video, (start, end) = int(index.owners[row]), index.seconds[row]
        touching = [
            one
            for one in found
            if one["video"] == video
            and by != "clip"
            and (by == "video" or (start <= max(one["ends"]) and end >= min(one["starts"])))
        ]
        if not touching:
            if len(found) == k:
                break
            found.append({"video": video, "row": row, "starts": [start], "ends": [end]})
        elif by == "moment" and place < max(1, len(index) // 2):
            first = touching[0]
            first["starts"] += [start, *(one for other in touching[1:] for one in other["starts"])]
            first["ends"] += [end, *(one for other in touching[1:] for one in other["ends"])]
            found = [one for one in found if not any(one is other for other in touching[1:])]
    return [(one["row"], min(one["starts"]), max(one["ends"])) for one in found]


@st.composite
def indexes(draw):
    """Videos of clips that overlap or do not, of few kinds, so that many are alike; some have none, some are gone."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    dim, kinds = draw(st.integers(1, 6)), draw(st.integers(1, 40))
    kind = of_length_1(rng.normal(size=(kinds, dim)))
    if draw(st.booleans()):
        kind[0] = 0  # an encoder may give nothing
    videos = []
    for clips in draw(st.lists(st.integers(0, 12), min_size=1, max_size=8)):
        starts = np.sort(rng.integers(0, 30, clips)) / 2
        seconds = np.stack([starts, starts + rng.integers(0, 6, clips) / 2], 1)
        videos.append((kind[rng.integers(0, kinds, clips)], seconds))
    gone = draw(st.integers(0, len(videos) - 1))
    return videos, dim, gone, rng


@settings(max_examples=150, deadline=None)
@given(indexes(), st.integers(1, 9), st.sampled_from(["moment", "clip", "video"]), st.sampled_from([1, 2, 8]))
def test_hits_are_those_of_a_walk_over_all_clips(tmp_path_factory, made, k, by, look):
    videos, dim, gone, rng = made
    index = written(tmp_path_factory.mktemp("hand") / "i", videos, dim, gone)
    if not len(index):
        return
    queries = [of_length_1(rng.normal(size=(many, dim))) for many in (1, 3)]
    without = [np.unique(rng.integers(0, len(index), many)) for many in (0, 4)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "BLOCK_BYTES", 64)
        patch.setattr(index_module, "FIRST_LOOK", look)
        found = index.search_many(queries, k, by, without)
    for query, passed, hits in zip(queries, without, found, strict=True):
        wanted = by_hand(index, query, k, by, passed.tolist())
        assert list(zip(hits.row.tolist(), hits.start.tolist(), hits.end.tolist(), strict=True)) == wanted
        scores = ranked(np.asarray(index.vectors), query, passed)[1]
        assert np.allclose(hits.similarity, [scores[row] for row, *_ in wanted], atol=1e-6)
        assert [one.video for one in hits] == [f"{index.owners[row]}.mp4" for row, *_ in wanted]


@settings(max_examples=60, deadline=None)
@given(indexes(), st.integers(1, 4), st.sampled_from([1, 5, 256]))
def test_candidates_for_duplicates_are_the_nearest_videos_of_each(tmp_path_factory, made, nearest, queries):
    videos, dim, gone, _ = made
    index = written(tmp_path_factory.mktemp("pairs") / "i", videos, dim, gone)
    live = [number for number, record in enumerate(index.records) if record.status == "done"]
    files = [index.video(number) for number in range(len(index.records))]
    vectors, wanted = np.asarray(index.vectors, np.float64), set()
    for number in live:
        best = {}
        for row in index.records[number].first + np.arange(index.records[number].clips):
            for other in np.flatnonzero(index.owners != number):
                owner = int(index.owners[other])
                score = np.float32(vectors[row] @ vectors[other])
                if owner not in best or (-score, other) < best[owner]:
                    best[owner] = (-score, other)
        wanted |= {tuple(sorted((number, other))) for other in sorted(best, key=best.get)[:nearest]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("praxino.search.duplicates.QUERIES", queries)
        assert set(_candidates(index, live, files, nearest)) == wanted
