"""The files that following a box leaves: what is there and not ours stays, and a failure leaves what was there."""

import os
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import squares
from squares import SIDE, ByColour

import videos
from praxino.errors import UnreadableVideo, UserError
from praxino.evaluations.tracking.annotated import AnnotatedVideo
from praxino.evaluations.tracking.video import track_video

BOX = (*squares.place(0), SIDE, SIDE)


def test_what_is_there_and_not_ours_is_refused(tmp_path):
    source = squares.write(tmp_path / "v.mp4", 5)
    out, table = tmp_path / "t.mp4", tmp_path / "t.csv"

    def refused(said, out=out):
        with pytest.raises(UserError, match=said):
            track_video(source, ByColour(), BOX, out)

    bytes_before = source.read_bytes()
    refused(r"v\.mp4 is the video itself", source)
    shutil.copy(source, out)
    refused(r"t\.mp4 is there, and not of 'praxino track': pass another --out")
    out.unlink()
    table.write_text("frame,box\n")
    refused(r"t\.csv is there, and not of 'praxino track'")
    table.unlink()
    out.mkdir()
    refused(r"t\.mp4 is there")
    out.rmdir()
    refused(r"the folder .*nowhere does not exist", tmp_path / "nowhere/t.mp4")
    refused(r"t\.avi must end with one of \.mp4, \.mkv, \.webm", tmp_path / "t.avi")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v.mp4"]
    assert source.read_bytes() == bytes_before


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
def test_what_is_ours_is_replaced(tmp_path, ending):
    source, out = squares.write(tmp_path / "v.mp4", 8), tmp_path / f"t.{ending}"
    assert track_video(source, ByColour(), BOX, out, until=0.1).frames == 3
    assert track_video(source, ByColour(), BOX, out).frames == 8
    assert len(squares.shown(out)[0]) == len(squares.table(out.with_suffix(".csv"))) == 8


class Broken(ByColour):
    def update(self, frame):
        raise ValueError("broken")


def test_a_failure_leaves_what_was_there(tmp_path):
    source, out = squares.write(tmp_path / "v.mp4", 8), tmp_path / "t.mp4"
    track_video(source, ByColour(), BOX, out)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="broken"):
        track_video(source, Broken(), BOX, out)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("kind", sorted(videos.BROKEN))
def test_files_that_are_no_videos(tmp_path, kind):
    with pytest.raises(UnreadableVideo):
        track_video(videos.make(kind, tmp_path), ByColour(), BOX, tmp_path / "t.mp4")
    assert not (tmp_path / "t.mp4").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk that is always full")
@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
def test_a_full_disk_is_one_line(ending):
    def write():
        with AnnotatedVideo(Path("/dev/full"), Path(f"t.{ending}"), Fraction(25)) as annotated:
            for k in range(5):
                annotated.add(squares.picture(k), k / 25, np.array(BOX, float), 0.5)

    with pytest.raises(UserError, match=rf"^t\.{ending} cannot be written: No space left on device$"):
        write()
