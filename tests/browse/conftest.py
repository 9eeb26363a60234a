"""Videos of several kinds, a small encoder, and their index; a small site, and a browser that looks at it."""

from __future__ import annotations

import shutil

import pytest
from pages import HOSTILE, Looked, browser_of, small_collection
from served import encoder

import praxino
import videos
from praxino.browse.site import write_site
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


@pytest.fixture(scope="package")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        one = browser_of(playwright)
        yield one
        one.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory):
    """The address of a site of 24 clips; the video of the last four is gone."""
    folder = tmp_path_factory.mktemp("site")
    index, _ = write_site(small_collection(folder, missing=(HOSTILE,)), folder / "site")
    return index.as_uri()


@pytest.fixture
def look(browser, site):
    """Opens pages, and says in the end that nothing went wrong in any."""
    opened = []

    def open_page(address=site, allowed=(), **how):
        opened.append((Looked(browser, address, **how), allowed))
        return opened[-1][0]

    yield open_page
    wrong = [said for one, allowed in opened for said in one.wrong if not any(word in said for word in allowed)]
    for one, _ in opened:
        one.context.close()
    assert not wrong
