"""Folders that the system does not let anybody read, or enter, are one line that names them."""

import os

import pytest

from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.kinetics400 import Kinetics400
from praxino.catalogs.layouts import Layout
from praxino.catalogs.otb import OTB
from praxino.catalogs.ucf101 import UCF101
from praxino.errors import UserError

CATALOGS = {
    "VideoFolder": VideoFolder,
    "Kinetics400": Kinetics400,
    "OTB": OTB,
    "files in class folders": lambda root: Layout("train", True, False).present(root, ["shut"]),
    "frames in class folders": lambda root: Layout("train", True, True).present(root, ["shut"]),
}


@pytest.fixture
def root(tmp_path):
    """A folder that all of them take."""
    for folder in ("train/open", "train/shut", "shut/img", "other/img"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("train/open/a.mp4", "train/shut/b.mp4", "shut/img/0001.jpg", "other/img/0001.jpg"):
        (tmp_path / name).touch()
    for name in ("shut", "other"):
        (tmp_path / name / "groundtruth_rect.txt").write_text("1,1,5,5\n")
    return tmp_path


def refuse(monkeypatch, word, refused):
    """Lets a function of `os` refuse whatever path this is said of, as the system does to all but root."""
    real = getattr(os, word)

    def asked(path=".", *more, **how):
        if not isinstance(path, int) and refused(os.fspath(path)):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *more, **how)

    monkeypatch.setattr(os, word, asked)


@pytest.mark.parametrize("catalog", CATALOGS)
def test_all_are_taken_while_nothing_is_shut(root, catalog):
    assert CATALOGS[catalog](str(root)) is not None


@pytest.mark.parametrize("catalog, word", [*((catalog, "scandir") for catalog in CATALOGS), ("OTB", "listdir")])
def test_a_folder_that_cannot_be_read(root, monkeypatch, catalog, word):
    refuse(monkeypatch, word, lambda path: path.endswith("shut"))
    with pytest.raises(UserError, match=r"^cannot read the folder .*shut: Permission denied$"):
        CATALOGS[catalog](str(root))


def test_a_folder_that_can_be_read_and_not_entered(root, monkeypatch):
    (root / "train/shut/inner").mkdir()
    refuse(monkeypatch, "stat", lambda path: "train/shut/" in path)
    with pytest.raises(UserError, match=r"^cannot read the folder .*/train/shut/inner: Permission denied$"):
        VideoFolder(root)


def test_lists_in_a_folder_that_cannot_be_entered(root, monkeypatch):
    refuse(monkeypatch, "stat", lambda path: "/ucfTrainTestlist/" in path)
    with pytest.raises(UserError, match=r"^cannot read the folder .*/ucfTrainTestlist: Permission denied$"):
        UCF101(root, split=1)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unreadable to root")
@pytest.mark.parametrize("mode", [0, 0o400])
def test_links_in_a_folder_that_can_be_read_and_not_entered(root, mode):
    """A link is what it leads to, and to see that the folder has to be entered."""
    (root / "train/shut/link").symlink_to("b.mp4")
    (root / "train/shut").chmod(mode)
    try:
        with pytest.raises(UserError, match=r"cannot read the folder .*shut"):
            Kinetics400(root)
    finally:
        (root / "train/shut").chmod(0o700)
