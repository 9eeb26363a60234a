"""The weights are those that were published, or one line says why not; OpenCV and LiteRT see the same with them."""

import multiprocessing
import re
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pose_networks import WHEEL, needs_wheel
from praxino.catalogs.base import Video
from praxino.errors import UserError
from praxino.streams.blazepose import COCO, BlazePoseKeypoints, BlazePoseMask
from praxino.streams.blazepose_networks import OpenCVNetworks, next_region
from praxino.streams.blazepose_region import Region
from praxino.streams.blazepose_weights import DOWNLOAD, PARTS, read_weights
from praxino.streams.video import VideoFile

# Someone large and alone, who sits still and faces the camera. The clips are given to research and lie in no clone.
ACTIONS = Path(__file__).parents[2] / "../shared/data/actions"
CELLIST = ACTIONS / "PlayingCello/v_PlayingCello_g01_c01.mp4"
ARCHER = ACTIONS / "Archery/v_Archery_g16_c03.mp4"  # stands, and is seen whole
needs_cellist = pytest.mark.skipif(not CELLIST.is_file(), reason="the shared clips are not beside this clone")


@pytest.fixture
def cv2():
    return pytest.importorskip("cv2", reason="OpenCV cuts the regions")


@pytest.fixture
def opencv5(cv2):
    if not hasattr(cv2.dnn, "ENGINE_CLASSIC"):
        pytest.skip(f"OpenCV {cv2.__version__} reads no such network; 5 does")
    return cv2


@pytest.fixture
def litert():
    return pytest.importorskip("ai_edge_litert.interpreter", reason="LiteRT runs the networks")


def waves():
    """Colours by a formula, [120, 160, 3]: nobody's picture."""
    y, x = np.mgrid[:120, :160]
    planes = np.sin(0.05 * x + 0.02 * y), np.sin(0.03 * x - 0.04 * y), np.cos(0.06 * y)
    return np.stack([127 + 100 * plane for plane in planes], -1).round().astype(np.uint8)


def zipped(path, data, place=PARTS["pose_landmark_full"][0]):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(place, data)
    return path


def half(path):
    whole = zipped(path, bytes(PARTS["pose_landmark_full"][1])).read_bytes()
    path.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])


def damaged(path, compression):
    place, size, _ = PARTS["pose_landmark_full"]
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(place, np.random.default_rng(0).bytes(size))
    whole = path.read_bytes()
    path.write_bytes(whole[:120] + b"\xff" * 300 + whole[420:])


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.mkdir(), "there is no such file"),
        (lambda path: path.write_text("text"), "File is not a zip file"),
        (lambda path: path.write_bytes(b""), "File is not a zip file"),
        (lambda path: zipped(path, b"network", "other.tflite"), r"it holds no mediapipe/modules/\S+full\.tflite"),
        (lambda path: zipped(path, b"short"), r"pose_landmark_full\.tflite in it has another size"),
        (lambda path: zipped(path, bytes(PARTS["pose_landmark_full"][1])), "is another network, or damaged"),
        (half, "Bad CRC-32"),
        (lambda path: damaged(path, zipfile.ZIP_BZIP2), "Invalid data stream"),
        (lambda path: damaged(path, zipfile.ZIP_LZMA), "Corrupt input data"),
    ],
    ids=["missing", "folder", "text", "empty", "other", "short", "zeros", "damaged", "bzip2", "lzma"],
)
def test_other_files_are_refused_with_the_command_that_gets_the_right_one(tmp_path, cv2, write, said):
    path = tmp_path / "weights.whl"
    write(path)
    stream = BlazePoseKeypoints(str(path))  # not looked at before it is used: an encoder is loaded without
    with pytest.raises(UserError, match=rf"{re.escape(str(path))} is not the file .*{said}.*") as caught:
        stream.make(np.zeros((1, 24, 24, 3), np.uint8), np.array([0]))
    assert str(caught.value).endswith(DOWNLOAD)
    assert "\n" not in str(caught.value)


def test_an_older_opencv_is_told_which_is_needed():
    older = types.SimpleNamespace(__version__="4.12.0", dnn=types.SimpleNamespace())
    with pytest.raises(UserError, match=r"needs OpenCV 5 or newer, and this is 4\.12\.0: pip install"):
        OpenCVNetworks(older, "nowhere")


def test_without_litert_the_line_to_mend_it_is_said(cv2, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_litert.interpreter", None)
    stream = BlazePoseKeypoints("nowhere", library="litert")
    with pytest.raises(UserError, match=r'pip install "praxino\[litert\]"'):
        stream.make(np.zeros((1, 24, 24, 3), np.uint8), np.array([0]))


def test_opencv_refuses_what_is_no_network_in_a_line(opencv5, monkeypatch):
    monkeypatch.setattr("praxino.streams.blazepose_networks.read_weights", lambda *_: b"no network" * 100)
    with pytest.raises(UserError, match="cannot read BlazePose's network") as caught:
        OpenCVNetworks(opencv5, "nowhere")
    assert "\n" not in str(caught.value)


@needs_wheel
@pytest.mark.parametrize("library", ["opencv", "litert"])
def test_the_network_says_what_litert_said(cv2, request, library):
    """Numbers that LiteRT 2.3 gave of a picture by formula in a turned region, in pixels of 256."""
    request.getfixturevalue("litert" if library == "litert" else "opencv5")
    networks = BlazePoseMask(WHEEL, library=library).networks()
    pose = networks.look(waves(), Region(80, 60, 150, 0.3))
    want = [[128.298, 58.925], [134.866, 77.771], [129.465, 77.522], [128.608, 133.031], [134.903, 33.706]]
    np.testing.assert_allclose(pose.points[[0, 11, 12, 33, 34]] * 256, want, atol=0.05)
    assert abs(pose.flag - 0.065039) < 1e-3
    np.testing.assert_allclose(pose.mask[128:256:64, 64:256:64], [[-3.648, 1.121, -17.441], [-180.563, -1.472, -0.237]],
                               atol=0.3)  # fmt: skip


@needs_wheel
def test_the_detector_sees_nobody_in_waves(cv2, litert):
    networks = BlazePoseMask(WHEEL, library="litert").networks()
    assert networks.detected(waves()) is None
    # So it looks at the whole frame, as with OpenCV.
    whole = Region.whole(120, 160)
    assert networks.search(waves()) == next_region(networks.look(waves(), whole), whole, 120, 160)


def someone(path=CELLIST):
    with VideoFile().open(Video("someone", {"rgb": str(path)})) as reader:
        return reader.read(np.arange(4))[0]


@needs_wheel
@needs_cellist
def test_left_and_right_are_the_persons_own(opencv5):
    """Who faces the camera has the left shoulder on the picture's right; in a mirror left and right change places."""
    stream = BlazePoseKeypoints(WHEEL)
    frames = someone()
    (person, *_), (mirrored, *_) = (list(stream.followed(some)) for some in (frames, frames[:, :, ::-1].copy()))
    points, other = (one.region.to_frame(one.pose.points[list(COCO)]) for one in (person, mirrored))
    left, right = points[5], points[6]
    assert left[0] > right[0] + 10
    assert points[0, 1] < min(left[1], right[1])  # the nose above the shoulders
    swapped = [0] + [k + 1 if k % 2 else k - 1 for k in range(1, 17)]
    seen = slice(0, 13)  # legs behind a cello are guessed
    assert np.abs((other * [-1, 1] + [frames.shape[2], 0])[swapped][seen] - points[seen]).max() < 12


@needs_wheel
@needs_cellist
def test_maps_agree_with_the_person(opencv5):
    frames, wanted = someone(), np.arange(4)
    mask, present = BlazePoseMask(WHEEL).found(frames, wanted)
    maps, there = BlazePoseKeypoints(WHEEL).found(frames, wanted)
    assert present.all()
    assert there.all()
    assert 0.05 < (mask > 127).mean() < 0.8
    for number in wanted:
        rows, columns = np.unravel_index(maps[number].reshape(-1, 17).argmax(0), maps.shape[1:3])
        assert (mask[number, rows[:13], columns[:13], 0] > 127).mean() > 0.7


@needs_wheel
@needs_cellist
def test_a_forked_process_loads_its_own_network(opencv5):
    stream = BlazePoseMask(WHEEL)
    frames, wanted = someone()[:2], np.arange(2)
    here = stream.make(frames, wanted)
    context = multiprocessing.get_context("fork")
    with context.Pool(1) as pool:
        there, other = pool.apply(_made, (stream, frames, wanted))
    np.testing.assert_array_equal(there, here)
    assert other != id(stream.networks())


def _made(stream, frames, wanted):
    return stream.make(frames, wanted), id(stream.networks())


@needs_wheel
@needs_cellist
def test_the_detector_sees_the_person(cv2, litert):
    """Its region has the hips in its middle, where the landmark network sees them, too."""
    frames = someone(ARCHER)
    networks = BlazePoseMask(WHEEL, library="litert").networks()
    region = networks.detected(frames[0])
    pose = networks.look(frames[0], region)
    assert pose.flag > 0.5
    hips = region.to_frame(pose.points[[23, 24]]).mean(0)
    assert np.hypot(*(hips - [region.x, region.y])) < 0.15 * region.side
    assert abs(region.angle) < 0.5


@needs_wheel
@needs_cellist
def test_litert_finds_the_same_person(opencv5, litert):
    """The detector's region and the one of the whole frame are both followed to the same person."""
    frames = someone()
    found = [list(BlazePoseKeypoints(WHEEL, library=library).followed(frames))[-1] for library in ("opencv", "litert")]
    points = [one.region.to_frame(one.pose.points[list(COCO)][:13]) for one in found]
    apart = np.abs(points[0] - points[1]).max(1)
    assert apart[:7].max() < 3  # face and shoulders
    assert apart.max() < 10  # hips are hidden


@needs_wheel
def test_each_part_is_read(tmp_path):
    for part, (_, size, _) in PARTS.items():
        assert len(read_weights(WHEEL, part)) == size
