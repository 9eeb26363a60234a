"""HMDB51: both forms of its lists, names with odd characters, and groups that the official lists never separate."""

import os
from pathlib import Path

import pytest

from praxino.catalogs.hmdb51 import HMDB51
from praxino.described import build, describe
from praxino.errors import UserError

DATA = Path(__file__).parents[2] / "../shared/data/splits/hmdb51"
CLASSES = ["climb", "climb_stairs", "shoot_gun"]
FILMS = {
    "climb": ["#1_Climber_(Part_2)", "Der_Lachsack;0)", "Rock_!_&_roll", "climb_climb"],
    "climb_stairs": ["April_09", "Fight_climb_Club", "No"],
    "shoot_gun": ["2xFullautoGlocks", "American_History_X", "Z-_-"],
}
ENDINGS = ("u_nm_np1_ba_goo_0", "f_cm_np12_le_bad_13")
VIDEOS = [f"{c}/{film}_{c}_{end}.avi" for c in reversed(CLASSES) for film in FILMS[c] for end in ENDINGS]
TEST = [video for video in VIDEOS if any(film in video for film in ("#1_", "April_09", "Z-_-"))]
TRAIN = [video for video in VIDEOS if video not in TEST]


def write_two_lists(folder, split=1):
    """As IIC ships them: no labels, in the order of a folder's listing, no line end at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "classInd.txt").write_text("\n".join(f"{i} {c}" for i, c in enumerate(CLASSES, 1)))
    (folder / f"trainlist{split:02d}.txt").write_text("\n".join(TRAIN))
    (folder / f"testlist{split:02d}.txt").write_text("\n".join(TEST))


def write_class_lists(folder, split=1, dropped=("climb/not_used_climb_u_nm_np1_ba_goo_0.avi",)):
    """The official ones: a file a class, a space behind the flag."""
    folder.mkdir(parents=True, exist_ok=True)
    flags = dict.fromkeys(TRAIN, 1) | dict.fromkeys(TEST, 2) | dict.fromkeys(dropped, 0)
    for name in CLASSES:
        own = [f"{v.split('/')[1]} {flag} \n" for v, flag in sorted(flags.items()) if v.split("/")[0] == name]
        (folder / f"{name}_test_split{split}.txt").write_text("".join(own))


def put(root, paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")


def test_lists_of_iic(tmp_path):
    put(tmp_path, VIDEOS)
    write_two_lists(tmp_path / "split")
    catalog = HMDB51(tmp_path)
    assert [video.id for video in catalog.part("train")] == TRAIN
    assert [video.id for video in catalog.part("test")] == TEST
    assert catalog.classes == tuple(CLASSES)
    for video in catalog:
        assert video.label == CLASSES.index(video.id.split("/")[0])
        assert os.path.isfile(video.files["rgb"])
    assert "not on the disk" not in catalog.found
    assert catalog.found.startswith(f"HMDB51 split 1: {len(TRAIN)} training and {len(TEST)} test videos of 3 classes")


@pytest.mark.parametrize("place", ["testTrainMulti_7030_splits", "../testTrainMulti_7030_splits", "splits", "."])
def test_official_lists_give_the_same_videos_and_labels(tmp_path, place):
    root = tmp_path / "data"
    put(root, VIDEOS)
    write_class_lists(root / place)
    catalog = HMDB51(root)
    assert [video.id for video in catalog.part("train")] == sorted(TRAIN)
    assert [video.id for video in catalog.part("test")] == sorted(TEST)
    assert catalog.classes == tuple(CLASSES)
    assert all(video.label == CLASSES.index(video.id.split("/")[0]) for video in catalog)


def test_the_order_is_iics_where_both_are_there(tmp_path):
    put(tmp_path, VIDEOS)
    write_class_lists(tmp_path / "testTrainMulti_7030_splits")
    write_two_lists(tmp_path / "split")
    assert [video.id for video in HMDB51(tmp_path).part("train")] == TRAIN


def test_a_group_is_a_film_of_a_class(tmp_path):
    put(tmp_path, VIDEOS)
    write_two_lists(tmp_path / "splits")
    catalog = HMDB51(tmp_path)
    assert {video.group for video in catalog} == {f"{c}/{film}" for c in CLASSES for film in FILMS[c]}
    assert not {v.group for v in catalog.part("train")} & {v.group for v in catalog.part("test")}
    held = HMDB51(tmp_path, held_out=1)
    assert {video.group for video in held.part("test")} == {
        "climb/climb_climb",
        "climb_stairs/No",
        "shoot_gun/American_History_X",
    }
    assert {video.id for video in held} == set(TRAIN)
    again = build(describe(held))
    assert (again.root, again.held_out, again.u_root) == (str(tmp_path), 1, None)


@pytest.mark.parametrize("place", ["hmdb51_org", "HMDB51", "videos", "."])
@pytest.mark.parametrize("by_class", [True, False])
@pytest.mark.parametrize("frames", [True, False])
def test_layouts(tmp_path, place, by_class, frames):
    paths = [video if by_class else video.split("/")[1] for video in VIDEOS]
    put(tmp_path / place, [f"{p.removesuffix('.avi')}/frame000001.jpg" for p in paths] if frames else paths)
    write_two_lists(tmp_path / "split")
    for video in HMDB51(tmp_path):
        assert os.path.isdir(video.files["rgb"]) == frames
        assert os.path.isfile(video.files["rgb"]) == (not frames)


def test_what_is_missing_is_said(tmp_path):
    put(tmp_path, VIDEOS)
    with pytest.raises(UserError, match=r"HMDB51: no lists .*in it and beside it; nor .* <class>_test_split1\.txt"):
        HMDB51(tmp_path)
    write_class_lists(tmp_path / "splits")
    with pytest.raises(UserError, match=r"no lists.*_test_split2"):
        HMDB51(tmp_path, split=2)
    path = tmp_path / "splits" / "climb_test_split1.txt"
    path.write_text("a_climb_u_nm_np1_ba_goo_0.avi 3\n")
    with pytest.raises(UserError, match=r"climb_test_split1\.txt, line 1: expected lines of the form 'video\.avi 1'"):
        HMDB51(tmp_path)
    path.write_text("a.avi 1\na.avi 2\n")
    with pytest.raises(UserError, match=r"climb/a\.avi is listed twice"):
        HMDB51(tmp_path)
    path.write_text("a.avi 1\n")
    with pytest.raises(UserError, match="names that tell a video's source, and the training list has climb/a"):
        HMDB51(tmp_path, held_out=1)


@pytest.mark.skipif(not DATA.is_dir(), reason="the official lists are not beside the repository")
@pytest.mark.parametrize(("split", "first"), [(1, "shoot_gun"), (2, "ride_bike"), (3, "punch")])
def test_official_lists(tmp_path, split, first):
    (tmp_path / "split").symlink_to(DATA.resolve())
    put(tmp_path, ["wave/20060723sfjffbladesofglory_wave_f_cm_np1_ba_med_0.avi", "shoot_gun/none.avi"])
    train, test = (DATA / f"{part}list{split:02d}.txt" for part in ("train", "test"))
    put(tmp_path, [train.read_text().splitlines()[0]])
    catalog = HMDB51(tmp_path, split)
    assert [video.id for video in catalog.part("train")] == train.read_text().splitlines()
    assert [video.id for video in catalog.part("test")] == test.read_text().splitlines()
    assert (len(catalog.part("train")), len(catalog.part("test"))) == (3570, 1530)
    assert catalog[0].id.startswith(f"{first}/")
    # The official lists name no classes: their alphabetical order has to be that of classInd.txt.
    assert list(catalog.classes) == sorted(catalog.classes)
    assert len(catalog.classes) == 51
    groups = {part: {video.group for video in catalog.part(part)} for part in ("train", "test")}
    assert None not in groups["train"] | groups["test"]
    assert not groups["train"] & groups["test"]


def test_a_number_behind_a_name_is_no_part_of_it(tmp_path):
    """UCF101's training lists have one, and lists written after their example."""
    put(tmp_path, VIDEOS)
    write_two_lists(tmp_path / "split")
    (tmp_path / "split" / "trainlist01.txt").write_text("\n".join(f"{name} 7" for name in TRAIN))
    assert [video.id for video in HMDB51(tmp_path).part("train")] == TRAIN
