"""ListFile: forms of lines, labels, parts and refusals."""

import os

import pytest

from praxino.catalogs.listfile import ListFile
from praxino.described import build, describe
from praxino.errors import UserError


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


@pytest.fixture
def root(tmp_path):
    for name in ("a.mp4", "b, c.mp4", "d e.avi", "frames one/000001.jpg"):
        write(tmp_path / name, "")
    return tmp_path


def rows(catalog):
    return [(video.id, video.label) for video in catalog]


def test_forms_of_lines(root):
    bare = write(root / "bare.txt", "a.mp4\r\n\r\nb, c.mp4\r\nd e.avi\r\n")
    assert rows(ListFile(bare)) == [("a.mp4", None), ("b, c.mp4", None), ("d e.avi", None)]
    assert ListFile(bare).classes == ()
    for text in (
        'path,label\na.mp4,run\n"b, c.mp4",jump\nd e.avi,run\nframes one,walk',
        "\ufeffa.mp4 run\nb, c.mp4 jump\nd e.avi run\nframes one walk\n",
        'video\tclass\na.mp4\trun\n"b, c.mp4"\tjump\nd e.avi\t run\n"frames one"\twalk\n',
    ):
        catalog = ListFile(write(root / "list.csv", text))
        assert rows(catalog) == [("a.mp4", 1), ("b, c.mp4", 0), ("d e.avi", 1), ("frames one", 2)]
        assert catalog.classes == ("jump", "run", "walk")
        assert all(os.path.exists(video.files["rgb"]) for video in catalog)
        assert "4 videos of 3 classes" in catalog.found


def test_a_video_called_video_is_no_heading(root):
    write(root / "video 1.mp4", "")
    assert rows(ListFile(write(root / "list", "video 1.mp4\n"))) == [("video 1.mp4", None)]


def test_numbers_are_sorted_by_value(root):
    catalog = ListFile(write(root / "list", "a.mp4 10\nd e.avi 9\nb, c.mp4 9\n"))
    assert catalog.classes == ("9", "10")
    assert [video.label for video in catalog] == [1, 0, 0]


def test_two_lists_and_a_root_elsewhere(root):
    train = write(root / "lists/train.txt", "a.mp4 x\n")
    test = write(root / "lists/test.txt", f"d e.avi y\n{root}/b, c.mp4 x\n")
    catalog = ListFile(str(train), str(root), str(test))
    assert rows(catalog.part("train")) == [("a.mp4", 0)]
    assert rows(catalog.part("test")) == [("d e.avi", 1), (f"{root}/b, c.mp4", 0)]
    assert rows(catalog.part("test").part("all")) == rows(catalog)
    assert all(os.path.exists(video.files["rgb"]) for video in catalog)
    assert rows(build(describe(catalog))) == rows(catalog)
    alone = ListFile(train, root)
    assert alone.part("test") is alone


def test_absent_videos_stay(root):
    catalog = ListFile(write(root / "list", "gone.mp4\na.mp4\n"))
    assert [os.path.exists(video.files["rgb"]) for video in catalog] == [False, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no video"),
        ("path,label\n", "names no video"),
        ("a.mp4 x\nd e.avi\n", r"some lines have a label .* d e\.avi"),
        ("a.mp4\na.mp4\n", "listed twice"),
        ("gone.mp4\n", "none of the videos listed"),
    ],
)
def test_refusals(root, text, said):
    with pytest.raises(UserError, match=said):
        ListFile(write(root / "list", text))


def test_unreadable_list(root):
    with pytest.raises(UserError, match=r"cannot read the list .*No such file"):
        ListFile(root / "nowhere.txt")
    (root / "binary").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(UserError, match="it is no text"):
        ListFile(root / "binary")


@pytest.mark.parametrize("name", ["frames", "n_frames", "num_frames", "Frame Count", "number of frames"])
def test_how_many_frames_a_list_says(root, name):
    text = f"path,{name},split\na.mp4,40,train\nd e.avi,,train\nframes one, 1 ,test\n"
    catalog = ListFile(write(root / "list.csv", text))
    assert [catalog.listed_frames(row) for row in range(3)] == [40, None, 1]
    assert catalog.part("test").listed_frames(0) == 1
    assert ListFile(write(root / "bare", "a.mp4\n")).listed_frames(0) is None


@pytest.mark.parametrize("odd", ["many", "-1", "4.0", "1e3", "9999999999"])
def test_an_odd_number_of_frames_is_refused(root, odd):
    with pytest.raises(UserError, match=rf"line 2: the column of frames says how many there are, not '{odd}'"):
        ListFile(write(root / "list.csv", f"path,frames\na.mp4,{odd}\n"))
