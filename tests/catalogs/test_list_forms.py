"""What a list's lines mean: headings, separators, quotes, groups, splits; and what is odd is refused with its line."""

import pytest

from praxino.catalogs.listfile import ListFile
from praxino.errors import UserError

FILES = ("a.mp4", "b.mp4", "clip.mp4", "video (1).mp4", "path 2.mp4", "file 7.avi", "frames one/1.jpg")


@pytest.fixture
def listed(tmp_path):
    """Writes a list beside some videos and reads it: ids and names of classes."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")

    def read(text, **given):
        (tmp_path / "list.csv").write_bytes(text.encode())
        return ListFile(tmp_path / "list.csv", **given)

    return read


def rows(catalog):
    return [(video.id, None if video.label is None else catalog.classes[video.label]) for video in catalog]


@pytest.mark.parametrize(
    ("first", "name"),
    [
        ("video (1).mp4,red", "video (1).mp4"),
        ("path 2.mp4,red", "path 2.mp4"),
        ("path 2.mp4 red", "path 2.mp4"),
        ("file 7.avi\tred", "file 7.avi"),
        ("video (99).mp4,red", "video (99).mp4"),  # not on the disk
        ("file_gone.mp4,red", "file_gone.mp4"),
        ("name.mp4;red", "name.mp4"),
        ("frames one,red", "frames one"),
    ],
)
def test_a_first_line_that_is_a_video_is_no_heading(listed, first, name):
    separator = next(s for s in ",\t; " if s in first.replace(name, ""))
    assert rows(listed(f"{first}\nb.mp4{separator}blue\n")) == [(name, "red"), ("b.mp4", "blue")]


def test_a_first_line_without_labels_is_a_video(listed):
    assert rows(listed("path 2.mp4\na.mp4\n")) == [("path 2.mp4", None), ("a.mp4", None)]
    assert rows(listed("video\na.mp4\n")) == [("a.mp4", None)]


@pytest.mark.parametrize("path", ["path", "File", "filename", "video", "clip", "video_path", "clip_name", "name", "ID"])
@pytest.mark.parametrize("label", ["label", "Class", "category", "target"])
@pytest.mark.parametrize("separator", [",", "\t", ";", " "])
def test_headings(listed, path, label, separator):
    text = f"{path}{separator}{label}\na.mp4{separator}red\nb.mp4{separator}blue\n"
    assert rows(listed(text)) == [("a.mp4", "red"), ("b.mp4", "blue")]


def test_the_order_of_columns_is_the_headings(listed):
    assert rows(listed("label,path\nred,a.mp4\nblue,b.mp4")) == [("a.mp4", "red"), ("b.mp4", "blue")]


def test_what_a_file_is_called_is_no_heading(listed, tmp_path):
    (tmp_path / "video").write_bytes(b"")
    assert rows(listed("video,label\na.mp4,x\n")) == [("video", "label"), ("a.mp4", "x")]
    # A folder of that name holds the videos, unless it holds frames.
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip/._0.jpg").write_bytes(b"")
    assert rows(listed("clip,label\na.mp4,x\n")) == [("a.mp4", "x")]
    (tmp_path / "clip/0.jpg").write_bytes(b"")
    assert rows(listed("clip,label\na.mp4,x\n")) == [("clip", "label"), ("a.mp4", "x")]


def test_a_first_line_that_is_half_a_heading_is_a_video_and_said(listed):
    catalog = listed("video_path,action\na.mp4,x\n")
    assert rows(catalog) == [("video_path", "action"), ("a.mp4", "x")]
    assert "the first line of" in catalog.found
    assert "the first line of" not in listed("video_path,label\na.mp4,x\n").found


def test_labels_and_paths_of_several_words(listed):
    for text in ("clip.mp4,playing guitar\na.mp4,run\n", '"clip.mp4";"playing guitar"\na.mp4;run\n'):
        assert rows(listed(text)) == [("clip.mp4", "playing guitar"), ("a.mp4", "run")]
    quoted = 'path,label\n"clip, 2.mp4","playing, guitar"\n"say ""a"".mp4",x\na.mp4 , y\n'
    assert rows(listed(quoted)) == [("clip, 2.mp4", "playing, guitar"), ('say "a".mp4', "x"), ("a.mp4", "y")]
    assert rows(listed('path,label\n" b.mp4",x\na.mp4, "y, z"\n')) == [(" b.mp4", "x"), ("a.mp4", "y, z")]


def test_an_index_of_pandas(listed):
    for heading in ("", "Unnamed: 0"):
        for separator in (",", "\t", ";"):
            text = f"{heading},path,label\n0,a.mp4,red\n1,b.mp4,blue\n".replace(",", separator)
            assert rows(listed(text)) == [("a.mp4", "red"), ("b.mp4", "blue")]
    with pytest.raises(UserError, match=r"line 3: the first column has no name, and 'x' is no row's number"):
        listed(",path\n0,a.mp4\nx,b.mp4\n")
    with pytest.raises(UserError, match=r"line 1: 3 fields, .* heading such as path,label"):
        listed("0,a.mp4,red\n1,b.mp4,blue\n")
    with pytest.raises(UserError, match=r"none of .* on the disk.*line 1, a\.mp4 is: the path comes first"):
        listed("0,a.mp4\n1,b.mp4\n")


def test_plain_lines(listed):
    text = "a.mp4 red\nframes one blue\nno, such.mp4 red\nfolder blue"
    assert rows(listed(text)) == [("a.mp4", "red"), ("frames one", "blue"), ("no, such.mp4", "red"), ("folder", "blue")]
    assert rows(listed('frames one\n"b.mp4"\nno, such.mp4\n'))[:2] == [("frames one", None), ("b.mp4", None)]
    assert rows(listed('"frames one" blue\na.mp4  red\n')) == [("frames one", "blue"), ("a.mp4", "red")]


def test_groups(listed):
    catalog = listed("path,label,group\na.mp4,x,street\nb.mp4,y,street\nclip.mp4,y,yard\nv_Run_g03_c01.avi,x,\n")
    assert [video.group for video in catalog] == ["street", "street", "yard", "Run_g03"]
    assert "in 2 groups" in catalog.found
    assert [video.group for video in listed("path,group\na.mp4,7\n")] == ["7"]


def test_a_column_of_splits_makes_the_parts(listed, tmp_path):
    catalog = listed("path,split,label\na.mp4,train,x\nb.mp4,test,y\nclip.mp4,Train,y\n")
    assert [video.id for video in catalog.part("train")] == ["a.mp4", "clip.mp4"]
    assert [video.id for video in catalog.part("test")] == ["b.mp4"]
    assert rows(catalog.part("test").part("all")) == rows(catalog)
    assert "2 for training and 1 for testing" in catalog.found
    with pytest.raises(UserError, match="says test of no video"):
        listed("path,split\na.mp4,train\n").part("test")
    with pytest.raises(UserError, match=r"line 3: the column split says train or test, not 'val'.* argument test"):
        listed("path,split\na.mp4,train\nb.mp4,val\n")
    (tmp_path / "test.txt").write_text("b.mp4\n")
    with pytest.raises(UserError, match="the argument test names a list"):
        listed("path,split\na.mp4,train\n", test=tmp_path / "test.txt")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,label\na.mp4,x\n\nb, c.mp4,y\n", r"line 4: 3 fields, and the heading has 2: put quotes"),
        ("a.mp4,x\nb, c.mp4,y\n", r"line 2: 3 fields, and without a heading"),
        ("path,label\na.mp4,x\nb.mp4\n", r"line 3: 1 field, and the heading has 2"),
        ('path,label\na.mp4,x\n"b.mp4,y\n', r"line 3: it is no CSV: unexpected end of data"),
        ('path,label\na.mp4,x\n"b.mp4"s,y\n', r"line 3: it is no CSV: .* expected after"),
        ("path,label\na.mp4,x\n,y\n", r"line 3: there is no path"),
        ("path\nframes, two\na.mp4\n", r"line 2: the heading names a path alone"),
        ("path,label\na.mp4,x\nb.mp4,\n", r"line 2 has one, and .*line 3 has none, b\.mp4"),
        ("a.mp4 x\nb.mp4 playing guitar\n", r"line 2: where does the path end in 'b\.mp4 playing guitar'"),
        ("a.mp4 x\nb.mp4,y\n", r"a blank divides .* in line 1, a comma in line 2: divide all lines alike"),
        ("a.mp4;x\nb.mp4,y\n", r"a semicolon divides .* in line 1, a comma in line 2"),
        ("a.mp4,b.mp4;x\n", r"line 1: either a comma or a semicolon .*heading"),
        ('"a.mp4" x y\nb.mp4 z\n', r"line 1: its quotes hold no path, or more"),
        ("label,group\nx,y\n", r"line 1: the heading names no column of paths"),
        ("path,name\na.mp4,b.mp4\n", r"line 1: the heading has two columns for the path, path and name"),
        ("path label group\na.mp4 x y\n", r"line 1: blanks divide no more than a path and a label"),
        ("a.mp4\nb.mp4\n\na.mp4\n", r"line 1: a\.mp4 is listed twice, again in .*line 4"),
        ("x,a.mp4\n", r"none of .* on the disk: .* a\.mp4 is: the path comes first"),
    ],
)
def test_what_is_odd_is_refused_with_its_line(listed, text, said):
    with pytest.raises(UserError, match=said) as refused:
        listed(text)
    assert "\n" not in str(refused.value)
    assert "list.csv" in str(refused.value)
