"""UCF101: lists, layouts, labels and groups, on small data sets made here and on the official lists where they are."""

import os
from collections import Counter
from pathlib import Path

import pytest

from praxino.catalogs.ucf101 import UCF101
from praxino.described import build, describe
from praxino.errors import UserError

DATA = Path(__file__).parents[2] / "../shared/data"
CLASSES = ["Archery", "HandstandPushups", "YoYo"]


def names(groups):
    for label in CLASSES:
        word = "HandStandPushups" if label == "HandstandPushups" else label
        for group in groups:
            for clip in (1, 2):
                yield f"{label}/v_{word}_g{group:02d}_c{clip:02d}.avi"


TRAIN, TEST = list(names(range(3, 8))), list(names([1, 2]))


def write_lists(folder, train=TRAIN, test=TEST, split=1, end="\r\n"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "classInd.txt").write_bytes("".join(f"{i} {c}{end}" for i, c in enumerate(CLASSES, 1)).encode())
    # The numbers of the training list are wrong on purpose: they are not to be used.
    (folder / f"trainlist{split:02d}.txt").write_bytes(end.join(f"{video} 77" for video in train).encode())
    (folder / f"testlist{split:02d}.txt").write_bytes("".join(f"{video}{end}" for video in test).encode())


def put(root, paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")


def frames_of(videos, by_class, word="HandstandPushups"):
    for video in videos:
        path = video.removesuffix(".avi").replace("HandStandPushups", word)
        yield f"{path if by_class else path.split('/')[1]}/frame000001.jpg"


def mp4(videos):
    return [video.replace(".avi", ".mp4") for video in videos]


def flat(videos):
    return [video.split("/")[1] for video in videos]


LAYOUTS = {
    "class folders": (TRAIN + TEST, "<class>/<video>"),
    "mp4": (mp4(TRAIN + TEST), "<class>/<video>"),
    "flat": (flat(TRAIN + TEST), "<video>"),
    "UCF-101": ([f"UCF-101/{v}" for v in TRAIN + TEST], "UCF-101/<class>/<video>"),
    "videos": ([f"videos/{v}" for v in mp4(TRAIN + TEST)], "videos/<class>/<video>"),
    "other spelling": ([v.replace("HandStand", "Handstand") for v in TRAIN + TEST], "<class>/<video>"),
    "other class folder": ([v.replace("Handstand", "HandStand") for v in TRAIN + TEST], "<class>/<video>"),
    "archive": ([f"jpegs_256/{p}" for p in frames_of(TRAIN + TEST, False)], "jpegs_256/<video>/<frame>.jpg"),
    "frames": (list(frames_of(TRAIN + TEST, True, "HandStandPushups")), "<class>/<video>/<frame>.jpg"),
    "frames by class": ([f"frames/{p}" for p in frames_of(TRAIN + TEST, True)], "frames/<class>/<video>/<frame>.jpg"),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("lists", ["splits", "split", "ucfTrainTestlist", ".", "../splits"])
def test_layouts(tmp_path, name, lists):
    root = tmp_path / "data"
    paths, said = LAYOUTS[name]
    put(root, paths)
    write_lists(root / lists, end="\n" if lists == "split" else "\r\n")
    catalog = UCF101(root)
    assert [video.id for video in catalog] == TRAIN + TEST
    assert [video.id for video in catalog.part("train")] == TRAIN
    assert [video.id for video in catalog.part("test")] == TEST
    assert [video.id for video in catalog.part("test").part("all")] == TRAIN + TEST
    assert catalog.classes == tuple(CLASSES)
    for video in catalog:
        assert video.label == CLASSES.index(video.id.split("/")[0])
        assert os.path.exists(video.files["rgb"]), video
        assert os.path.isdir(video.files["rgb"]) == said.endswith("jpg")
    assert catalog.found.endswith(f"lying as {root}/{said}")
    assert f"{len(TRAIN)} training and {len(TEST)} test videos of 3 classes" in catalog.found


def test_groups_are_of_a_class(tmp_path):
    put(tmp_path, TRAIN + TEST)
    write_lists(tmp_path / "splits")
    groups = Counter(video.group for video in UCF101(tmp_path))
    assert len(groups) == 3 * 7
    assert set(groups.values()) == {2}
    assert "HandStandPushups_g03" in groups


def test_splits_and_description(tmp_path):
    put(tmp_path, TRAIN + TEST)
    write_lists(tmp_path / "splits")
    write_lists(tmp_path / "splits", TEST, TRAIN, split=3)
    assert [video.id for video in UCF101(tmp_path, split=3).part("train")] == TEST
    again = build(describe(UCF101(str(tmp_path), split=3, held_out=1)))
    assert (again.split, again.held_out, again.frames) == (3, 1, None)
    with pytest.raises(UserError, match=r"splits holds lists, but not trainlist02.txt and testlist02.txt"):
        UCF101(tmp_path, split=2)


def test_held_out_groups_never_touch_the_test_list(tmp_path):
    put(tmp_path, TRAIN + TEST)
    write_lists(tmp_path / "splits")
    catalog = UCF101(tmp_path, held_out=2)
    assert {video.id for video in catalog} == set(TRAIN)
    assert {video.group[-2:] for video in catalog.part("test")} == {"06", "07"}
    assert {video.group[-2:] for video in catalog.part("train")} == {"03", "04", "05"}
    ids = [video.id for video in catalog.part("train")]
    assert ids == [video for video in TRAIN if video in ids]
    for wrong in (5, -1):
        with pytest.raises(UserError, match="held_out"):
            UCF101(tmp_path, held_out=wrong)


def test_absent_videos_stay(tmp_path):
    put(tmp_path, [TRAIN[1], *mp4(TEST)])
    write_lists(tmp_path / "splits")
    catalog = UCF101(tmp_path)
    assert len(catalog) == len(TRAIN) + len(TEST)
    assert f"{len(TRAIN) - 1} of them are not on the disk" in catalog.found
    assert catalog[0].files["rgb"] == f"{tmp_path}/{TRAIN[0]}"
    assert not os.path.exists(catalog[0].files["rgb"])
    assert os.path.exists(catalog[-1].files["rgb"])


def test_files_or_frames(tmp_path):
    put(tmp_path, TRAIN + TEST)
    put(tmp_path / "jpegs_256", frames_of(TRAIN + TEST, False))
    write_lists(tmp_path / "splits")
    assert UCF101(tmp_path)[0].files["rgb"].endswith(".avi")
    assert "jpegs_256" in UCF101(tmp_path, frames=True)[0].files["rgb"]
    # Files come first, but not a handful of them before a whole archive.
    for video in TRAIN[1:] + TEST:
        (tmp_path / video).unlink()
    assert "jpegs_256" in UCF101(tmp_path)[0].files["rgb"]
    assert UCF101(tmp_path, frames=False)[0].files["rgb"].endswith(".avi")


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(UserError, match="there is no folder"):
        UCF101(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"no lists .*looked in splits/, split/, ucfTrainTestlist/"):
        UCF101(tmp_path)
    write_lists(tmp_path / "splits")
    with pytest.raises(UserError, match=r"none of the 42 listed videos or folders of frames is in .*UCF-101/"):
        UCF101(tmp_path)
    (tmp_path / "splits" / "classInd.txt").unlink()
    with pytest.raises(UserError, match=r"holds lists, but not classInd\.txt"):
        UCF101(tmp_path)


@pytest.mark.parametrize(
    ("classes", "train", "said"),
    [
        ("0 Archery\n1 HandstandPushups\n2 YoYo\n", TRAIN, "numbered 1, 2, 3"),
        ("Archery\n", TRAIN, "of the form '1 ApplyEyeMakeup'"),
        ("1 Archery\n", TRAIN, "a class that classInd.txt does not have"),
        (None, [*TRAIN, TRAIN[0]], "listed twice"),
        (None, [*TRAIN, TEST[0]], "listed twice"),
        (None, ["v_YoYo_g01_c01.avi"], r"of the form Class/video\.avi"),
    ],
)
def test_lists_of_another_form_are_refused(tmp_path, classes, train, said):
    put(tmp_path, TRAIN + TEST)
    write_lists(tmp_path / "splits", train)
    if classes is not None:
        (tmp_path / "splits" / "classInd.txt").write_text(classes)
    with pytest.raises(UserError, match=said):
        UCF101(tmp_path)


@pytest.mark.skipif(not DATA.is_dir(), reason="the official lists are not beside the repository")
@pytest.mark.parametrize(("split", "train", "test"), [(1, 9537, 3783), (2, 9586, 3734), (3, 9624, 3696)])
def test_official_lists(tmp_path, split, train, test):
    (tmp_path / "splits").symlink_to((DATA / "splits/ucf101").resolve())
    put(tmp_path, ["HandstandPushups/v_HandStandPushups_g08_c01.avi"])
    catalog = UCF101(tmp_path, split)
    assert (len(catalog.part("train")), len(catalog.part("test"))) == (train, test)
    assert len(catalog.classes) == 101
    train_groups = {video.group for video in catalog.part("train")}
    assert len(train_groups) == 101 * 18
    assert not train_groups & {video.group for video in catalog.part("test")}
    handstand = [video for video in catalog.part("train") if video.id.startswith("HandstandPushups/")]
    assert len(handstand) == {1: 100, 2: 91, 3: 86}[split]
    assert {video.label for video in handstand} == {36}


@pytest.mark.skipif(not DATA.is_dir(), reason="the real videos are not beside the repository")
@pytest.mark.parametrize("split", [1, 2, 3])
def test_real_videos(split):
    catalog = UCF101(DATA / "actions", split)
    assert len(catalog) == 710
    assert [len(catalog.part(part)) for part in ("train", "test")] == [500, 210]
    assert Counter(video.label for video in catalog.part("test")) == dict.fromkeys(range(10), 21)
    assert all(os.path.isfile(video.files["rgb"]) for video in catalog)
    assert "not on the disk" not in catalog.found
