"""Masks and keypoints made together: the same bytes as one after the other, and each frame looked at once."""

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prepared import folder_of, left

from pose_networks import WHEEL, StandIn, needs_wheel
from praxino.catalogs.folder import VideoFolder
from praxino.cli.main import main
from praxino.errors import UserError
from praxino.prepare import making
from praxino.prepare.keypoints import prepare_keypoints
from praxino.prepare.making import in_step
from praxino.prepare.persons import prepare_persons
from praxino.prepare.segmentation import prepare_segmentation
from praxino.streams import blazepose
from praxino.streams.blazepose import BlazePoseKeypoints, BlazePoseMask
from praxino.streams.maps import HeatMaps, Masks
from praxino.streams.video import VideoFile

pytest.importorskip("cv2", reason="OpenCV cuts the regions")


@pytest.fixture
def source(tmp_path):
    return folder_of(tmp_path / "videos")


@pytest.fixture
def networks(monkeypatch):
    one = StandIn()
    monkeypatch.setattr(blazepose, "_loaded", lambda cv2, weights, library, process: one)
    return one


def together(source, out, **more):
    return prepare_persons(VideoFolder(source[0]), out, "weights", workers=0, **more)


def test_the_bytes_are_those_of_one_after_the_other(source, tmp_path, networks):
    masks, keypoints = together(source, tmp_path / "both")
    looked = networks.searched
    catalog = VideoFolder(source[0])
    prepare_segmentation(catalog, tmp_path / "apart", BlazePoseMask("weights"), workers=0)
    assert networks.searched == 2 * looked
    prepare_keypoints(catalog, tmp_path / "apart", BlazePoseKeypoints("weights"), workers=0)
    assert networks.searched == 3 * looked
    assert left(tmp_path / "both") == left(tmp_path / "apart")
    assert [one.folder.name for one in (masks, keypoints)] == ["segmentation", "keypoints"]
    assert (len(masks.made), len(masks.failed), masks.before) == (3, 1, 0)


def test_what_is_missing_of_one_of_them_is_made(source, tmp_path, networks):
    """The keypoints of one video are gone, and both of another are there already."""
    together(source, tmp_path / "whole")
    out = tmp_path / "out"
    prepare_segmentation(VideoFolder(source[0]), out, BlazePoseMask("weights"), workers=0)
    masks, keypoints = together(source, out)
    assert (masks.before, keypoints.before) == (3, 0)
    shutil.rmtree(out / "keypoints/heatmaps/a/v2")
    masks, keypoints = together(source, out)
    assert (masks.before, masks.anew, keypoints.before, keypoints.anew) == (3, 0, 2, 1)
    assert left(out) == left(tmp_path / "whole")


def test_an_end_in_the_middle(source, tmp_path, networks, monkeypatch):
    together(source, tmp_path / "whole")
    out, count, steps = tmp_path / "out", [], making.OneView.steps

    def ends(view, video, aside):
        count.append(view)
        if len(count) == 6:  # the keypoints of the third video
            raise KeyboardInterrupt
        return (yield from steps(view, video, aside))

    with monkeypatch.context() as patch:
        patch.setattr(making.OneView, "steps", ends)
        with pytest.raises(KeyboardInterrupt):
            together(source, out)
    assert len(left(out)) < len(left(tmp_path / "whole"))
    together(source, out)
    assert left(out) == left(tmp_path / "whole")


def test_what_one_of_them_refuses_is_refused_before_anything_is_made(source, tmp_path, networks):
    prepare_keypoints(VideoFolder(source[0]), tmp_path, BlazePoseKeypoints("weights", chain=8), workers=0)
    before = left(tmp_path)
    with pytest.raises(UserError, match=r"keypoints was made otherwise \(provider\.chain 8 there, 16 now\)"):
        together(source, tmp_path)
    assert {path: data for path, data in left(tmp_path).items() if "segmasks" not in path} == before | {
        path: data for path, data in left(tmp_path).items() if path.endswith("segmentation/manifest.jsonl")
    }


def test_in_files_and_while_loading_the_same_frames_are_present(source, tmp_path, networks):
    together(source, tmp_path)
    video = next(one for one in VideoFolder(source[0]) if one.id == "a/v0.mp4")
    with VideoFile().open(video) as reader:
        frames = np.arange(len(reader.times))
        pixels = reader.read(frames)[0]
    for stream, derived in (
        (Masks(str(tmp_path / "segmentation")), BlazePoseMask("weights")),
        (HeatMaps(str(tmp_path / "keypoints")), BlazePoseKeypoints("weights")),
    ):
        with stream.open(video) as reader:
            maps, present = reader.read(frames)
        assert 0 < present.sum() < len(frames)
        np.testing.assert_array_equal(present, derived.found(pixels, frames)[1])
        assert not maps[~present].any()


@given(st.lists(st.integers(0, 6), max_size=5))
def test_in_step(lengths):
    """Each gives what it returns, and none is ahead of another by more than a step."""
    done = [0] * len(lengths)

    def count(number):
        for _ in range(lengths[number]):
            going = [done[other] for other in range(len(lengths)) if done[other] < lengths[other]]
            assert done[number] <= min(going, default=0)
            done[number] += 1
            yield
        return number, lengths[number]

    assert in_step([count(number) for number in range(len(lengths))]) == list(enumerate(lengths))


@needs_wheel
def test_the_command(source, tmp_path, capsys):
    words = ["--videos", str(source[0]), "--out", str(tmp_path / "views"), "--weights", WHEEL, "--workers", "1"]
    assert main(["prepare", "persons", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    masks, keypoints = (tmp_path / "views" / name for name in ("segmentation", "keypoints"))
    assert [line for line in lines if line.startswith("to read them")] == [
        f"to read them: --streams.segmentation Masks --streams.segmentation.root {masks}",
        f"to read them: --streams.keypoints HeatMaps --streams.keypoints.root {keypoints}",
    ]
    assert np.load(masks / "segmasks/a/v0/segmask_00001.npz")["seg"].ndim == 2
