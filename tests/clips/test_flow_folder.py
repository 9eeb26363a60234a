"""Flow from pictures: whatever numbers, gaps, orders of reads and canvases, held against pictures read one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from praxino.catalogs.base import Video
from praxino.clips.dataset import load_clips
from praxino.clips.samplers import EvenClips, Sampler
from praxino.described import build, describe
from praxino.errors import UnreadableVideo, UserError
from praxino.streams.base import Canvas
from praxino.streams.choose import channels_of, stream_of
from praxino.streams.flow_folder import FlowFolder
from praxino.streams.frames import FrameFolder
from praxino.streams.probe import probe

SIZE = (12, 16)
ID = "Archery/v_Archery_g01_c01.avi"
STEM = "v_Archery_g01_c01"


def level(axis, number):
    return (7 * number + 100 * (axis == "v")) % 251


def write(folder, axis, number, size=SIZE, name="frame{:06d}.png"):
    """A picture that tells its number and component, in its first pixel; the rest is noise."""
    pixels = np.random.default_rng(number).integers(0, 256, size, dtype=np.uint8)
    pixels[0, 0] = level(axis, number)
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / name.format(number))
    return pixels


def two_stream(root, numbers, missing_u=(), missing_v=(), damaged=()):
    for axis, missing in (("u", missing_u), ("v", missing_v)):
        for number in numbers:
            if number not in missing:
                write(root / axis / STEM, axis, number)
        for number in damaged:
            (root / axis / STEM / f"frame{number:06d}.png").write_bytes(b"no picture")


def numbers_of(pixels):
    return pixels[:, 0, 0].tolist()


def levels(numbers):
    return [[level("u", k), level("v", k)] for k in numbers]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_gaps_anywhere_shift_nothing(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("flow")
    first = data.draw(st.sampled_from([0, 1]))
    last = data.draw(st.integers(first, 9))
    every = range(first, last + 1)
    # A 0 says that it is counted from 0, and the last number where the flow ends; 1 may be missing as any other.
    inner = st.sets(st.sampled_from(range(1, last))) if last > 1 else st.just(set())
    no_u, no_v, damaged = data.draw(inner), data.draw(inner), data.draw(inner)
    two_stream(root, every, no_u, no_v, damaged)
    indices = data.draw(st.lists(st.integers(0, last - first), max_size=12))
    there = [k for k in every if k not in no_u | no_v | damaged]
    with FlowFolder(str(root)).open(Video(ID, {})) as reader:
        assert len(reader.times) == len(every)
        assert np.allclose(reader.times, np.arange(len(every)) / 25)
        asked = sorted({k + first for k in indices})
        usable = [k for k in asked if k in there]
        if indices and not usable:
            with pytest.raises(UnreadableVideo, match="none of the frames asked for"):
                reader.read(indices)
            return
        pixels, present = reader.read(indices)
        assert reader.there().tolist() == [k not in (no_u | no_v) - damaged for k in every]
        assert reader.there(full=True).tolist() == [k in there for k in every]
    assert (pixels.dtype, pixels.shape) == (np.uint8, (len(indices), *SIZE, 2))
    assert present.tolist() == [k + first in there for k in indices]
    nearest = [min(usable, key=lambda one, k=k: (abs(one - k - first), one)) for k in indices]
    assert numbers_of(pixels) == levels(nearest)


@settings(max_examples=25, deadline=None)
@given(
    canvas=st.one_of(
        st.just(Canvas()),
        st.builds(Canvas, short_side=st.integers(1, 40)),
        st.builds(Canvas, exact=st.tuples(st.integers(1, 40), st.integers(1, 40))),
        st.builds(Canvas, longest=st.integers(1, 40)),
    ),
    other=st.sampled_from([SIZE, (20, 10)]),
)
def test_a_canvas_is_the_one_of_grey_pictures(tmp_path_factory, canvas, other):
    """Each component to the bit as a folder of pictures is read: never one with the other."""
    root = tmp_path_factory.mktemp("flow")
    for axis in "uv":
        for number in (1, 2, 3):
            write(root / axis / STEM, axis, number, other if number == 2 else SIZE)
    with FlowFolder(str(root)).open(Video(ID, {}), canvas) as reader:
        flow, _ = reader.read([0, 1, 2])
    for k, axis in enumerate("uv"):
        with FrameFolder(axis).open(Video(ID, {axis: str(root / axis / STEM)}), canvas) as reader:
            assert np.array_equal(flow[..., k], reader.read([0, 1, 2])[0][..., 0])


def test_dense_flow(tmp_path):
    folder = tmp_path / "Archery" / STEM
    for number in (1, 2, 3):
        write(folder, "u", number, name="flow_x_{:05d}.jpg.png")
        write(folder, "v", number, name="flow_y_{:05d}.jpg.png")
        write(folder, "u", number + 50, name="img_{:05d}.png")
    source = FlowFolder(str(tmp_path), "dense_flow")
    with pytest.raises(UserError, match=r"unknown layout 'dense'.* Did you mean 'dense_flow'\?"):
        FlowFolder(str(tmp_path), "dense")
    with source.open(Video(ID, {})) as reader:
        assert numbers_of(reader.read([2, 0])[0]) == levels([3, 1])


@pytest.mark.parametrize("place", [STEM, f"Archery/{STEM}"])
def test_with_and_without_class_folders(tmp_path, place):
    for axis in "uv":
        write(tmp_path / axis / place, axis, 1)
    for id in (ID, ID.removesuffix(".avi"), f"train/{ID}"):
        with FlowFolder(str(tmp_path)).open(Video(id, {})) as reader:
            assert numbers_of(reader.read([0])[0]) == levels([1])


def test_both_spellings_are_found(tmp_path):
    for axis in "uv":
        write(tmp_path / axis / "v_HandstandPushups_g01_c01", axis, 1)
    video = Video("HandstandPushups/v_HandStandPushups_g01_c01.avi", {})
    assert FlowFolder(str(tmp_path)).probe(video).frames == 1


def test_names_with_dots_are_whole(tmp_path):
    for axis in "uv":
        write(tmp_path / axis / "clip.2", axis, 1)
    assert FlowFolder(str(tmp_path)).probe(Video("clip.2", {})).frames == 1


def test_what_a_catalog_has_found(tmp_path):
    two_stream(tmp_path, range(1, 5))
    video = Video(ID, {"rgb": "nowhere", **{f"flow_{axis}": str(tmp_path / axis / STEM) for axis in "uv"}})
    source = stream_of(video, "flow", {})
    assert isinstance(source, FlowFolder)
    assert channels_of("flow", {}) == source.channels == 2
    assert numbers_of(source.open(video).read([3, 0, 3])[0]) == levels([4, 1, 4])
    with pytest.raises(UnreadableVideo, match="it has no flow_v: name the flow's root"):
        stream_of(Video(ID, {"flow_u": str(tmp_path)}), "flow", {}).open(Video(ID, {"flow_u": str(tmp_path)}))


@pytest.mark.parametrize("layout", ["two_stream", "dense_flow"])
def test_without_flow_a_video_is_left_out_with_the_folder_looked_for(tmp_path, layout):
    """Never blank clips."""
    (found,) = probe([Video(ID, {})], {"flow": FlowFolder(str(tmp_path), layout)}, ["flow"], 1)
    assert found.status == "unreadable"
    assert "\n" not in found.reason
    looked_for = tmp_path / ("u" if layout == "two_stream" else "") / "Archery" / STEM
    assert found.reason.endswith(str(looked_for))
    assert "flow" in found.reason


def test_an_empty_folder_has_no_flow(tmp_path):
    two_stream(tmp_path, [1])
    (tmp_path / "v" / STEM / "frame000001.png").rename(tmp_path / "v" / STEM / "picture.png")
    with pytest.raises(UnreadableVideo, match="holds no numbered pictures"):
        FlowFolder(str(tmp_path)).open(Video(ID, {}))


def test_one_number_twice(tmp_path):
    two_stream(tmp_path, [1, 2])
    write(tmp_path / "u" / STEM, "u", 2, name="frame{}.jpg")
    with pytest.raises(UnreadableVideo, match="several pictures of number 2"):
        FlowFolder(str(tmp_path)).open(Video(ID, {}))


def test_a_stray_number_does_not_fill_the_memory(tmp_path):
    two_stream(tmp_path, [1, 2, 999_999_999_999])
    with pytest.raises(UnreadableVideo, match="has the number 999999999999, and most have none"):
        FlowFolder(str(tmp_path)).open(Video(ID, {}))


def test_a_probe_counts_what_is_missing(tmp_path):
    two_stream(tmp_path, range(1, 9), missing_u=[3], missing_v=[5], damaged=[6])
    source, video = FlowFolder(str(tmp_path)), Video(ID, {})
    quick, full = source.probe(video), source.probe(video, full=True)
    assert (quick.frames, full.frames) == (8, 8)
    assert quick.note == "2 frames of its flow are missing or damaged, number 2 the first"
    assert full.note == "3 frames of its flow are missing or damaged, number 2 the first"


def test_u_and_v_that_never_meet(tmp_path):
    two_stream(tmp_path, range(1, 5), missing_u=[1, 3], missing_v=[2, 4])
    with pytest.raises(UnreadableVideo, match="no frame of its flow has a picture of u and one of v"):
        FlowFolder(str(tmp_path)).probe(Video(ID, {}))


class Given(Sampler):
    """Clips of the frames that it is told."""

    min_frames = 1

    def __init__(self, numbers):
        self.numbers = np.array(numbers, np.int64)

    def __call__(self, times, generator):
        return self.numbers


def plainly(entries):
    """Spec of CoCon's reader: two passes over the old list, the first entry taking the last; zeros then."""
    for _ in range(2):
        entries = [entries[k - 1] if entry is None else entry for k, entry in enumerate(entries)]
    return [[0, 0] if entry is None else entry for entry in entries]


@settings(max_examples=30, deadline=None)
@given(gaps=st.sets(st.integers(2, 11)), data=st.data())
def test_gaps_as_cocon_fills_them_in_each_clip(tmp_path_factory, gaps, data):
    root = tmp_path_factory.mktemp("flow")
    two_stream(root, range(1, 13), missing_u=gaps)
    length = data.draw(st.integers(1, 6))
    frame = st.lists(st.integers(0, 11), min_size=length, max_size=length)
    clips = [[0] * length, *data.draw(st.lists(frame, max_size=3))]
    streams = {"flow": FlowFolder(str(root), missing="cocon")}
    loaded = load_clips(Video(ID, {}), ("flow",), streams, {}, Given(clips), np.random.default_rng(0))
    flow = loaded.streams["flow"]
    for clip, where in zip(clips, flow.where, strict=True):
        there = [k + 1 not in gaps for k in clip]
        assert flow.present[where].tolist() == there
        entries = [levels([k + 1])[0] if is_there else None for k, is_there in zip(clip, there, strict=True)]
        assert numbers_of(flow.pixels[where]) == plainly(entries)


def test_present_is_counted_beside_other_streams(tmp_path):
    """RGB and flow of one video: the flow is a frame shorter, and what it lacks is its own."""
    for k in range(7):
        (tmp_path / "rgb").mkdir(exist_ok=True)
        Image.fromarray(np.full((*SIZE, 3), k, np.uint8)).save(tmp_path / f"rgb/{k}.png")
    two_stream(tmp_path, range(1, 7), missing_v=[4])
    video, streams = Video(ID, {"rgb": str(tmp_path / "rgb")}), {"flow": FlowFolder(str(tmp_path))}
    loaded = load_clips(video, ("rgb", "flow"), streams, {}, EvenClips(1, 6), np.random.default_rng(0))
    assert loaded.numbers.tolist() == [list(range(6))]
    assert loaded.streams["rgb"].present.all()
    assert loaded.streams["flow"].present.tolist() == [True] * 3 + [False] + [True] * 2
    assert numbers_of(loaded.streams["flow"].pixels) == levels([1, 2, 3, 3, 5, 6])


def test_grey_of_16_bits(tmp_path):
    for axis in "uv":
        (tmp_path / axis / STEM).mkdir(parents=True)
        Image.fromarray(np.full(SIZE, 200 << 8, np.uint16)).save(tmp_path / axis / STEM / "1.png")
    assert (FlowFolder(str(tmp_path)).open(Video(ID, {})).read([0])[0] == 200).all()


def test_description():
    again = build(describe(FlowFolder("somewhere", "dense_flow", "cocon", 30)))
    assert (again.root, again.layout, again.missing, again.fps) == ("somewhere", "dense_flow", "cocon", 30)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"missing": "zeros"}, "rule for missing frames 'zeros'"), ({"fps": 0}, "fps above 0")],
)
def test_refuses(arguments, said):
    with pytest.raises(UserError, match=said):
        FlowFolder("root", **arguments)
