"""The page as files: what is in the folder, and what is refused."""

import base64
import json
import shutil

import numpy as np
import pytest
from pages import CLIPS, FAILED, HOSTILE, NAMES, small_collection

from praxino.browse import previews
from praxino.browse.collection import NEIGHBOURS, OWN
from praxino.browse.site import BEGIN, write_site
from praxino.errors import UserError


@pytest.fixture
def quick(monkeypatch):
    """Previews that say whose they are."""
    for what in ("frame", "moment"):
        monkeypatch.setattr(
            previews, what, lambda video, start, end, what=what: f"{what} {video.id} {start:.1f}".encode()
        )


def said(folder):
    """What a browser gets."""
    text = (folder / "data.js").read_text()
    assert text.startswith(BEGIN)
    return json.loads(text[len(BEGIN) :].rstrip().rstrip(";"))


def test_a_site_holds_what_a_server_would_say(tmp_path, quick):
    collection, told = small_collection(tmp_path), []
    index, missing = write_site(collection, tmp_path / "site", lambda done, all: told.append((done, all)))
    assert (index, missing) == (tmp_path / "site/index.html", [])
    assert told[0] == (0, 24)
    assert told[-1] == (24, 24)
    data = said(tmp_path / "site")
    about = {**collection.about(), "missing": [], "missing_count": 0, "server": False, "query": False}
    assert data["about"] == json.loads(json.dumps(about))
    for name, content in collection.arrays().items():
        assert base64.b64decode(data[name]) == content
    arrays = {
        name: np.frombuffer(base64.b64decode(data[name]), kind).reshape(24, NEIGHBOURS + OWN, -1)
        for name, kind in {"neighbours": "<i4", "similarities": "<f4", "spans": "<f4"}.items()
    }
    for row in range(24):
        hits = collection.neighbours(row)
        kept = arrays["neighbours"][row, :, 0] >= 0
        assert arrays["neighbours"][row, kept, 0].tolist() == [hit["row"] for hit in hits]
        np.testing.assert_allclose(arrays["similarities"][row, kept, 0], [hit["similarity"] for hit in hits], atol=1e-6)
        np.testing.assert_allclose(arrays["spans"][row, kept], [(hit["start"], hit["end"]) for hit in hits], atol=1e-6)
    assert (tmp_path / "site/frames/5.jpg").read_bytes() == b"frame ball/b.mp4 0.4"
    assert (tmp_path / "site/moments/5.mp4").read_bytes() == b"moment ball/b.mp4 0.4"
    assert '<script src="data.js"></script>' in index.read_text()
    assert {path.name for path in (tmp_path / "site").iterdir()} >= {"regl-scatterplot.js", "page.js", "style.css"}


def test_videos_that_are_gone_are_named_and_said_why(tmp_path):
    collection = small_collection(tmp_path, missing=(HOSTILE, "boat/d.mp4"))
    _, missing = write_site(collection, tmp_path / "site")
    assert [id for id, _ in missing] == ["boat/d.mp4", HOSTILE]
    data = said(tmp_path / "site")
    assert data["about"]["missing"] == [list(one) for one in missing]
    assert data["about"]["missing_count"] == 2
    assert data["about"]["failed"] == [list(FAILED)]
    rows = [row for row in range(24) if NAMES[row // CLIPS] in (HOSTILE, "boat/d.mp4")]
    assert sorted(map(int, data["notes"])) == rows
    assert all(data["notes"].values())
    assert {int(path.stem) for path in (tmp_path / "site/frames").iterdir()} == set(range(24)) - set(rows)


def test_where_no_video_is_there_the_root_is_asked_for(tmp_path):
    collection = small_collection(tmp_path)
    shutil.rmtree(tmp_path / "videos")
    with pytest.raises(UserError, match="--root"):
        write_site(collection, tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_only_an_earlier_site_is_replaced(tmp_path, quick):
    collection, out = small_collection(tmp_path), tmp_path / "site"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="holds no earlier site: pass another --out"):
        write_site(collection, out)
    assert (out / "thesis.txt").read_text() == "years of work"
    with pytest.raises(UserError, match="is a file, and a site is a folder"):
        write_site(collection, out / "thesis.txt")
    (out / "thesis.txt").unlink()
    write_site(collection, out)
    (out / "frames/99.jpg").write_bytes(b"left")
    write_site(collection, out)
    assert not (out / "frames/99.jpg").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [(".git/HEAD", ".git"), ("thesis.txt", "thesis.txt"), ("frames/mine.jpg", "frames/mine.jpg"),
     ("moments/cut/1.mp4", "moments/cut"), ("page.js/x", "page.js")],
)  # fmt: skip
def test_files_of_the_users_beside_an_earlier_site_stay(tmp_path, quick, name, said):
    collection, out = small_collection(tmp_path), tmp_path / "site"
    write_site(collection, out)
    own = out / name
    if own.parent.is_file():
        own.parent.unlink()
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("years of work")
    (out / ".DS_Store").write_text("left by a file manager")
    with pytest.raises(UserError, match=f"site holds {said} beside an earlier site"):
        write_site(collection, out)
    assert own.read_text() == "years of work"


def test_what_comes_while_pictures_are_made_stays(tmp_path, quick):
    collection, out = small_collection(tmp_path), tmp_path / "site"
    out.mkdir()
    with pytest.raises(UserError, match="holds no earlier site"):
        write_site(collection, out, lambda *_: (out / "thesis.txt").write_text("years of work"))
    assert (out / "thesis.txt").read_text() == "years of work"


def test_links_to_a_folder_and_to_none_stay_links(tmp_path, quick):
    collection = small_collection(tmp_path)
    (tmp_path / "disk").mkdir()
    for name in ("disk", "later"):
        (tmp_path / f"to-{name}").symlink_to(name)
        for _ in range(2):
            assert write_site(collection, tmp_path / f"to-{name}")[0].is_file()
        assert (tmp_path / f"to-{name}").is_symlink()
        assert (tmp_path / name / "index.html").is_file()
    assert not [path for path in tmp_path.iterdir() if "part" in path.name]
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UserError, match="loop cannot be written"):
        write_site(collection, tmp_path / "loop")


@pytest.mark.parametrize("out", [".", "", "../here", "x/.."])
def test_the_current_folder_is_not_replaced(tmp_path, quick, monkeypatch, out):
    collection = small_collection(tmp_path)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UserError, match="is the current folder"):
        write_site(collection, out)


def test_a_site_in_an_index_would_be_removed_with_its_data(tmp_path, quick):
    collection = small_collection(tmp_path)
    with pytest.raises(UserError, match="lies in the index"):
        write_site(collection, tmp_path / "index/data-site")
    assert not (tmp_path / "index/data-site").exists()


def test_a_name_that_is_too_long(tmp_path, quick):
    with pytest.raises(UserError, match="cannot be written: File name too long"):
        write_site(small_collection(tmp_path), tmp_path / ("x" * 300))


def test_what_breaks_leaves_the_earlier_site(tmp_path, quick, monkeypatch):
    collection, out = small_collection(tmp_path), tmp_path / "site"
    write_site(collection, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    monkeypatch.setattr(previews, "moment", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_site(collection, out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert not [path for path in tmp_path.iterdir() if "part" in path.name]
