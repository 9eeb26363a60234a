"""ImageFolder: class folders, parts, subsets, and what is left out and said."""

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.catalogs.imagefolder import ImageFolder
from praxino.described import build, describe
from praxino.errors import UserError

TRAIN = ["n01/a.JPEG", "n01/b.jpg", "n02/b.png", "n03/10.JPG", "n03/9.jpeg", "n04/c.PNG"]
VAL = ["n01/v.JPEG", "n03/v.JPEG", "n03/w.JPEG", "n04/x.JPEG"]


def put(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")
    return root


def held(catalog):
    """Id -> class, in the catalog's order; every path is a file."""
    assert all(video.files["rgb"] == os.path.join(catalog.root, video.id) for video in catalog)
    assert all(os.path.isfile(video.files["rgb"]) for video in catalog)
    return {video.id: catalog.classes[video.label] for video in catalog}


def by_folder(part, paths):
    return {f"{part}{path}": path.split("/")[0] for path in paths}


@pytest.mark.parametrize("tested", ["val", "test"])
def test_parts(tmp_path, tested):
    put(tmp_path / "train", *random.Random(0).sample(TRAIN, len(TRAIN)))
    put(tmp_path / tested, *VAL)
    catalog = ImageFolder(tmp_path)
    assert catalog.classes == ("n01", "n02", "n03", "n04")
    train, test = by_folder("train/", TRAIN), by_folder(f"{tested}/", VAL)
    assert list(held(catalog.part("train")).items()) == list(train.items())
    assert list(held(catalog.part("test")).items()) == list(test.items())
    assert list(held(catalog).items()) == list(held(catalog.part("all")).items()) == [*train.items(), *test.items()]
    assert list(catalog.part("test").part("all")) == list(catalog)
    assert catalog.found == (
        f"ImageFolder: pictures of 4 classes, 6 in {tmp_path / 'train'} and 4 in {tmp_path / tested}"
    )
    assert list(build(describe(catalog))) == list(catalog)
    with pytest.raises(IndexError):
        catalog[10]


def test_a_folder_of_class_folders(tmp_path):
    put(tmp_path, *TRAIN)
    catalog = ImageFolder(tmp_path)
    assert held(catalog) == by_folder("", TRAIN)
    for name in ("train", "test", "all"):
        assert list(catalog.part(name)) == list(catalog)
    # A part of a data set is one, too.
    put(tmp_path / "whole" / "train", *TRAIN)
    assert held(ImageFolder(tmp_path / "whole" / "train")) == held(catalog)


def test_a_class_that_is_called_train(tmp_path):
    put(tmp_path, "train/1.jpg", "bus/1.jpg", "test/1.jpg")
    assert held(ImageFolder(tmp_path)) == {"bus/1.jpg": "bus", "test/1.jpg": "test", "train/1.jpg": "train"}


@pytest.mark.parametrize("folders", [["val"], ["train", "val"], ["train", "test", "devkit/data"]])
def test_parts_without_class_folders_are_no_classes(tmp_path, folders):
    for folder in folders:
        put(tmp_path, f"{folder}/{'map.txt' if 'devkit' in folder else 'ILSVRC2012_val_00000001.JPEG'}")
    with pytest.raises(UserError, match=r"has no class folders, train/<class>/.*: its pictures lie in") as said:
        ImageFolder(tmp_path)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(
    ("there", "absent", "said"), [("train", "test", "val/, or where it is not there test/"), ("val", "train", "train/")]
)
def test_one_part_may_be_absent(tmp_path, there, absent, said):
    put(tmp_path / there, *VAL)
    catalog = ImageFolder(tmp_path)
    assert len(catalog) == 4
    assert catalog.classes == ("n01", "n03", "n04")
    with pytest.raises(UserError, match=rf"no pictures of the part {absent} \(looked for {said}\)"):
        catalog.part(absent)


def test_what_is_left_out_is_counted(tmp_path):
    put(tmp_path / "train", *TRAIN, "loose.jpg", "n01/notes.txt", "n01/deeper/x.jpg", "n07/.hidden.jpg", "n01/._a.JPEG")
    put(tmp_path / "val", *VAL, "n99/a.JPEG", "n99/b.JPEG", ".git/a.jpg", "readme.txt")
    catalog = ImageFolder(tmp_path)
    assert held(catalog) == by_folder("train/", TRAIN) | by_folder("val/", VAL)
    # An empty folder is a class all the same: numbers are those of the folders.
    assert catalog.classes == ("n01", "n02", "n03", "n04", "n07")
    train, val = tmp_path / "train", tmp_path / "val"
    assert catalog.found.endswith(
        f"; no pictures of 1 of them in {train}; left out in {train}: 1 in no class folder, 2 that are no pictures; "
        f"left out in {val}: 2 of other classes"
    )


FOLDERS = st.text("ab-_.é ñ1", min_size=1, max_size=4).filter(lambda name: name.strip(". "))
NAMES = st.sets(st.text("cd-_é1 ", min_size=1, max_size=4), min_size=1, max_size=4)


@settings(deadline=None, max_examples=30)
@given(st.dictionaries(FOLDERS, NAMES, min_size=1, max_size=4))
def test_any_names(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("any")
    paths = [f"{folder}/{name}.jpg" for folder, some in names.items() for name in some if folder[0] != "."]
    if not paths:
        return
    put(root, *paths)
    wanted = sorted((path.split("/")[0], path.split("/")[1]) for path in paths)
    assert list(held(ImageFolder(root)).items()) == [(f"{folder}/{name}", folder) for folder, name in wanted]


def test_refusals(tmp_path):
    with pytest.raises(UserError, match="no folder"):
        ImageFolder(tmp_path / "no")
    with pytest.raises(UserError, match="no class folders with pictures"):
        ImageFolder(tmp_path)
    put(tmp_path / "flat", "a.jpg")
    with pytest.raises(UserError, match="flat has no class folders with pictures"):
        ImageFolder(tmp_path / "flat")
    put(tmp_path / "videos", "a/x.avi")
    with pytest.raises(UserError, match="no class folders with pictures"):
        ImageFolder(tmp_path / "videos")


def listed(tmp_path, *lines):
    (tmp_path / "subset.txt").write_text("".join(f"{line}\n" for line in lines))
    return str(tmp_path / "subset.txt")


@pytest.fixture
def root(tmp_path):
    put(tmp_path / "data/train", *TRAIN)
    put(tmp_path / "data/val", *VAL)
    return tmp_path / "data"


def test_a_subset_of_classes(tmp_path, root):
    catalog = ImageFolder(root, listed(tmp_path, "n04", "n01"))
    assert catalog.classes == ("n01", "n04")
    kept = ("n01/", "n04/")
    assert held(catalog.part("train")) == by_folder("train/", [path for path in TRAIN if path.startswith(kept)])
    assert held(catalog.part("test")) == by_folder("val/", [path for path in VAL if path.startswith(kept)])
    assert "pictures of 2 of 4 classes" in catalog.found
    assert f"listed in {tmp_path / 'subset.txt'}" in catalog.found
    assert ": 3 of other classes" in catalog.found
    assert list(build(describe(catalog))) == list(catalog)


def test_a_subset_of_pictures(tmp_path, root):
    for lines in (["train/n03/9.jpeg", "train/n01/a.JPEG"], ["9.jpeg", "a.JPEG"], ["9.jpeg", "train/n01/a.JPEG"]):
        catalog = ImageFolder(root, listed(tmp_path, *lines))
        assert catalog.classes == ("n01", "n02", "n03", "n04")
        assert held(catalog.part("train")) == {"train/n01/a.JPEG": "n01", "train/n03/9.jpeg": "n03"}
        # A list of training pictures, as those of 1 % of ImageNet, says nothing of the test.
        assert held(catalog.part("test")) == by_folder("val/", VAL)
        assert "; no pictures of 2 of them in" in catalog.found
        assert ": 4 that are not listed" in catalog.found
    both = ImageFolder(root, listed(tmp_path, "c.PNG", "x.JPEG"))
    assert list(held(both)) == ["train/n04/c.PNG", "val/n04/x.JPEG"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["n01", "n0l"], "line 2: 'n0l' is no class folder, and 'n01' is one. Did you mean"),
        (
            ["a.JPEG", "z.JPEG", "y.JPEG"],
            "2 of 3 lines name neither a class folder nor a picture in .*, line 2 the first",
        ),
        (["v.JPEG"], "line 1: there are several pictures 'v.JPEG', val/n01/v.JPEG and val/n03/v.JPEG: write"),
        (["n01", "n02", "n01"], "line 3: 'n01' stands in line 1 as well"),
        ([], "names nothing"),
        (["n01/a.JPEG"], "neither a class folder nor a picture"),
    ],
)
def test_odd_subsets(tmp_path, root, lines, said):
    with pytest.raises(UserError, match=said):
        ImageFolder(root, listed(tmp_path, *lines))


def test_a_subset_that_leaves_nothing(tmp_path, root):
    put(root / "train", "n05/notes.txt")
    with pytest.raises(UserError, match="has no picture of what is listed in"):
        ImageFolder(root, listed(tmp_path, "n05"))
    with pytest.raises(UserError, match="cannot read the list"):
        ImageFolder(root, tmp_path / "no.txt")
