"""A clip every so many seconds: exactly these frames, however the video is cut into parts; and the files of vectors."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import videos
from praxino.catalogs.base import Catalog, Video
from praxino.clips import every as of_every
from praxino.clips.blocks import BlockWindows
from praxino.clips.every import ClipsEvery
from praxino.clips.modes import TemporalModes
from praxino.clips.samplers import EvenClips
from praxino.clips.seconds import EvenSeconds
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations.embedding import embed_videos
from praxino.views.pipeline import View
from toys import ToyBackbone, ToyCatalog, ToyStream

QUICK = {"workers": 0, "device": "cpu"}


class Files(Catalog):
    """Video files, by their names in a folder."""

    def __init__(self, folder, names):
        self.folder, self.names = folder, names

    def __len__(self):
        return len(self.names)

    def video(self, row):
        return Video(self.names[row], {"rgb": str(self.folder / self.names[row])})


def read(folder, names, seconds, sampler, at_once=64):
    """Frame numbers of each video's clips, as its frames show them, put in order."""
    found = {name: [] for name in names}
    source = ClipsEvery(Files(folder, names), ["rgb"], sampler, seconds, {}, {}, at_once, 0)
    for part, many in source:
        frames = part.clips.streams["rgb"]
        shown = np.array([videos.number(pixels) for pixels in frames.pixels])[frames.where]
        assert np.array_equal(shown, part.clips.numbers)
        found[names[part.row]].append((part.first, shown))
        assert len(found[names[part.row]]) <= many
        # What is held at once: as many bytes as are allowed, or a single clip.
        assert frames.pixels.nbytes <= of_every.MOST_BYTES or len(shown) == 1
    return {name: np.concatenate([shown for _, shown in sorted(parts, key=lambda one: one[0])])
            for name, parts in found.items()}  # fmt: skip


def by_hand(times, seconds, frames, stride):
    """The plain way: the first frame of each multiple, while a clip of so many frames fits."""
    clips, k = [], 0
    while k * seconds <= times[-1] - times[0] + 1e-9:
        first = next(n for n, time in enumerate(times) if time - times[0] >= k * seconds - 1e-6)
        clip = first + stride * np.arange(frames)
        if clip[-1] < len(times) and (not clips or clips[-1][0] != first):
            clips.append(clip)
        k += 1
    return np.array(clips)


@pytest.mark.parametrize("most_bytes", [1, 200_000, 1 << 30])
def test_exactly_these_frames(tmp_path, monkeypatch, most_bytes):
    monkeypatch.setattr(of_every, "MOST_BYTES", most_bytes)
    videos.write(tmp_path / "long.mp4", 200)
    videos.write(tmp_path / "short.mp4", 20)
    videos.write(tmp_path / "uneven.mkv", 60, ticks=videos._uneven)
    names = ["long.mp4", "short.mp4", "uneven.mkv"]
    found = read(tmp_path, names, 0.7, EvenClips(10, 4, 2))
    assert np.array_equal(found["long.mp4"], by_hand(np.arange(200) / 25, 0.7, 4, 2))
    assert np.array_equal(found["short.mp4"], by_hand(np.arange(20) / 25, 0.7, 4, 2))
    ticks = np.array([videos._uneven(k) for k in range(60)]) / 1000
    assert np.array_equal(found["uneven.mkv"], by_hand(ticks, 0.7, 4, 2))


@given(
    frames=st.integers(1, 5), stride=st.integers(1, 4), length=st.integers(21, 300),
    seconds=st.floats(0.01, 4.0), rate=st.sampled_from([24000 / 1001, 25, 30]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_starts(frames, stride, length, seconds, rate):
    times = 0.3 + np.arange(length) / rate
    sampler = of_every._EverySecond(EvenClips(3, frames, stride), seconds)
    assert np.array_equal(sampler(times, None), by_hand(times, seconds, frames, stride))


@pytest.mark.parametrize(
    "sampler",
    [EvenClips(10, 8, 2, 1), EvenSeconds(10, 8, 5), TemporalModes(10, 16, 2), BlockWindows(2, 5, 3)],
    ids=lambda one: type(one).__name__,
)
def test_any_sampler_gives_its_first_clip(sampler):
    times = np.arange(400) / 25
    clips = of_every._EverySecond(sampler, 2.0)(times, None)
    own = sampler(times, None)[0]
    assert len(clips) > 6
    for k, clip in enumerate(clips):
        assert np.array_equal(clip, own + 50 * k)


def test_a_video_shorter_than_a_clip_has_one(tmp_path):
    videos.write(tmp_path / "short.mp4", 5)
    found = read(tmp_path, ["short.mp4"], 0.1, EvenClips(3, 8, 1))
    assert found["short.mp4"].tolist() == [[0, 1, 2, 3, 4, 4, 4, 4]]


def toy_encoder(**more):
    torch.manual_seed(0)
    return Encoder(ToyBackbone(), {"seen": View([])}, EvenClips(3, 4, 1), **more).eval()


@pytest.mark.parametrize("at_once", [1, 3, 64])
def test_vectors_are_those_of_the_clips(tmp_path, at_once):
    videos.write(tmp_path / "a.mp4", 100, size=(24, 32))
    videos.write(tmp_path / "b.mp4", 40, size=(24, 32), seed=1)
    (tmp_path / "c.mp4").write_text("no video")
    one, told = toy_encoder(), []
    got = embed_videos(
        one, Files(tmp_path, ["a.mp4", "c.mp4", "b.mp4"]), tmp_path / "v.npz", every=1.0, clips_at_once=at_once,
        max_left_out=0.5, progress=lambda *numbers: told.append(numbers), **QUICK,
    )  # fmt: skip
    assert got.video.tolist() == ["a.mp4"] * 4 + ["b.mp4"] * 2
    assert got.start.tolist() == [0, 1, 2, 3, 0, 1]
    assert np.allclose(got.end - got.start, 3 / 25)
    assert [id for id, _ in got.left_out] == ["c.mp4"]
    assert told[-1][0] == told[-1][1]
    for name in ("a.mp4", "b.mp4"):
        frames = np.stack(videos.decoded(tmp_path / name))
        alone = [one.embed(frames[25 * k :][:4])[0] for k in range(len(frames) // 25 + (len(frames) % 25 >= 4))]
        np.testing.assert_allclose(got.vectors[got.video == name], alone, rtol=1e-4, atol=2e-3)
    assert np.array_equal(np.load(tmp_path / "v.npz")["vectors"], got.vectors)


def test_every_and_a_sampler_are_one_line(tmp_path):
    with pytest.raises(UserError, match="--every or --sampler, not both"):
        embed_videos(toy_encoder(), ToyCatalog(), tmp_path / "v.npz", sampler=EvenClips(), every=1.0, **QUICK)
    for number in (0, -1.0, float("nan")):
        with pytest.raises(UserError, match="--every must be above 0"):
            embed_videos(toy_encoder(), ToyCatalog(), tmp_path / "v.npz", every=number, **QUICK)


def test_a_table(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow reads this file")
    one = toy_encoder(streams={"rgb": ToyStream()})
    one.views = {"seen": View([])}
    got = embed_videos(one, ToyCatalog(3), tmp_path / "v.parquet", **QUICK)
    table = parquet.read_table(tmp_path / "v.parquet")
    assert table.column_names == ["video", "start", "end", "vectors"]
    assert table["video"].to_pylist() == got.video.tolist()
    assert table["start"].to_pylist() == got.start.tolist()
    assert np.array_equal(np.array(table["vectors"].to_pylist(), np.float32), got.vectors)


def test_a_table_without_pyarrow_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r'pip install "praxino\[parquet\]"'):
        embed_videos(toy_encoder(), ToyCatalog(3), tmp_path / "v.parquet", **QUICK)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "said"), [("v.csv", r"v\.csv ends neither"), ("v", "ends neither"), ("v/", "index")])
def test_other_endings_are_refused(tmp_path, name, said):
    with pytest.raises(UserError, match=said):
        embed_videos(toy_encoder(), ToyCatalog(3), f"{tmp_path}/{name}", **QUICK)


def test_seconds_beside_the_vectors(tmp_path):
    videos.write(tmp_path / "a.mp4", 50, size=(24, 32))
    one = toy_encoder()
    vectors, seconds = one.embed(tmp_path / "a.mp4", times=True)
    assert np.array_equal(vectors, one.embed(tmp_path / "a.mp4"))
    assert seconds.dtype == np.float64
    assert np.allclose(seconds, [[0, 3 / 25], [23 / 25, 26 / 25], [46 / 25, 49 / 25]])


def test_an_encoder_says_what_it_is():
    lines = repr(toy_encoder(classes=tuple("abcde"))).splitlines()
    assert lines == [
        "Encoder: ToyBackbone, 6 numbers a clip, the maximum over time and space",
        "  views: seen (any size)",
        "  clips: EvenClips(clips=3, frames=4, stride=1, drop_last_frames=0, short='repeat')",
        "  classifier: a, b, c and 2 other classes",
    ]
