"""VideoFolder: what it finds in a tree, and in which order."""

import os
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.names import group_of, is_video, spellings
from praxino.described import build, describe
from praxino.errors import UserError


def tree(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")
    return root


def test_finds_videos_by_extension_in_the_order_of_their_paths(tmp_path):
    tree(tmp_path, "b.MP4", "a/z.mkv", "a/deep/er/x.webm", "a/note.txt", "B.avi", "a.mov", ".hidden.mp4", ".git/v.mp4")
    tree(tmp_path, "a/._x.mp4", "a/sound.mp3", "a/mp4", "ü ä.gif")
    catalog = VideoFolder(tmp_path)
    ids = [video.id for video in catalog]
    assert ids == sorted(["b.MP4", "a/z.mkv", "a/deep/er/x.webm", "B.avi", "a.mov", "ü ä.gif"])
    assert catalog.classes == ()
    assert all(video.label is None and video.group is None for video in catalog)
    assert all(os.path.exists(video.files["rgb"]) for video in catalog)
    assert "6 videos" in catalog.found
    assert catalog.part("train") is catalog
    assert list(build(describe(catalog))) == list(catalog)


def test_class_folders_give_labels(tmp_path):
    tree(tmp_path, "walk/v_walk_g02_c01.avi", "walk/two.avi", "run/one.avi", "splits/list.txt")
    catalog = VideoFolder(str(tmp_path))
    assert catalog.classes == ("run", "walk")
    assert [(v.id, v.label, v.group) for v in catalog] == [
        ("run/one.avi", 0, None),
        ("walk/two.avi", 1, None),
        ("walk/v_walk_g02_c01.avi", 1, "walk_g02"),
    ]


@pytest.mark.parametrize("paths", [["a/x.avi", "y.avi"], ["a/x.avi", "b/c/y.avi"], ["a/x.avi", "a/y.avi"], ["x.avi"]])
def test_other_trees_have_no_labels(tmp_path, paths):
    assert VideoFolder(tree(tmp_path, *paths)).classes == ()


def test_links(tmp_path):
    root = tree(tmp_path / "root", "a/one.avi", "z/two.avi")
    tree(tmp_path / "elsewhere", "c/three.avi", "four.avi")
    (root / "a" / "loop").symlink_to(root)
    (root / "b").symlink_to(tmp_path / "elsewhere")
    (root / "again").symlink_to(root / "z")
    (root / "link.avi").symlink_to(tmp_path / "elsewhere" / "four.avi")
    (root / "broken.avi").symlink_to(tmp_path / "nowhere.avi")
    (root / "self.avi").symlink_to(root / "self.avi")
    os.mkfifo(root / "pipe.avi")
    ids = [video.id for video in VideoFolder(root)]
    assert ids == ["a/one.avi", "b/c/three.avi", "b/four.avi", "broken.avi", "link.avi", "self.avi", "z/two.avi"]


def test_refusals(tmp_path):
    tree(tmp_path, "notes.txt", "film.mp4.part")
    with pytest.raises(UserError, match=r"no video below .*looked for .*\.mp4"):
        VideoFolder(tmp_path)
    with pytest.raises(UserError, match="there is no folder"):
        VideoFolder(tmp_path / "nowhere")
    with pytest.raises(UserError, match="is no video file by its name"):
        VideoFolder(tmp_path / "notes.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to root")
def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    tree(tmp_path, "x.avi", "shut/y.avi")
    (tmp_path / "shut").chmod(0)
    try:
        with pytest.raises(UserError, match=r"cannot read the folder .*shut"):
            VideoFolder(tmp_path)
    finally:
        (tmp_path / "shut").chmod(0o700)


@settings(max_examples=30, deadline=None)
@given(st.sets(st.text("ab.é", min_size=1, max_size=3).filter(lambda s: not s.startswith(".")), min_size=1), st.data())
def test_order_does_not_depend_on_the_disk(tmp_path_factory, names, data):
    root = tmp_path_factory.mktemp("tree")
    paths = [f"{name}/{name}.mp4" for name in names] + [f"{name}.avi" for name in names]
    tree(root, *data.draw(st.permutations(paths)))
    assert [video.id for video in VideoFolder(root)] == sorted(paths)


def test_slices_and_negative_rows(tmp_path):
    catalog = VideoFolder(tree(tmp_path, *[f"{letter}.mp4" for letter in string.ascii_lowercase]))
    assert catalog[-1].id == "z.mp4"
    assert [video.id for video in catalog[3:6]] == ["d.mp4", "e.mp4", "f.mp4"]
    with pytest.raises(IndexError):
        catalog[26]
    assert random.Random(0).choice(catalog).id.endswith(".mp4")


def test_names():
    assert group_of("Archery/v_Archery_g08_c01.avi") == "Archery_g08"
    assert group_of("v_HandStandPushups_g22_c03") == "HandStandPushups_g22"
    assert group_of("holiday.mp4") is None
    assert group_of("v_g01_c01.avi") is None
    assert spellings("v_HandStandPushups_g01_c02") == ("v_HandStandPushups_g01_c02", "v_HandstandPushups_g01_c02")
    assert spellings("HandstandPushups") == ("HandstandPushups", "HandStandPushups")
    assert spellings("HandstandWalking") == ("HandstandWalking",)
    assert is_video("x.MTS")
    assert not is_video("x.jpg")
    assert not is_video("mp4")


@pytest.mark.parametrize(
    ("stray", "said"),
    [
        (["lost.mp4"], "21 videos, no labels (lost.mp4 lies outside of the 2 class folders), below "),
        (["a/deep/er.mp4", "lost.mp4"], "22 videos, no labels (a/deep/er.mp4 and 1 other lie outside of the 2 "),
        ([f"{k}.mp4" for k in range(9)], "29 videos, no labels, below "),
        ([], "20 videos of 2 class folders, below "),
    ],
)
def test_a_stray_file_beside_class_folders_is_named(tmp_path, stray, said):
    tree(tmp_path, *(f"{name}/{k}.mp4" for name in "ab" for k in range(10)), *stray)
    assert VideoFolder(tmp_path).found.startswith(said)


def test_one_stray_file_is_named_beside_few_videos(tmp_path):
    tree(tmp_path, "a/1.mp4", "b/1.mp4", "lost.mp4")
    said = "3 videos, no labels (lost.mp4 lies outside of the 2 class folders), below "
    assert VideoFolder(tmp_path).found.startswith(said)
    tree(tmp_path, "found.mp4")
    assert VideoFolder(tmp_path).found.startswith("4 videos, no labels, below ")


def test_one_video_is_one(tmp_path):
    tree(tmp_path, "a.mp4")
    assert VideoFolder(tmp_path).found.startswith("1 video, no labels, below ")


def test_one_file_is_the_video(tmp_path):
    tree(tmp_path, "a.mp4")
    assert VideoFolder(tmp_path / "a.mp4").found == f"the video {tmp_path / 'a.mp4'}"
