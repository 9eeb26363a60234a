"""Lists as files: encodings, byte-order marks, ends of lines, pipes, long lines; names of files that are no UTF-8."""

import codecs
import contextlib
import os
import time

import pytest
from test_hmdb51 import VIDEOS, put, write_class_lists
from test_kinetics400 import TRAIN as CLIPS
from test_kinetics400 import put as put_clips
from test_kinetics400 import table
from test_ucf101 import TEST, TRAIN, write_lists

from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.hmdb51 import HMDB51
from praxino.catalogs.kinetics400 import Kinetics400
from praxino.catalogs.listfile import ListFile
from praxino.catalogs.text import lines_of, records_of, text_of
from praxino.catalogs.ucf101 import UCF101
from praxino.errors import UserError


def ucf101(root):
    put(root, TRAIN + TEST)
    write_lists(root / "splits")
    return UCF101, root / "splits/trainlist01.txt"


def ucf101_classes(root):
    ucf101(root)
    return UCF101, root / "splits/classInd.txt"


def hmdb51(root):
    put(root, VIDEOS)
    write_class_lists(root)
    return HMDB51, root / "climb_test_split1.txt"


def kinetics400(root):
    put_clips(root, CLIPS)
    (root / "train.csv").write_text(table(CLIPS, "train"))
    return Kinetics400, root / "train.csv"


def own(root):
    put(root, ["a.mp4", "b.mp4"])
    (root / "list.csv").write_text("path,label\na.mp4,x\nb.mp4,y\n")
    return (lambda root: ListFile(root / "list.csv")), root / "list.csv"


KINDS = [ucf101, ucf101_classes, hmdb51, kinetics400, own]


@pytest.mark.parametrize("kind", KINDS)
def test_another_encoding_is_refused_by_the_files_name(tmp_path, kind):
    catalog, path = kind(tmp_path)
    text = path.read_text()
    for encoding, said in (("utf-16", "UTF-16"), ("utf-32", "UTF-32"), ("utf-16-be", "a zero byte")):
        path.write_bytes(text.encode(encoding))
        with pytest.raises(UserError, match=rf"{path.name}.* no text in UTF-8.*{said}.*: save it as UTF-8"):
            catalog(tmp_path)
    path.write_bytes(text.strip().encode() + "\r\nété,9\r\n".encode("latin-1"))
    line = len(text.strip().splitlines()) + 1
    with pytest.raises(UserError, match=rf"{path.name}.* no text in UTF-8 \(line {line} has the byte 0xe9"):
        catalog(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_marks_and_ends_of_lines(tmp_path, kind, end, mark):
    catalog, path = kind(tmp_path)
    before = list(catalog(tmp_path))
    lines = [line.strip() for line in path.read_text().splitlines()]
    path.write_bytes(mark + f"{end}{end}".join(["", *lines, ""]).encode())
    assert list(catalog(tmp_path)) == before


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_regular_file_is_opened(tmp_path, kind):
    catalog, path = kind(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=r"it is no regular file|holds lists, but not"):  # and does not wait
        catalog(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError):
        catalog(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("odd", ["a.mp4{}x y", "{}", "a{}.mp4 x{}", '"{}', "v_{}_g01_c01.avi"])
def test_long_lines_take_no_time(tmp_path, kind, odd):
    """2,000 blanks took 17 seconds: time went by the third power."""
    catalog, path = kind(tmp_path)
    path.write_text(path.read_text() + "\n" + odd.replace("{}", " " * 100_000) + "\n")
    began = time.perf_counter()
    with contextlib.suppress(UserError):
        catalog(tmp_path)
    assert time.perf_counter() - began < 5


def test_a_line_ends_where_its_line_ends():
    """Other marks that Unicode knows for the end of a line may stand in names of files."""
    text = "a\u2028b.mp4\x0b\x85c\r\n\r\n d \n"
    assert list(lines_of(text)) == [(1, "a\u2028b.mp4\x0b\x85c"), (3, "d")]
    records = list(records_of('a,"b\r\nc"\n\n d, e\n"f"g,h\ni,j\n', ","))
    assert [record[:2] for record in records] == [
        (1, ["a", "b\r\nc"]),
        (4, ["d", "e"]),
        (5, None),
        (6, ["i", "j"]),
    ]


def test_the_line_of_a_wrong_byte(tmp_path):
    path = tmp_path / "list"
    path.write_bytes(codecs.BOM_UTF8 + "é\r\nü\r".encode() + b"x\ncaf\xe9")
    with pytest.raises(UserError, match=r"line 4 has the byte 0xe9"):
        text_of(path)
    assert text_of(path, strict=False) == "é\r\nü\rx\ncaf\udce9"
    with pytest.raises(UserError, match=r"cannot read the list .*No such file"):
        text_of(tmp_path / "none")


@pytest.fixture
def latin(tmp_path):
    """A folder with a video and a folder whose names are Latin-1."""
    name = os.fsdecode(b"caf\xe9")
    try:
        put(tmp_path, [f"{name}/caf\udce9.mp4", "tea/a.mp4"])
    except OSError:
        pytest.skip("this file system takes no names that are not UTF-8")
    return tmp_path


def test_names_that_are_no_utf8(latin):
    folder = VideoFolder(latin)
    assert [video.id for video in folder] == ["caf\udce9/caf\udce9.mp4", "tea/a.mp4"]
    assert folder.classes == ("caf\udce9", "tea")
    assert all(os.path.isfile(video.files["rgb"]) for video in folder)
    # As `find` lists them.
    (latin / "list").write_bytes(b"caf\xe9/caf\xe9.mp4 x\ntea/a.mp4 y\n")
    listed = ListFile(latin / "list")
    assert [video.id for video in listed] == [video.id for video in folder]
    assert os.path.isfile(listed[0].files["rgb"])
    (latin / "list").write_bytes(b"caf\xe9/caf\xe9.mp4,caf\xe9\ntea/a.mp4,tea\n")
    with pytest.raises(UserError, match="line 1 has the byte 0xe9"):
        ListFile(latin / "list")


def test_names_that_are_no_utf8_beside_listed_videos(latin):
    put(latin, [f"train/{name}" for name in ("caf\udce9/caf\udce9.mp4", "tea/a.mp4")])
    kinetics = Kinetics400(latin)
    assert [video.id for video in kinetics] == ["train/caf\udce9/caf\udce9.mp4", "train/tea/a.mp4"]
    put(latin, TRAIN + TEST)
    write_lists(latin / "splits")
    assert len(UCF101(latin)) == len(TRAIN + TEST)


def test_a_list_in_latin_1_of_files_in_utf8(tmp_path):
    put(tmp_path, ["café.mp4", "a.mp4"])
    (tmp_path / "list").write_bytes("a.mp4\ncafé.mp4\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"list .*list: it is no text in UTF-8 \(line 2 has the byte 0xe9\)"):
        ListFile(tmp_path / "list")


def test_hidden_files_are_passed_over(tmp_path):
    """As macOS puts them beside each file on other disks: `._name`."""
    put(tmp_path / "h", VIDEOS)
    write_class_lists(tmp_path / "h/testTrainMulti_7030_splits")
    before = list(HMDB51(tmp_path / "h"))
    for path in [*(tmp_path / "h").rglob("*.*")]:
        path.with_name(f"._{path.name}").write_bytes(b"\x00\x05\x16\x07\xff")
    assert list(HMDB51(tmp_path / "h")) == before
    put(tmp_path / "k/train", ["tea/a.mp4", "tea/._a.mp4", "tea/.frames/1.jpg", "._tea/b.mp4"])
    assert [video.id for video in Kinetics400(tmp_path / "k")] == ["train/tea/a.mp4"]
    assert [video.id for video in VideoFolder(tmp_path / "k")] == ["train/tea/a.mp4"]
    # Hidden folders of frames are no layout that holds more than the videos themselves.
    put(tmp_path / "u", TRAIN + TEST)
    write_lists(tmp_path / "u/splits")
    put(tmp_path / "u/frames", [f".{k}/1.jpg" for k in range(99)])
    assert UCF101(tmp_path / "u")[0].files["rgb"].endswith(TRAIN[0])
