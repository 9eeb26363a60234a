"""Folders of optical flow pictures beside the videos: the streams `flow_u` and `flow_v` of UCF101 and HMDB51."""

import os

import pytest
from test_ucf101 import TEST, TRAIN, put, write_lists

from praxino.catalogs.hmdb51 import HMDB51
from praxino.catalogs.ucf101 import UCF101
from praxino.described import build, describe
from praxino.errors import UserError
from praxino.streams.probe import probe

VIDEOS = TRAIN + TEST


def pictures(videos, by_class, word="HandstandPushups", name="frame000001.jpg"):
    for video in videos:
        path = video.removesuffix(".avi").replace("HandStandPushups", word)
        yield f"{path if by_class else path.split('/')[1]}/{name}"


@pytest.fixture
def root(tmp_path):
    put(tmp_path / "data", VIDEOS)
    write_lists(tmp_path / "data/splits")
    return tmp_path / "data"


@pytest.mark.parametrize("place", ["tvl1_flow", "flow", "."])
@pytest.mark.parametrize("by_class", [True, False])
@pytest.mark.parametrize("word", ["HandstandPushups", "HandStandPushups"])
def test_usual_places(root, place, by_class, word):
    for component in "uv":
        put(root / place / component, pictures(VIDEOS, by_class, word))
    catalog = UCF101(root)
    for video in catalog:
        assert os.path.isfile(video.files["rgb"])
        for component in "uv":
            folder = video.files[f"flow_{component}"]
            assert os.path.isdir(folder)
            assert f"/{component}/" in folder
            stem = video.id.split("/")[1].removesuffix(".avi")
            assert os.path.basename(folder).lower() == stem.lower()
    shown = "<class>/<video>" if by_class else "<video>"
    assert (
        f"flow_v lies as {os.path.join(root, '' if place == '.' else place, 'v')}/{shown}/<frame>.jpg" in catalog.found
    )


def test_given_folders(root, tmp_path):
    put(tmp_path / "elsewhere", pictures(VIDEOS, False))
    catalog = UCF101(root, v_root=tmp_path / "elsewhere")
    assert list(catalog[0].files) == ["rgb", "flow_v"]
    assert catalog[0].files["flow_v"] == f"{tmp_path}/elsewhere/v_Archery_g03_c01"
    assert build(describe(catalog))[0] == catalog[0]
    # As IIC's README advises where there is no flow: every stream from the frames.
    put(root / "jpegs_256", pictures(VIDEOS, False))
    frames = root / "jpegs_256"
    same = UCF101(root, frames=True, u_root=frames, v_root=frames)[0].files
    assert len(set(same.values())) == 1
    with pytest.raises(UserError, match=r"u_root: .*splits has a folder of pictures of none of the listed videos"):
        UCF101(root, u_root=root / "splits")


def test_without_flow_there_is_only_rgb(root):
    assert list(UCF101(root)[0].files) == ["rgb"]
    assert "flow_u" not in UCF101(root).found


def test_a_video_without_its_folder_is_listed_by_the_probe(root):
    put(root / "u", pictures(VIDEOS[1:], False))
    catalog = UCF101(root)
    assert "1 of them are not on the disk" in catalog.found
    found = probe(catalog[:1], {}, ["flow_u"], 1)
    assert (found[0].status, found[0].reason) == ("unreadable", "flow_u: there is no such file")


def test_hmdb51(tmp_path):
    videos = ["wave/a_(b)_wave_u_nm_np1_ba_goo_0.avi", "wave/c_wave_u_nm_np1_ba_goo_0.avi"]
    put(tmp_path, videos)
    (tmp_path / "split").mkdir()
    (tmp_path / "split/wave_test_split1.txt").write_text("".join(f"{v.split('/')[1]} 1 \n" for v in videos))
    put(tmp_path / "tvl1_flow/u", pictures(videos, False))
    assert HMDB51(tmp_path)[0].files["flow_u"] == f"{tmp_path}/tvl1_flow/u/a_(b)_wave_u_nm_np1_ba_goo_0"
