"""R2V2: how names are taken apart, and what is left out and said."""

import os
import string
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from praxino.catalogs.listing import Listing
from praxino.catalogs.r2v2 import R2V2, _frames
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.streams.probe import probe

VIDEOS = {"-_xY_z0-9ab": [2, 999999, 30], "AA2pFq9pFTA": [1, 7, 120, 4], "_a-_b_c_d-e": [12], "zz9-Qw_rTy1": [0, 1]}
OTHERS = {"--abc_EFGHI": [5, 6], "zzzzzzzzzzz": [7]}


def put(root, videos):
    for id, numbers in videos.items():
        (root / id[:2]).mkdir(parents=True, exist_ok=True)
        for number in numbers:
            (root / id[:2] / f"{id}_{number:06d}.jpg").write_bytes(b"")
    return root


def held(catalog, root):
    """Id -> frame numbers, in the catalog's order; every path is a file below the root."""
    found = {}
    for video in catalog:
        assert all(os.path.isfile(path) and path.startswith(str(root)) for path in video.files["rgb"])
        assert video.label is None
        found[video.id] = [int(path[-10:-4]) for path in video.files["rgb"]]
    return found


def ordered(videos):
    return {id: sorted(videos[id]) for id in sorted(videos)}


def test_a_folder_of_frames(tmp_path):
    catalog = R2V2(put(tmp_path, VIDEOS))
    assert list(held(catalog, tmp_path).items()) == list(ordered(VIDEOS).items())
    assert catalog.found == f"R2V2: 4 videos in {tmp_path}, 1 to 4 pictures each, 10 in all"
    assert catalog.classes == ()
    assert catalog.part("train") is not catalog
    for name in ("train", "test", "all"):
        assert list(catalog.part(name)) == list(catalog)
    assert list(build(describe(catalog))) == list(catalog)
    assert catalog[-1].id == "zz9-Qw_rTy1"
    with pytest.raises(IndexError):
        catalog[4]


def test_folders_of_parts(tmp_path):
    put(tmp_path / "train", VIDEOS)
    put(tmp_path / "val", OTHERS)
    catalog = R2V2(tmp_path)
    assert held(catalog.part("train"), tmp_path / "train") == ordered(VIDEOS)
    assert held(catalog.part("test"), tmp_path / "val") == ordered(OTHERS)
    assert [video.id for video in catalog.part("all")] == [*sorted(VIDEOS), *sorted(OTHERS)]
    assert list(catalog) == list(catalog.part("all")) == list(catalog.part("train").part("all"))
    assert f"4 videos in {tmp_path / 'train'} and 2 videos in {tmp_path / 'val'}, 1 to 4" in catalog.found
    # The folder of a part is the same videos.
    assert list(R2V2(tmp_path / "train")) == list(catalog.part("train"))


def test_the_catalog_says_how_many_frames_a_video_has(tmp_path):
    put(tmp_path / "train", VIDEOS)
    put(tmp_path / "val", OTHERS)
    for catalog in (R2V2(tmp_path), R2V2(tmp_path).part("test")):
        said = [catalog.listed_frames(row) for row in range(len(catalog))]
        assert said == [len(video.files["rgb"]) for video in catalog]


def test_one_part_may_be_absent(tmp_path):
    put(tmp_path / "train", VIDEOS)
    assert len(R2V2(tmp_path).part("train")) == len(R2V2(tmp_path)) == 4
    with pytest.raises(
        UserError, match=r"no videos of the part test \(looked for val/, or where it is not there test/\)"
    ):
        R2V2(tmp_path).part("test")


def test_what_is_left_out_is_counted(tmp_path):
    put(tmp_path, VIDEOS)
    # Other lengths, other characters, another ending; in another folder; in a folder with a longer name.
    odd = ["AA2pFq9pFTA_7.jpg", "AA2pFq9pFT._000001.jpg", "AA2pFq9pFTA-000001.jpg", "AA2pFq9pFTA_00000a.jpg"]
    odd += ["AA2pFq9pFTA_000002.JPG", "AA2pFq9pFTA_000002.jpeg", "AA2pFq9pFTA_0000002.jpg", "é2pFq9pFTA_000001.jpg"]
    misplaced = ["zz/AA2pFq9pFTA_000005.jpg", "AAx/AA2pFq9pFTA_000005.jpg", "aa/AA2pFq9pFTA_000005.jpg"]
    rest = ["AA/thumbs.db", "AA/deeper/AA2pFq9pFTA_000005.jpg"]
    hidden = ["AA/._AA2pFq9pFTA_000001.jpg", ".AA/AA2pFq9pFTA_000009.jpg"]
    loose = ["AA2pFq9pFTA_000003.jpg", "train_names.pkl"]
    for path in [*(f"AA/{name}" for name in odd), *misplaced, *rest, *hidden, *loose]:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    catalog = R2V2(tmp_path)
    assert held(catalog, tmp_path) == ordered(VIDEOS)
    assert catalog.found.endswith(
        f"; left out in {tmp_path}: {len(odd) + 1} not named <two characters>/<id>_<number>.jpg, 3 not in the folder "
        "that their id begins with, 2 that are no pictures"
    )


IDS = st.text(string.ascii_letters + string.digits + "-_", min_size=11, max_size=11)
NUMBERS = st.lists(st.integers(0, 999999), min_size=1, max_size=4, unique=True)


@settings(deadline=None)
@given(st.dictionaries(IDS, NUMBERS, min_size=1, max_size=12))
def test_any_ids_and_numbers(videos):
    """By columns as by the original's way: a list of pairs, sorted and grouped. No folder is needed for it."""
    files = sorted((id[:2], f"{id}_{number:06d}.jpg") for id, numbers in videos.items() for number in numbers)
    folders = sorted({folder for folder, _ in files})
    counts = [sum(folder == other for other, _ in files) for folder in folders]
    names = "".join(f"{name}\0" for _, name in files).encode()
    with pytest.MonkeyPatch.context() as patch:
        made = Listing(tuple(folders), names, np.array(counts), np.zeros(len(folders), np.int64))
        patch.setattr("praxino.catalogs.r2v2.list_pictures", lambda *_: made)
        patch.setattr("praxino.catalogs.r2v2.folders_in", lambda _: (folders, 0))
        frames = _frames("root")
    pairs = sorted((name[-22:-11], int(name[-10:-4])) for _, name in files)
    wanted = [(id, [number for _, number in some]) for id, some in groupby(pairs, lambda pair: pair[0])]
    assert [(id.decode(), frames.numbers[frames.first[k] : frames.first[k + 1]].tolist())
            for k, id in enumerate(frames.ids)] == wanted  # fmt: skip
    assert [frames.video(k).files["rgb"][-1] for k in range(len(wanted))] == [
        os.path.join("root", id[:2], f"{id}_{numbers[-1]:06d}.jpg") for id, numbers in wanted
    ]


def test_refusals(tmp_path):
    with pytest.raises(UserError, match="no folder"):
        R2V2(tmp_path / "no")
    with pytest.raises(UserError, match="has no pictures <two characters>/<id>"):
        R2V2(tmp_path)
    (tmp_path / "AA").mkdir()
    (tmp_path / "AA" / "a.jpg").write_bytes(b"")
    with pytest.raises(
        UserError, match=r"nor has any in train/ or val/, or where it is not there test/; left out in .*: 1 not named"
    ):
        R2V2(tmp_path)
    put(tmp_path / "train", VIDEOS)
    with pytest.raises(UserError, match="holds train, and folders of pictures beside"):
        R2V2(tmp_path)


def test_a_video_in_both_parts(tmp_path):
    put(tmp_path / "train", VIDEOS)
    put(tmp_path / "val", OTHERS | {"AA2pFq9pFTA": [99]})
    with pytest.raises(UserError, match=r"1 videos are in .*train and in .*val, AA2pFq9pFTA the first"):
        R2V2(tmp_path)


def test_the_probe_leaves_out_what_has_too_few_frames(tmp_path):
    for id, numbers in VIDEOS.items():
        for number in numbers:
            (tmp_path / id[:2]).mkdir(exist_ok=True)
            Image.new("RGB", (8, 6)).save(tmp_path / id[:2] / f"{id}_{number:06d}.jpg")
    probed = probe(R2V2(tmp_path), {}, ["rgb"], min_frames=3)
    assert [(video.id, video.frames, video.status) for video in probed] == [
        ("-_xY_z0-9ab", 3, "ok"),
        ("AA2pFq9pFTA", 4, "ok"),
        ("_a-_b_c_d-e", 1, "too short"),
        ("zz9-Qw_rTy1", 2, "too short"),
    ]


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is readable")
def test_a_folder_that_cannot_be_read(tmp_path):
    put(tmp_path, VIDEOS)
    (tmp_path / "AA").chmod(0)
    with pytest.raises(UserError, match="cannot read the folder"):
        R2V2(tmp_path)
    (tmp_path / "AA").chmod(0o700)
