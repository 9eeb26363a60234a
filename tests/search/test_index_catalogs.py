"""Indexes over catalogs whose videos are told by more than a file: settings, stretches, another place."""

import os

import numpy as np
import pytest
import torch

import videos
from praxino.catalogs import Cut, Rendered, VideoFolder
from praxino.catalogs.base import Catalog, Video
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.search import index_videos, open_index
from praxino.views.pipeline import View
from toys import ToyBackbone


class Named(Catalog):
    """Videos as they are given: id -> file."""

    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def video(self, row):
        id = list(self.files)[row]
        return Video(id, {"rgb": str(self.files[id])})


def made(catalog, out):
    torch.manual_seed(0)
    encoder = Encoder(ToyBackbone(), {"seen": View([])}, EvenClips(2, 4, 1), centred=False).eval()
    done = index_videos(encoder, catalog, out, workers=0, device="cpu")
    return done, open_index(out)


def numbers(done):
    return done.computed, done.moved, done.gone, done.videos


def test_rendered_videos_with_other_settings_are_others(tmp_path):
    first, index = made(Rendered(3, frames=20), tmp_path / "i")
    assert numbers(first) == (3, 0, 0, 3)
    before = np.array(index.vectors), np.array(index.seconds)
    again, _ = made(Rendered(3, frames=20), tmp_path / "i")
    assert numbers(again) == (0, 0, 0, 3)
    longer, index = made(Rendered(3, frames=40), tmp_path / "i")
    assert numbers(longer) == (3, 0, 0, 3)
    _, fresh = made(Rendered(3, frames=40), tmp_path / "fresh")
    assert np.array_equal(index.vectors, fresh.vectors)
    assert np.array_equal(index.seconds, fresh.seconds)
    assert not np.array_equal(index.vectors, before[0])
    assert not np.array_equal(index.seconds, before[1])


def test_rendered_videos_that_are_gone_are_counted_and_come_back(tmp_path):
    made(Rendered(3, frames=20), tmp_path / "i")
    fewer, index = made(Rendered(1, frames=20), tmp_path / "i")
    assert numbers(fewer) == (0, 0, 2, 1)
    assert [record.status for record in index.records] == ["done", "gone", "gone"]
    other, index = made(Rendered(2, seed=5, frames=20), tmp_path / "i")
    assert numbers(other) == (2, 0, 3, 2)
    assert len(index) == 4
    back, _ = made(Rendered(3, frames=20), tmp_path / "i")
    assert numbers(back) == (0, 0, 2, 3)


def test_an_id_that_means_another_file_is_another_video(tmp_path):
    """Of the same size and time, as copies may be."""
    content = []
    for name in "ab":
        path = videos.write(tmp_path / f"{name}.avi", 30, size=(16, 24), codec="rawvideo", seed=ord(name))
        content.append(path.read_bytes())
    assert len(content[0]) == len(content[1])
    for name in "ab":
        os.utime(tmp_path / f"{name}.avi", ns=(1, 1))
    _, one = made(Named({"x": tmp_path / "a.avi"}), tmp_path / "i")
    one = np.array(one.vectors)
    done, index = made(Named({"x": tmp_path / "b.avi"}), tmp_path / "i")
    assert numbers(done) == (1, 0, 0, 1)
    assert not np.allclose(index.vectors, one)
    assert index.video(0).files == {"rgb": str(tmp_path / "b.avi")}


def test_a_catalog_without_a_root_from_another_folder(tmp_path, monkeypatch):
    """Its files are kept as seen from the current folder, and stay where they are."""
    (tmp_path / "v").mkdir()
    videos.write(tmp_path / "v/a.mp4", 30, size=(16, 24))
    monkeypatch.chdir(tmp_path)
    made(Named({"a": "v/a.mp4"}), tmp_path / "i")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    done, index = made(Named({"a": "../v/a.mp4"}), tmp_path / "i")
    assert numbers(done) == (0, 1, 0, 1)
    assert index.video(0).files == {"rgb": str(tmp_path / "v/a.mp4")}


@pytest.mark.parametrize("name", ["a#t=x.mp4", "a#t=1,2.mp4", "a#t=.mp4", "#t=1,2#t=3.mp4"])
def test_files_that_are_called_like_a_stretch(tmp_path, name):
    (tmp_path / "v").mkdir()
    videos.write(tmp_path / "v" / name, 60, size=(16, 24))
    done, index = made(VideoFolder(tmp_path / "v"), tmp_path / "i")
    assert (numbers(done), index.records[0].id) == ((1, 0, 0, 1), name)
    done, index = made(Cut(VideoFolder(tmp_path / "v"), 1), tmp_path / "cut")
    assert numbers(done) == (2, 0, 0, 2)
    assert index.seconds[:, 0].min() == 0
    assert index.seconds[:, 1].max() == 59 / 25
