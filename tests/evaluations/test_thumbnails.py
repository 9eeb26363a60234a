"""The clips that a gallery plays are those that were measured."""

import json

import numpy as np
import pytest
from PIL import Image, ImageSequence

import videos
from praxino.catalogs.base import Video
from praxino.clips.samplers import EvenClips, RandomClip
from praxino.evaluations.result import Neighbours, Result, Row, write_result
from praxino.evaluations.thumbnails import Played, Thumbnails

SAMPLER = EvenClips(5, 6, 2)


@pytest.fixture
def film(tmp_path):
    return Video("film.mp4", {"rgb": str(videos.write(tmp_path / "film.mp4", 60, size=(96, 128)))})


def made(tmp_path, video, clip, sampler):
    folder = tmp_path / "made"
    folder.mkdir(exist_ok=True)
    return folder, Thumbnails(folder, folder.relative_to(tmp_path), {}, sampler).of(video, clip)


@pytest.mark.parametrize("clip", [0, 2, None, -1])
def test_frames_and_seconds_of_a_clip(tmp_path, film, clip):
    folder, said = made(tmp_path, film, clip, SAMPLER)
    want = SAMPLER.numbers(60)[2 if clip is None else clip]
    assert said["seconds"] == [want[0] / 25, want[-1] / 25]
    with Image.open(tmp_path / said["clip"]) as picture:
        frames = [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(picture)]
    assert [videos.number(frame) for frame in frames] == want.tolist()
    assert len(said["frames"]) == 4
    assert {one.suffix for one in folder.iterdir()} == {".jpg", ".webp"}


@pytest.mark.parametrize("sampler", [None, RandomClip(6), EvenClips(2, 70, short="refuse")])
def test_what_is_not_known_does_not_play(tmp_path, film, sampler):
    """Without a sampler, or one whose clips were others, or one that this video is too short for."""
    assert made(tmp_path, film, None, sampler)[1].keys() == {"frames"}


def test_a_clip_in_which_time_stands_still(tmp_path):
    film = Video("one", {"rgb": str(videos.write(tmp_path / "one.mp4", 1))})
    assert made(tmp_path, film, None, SAMPLER)[1].keys() == {"frames", "seconds"}


def test_query_and_neighbours_play_their_own_clips(tmp_path, film):
    found = [Neighbours(film, [(film, 0.5, True)])]
    result = Result(
        "instance", "t", {}, ["1"], [Row("trained", {"1": 1.0})], found, played=Played(SAMPLER, query=0, found=-1)
    )
    path = write_result(tmp_path / "run", "instance", result, ())
    (match,) = json.loads(path.read_text())["gallery"]
    assert match["query"]["seconds"] == [0, 0.4]
    assert match["neighbours"][0]["seconds"] == [49 / 25, 59 / 25]
    assert match["query"]["clip"] != match["neighbours"][0]["clip"]
    assert match["query"]["frames"] == match["neighbours"][0]["frames"]
