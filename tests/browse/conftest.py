"""Videos of several kinds, a small encoder, and their index."""

from __future__ import annotations

import shutil

import pytest
from served import encoder

import praxino
import videos
from praxino.catalogs.folder import VideoFolder
from praxino.search.build import index_videos


@pytest.fixture(scope="package")
def indexed(tmp_path_factory):
    """a.mp4 is what a browser plays, b.avi is not, c.mkv is damaged; v/ the videos, i/ the index."""
    folder = tmp_path_factory.mktemp("browse")
    (folder / "v").mkdir()
    videos.write(folder / "v/a.mp4", 100)
    videos.write(folder / "v/b.avi", 100, codec="mpeg4", options={"qscale": "2"}, seed=1)
    videos.make("truncated", folder).rename(folder / "v/c.mkv")
    videos.write(folder / "v/odd.webm", 30, codec="libvpx-vp9", b_frames=0, options={"deadline": "realtime"}, seed=2)
    one = encoder()
    one.save(folder / "encoder.safetensors")
    index_videos(one, VideoFolder(folder / "v"), folder / "i", every=0.4, workers=0, device="cpu",
                 place=str(folder / "encoder.safetensors"))  # fmt: skip
    return folder


@pytest.fixture
def own(indexed, tmp_path):
    """A copy of it, to be changed: the index knows its videos where they were, so their root is to be given."""
    return shutil.copytree(indexed, tmp_path / "own")


@pytest.fixture
def index(indexed):
    return praxino.open_index(indexed / "i")
