"""Kinetics-400: official tables and bare folders, the ways that videos lie, and what is refused."""

import os

import pytest

from praxino.catalogs.kinetics400 import Kinetics400
from praxino.described import build, describe
from praxino.errors import UserError

# Class, YouTube id, start and end of each clip; ids may begin with a dash and hold underscores.
TRAIN = [
    ("zumba", "--abc_EFGHI", 4, 14),
    ("air drumming", "0000000000A", 0, 10),
    ("petting animal (not cat)", "a-b_c-d_e-f", 120, 130),
    ("air drumming", "zzzzzzzzzzz", 7, 17),
]
VAL = [("petting animal (not cat)", "VAL00000001", 1, 11), ("zumba", "VAL00000002", 99, 109)]
CLASSES = ("air drumming", "petting animal (not cat)", "zumba")


def clip(row):
    return f"{row[1]}_{row[2]:06d}_{row[3]:06d}"


def table(rows, part):
    """The official form, with the column that some editions have and some have not."""
    quoted = [f'"{label}",{video},{start},{end},{part},0' for label, video, start, end in rows]
    return "\n".join(["label,youtube_id,time_start,time_end,split,is_cc", *quoted]) + "\n"


def lists(folder, names=("train.csv", "val.csv")):
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows, part in zip(names, (TRAIN, VAL), ("train", "validate"), strict=True):
        (folder / name).write_text(table(rows, part))


def put(folder, rows, by_class="plain", named=clip, frames=False, ending=".mp4"):
    for row in rows:
        kind = {"plain": row[0], "underscored": row[0].replace(" ", "_"), "none": ""}[by_class]
        place = folder / kind / (named(row) + ("/000001.jpg" if frames else ending))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"")


def checked(catalog):
    """Every video is where the catalog says, in the tables' order."""
    for part, rows in (("train", TRAIN), ("test", VAL), ("all", TRAIN + VAL)):
        videos = list(catalog.part(part))
        assert [video.id for video in videos] == [f"{row[0]}/{clip(row)}" for row in rows]
        assert [catalog.classes[video.label] for video in videos] == [row[0] for row in rows]
        assert [video.group for video in videos] == [row[1] for row in rows]
        assert all(os.path.exists(video.files["rgb"]) for video in videos)
        stems = [os.path.basename(video.files["rgb"]) for video in videos]
        assert all(row[1] in stem for stem, row in zip(stems, rows, strict=True))


@pytest.mark.parametrize("by_class", ["plain", "underscored", "none"])
@pytest.mark.parametrize("frames", [True, False])
@pytest.mark.parametrize("named", [clip, lambda row: row[1]], ids=["clip", "id"])
def test_tables_and_ways_to_lie(tmp_path, by_class, frames, named):
    lists(tmp_path / "annotations")
    for part, rows in (("train", TRAIN), ("val", VAL)):
        put(tmp_path / part, rows, by_class, named, frames)
    catalog = Kinetics400(tmp_path)
    assert catalog.classes == CLASSES
    checked(catalog)
    assert all(os.path.isdir(video.files["rgb"]) == frames for video in catalog)
    assert catalog.found.startswith("Kinetics400: 4 training and 2 validation videos of 3 classes; by ")
    assert "not on the disk" not in catalog.found


@pytest.mark.parametrize("place", [".", "lists", "../annotations"])
@pytest.mark.parametrize("names", [("train.csv", "validate.csv"), ("kinetics_train.csv", "kinetics-400_val.csv")])
@pytest.mark.parametrize("folders", [("train_256", "val_256"), ("videos_train", "videos_val"), ("videos", "videos")])
def test_names_of_tables_and_folders(tmp_path, place, names, folders):
    root = tmp_path / "k400"
    lists(root / place, names)
    for folder, rows in zip(folders, (TRAIN, VAL), strict=True):
        put(root / folder, rows, ending=".mkv")
    checked(Kinetics400(root))


def test_both_parts_in_the_root_itself(tmp_path):
    lists(tmp_path)
    put(tmp_path, TRAIN + VAL, "none")
    checked(Kinetics400(tmp_path))


@pytest.mark.parametrize("by_class", ["plain", "underscored"])
@pytest.mark.parametrize("frames", [True, False])
def test_folders_without_tables(tmp_path, by_class, frames):
    put(tmp_path / "train", TRAIN, by_class, frames=frames)
    put(tmp_path / "val", VAL, by_class, frames=frames)
    (tmp_path / "train" / "readme.txt").write_text("no video")
    (tmp_path / "val" / ".hidden").mkdir()
    catalog = Kinetics400(tmp_path)
    assert catalog.classes == CLASSES
    for part, rows in (("train", TRAIN), ("test", VAL)):
        videos = list(catalog.part(part))
        assert sorted(video.group for video in videos) == sorted(row[1] for row in rows)
        assert [video.id for video in videos] == sorted(video.id for video in videos)
        for video in videos:
            assert str(tmp_path / video.id) == video.files["rgb"]
            assert catalog.classes[video.label] == next(row[0] for row in rows if row[1] == video.group)
    # The tables give the same labels.
    lists(tmp_path)
    assert Kinetics400(tmp_path).classes == catalog.classes


def test_other_names_have_no_group(tmp_path):
    put(tmp_path / "train", [("zumba", "my dance", 0, 10)], named=lambda row: row[1])
    (video,) = Kinetics400(tmp_path)
    assert (video.id, video.label, video.group) == ("train/zumba/my dance.mp4", 0, None)


def test_absent_videos_stay_and_are_counted(tmp_path):
    lists(tmp_path / "annotations")
    put(tmp_path / "train", TRAIN[1:])
    catalog = Kinetics400(tmp_path)
    assert len(catalog) == 6
    assert "1 of them not on the disk" in catalog.found
    gone = catalog.part("train")[0]
    assert gone.files["rgb"] == str(tmp_path / "train" / "zumba" / "--abc_EFGHI_000004_000014.mp4")
    assert not os.path.exists(gone.files["rgb"])


def test_one_part_alone(tmp_path):
    put(tmp_path / "train", TRAIN)
    catalog = Kinetics400(tmp_path)
    assert len(catalog) == len(catalog.part("train")) == len(catalog.part("all")) == 4
    with pytest.raises(UserError, match=r"has no videos of the part test \(looked for a list val\.csv"):
        catalog.part("test")
    lists(tmp_path)
    (tmp_path / "val.csv").unlink()
    put(tmp_path / "val", VAL)
    with pytest.raises(UserError, match="no videos of the part test"):
        Kinetics400(tmp_path).part("test")


def test_several_folders_of_a_part_have_to_be_told_apart(tmp_path):
    put(tmp_path / "train", TRAIN[:1])
    put(tmp_path / "train_256", TRAIN)
    put(tmp_path / "elsewhere", VAL)
    with pytest.raises(UserError, match=r"folders of one part, train and train_256: say which .* by train_folder"):
        Kinetics400(tmp_path)
    catalog = Kinetics400(tmp_path, train_folder="train_256", val_folder=tmp_path / "elsewhere")
    assert [len(catalog.part("train")), len(catalog.part("test"))] == [4, 2]
    again = build(describe(catalog.part("test")))
    assert [video.id for video in again] == [video.id for video in catalog]
    with pytest.raises(UserError, match=r"train_folder: there is no folder .*train_512"):
        Kinetics400(tmp_path, train_folder="train_512")


@pytest.mark.parametrize(
    "text, said",
    [
        ("label,id\n", "expected the columns .* and there is no youtube_id"),
        ("", "expected the columns"),
        (
            "label,youtube_id,time_start,time_end\nzumba,abc,one,11\n",
            "line 2: time_start and time_end should be seconds",
        ),
        ("label,youtube_id,time_start,time_end\nzumba,abc\n", "line 2: 2 fields, and the heading has 4"),
        ("label,youtube_id,time_start,time_end\nzumba,abc,1,1e999\n", "line 2: .* should be seconds, not '1e999'"),
        ("label,youtube_id,time_start,time_end\n\nzumba,abc,-1,9\n", "line 3: .* should be seconds, not '-1'"),
        ("label,youtube_id,time_start,time_end\n,abc,1,9\n", "line 2: there is no label"),
        ('label,youtube_id,time_start,time_end\n"zumba,abc,1,9\nzumba,abc,1,9\n', "line 2: it is no CSV"),
        (table([*TRAIN, TRAIN[0]], "train"), "zumba/--abc_EFGHI_000004_000014 is listed twice"),
        (table(TRAIN, "train"), "none of the 4 listed videos is in"),
        ("label,youtube_id,time_start,time_end\n", "has neither lists"),
    ],
)
def test_what_is_refused(tmp_path, text, said):
    (tmp_path / "train.csv").write_text(text)
    with pytest.raises(UserError, match=said) as refused:
        Kinetics400(tmp_path)
    assert "\n" not in str(refused.value)


def test_a_list_that_is_no_text(tmp_path):
    (tmp_path / "train.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(UserError, match=r"cannot read .*train\.csv: it is no text"):
        Kinetics400(tmp_path)


def test_missing_roots_and_double_lists(tmp_path):
    with pytest.raises(UserError, match="Kinetics400: there is no folder"):
        Kinetics400(tmp_path / "none")
    with pytest.raises(UserError, match=r"has neither lists .* nor videos"):
        Kinetics400(tmp_path)
    lists(tmp_path)
    lists(tmp_path, ("kinetics_train.csv", "validate.csv"))
    with pytest.raises(UserError, match=r"several lists of one part: kinetics_train\.csv and train\.csv"):
        Kinetics400(tmp_path)
