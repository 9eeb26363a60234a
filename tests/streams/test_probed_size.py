"""The probe knows how large frames are, and leaves out the videos whose frames are too small to be cut."""

import numpy as np
import pytest
from PIL import Image

import videos
from maps import write_maps
from praxino.catalogs.base import Video
from praxino.catalogs.cut import Cut
from praxino.catalogs.folder import VideoFolder
from praxino.streams.base import Canvas
from praxino.streams.choose import stream_of
from praxino.streams.flow_folder import FlowFolder
from praxino.streams.maps import HeatMaps, Masks
from praxino.streams.probe import probe


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("sizes")
    videos.turned(root / "turned.mp4", (0, 1, -1, 0), frames=30, size=(48, 64))
    videos.write(root / "wide.mp4", 30, size=(48, 64))
    for axis in ("rgb", "u", "v"):
        (root / axis / "wide").mkdir(parents=True)
        for number in range(1, 4):
            picture = Image.fromarray(np.full((20, 30), number, np.uint8))
            lying = Image.Exif()
            lying[0x0112] = 6  # the shown picture is turned by a quarter
            picture.save(root / axis / "wide" / f"frame{number:06d}.png", **({"exif": lying} if axis == "rgb" else {}))
    write_maps(root, "wide", 3)
    return root


def test_it_is_the_size_of_what_is_read(root):
    video = Video("Class/wide.mp4", {"rgb": str(root / "wide.mp4")})
    folder = Video("wide", {"rgb": str(root / "rgb/wide")})
    turned = Video("turned", {"rgb": str(root / "turned.mp4")})
    asked = [
        (video, "rgb", {}), (turned, "rgb", {}), (folder, "rgb", {}),
        (Video("wide", {}), "flow", {"flow": FlowFolder(str(root))}),
        (video, "mask", {"mask": Masks(str(root / "segmentation"))}),
        (video, "keypoints", {"keypoints": HeatMaps(str(root / "keypoints"))}),
        (Cut(VideoFolder(root / "turned.mp4"), 0.5)[1], "rgb", {}),
    ]  # fmt: skip
    sizes = []
    for one, name, streams in asked:
        stream = stream_of(one, name, streams)
        sizes.append(stream.probe(one).size)
        with stream.open(one) as reader:
            assert reader.read([0])[0].shape[1:3] == sizes[-1]
    assert sizes == [(48, 64), (64, 48), (30, 20), (20, 30), (24, 32), (24, 32), (64, 48)]


@pytest.mark.parametrize(
    ("canvas", "least", "small"),
    [(Canvas(), 48, []), (Canvas(), 49, ["turned.mp4", "wide.mp4"]), (Canvas(60), 60, []),
     (Canvas(exact=(50, 40)), 41, ["turned.mp4", "wide.mp4"]), (Canvas(longest=32), 24, [])],
)  # fmt: skip
def test_it_is_held_against_the_least_on_the_canvas(root, canvas, least, small):
    catalog = [Video(name, {"rgb": str(root / name)}) for name in ("turned.mp4", "wide.mp4")]
    found = probe(catalog, {}, ["rgb"], 4, smallest={"rgb": (canvas, least)})
    assert [one.id for one in found if one.status == "too small"] == small
    assert all(f"a view needs {least} of the shorter side" in one.reason for one in found if one.id in small)
    assert found.usable.sum() == 2 - len(small)


def test_what_is_too_short_and_too_small_is_too_short(root):
    (found,) = probe(
        [Video("wide", {"rgb": str(root / "wide.mp4")})], {}, ["rgb"], 31, smallest={"rgb": (Canvas(), 99)}
    )
    assert found.status == "too short"
