"""Footage found again by its clips in their order: made-up scenes with siblings, and a reference by loops."""

import tracemalloc

import numpy as np
import pytest

import praxino
import videos
from praxino.cli.main import main
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.search import Clips, clips_of_file, search_sequence
from praxino.search.folder import Header, write_header
from praxino.search.manifest import Record
from praxino.search.queries import STEP
from praxino.search.store import write_data
from praxino.views.pipeline import View
from toys import ToyBackbone

DIM = 12
LONG = 0.5  # seconds of a clip


def of_length_1(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def film(scene, take, times):
    """The vectors of a take of a scene: what all takes have in common, and what happens in this one."""
    common = np.random.default_rng(scene).normal(size=DIM)
    waves, phases = np.random.default_rng([scene, take, 1]).normal(size=(2, DIM))
    return of_length_1(common + np.sin(1.5 * np.outer(times, waves) + 3 * phases))


def index_of(folder, takes, every=2.0):
    """An index of vectors and times of videos."""
    (folder / "data-made").mkdir(parents=True)
    records = [Record(name, "done", clips=len(times)) for name, (_, times) in takes.items()]
    clips = [(vectors, np.stack([times, times + LONG], 1)) for vectors, times in takes.values()]
    many = sum(len(times) for _, times in takes.values())
    _, sizes = write_data(folder / "data-made", records, clips, DIM)
    write_header(folder, Header("", None, "", every, {}, "", DIM, many, len(records), "data-made", sizes))
    return praxino.open_index(folder)


def takes():
    """Five scenes of three takes each, a clip every two seconds."""
    times = np.arange(10) * 2.0
    return {f"{scene}-{take}": (film(scene, take, times), times) for scene in range(5) for take in range(3)}


def query_of(scene, take, begin, seconds=6.0, step=STEP, noise=0.02):
    at = begin + np.arange(0, seconds + 1e-6, step)
    vectors = film(scene, take, at) + noise * np.random.default_rng([scene, take]).normal(size=(len(at), DIM))
    since = at - begin
    return Clips(of_length_1(vectors), np.stack([since, since + LONG], 1))


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return index_of(tmp_path_factory.mktemp("sequence") / "i", takes())


@pytest.mark.parametrize("scene", range(5))
@pytest.mark.parametrize("take", range(3))
def test_footage_is_told_from_its_siblings(index, scene, take):
    begin = 1.37 + 2.9 * take
    hit = search_sequence(index, query_of(scene, take, begin), 5)[0]
    assert hit.video == f"{scene}-{take}"
    assert abs(hit.start - begin) <= STEP
    assert hit.end - hit.start == pytest.approx(6.0 + LONG)
    assert hit.similarity > 0.9


def by_hand(index, query, video, shift):
    """The mean over the index's clips in the query's span, each with the query's clip that is nearest in time."""
    record = next(one for one in index.records if one.id == video)
    found = []
    for row in range(record.first, record.first + record.clips):
        since = index.seconds[row, 0] - shift
        if -STEP / 2 - 1e-3 <= since <= query.seconds[-1, 0] + STEP / 2 + 1e-3:
            own = query.vectors[np.abs(query.seconds[:, 0] - since).argmin()]
            found.append(own.astype(float) @ index.vectors[row].astype(float))
    return np.mean(found)


def test_the_similarity_is_what_it_says(index):
    query = query_of(2, 1, 3.1)
    hits = search_sequence(index, query, 8)
    assert len(hits) == 8
    assert (np.diff(hits.similarity) <= 0).all()
    inside = [hit for hit in hits if hit.start > 0 and hit.end < 18]  # all of the query lies in the video
    assert len(inside) > 2
    for hit in inside:
        assert hit.similarity == pytest.approx(by_hand(index, query, hit.video, hit.start), abs=1e-4)


def test_the_order_of_the_clips_counts(index):
    query = query_of(3, 0, 4.2)
    turned = Clips(query.vectors[::-1], query.seconds)
    assert search_sequence(index, query, 1)[0].similarity > 0.98
    assert search_sequence(index, turned, 1)[0].similarity < 0.95


def test_clips_that_come_in_another_order_are_put_by_their_seconds(index):
    query, order = query_of(3, 0, 4.2), np.random.default_rng(0)
    order = order.permutation(len(query.vectors))
    mixed = search_sequence(index, Clips(query.vectors[order], query.seconds[order]), 5)
    wanted = search_sequence(index, query, 5)
    assert mixed.row.tolist() == wanted.row.tolist()
    assert np.allclose(mixed.similarity, wanted.similarity, atol=1e-6)


def test_a_long_query_and_long_videos_do_not_fill_the_memory(tmp_path):
    """A number for each pair of a clip of the query and one of the videos would be 128 MB."""
    times = np.arange(8000) * 0.25
    query = Clips(film(0, 0, times), times[:, None] + [0.0, LONG])
    index = index_of(tmp_path / "i", {str(k): (film(0, k, times[::8]), times[::8]) for k in range(4)})
    tracemalloc.start()
    try:
        hit = search_sequence(index, query, 1)[0]
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert hit.video == "0"
    assert most < 64 << 20


def test_a_query_that_goes_on_behind_the_video(index):
    """Two thirds of it are there: so are two thirds of the similarity, and the moment ends with the video."""
    hit = next(hit for hit in search_sequence(index, query_of(1, 2, 14.2), 5) if hit.end == 18.5)
    assert hit.video == "1-2"
    assert abs(hit.start - 14.2) <= STEP
    assert hit.similarity == pytest.approx(by_hand(index, query_of(1, 2, 14.2), "1-2", hit.start) * 4.5 / 6.5, abs=1e-4)


def test_a_video_that_is_a_part_of_the_query(tmp_path):
    times = np.arange(4) * 1.0
    short = {"cut": (film(0, 0, times + 5), times), **{str(k): (film(0, k, times), times) for k in range(1, 6)}}
    hit = search_sequence(index_of(tmp_path / "i", short), query_of(0, 0, 0.0, 20.0), 1)[0]
    assert (hit.video, hit.start, hit.end) == ("cut", 0.0, 3.5)
    assert hit.similarity > 0.9


def test_moments_and_videos(index):
    query = query_of(4, 1, 5.0)
    hits = search_sequence(index, query, 40)
    for one in hits:
        for other in hits:
            if one.rank < other.rank and one.video == other.video:
                common = min(one.end, other.end) - max(one.start, other.start)
                assert common < 0.5 * min(one.end - one.start, other.end - other.start)
    by_video = search_sequence(index, query, 40, "video")
    assert len(set(by_video.video)) == len(by_video) == 15
    assert by_video[0] == hits[0]
    own = index.rows_of("4-1")
    assert "4-1" not in search_sequence(index, query, 40, without=own).video
    some = index.rows_of("4-1", 4, 9)
    assert not set(search_sequence(index, query, 40, without=some).row) & set(some)


def test_small_ones(tmp_path):
    times = np.arange(1) * 1.0
    one = index_of(tmp_path / "one", {"a": (film(0, 0, times), times)})
    assert search_sequence(one, query_of(0, 0, 0.0), 3).video.tolist() == ["a"]
    assert len(search_sequence(one, query_of(0, 0, 0.0), 3, without=np.array([0]))) == 0
    index = index_of(tmp_path / "i", takes())
    picture = Clips(film(2, 2, np.array([8.0])), np.zeros((1, 2)))
    hit = search_sequence(index, picture, 1)[0]
    assert (hit.video, hit.start) == ("2-2", 8.0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"by": "clip"}, "a sequence is found as moment or video, not 'clip'"),
        ({"k": 0}, "-k must be 1 or more"),
        ({"query": Clips(np.ones((2, DIM), np.float32), np.zeros((3, 2)))}, "needs the seconds of its 2 clips"),
        ({"query": Clips(np.ones((2, DIM), np.float32), np.full((2, 2), np.nan))}, "needs the seconds"),
        ({"query": Clips(np.ones((2, 5), np.float32), np.zeros((2, 2)))}, rf"\[clips, {DIM}\] for this index"),
    ],
)
def test_queries_that_are_none(index, more, said):
    with pytest.raises(UserError, match=said):
        search_sequence(index, **{"query": query_of(0, 0, 1.0), **more})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two videos, an encoder and their index, a clip every 0.4 s."""
    folder = tmp_path_factory.mktemp("command")
    (folder / "v").mkdir()
    for seed, name in enumerate(("a", "long")):
        videos.write(folder / "v" / f"{name}.mp4", 150, size=(24, 32), seed=seed)
    Encoder(ToyBackbone(), {"seen": View([])}, EvenClips(3, 4, 1), centred=False).save(folder / "e.safetensors")
    words = ["embed", str(folder / "e.safetensors"), "--videos", str(folder / "v"), "--every", "0.4", "--trust", "toys"]
    assert main([*words, "--out", f"{folder}/i/", "--workers", "0", "--device", "cpu"]) == 0
    return folder


def test_the_command_line(made, capsys):
    words = ["search", str(made / "i"), str(made / "v/long.mp4"), "--trust", "toys", "--from", "2.4", "--to", "4"]
    assert main([*words, "--sequence", "-k", "1", "--every", "0.2"]) == 0
    rank, _, start, end, video = capsys.readouterr().out.splitlines()[-1].split()
    assert (rank, video) == ("1", "long.mp4")
    assert abs(float(start) - 2.4) <= STEP
    assert abs(float(end) - 4.0) <= STEP
    of = ["search", str(made / "i"), "--of", "a.mp4", "--from", "1", "--to", "2", "--sequence", "--by", "video"]
    assert main(of) == 0
    assert "long.mp4" in capsys.readouterr().out
    for more, said in {
        "--approximate": "not together with --approximate", str(made / "v/a.mp4"): "not together with several files",
    }.items():  # fmt: skip
        assert main([*words, "--sequence", more]) == 2
        assert said in capsys.readouterr().err
    assert main(["search", str(made / "i"), "--image", "x.png", "--sequence"]) == 2
    assert "not together with --image" in capsys.readouterr().err


def test_clips_of_a_file_have_their_seconds(made):
    index, encoder = praxino.open_index(made / "i"), praxino.load_encoder(made / "e.safetensors", trust=("toys",))
    clips = clips_of_file(index, encoder, made / "v/a.mp4", 1.0, 3.0, every=0.5)
    assert len(clips.vectors) == len(clips.seconds) == 4
    assert np.allclose(np.diff(clips.seconds[:, 0]), 0.5, atol=0.05)
    assert np.allclose(np.diff(clips.seconds, axis=1), 3 / 25)
