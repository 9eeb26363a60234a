"""ImageNet's validation pictures, which come in one folder: their classes by number, from text or MATLAB tables."""

import pytest
from test_imagefolder import TRAIN, by_folder, held, put
from test_matlab import compressed, file, number, structs, text

from praxino.catalogs.imagefolder import ImageFolder
from praxino.errors import UserError

# Not in the order of names, as ImageNet's are not.
SYNSETS = {1: "n03", 2: "n01", 3: "n09", 4: "n04", 5: "n02"}
TRUTH = [2, 1, 3, 4, 1, 5]


def flat(root):
    """ImageNet's way: pictures of which one's class is no folder of train, one too many, and one of another name."""
    put(root / "train", *TRAIN)
    names = [f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, len(TRUTH) + 2)]
    put(root / "val", *names, "other.JPEG")
    known = {name: SYNSETS[synset] for name, synset in zip(names, TRUTH, strict=False) if SYNSETS[synset] != "n09"}
    return {f"val/{name}": wnid for name, wnid in known.items()}


def write_truth(folder, synsets="map_clsloc.txt"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ILSVRC2012_validation_ground_truth.txt").write_text("".join(f"{number}\n" for number in TRUTH))
    if synsets.endswith(".txt"):
        (folder / synsets).write_text("".join(f"{wnid} {number} some_words\n" for number, wnid in SYNSETS.items()))
    else:
        rows = [(number(float(n)), text(wnid), text("words")) for n, wnid in SYNSETS.items()]
        (folder / synsets).write_bytes(file(compressed(structs(rows, (1, len(rows))))))


@pytest.mark.parametrize("place", ["val", ".", "ILSVRC2012_devkit_t12/data", "devkit/data"])
@pytest.mark.parametrize("synsets", ["map_clsloc.txt", "meta_clsloc.mat", "meta.mat"])
def test_flat_validation_pictures(tmp_path, place, synsets):
    wanted = flat(tmp_path)
    write_truth(tmp_path / place, synsets)
    catalog = ImageFolder(tmp_path)
    assert held(catalog.part("test")) == wanted
    assert set(wanted.values()) == set(catalog.classes)
    tables = "2 that are no pictures, " if place == "val" else ""
    assert catalog.found.endswith(
        f"; left out in {tmp_path / 'val'}: {tables}1 of other classes, 2 whose class is not known"
    )


def test_flat_validation_pictures_without_their_classes(tmp_path):
    flat(tmp_path)
    catalog = ImageFolder(tmp_path)
    assert held(catalog) == held(catalog.part("train")) == by_folder("train/", TRAIN)
    assert ": 8 whose class is not known" in catalog.found
    with pytest.raises(UserError, match=r"is missing, ILSVRC2012_validation_ground_truth.txt: put it there or into"):
        catalog.part("test")
    write_truth(tmp_path / "val")
    (tmp_path / "val/map_clsloc.txt").unlink()
    with pytest.raises(UserError, match=r"is missing, map_clsloc.txt or meta_clsloc.mat or meta.mat: put it"):
        ImageFolder(tmp_path).part("test")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("ILSVRC2012_validation_ground_truth.txt", "1\n7\n", "line 2: '7' is no number of a synset in"),
        ("ILSVRC2012_validation_ground_truth.txt", "1\nn03\n", "line 2: 'n03' is no number"),
        ("map_clsloc.txt", "n03\n", "line 1: expected `wnid number words`, not 'n03'"),
        ("map_clsloc.txt", f"n01 1 a\nn03 {'9' * 5000} b\n", "map_clsloc.txt, line 2: expected `wnid number words`"),
        ("ILSVRC2012_validation_ground_truth.txt", "", "val has pictures, but none .*8 whose class is not known"),
        ("map_clsloc.txt", "n03 1 a\nn01 1 b\n", "'1' is there twice"),
        ("map_clsloc.txt", "n03 1 a\nn03 2 b\n", "'n03' is there twice"),
        ("meta_clsloc.mat", "text", "cannot read .*meta_clsloc.mat as a MATLAB 5 file"),
    ],
)
def test_odd_tables_of_the_validation(tmp_path, name, content, said):
    flat(tmp_path)
    write_truth(tmp_path / "val", "meta_clsloc.mat" if name.endswith(".mat") else "map_clsloc.txt")
    (tmp_path / "val" / name).write_text(content)
    with pytest.raises(UserError, match=said):
        ImageFolder(tmp_path).part("test")


def test_a_subset_of_classes_of_flat_validation_pictures(tmp_path):
    wanted = flat(tmp_path / "flat")
    write_truth(tmp_path / "flat/val")
    (tmp_path / "subset.txt").write_text("n03\nn04\n")
    catalog = ImageFolder(tmp_path / "flat", tmp_path / "subset.txt")
    assert held(catalog.part("test")) == {id: wnid for id, wnid in wanted.items() if wnid in ("n03", "n04")}


def test_the_numbers_of_names_are_of_ascii(tmp_path):
    put(tmp_path / "train", *TRAIN)
    put(tmp_path / "val", "ILSVRC2012_val_0000000\u0661.JPEG", "ILSVRC2012_val_00000002.JPEG")
    write_truth(tmp_path / "val")
    assert held(ImageFolder(tmp_path).part("test")) == {"val/ILSVRC2012_val_00000002.JPEG": "n03"}
