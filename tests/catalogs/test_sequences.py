"""Catalogs of object tracking: how sequences lie, what their files of boxes say, and what is refused."""

import math
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxino.catalogs.box_files import read_boxes
from praxino.catalogs.got10k import GOT10k
from praxino.catalogs.numbered import with_missing
from praxino.catalogs.otb import FOLDERS, OTB
from praxino.catalogs.vot import VOT
from praxino.described import build, describe
from praxino.errors import UserError

LINES = ["10,20,30,40", "11,21,30,40", "12,22,30,41"]
BOXES = [[9, 19, 30, 40], [10, 20, 30, 40], [11, 21, 30, 41]]


def pictures(folder, count, digits=4):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        (folder / f"{number:0{digits}d}.jpg").touch()


def otb(root, name, lines=LINES, count=None, file="groundtruth_rect.txt"):
    pictures(root / name / "img", len(lines) if count is None else count)
    (root / name / file).write_text("".join(f"{line}\n" for line in lines))


def got10k(root, names=("a", "b"), cover=(8, 0, 4)):
    for name in names:
        pictures(root / name, 3, 8)
        (root / name / "groundtruth.txt").write_text("".join(f"{line}\n" for line in LINES))
        if cover:
            (root / name / "cover.label").write_text("".join(f"{number}\n" for number in cover))
    (root / "list.txt").write_text("".join(f"{name}\n" for name in names))


def ids(catalog):
    return [video.id for video in catalog]


def test_otb_as_it_lies(tmp_path):
    otb(tmp_path, "Crossing")
    otb(tmp_path, "Couple", ["10\t20\t30\t40", "11 21  30 40", "12, 22, 30, 41"])
    for number in (1, 2):
        otb(tmp_path, "Jogging", [f"{number},1,5,5"] * 4, file=f"groundtruth_rect.{number}.txt")
    otb(tmp_path, "Human4", file="groundtruth_rect.2.txt")
    (tmp_path / "Human4/groundtruth_rect.1.txt").write_text("\n \n")
    otb(tmp_path, "my cat", ["1.5,2,3,4"])
    (tmp_path / "notes").mkdir()
    catalog = OTB(tmp_path)
    assert ids(catalog) == ["Couple", "Crossing", "Human4", "Jogging.1", "Jogging.2", "my cat"]
    for name in ("Couple", "Crossing", "Human4"):
        np.testing.assert_array_equal(catalog.boxes(ids(catalog).index(name)), BOXES)
    assert catalog[3].files == catalog[4].files
    assert catalog[3].group == catalog[4].group == "Jogging"
    assert [catalog.boxes(row)[0, 0] for row in (3, 4)] == [0, 1]
    assert catalog.boxes(5).tolist() == [[0.5, 1, 3, 4]]
    assert catalog.cover(0) is None
    assert catalog.found == (
        f"OTB: 6 sequences in {tmp_path}, 1 of them not of OTB-2015; not there: 94 of its 98 folders, Basketball "
        "the first; left out: Human4/groundtruth_rect.1.txt (no line in it), folders without img/ and "
        "groundtruth*.txt: 1"
    )
    assert ids(build(describe(catalog))) == ids(catalog)
    for part in ("train", "test", "all"):
        assert ids(catalog.part(part)) == ids(catalog)


def test_a_folder_of_ones_own_sequences_lacks_nothing(tmp_path):
    otb(tmp_path, "my cat", ["1.5,2,3,4"])
    assert OTB(tmp_path).found == f"OTB: 1 sequence in {tmp_path}, 1 of them not of OTB-2015"


def test_held_out_sequences_are_the_test_part(tmp_path):
    for number in (1, 2):
        otb(tmp_path, "Jogging", file=f"groundtruth_rect.{number}.txt")
    for name in ("Skiing", "Couple"):
        otb(tmp_path, name)
    catalog = OTB(tmp_path, held_out=["Jogging"])  # both of its sequences: they have the same pictures
    assert ids(catalog.part("test")) == ["Jogging.1", "Jogging.2"]
    assert ids(catalog.part("train")) == ["Couple", "Skiing"]
    assert ids(catalog.part("all")) == ids(catalog.part("test").part("all")) == ids(catalog)
    other = build(describe(OTB(tmp_path, held_out=["Jogging.2", "Couple"])))
    assert ids(other.part("test")) == ["Couple", "Jogging.2"]
    with pytest.raises(UserError, match=r"held_out names Skying, and no sequence is called so\. Did you mean 'Skiing'"):
        OTB(tmp_path, held_out=["Skying"])


@pytest.mark.parametrize(
    "name, count, rows, first, last",
    [
        ("David", 771, 471, 300, 770),
        ("Football1", 81, 74, 1, 74),
        ("Freeman3", 470, 460, 1, 460),
        ("Freeman4", 300, 283, 1, 283),
        ("Diving", 231, 215, 1, 215),
        ("David", 471, 471, 1, 471),
    ],
)
def test_the_frames_that_the_benchmark_takes(tmp_path, name, count, rows, first, last):
    otb(tmp_path, name, LINES[:1] * rows, count)
    catalog = OTB(tmp_path)
    frames = catalog[0].files["rgb"]
    assert [int(os.path.basename(path)[:4]) for path in (frames[0], frames[-1])] == [first, last]
    assert len(frames) == len(catalog.boxes(0)) == rows
    assert catalog.note(0) == ""


@pytest.mark.parametrize("count", [2, 5])
def test_where_numbers_differ_the_shorter_counts(tmp_path, count):
    otb(tmp_path, "Crossing", count=count)
    catalog = OTB(tmp_path)
    assert len(catalog[0].files["rgb"]) == len(catalog.boxes(0)) == min(count, 3)
    assert catalog.note(0) == f"{count} frames and 3 boxes: the first {min(count, 3)} of each count"


def test_frames_without_leading_zeros_come_in_the_order_of_their_numbers(tmp_path):
    otb(tmp_path, "mine", LINES * 4, 0)
    pictures(tmp_path / "mine/img", 12, 1)
    assert [int(os.path.basename(path)[:-4]) for path in OTB(tmp_path)[0].files["rgb"]] == list(range(1, 13))


@pytest.mark.parametrize("gone", [[5], [1], [1, 2], [3, 4, 8]])
def test_a_missing_picture_stays_a_frame(tmp_path, gone):
    """All behind it would otherwise have the box of the one before."""
    otb(tmp_path, "mine", LINES * 4)
    for number in gone:
        (tmp_path / f"mine/img/{number:04d}.jpg").unlink()
    catalog = OTB(tmp_path)
    assert [int(os.path.basename(path)[:4]) for path in catalog[0].files["rgb"]] == list(range(1, 13))
    assert catalog.note(0) == ""


def test_a_missing_picture_of_a_sequence_that_is_cut(tmp_path):
    otb(tmp_path, "Football1", LINES[:1] * 74, 81)
    (tmp_path / "Football1/img/0030.jpg").unlink()
    assert [int(os.path.basename(path)[:4]) for path in OTB(tmp_path)[0].files["rgb"]] == list(range(1, 75))


def test_numbers_that_jump_are_taken_as_they_are_where_each_has_its_box(tmp_path):
    otb(tmp_path, "mine", LINES, 0)
    for number in (3, 7, 8):
        (tmp_path / f"mine/img/{number:04d}.jpg").touch()
    assert [int(os.path.basename(path)[:4]) for path in OTB(tmp_path)[0].files["rgb"]] == [3, 7, 8]


@pytest.mark.parametrize(
    "names, expected",
    [
        (["2.jpg", "11.jpg", "9.jpg"], ["2.jpg", "9.jpg", "11.jpg"]),
        (["8.jpg", "11.jpg", "9.jpg"], ["8.jpg", "9.jpg", "10.jpg", "11.jpg"]),
        (["f08.jpg", "f10.jpg", "f11.jpg"], ["f08.jpg", "f09.jpg", "f10.jpg", "f11.jpg"]),
        (["a1.jpg", "b3.jpg"], ["a1.jpg", "b3.jpg"]),
        (["1.jpg", "01.jpg", "3.jpg"], ["1.jpg", "3.jpg", "01.jpg"]),
        (["end.jpg"], ["end.jpg"]),
        ([], []),
    ],
)
def test_names_that_are_missing(names, expected):
    assert with_missing(names) == expected


@pytest.mark.parametrize("line", ["1,2,3", "1,2,3,4,5", "a,2,3,4", "1,2,3,inf", "1,2,3,4,5,6,7,8"])
def test_a_malformed_line_is_named(tmp_path, line):
    otb(tmp_path, "Crossing", [LINES[0], line])
    with pytest.raises(UserError, match=r"groundtruth_rect\.txt, line 2: expected four numbers, x, y, width and heig"):
        OTB(tmp_path).boxes(0)


def test_otb_refuses_what_is_none(tmp_path):
    with pytest.raises(UserError, match="OTB: there is no folder"):
        OTB(tmp_path / "none")
    with pytest.raises(UserError, match="has no sequences, <name>/img"):
        OTB(tmp_path)
    for number in (1, 2):
        otb(tmp_path, "A", file=f"groundtruth_rect.{number}.txt")
    otb(tmp_path, "A.1")
    with pytest.raises(UserError, match=r"two sequences that are called A\.1"):
        OTB(tmp_path)


def test_got10k_and_its_parts(tmp_path):
    got10k(tmp_path / "train")
    got10k(tmp_path / "val", ("c", "d", "e"))
    (tmp_path / "val/list.txt").write_text("e\nc\ngone\n")
    catalog = GOT10k(tmp_path)
    assert ids(catalog) == ids(catalog.part("all")) == ["a", "b", "e", "c"]
    assert ids(catalog.part("train")) == ["a", "b"]
    assert ids(catalog.part("test")) == ["e", "c"]
    assert ids(GOT10k(tmp_path / "val").part("train")) == ["e", "c"]
    assert ids(build(describe(catalog))) == ids(catalog)
    assert catalog[2].files["rgb"][0] == str(tmp_path / "val/e/00000001.jpg")
    np.testing.assert_array_equal(catalog.boxes(0), BOXES)
    assert catalog.cover(0).tolist() == [8, 0, 4]
    assert catalog.found == (
        f"GOT10k: 2 sequences in {tmp_path}/train, 2 sequences in {tmp_path}/val; not there: 1 of the 3 in "
        "its list, gone the first"
    )
    with pytest.raises(IndexError):
        catalog[4]


def test_got10k_without_labels_or_a_part(tmp_path):
    got10k(tmp_path / "train", cover=())
    catalog = GOT10k(tmp_path)
    assert catalog.cover(0) is None
    with pytest.raises(UserError, match=r"no sequences of the part test \(looked for val/\)"):
        catalog.part("test")
    with pytest.raises(UserError, match=r"has no train/list\.txt, no val/list\.txt and no list\.txt of its own"):
        GOT10k(tmp_path / "train/a")


def test_got10k_labels_that_are_none(tmp_path):
    got10k(tmp_path / "train", ("a",), (8, 9, 1))
    with pytest.raises(UserError, match=r"cover\.label, line 2: expected a whole number from 0 to 8, found '9'"):
        GOT10k(tmp_path).cover(0)
    got10k(tmp_path / "train", ("a",), (8, 1))
    catalog = GOT10k(tmp_path)
    assert len(catalog.boxes(0)) == len(catalog.cover(0)) == len(catalog[0].files["rgb"]) == 2
    assert catalog.note(0) == "3 frames and 3 boxes and 2 cover labels: the first 2 of each count"


def test_vot_with_rectangles_polygons_and_masks(tmp_path):
    lines = {
        "ball": LINES[0],
        "book": "3,10,8,4,20,9,15,16",
        "cup": "nan,nan,nan,nan",
        "five": "1,1,9,1,9,9,5,12,1,9",
    }
    for name, line in lines.items():
        pictures(tmp_path / name / ("color" if name == "book" else ""), 1, 8)
        (tmp_path / name / "groundtruth.txt").write_text(f"{line}\n")
    (tmp_path / "list.txt").write_text("".join(f"{name}\n" for name in (*lines, "gone")))
    catalog = VOT(tmp_path, held_out=["cup"])
    assert ids(catalog) == list(lines)
    assert ids(catalog.part("test")) == ["cup"]
    assert "; not there: 1 of the 5 in its list, gone the first" in catalog.found
    assert catalog.boxes(0).tolist() == [BOXES[0]]
    assert catalog.boxes(1).tolist() == [[2, 3, 17, 12]]
    assert np.isnan(catalog.boxes(2)).all()
    assert catalog.boxes(3).tolist() == [[0, 0, 8, 11]]
    assert catalog[1].files["rgb"] == (str(tmp_path / "book/color/00000001.jpg"),)
    (tmp_path / "ball/groundtruth.txt").write_text("m10,12,4,4,1,3\n")
    with pytest.raises(UserError, match=r"groundtruth\.txt, line 1: this is a mask"):
        catalog.boxes(0)


numbers = st.floats(-1e6, 1e6, width=32)


@given(
    st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=5),
    st.sampled_from([",", "\t", " ", ", ", " \t "]),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
)
def test_boxes_come_back_as_they_were_written(tmp_path_factory, boxes, separator, end):
    """Whatever divides them; one is subtracted from the corner, as in numpy's own arithmetic."""
    path = tmp_path_factory.mktemp("boxes") / "groundtruth.txt"
    path.write_bytes(end.join(separator.join(map(repr, box)) for box in boxes).encode())
    expected = np.array(boxes, np.float64) - np.array([1, 1, 0, 0])
    np.testing.assert_array_equal(read_boxes(path), expected)


@given(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=6))
def test_a_polygon_lies_just_within_its_box(tmp_path_factory, corners):
    path = tmp_path_factory.mktemp("polygon") / "groundtruth.txt"
    path.write_text(",".join(repr(number) for corner in corners for number in corner))
    x, y, width, height = read_boxes(path, polygons=True)[0]
    points = np.array(corners, np.float64)
    np.testing.assert_array_equal([x, y], points.min(0) - 1)
    np.testing.assert_array_equal([width, height], np.ptp(points, axis=0))


def test_a_polygon_without_a_corner_is_no_box(tmp_path):
    (tmp_path / "groundtruth.txt").write_text("1,1,nan,1,9,9\n")
    assert all(map(math.isnan, read_boxes(tmp_path / "groundtruth.txt", polygons=True)[0]))


def test_the_toolkit_finds_the_same_sequences(tmp_path):
    """got10k reads a root as it reads OTB-2015: all 98 folders, five of them cut, three with two files of boxes."""
    datasets = pytest.importorskip("got10k.datasets.otb", reason="got10k is not installed")
    counts = {"David": (771, 471), "Football1": (81, 74), "Freeman3": (465, 460), "Freeman4": (290, 283)}
    counts["Diving"] = (231, 215)
    rng = np.random.default_rng(0)
    for number, name in enumerate(FOLDERS):
        count, rows = counts.get(name, (3, 3))
        separator = ",\t "[number % 3]
        lines = [separator.join(map(str, rng.integers(1, 200, 4))) for _ in range(rows)]
        for file in ("1", "2") if name in ("Jogging", "Skating2", "Human4") else ("",):
            empty = name == "Human4" and file == "1"
            file = f"groundtruth_rect{'.' if file else ''}{file}.txt"
            otb(tmp_path, name, [] if empty else lines, count, file)
    ours, theirs = OTB(tmp_path), datasets.OTB(str(tmp_path), 2015, download=False)
    assert ids(ours) == list(theirs.seq_names)
    assert len(ours) == 100
    for row in range(100):
        frames, boxes = theirs[row]
        assert list(ours[row].files["rgb"]) == frames
        np.testing.assert_array_equal(ours.boxes(row), boxes - np.array([1, 1, 0, 0]))


def test_files_of_a_sequence_are_read_once_for_all_that_is_asked_of_it(tmp_path, monkeypatch):
    otb(tmp_path, "A")
    otb(tmp_path, "B")
    catalog = OTB(str(tmp_path))
    read, count = OTB._read, []

    def counted(self, place):
        count.append(place.id)
        return read(self, place)

    monkeypatch.setattr(OTB, "_read", counted)
    for row in (0, 0, 1, 0):
        video, boxes = catalog[row], catalog.boxes(row)
        assert len(video.files["rgb"]) == len(boxes)
        assert catalog.note(row) == ""
    assert count == ["A", "B", "A"]
