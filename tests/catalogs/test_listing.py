"""The index of folders of pictures: kept outside of them, and never used where it is not theirs."""

import os
import subprocess
import sys

import pytest
from test_r2v2 import OTHERS, VIDEOS, held, ordered, put

from praxino.cache import cache_folder
from praxino.catalogs import listing
from praxino.catalogs.r2v2 import R2V2


@pytest.fixture
def indexed(tmp_path, monkeypatch):
    """A root whose index is kept, and how often it was listed."""
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(listing, "WORTH", 1)
    monkeypatch.setattr(listing, "SETTLED", -60)
    looked = []
    look = listing._look
    monkeypatch.setattr(listing, "_look", lambda *of: looked.append(of) or look(*of))
    return put(tmp_path / "root", VIDEOS), looked


def entries():
    folder = os.path.join(cache_folder(), "pictures")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def test_the_index_is_kept_outside_of_the_data_and_found_again(indexed):
    root, looked = indexed
    before = sorted(root.rglob("*"))
    assert list(R2V2(root)) == list(R2V2(root))
    assert held(R2V2(os.path.relpath(root)), "") == ordered(VIDEOS)
    assert len(looked) == 1
    assert len(entries()) == 1
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize("change", ["added", "removed", "renamed", "new folder", "folder removed", "replaced"])
def test_an_index_of_before_a_change_is_not_used(indexed, change):
    root, looked = indexed
    R2V2(root)
    file = root / "AA" / "AA2pFq9pFTA_000007.jpg"
    if change == "added":
        put(root, {"AA2pFq9pFTA": [8]})
    elif change == "removed":
        file.unlink()
    elif change == "renamed":
        file.rename(file.with_name("AA2pFq9pFTA_000008.jpg"))
    elif change == "new folder":
        put(root, OTHERS)
    elif change == "folder removed":
        (root / "_a" / "_a-_b_c_d-e_000012.jpg").unlink()
        (root / "_a").rmdir()
    else:
        # As a copy does that keeps times: another file, and the folder's time as it was.
        before = file.parent.stat()
        file.rename(file.with_name("AA2pFq9pFTA_000009.jpg"))
        os.utime(file.parent, ns=(before.st_atime_ns, before.st_mtime_ns))
    found = held(R2V2(root), root)
    assert len(looked) == 2
    assert {(id, n) for id, numbers in found.items() for n in numbers} == {
        (path.name[:11], int(path.name[12:18])) for path in root.rglob("*.jpg")
    }


def test_what_has_just_changed_and_what_is_small_is_not_kept(indexed, monkeypatch):
    root, _ = indexed
    monkeypatch.setattr(listing, "SETTLED", 60)
    R2V2(root)
    assert not entries()
    monkeypatch.setattr(listing, "SETTLED", -60)
    monkeypatch.setattr(listing, "WORTH", 11)
    R2V2(root)
    assert not entries()
    monkeypatch.setattr(listing, "WORTH", 10)
    R2V2(root)
    assert len(entries()) == 1


def test_a_folder_that_changes_while_it_is_listed_is_not_kept(indexed, monkeypatch):
    root, _ = indexed
    look = listing._look

    def changes(*of):
        found = look(*of)
        put(root, {"AA2pFq9pFTA": [8]})
        return found

    monkeypatch.setattr(listing, "_look", changes)
    R2V2(root)
    assert not entries()


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-5], lambda data: data[:-2] + b"x\0"])
def test_a_damaged_index_is_made_anew(indexed, damage):
    root, looked = indexed
    wanted = held(R2V2(root), root)
    (name,) = entries()
    path = os.path.join(cache_folder(), "pictures", name)
    with open(path, "rb") as file:
        good = file.read()
    with open(path, "wb") as file:
        file.write(damage(good))
    assert held(R2V2(root), root) == wanted
    assert len(looked) == 2
    with open(path, "rb") as file:
        assert file.read() == good


def test_several_processes_that_begin_at_once(indexed):
    root, _ = indexed
    code = (
        "import sys\nfrom praxino.catalogs import listing\nfrom praxino.catalogs.r2v2 import R2V2\n"
        "listing.WORTH, listing.SETTLED = 1, -60\n"
        "for _ in range(20):\n    print(*(path for video in R2V2(sys.argv[1]) for path in video.files['rgb']))\n"
    )
    several = [subprocess.Popen([sys.executable, "-c", code, root], stdout=subprocess.PIPE, text=True) for _ in "abcd"]
    said = {line for one in several for line in one.communicate(timeout=60)[0].splitlines()}
    assert all(one.returncode == 0 for one in several)
    assert said == {" ".join(path for video in R2V2(root) for path in video.files["rgb"])}
    assert len(entries()) == 1
