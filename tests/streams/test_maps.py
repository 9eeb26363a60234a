"""Maps of keypoints and masks from npz files: which number a frame takes, what is missing, and what is refused."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutated import mutated
from PIL import Image

from praxino.catalogs.base import Video
from praxino.described import build, describe
from praxino.errors import UnreadableVideo, UserError
from praxino.streams.base import Canvas
from praxino.streams.maps import HeatMaps, Masks
from praxino.streams.npz import MOST_BYTES
from praxino.streams.probe import probe

VIDEO = Video("Class/video.avi", {})
STREAMS = {HeatMaps: ("heatmaps", "heatmap", "hm"), Masks: ("segmasks", "segmask", "seg")}


def place(root, number, stream=Masks):
    folder, name, _ = STREAMS[stream]
    path = root / folder / "Class" / "video" / f"{name}_{number:05d}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def a_map(number, stream=Masks, size=(6, 8)):
    """What the file of a number holds."""
    shape = size if stream is Masks else (17, *size)
    return np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)


def write(root, numbers, stream=Masks, size=(6, 8)):
    for number in numbers:
        np.savez_compressed(place(root, number, stream), **{STREAMS[stream][2]: a_map(number, stream, size)})


def frame(*numbers, stream=Masks):
    """The frame that is the mean of these numbers."""
    whole = sum(a_map(number, stream).astype(int) for number in numbers) // len(numbers)
    return whole[..., None] if stream is Masks else np.moveaxis(whole, 0, -1)


def read(root, indices, stream=Masks, **settings):
    with stream(str(root), **settings).open(VIDEO) as reader:
        return reader.read(indices)


@pytest.mark.parametrize("stream", STREAMS)
def test_frame_k_takes_number_k_plus_1(tmp_path, stream):
    write(tmp_path, range(1, 6), stream)
    with stream(str(tmp_path), fps=10).open(VIDEO) as reader:
        np.testing.assert_allclose(reader.times, np.arange(5) / 10)
        pixels, present = reader.read([4, 0, 0, 2])
        assert reader.read([])[0].shape == (0, 6, 8, stream.channels)
        with pytest.raises(IndexError):
            reader.read([5])
    assert present.all()
    np.testing.assert_array_equal(pixels, np.stack([frame(k, stream=stream) for k in (5, 1, 1, 3)]))


def test_a_video_numbered_from_0(tmp_path):
    write(tmp_path, range(4))
    pixels, present = read(tmp_path, range(4))
    assert present.all()
    np.testing.assert_array_equal(pixels, np.stack([frame(k) for k in range(4)]))


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([2, 4, 6], [(2,), (2,), (2, 4), (4,), (4, 6), (6,)]),
        ([1, 3, 5], [(1,), (1, 3), (3,), (3, 5), (5,)]),
        ([2], [(2,), (2,)]),
    ],
)
@pytest.mark.parametrize("stream", STREAMS)
def test_every_other_number_is_filled_by_means(tmp_path, numbers, shown, stream):
    write(tmp_path, numbers, stream)
    pixels, present = read(tmp_path, range(len(shown)), stream)
    assert present.all()
    np.testing.assert_array_equal(pixels, np.stack([frame(*some, stream=stream) for some in shown]))


@settings(deadline=None, max_examples=40)
@given(st.sets(st.integers(0, 14), min_size=1), st.sampled_from(["exact", "cocon"]))
def test_any_gaps(tmp_path_factory, numbers, numbering):
    """Frame by frame, by the words of the rule."""
    root = tmp_path_factory.mktemp("maps")
    write(root, numbers)
    last, zero = max(numbers), np.zeros((6, 8, 1), np.uint8)
    first = 0 if numbering == "cocon" or 0 in numbers else 1
    every_other = all(k % 2 == last % 2 for k in numbers)
    want, there = [], []
    for k in range(first, last + 1):
        around = [k - 1, k + 1]
        if k in numbers:
            some = [k]
        elif numbering == "cocon":
            middle = max(k, 3)
            some = [middle - 1, middle + 1] if middle + 1 in numbers else [middle - 1, middle - 1]
        elif every_other and k % 2 != last % 2 and k >= min(numbers) - 1:
            some = [one for one in around if one >= min(numbers)]
        else:
            some = [k]
        there.append(all(one in numbers for one in some))
        mean = sum((frame(one) if one in numbers else zero).astype(int) for one in some) // len(some)
        want.append(mean if numbering == "cocon" or there[-1] else None)
    pixels, present = read(root, range(len(want)), numbering=numbering)
    assert present.tolist() == there
    for got, one in zip(pixels, want, strict=True):
        if one is not None:
            np.testing.assert_array_equal(got, one)
    noted = probe([VIDEO], {"seg": Masks(str(root), numbering)}, ["seg"], 1)[0]
    assert noted.frames == len(want)
    assert (f"{there.count(False)} of its maps are missing" in noted.reason) == (not all(there))


def test_a_frame_that_is_missing_or_damaged_is_not_present(tmp_path):
    write(tmp_path, range(1, 9))
    place(tmp_path, 3).unlink()
    place(tmp_path, 4).write_bytes(place(tmp_path, 5).read_bytes()[:60])
    place(tmp_path, 7).unlink()
    os.mkfifo(place(tmp_path, 7))
    pixels, present = read(tmp_path, range(8))
    assert present.tolist() == [True, True, False, False, True, True, False, True]
    np.testing.assert_array_equal(pixels[2], frame(2))
    np.testing.assert_array_equal(pixels[3], frame(5))
    with pytest.raises(UnreadableVideo, match="none of the frames asked for"):
        read(tmp_path, [3])
    with pytest.raises(UnreadableVideo, match="none of the maps asked for"):
        read(tmp_path, [4, 7], numbering="cocon")[1]
    assert Masks(str(tmp_path)).probe(VIDEO).note.startswith("1 of its maps are missing or damaged, frame 2")
    assert Masks(str(tmp_path)).probe(VIDEO, full=True).note.startswith("3 of its maps are missing or damaged, frame 2")


def test_between_damaged_neighbours_nothing_is_present(tmp_path):
    write(tmp_path, [2, 4, 6, 8])
    place(tmp_path, 4).write_text("no zip")
    assert read(tmp_path, range(8))[1].tolist() == [True, True, False, False, False, True, True, True]


def test_a_map_without_pixels_is_nobody(tmp_path):
    write(tmp_path, [1, 2], HeatMaps)
    np.savez(place(tmp_path, 1, HeatMaps), hm=np.zeros((17, 0, 0), np.uint8))
    pixels, present = read(tmp_path, [0, 1], HeatMaps)
    assert present.tolist() == [False, True]
    assert not pixels[0].any()
    np.testing.assert_array_equal(pixels[1], frame(2, stream=HeatMaps))
    place(tmp_path, 2, HeatMaps).unlink()
    pixels, present = read(tmp_path, [0], HeatMaps)
    assert (pixels.shape, pixels.any(), present.all()) == ((1, 192, 256, 17), False, False)


@pytest.mark.parametrize("stream", STREAMS)
def test_other_sizes_and_canvases_are_scaled_as_pillow_does(tmp_path, stream):
    write(tmp_path, [1], stream, (12, 16))
    write(tmp_path, [2], stream, (20, 10))

    def scaled(number, size, to):
        planes = a_map(number, stream, size).reshape(-1, *size)
        made = [Image.fromarray(one).resize(to[::-1], Image.Resampling.BILINEAR) for one in planes]
        return np.stack([np.asarray(one) for one in made], -1)

    pixels, present = read(tmp_path, [0, 1], stream)
    assert present.all()
    np.testing.assert_array_equal(pixels[1], scaled(2, (20, 10), (12, 16)))
    with stream(str(tmp_path)).open(VIDEO, Canvas(short_side=9)) as reader:
        pixels, _ = reader.read([0, 1])
    for k, size in enumerate([(12, 16), (20, 10)]):
        np.testing.assert_array_equal(pixels[k], scaled(k + 1, size, (9, 12)))


def test_arrays_by_columns_are_read(tmp_path):
    np.savez(place(tmp_path, 1), seg=np.asfortranarray(a_map(1)), more=np.arange(3))
    np.testing.assert_array_equal(read(tmp_path, [0])[0][0], frame(1))


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)


def npy(shape, values=b"", kind="|u1"):
    """A header that says this shape, and then these values."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
    return file.getvalue() + values


class Run:
    def __reduce__(self):
        return os.mkdir, ("pickled",)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: path.write_text("text"), "segmask_00001.npz: it is no npz file, or damaged"),
        (lambda path: np.savez(path, hm=a_map(1)), "it holds hm, and no array seg"),
        (lambda path: np.savez(path, seg=a_map(1) / 255), "its array is float64 and not uint8"),
        (lambda path: np.savez(path, seg=a_map(1, HeatMaps)), r"seg should be uint8 \[h, w\]"),
        (lambda path: zipped(path, seg=npy((10**12, 10**12))), "not as many values as it says"),
        (lambda path: zipped(path, seg=npy((-2, -3), bytes(6))), "not as many values as it says"),
        (lambda path: zipped(path, seg=npy((2, 3), bytes(5))), "not as many values as it says"),
        (lambda path: zipped(path, seg=b"\x93NUMPY\x07\x00 "), "its array is damaged"),
        (lambda path: zipped(path, seg=npy((1,), pickle.dumps(Run()), "|O")), "its array is object and not uint8"),
        (lambda path: zipped(path, seg=npy((MOST_BYTES, 1), bytes(MOST_BYTES))), "unpacks to more than 64 MiB"),
    ],
    ids=["text", "name", "floats", "axes", "huge", "negative", "short", "version", "pickle", "bomb"],
)
def test_what_is_no_mask_is_said(tmp_path, monkeypatch, write, said):
    monkeypatch.chdir(tmp_path)
    write(place(tmp_path, 1))
    with pytest.raises(UnreadableVideo, match=said) as caught:
        read(tmp_path, [0])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "pickled").exists()


def test_no_damage_is_another_error(tmp_path):
    write(tmp_path, [1, 2], HeatMaps)
    whole, rng = place(tmp_path, 2, HeatMaps).read_bytes(), np.random.default_rng(0)
    outcomes = set()
    for _ in range(300):
        place(tmp_path, 2, HeatMaps).write_bytes(mutated(whole, rng))
        pixels, present = read(tmp_path, [0, 1], HeatMaps)
        assert pixels.shape == (2, 6, 8, 17)
        outcomes.add(bool(present[1]))
    assert outcomes == {True, False}


def test_videos_without_maps_are_said(tmp_path):
    with pytest.raises(UnreadableVideo, match=r"no maps: No such file or directory: .*segmasks/Class/video"):
        read(tmp_path, [0])
    write(tmp_path, [1])
    place(tmp_path, 1).rename(place(tmp_path, 1).with_name("heatmap_00001.npz"))
    with pytest.raises(UnreadableVideo, match=r"holds no segmask_00001\.npz and so on"):
        read(tmp_path, [0])
    write(tmp_path, [1, 10**11])
    with pytest.raises(UnreadableVideo, match="the number 100000000000, and most have none"):
        read(tmp_path, [0])
    place(tmp_path, 10**11).unlink()
    write(tmp_path, [2])
    place(tmp_path, 2).rename(place(tmp_path, 2).with_name("segmask_1.npz"))
    with pytest.raises(UnreadableVideo, match="several maps of number 1"):
        read(tmp_path, [0])


@pytest.mark.parametrize("id", ["train/Class/video.mp4", "Class/video"])
def test_only_the_class_is_taken_of_longer_ids(tmp_path, id):
    write(tmp_path, [1])
    with Masks(str(tmp_path)).open(Video(id, {})) as reader:
        assert reader.read([0])[1].all()


@pytest.mark.parametrize("stream", STREAMS)
def test_settings(stream):
    again = build(describe(stream("maps", "cocon", 30)))
    assert (again.root, again.numbering, again.fps) == ("maps", "cocon", 30)
    with pytest.raises(UserError, match=rf"{stream.__name__}: unknown numbering 'exakt'.*exact"):
        stream("maps", "exakt")
    with pytest.raises(UserError, match=f"{stream.__name__} takes fps above 0"):
        stream("maps", fps=0)
