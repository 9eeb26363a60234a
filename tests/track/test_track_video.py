"""Following a box through a video: what is drawn and what is in the table lie where the square is."""

import os

import numpy as np
import pytest
import squares
from PIL import Image
from squares import SIDE, ByColour

import videos
from praxino.errors import UserError
from praxino.evaluations.tracking.beginning import checked_box, frames_between
from praxino.evaluations.tracking.video import track_video

BOX = (*squares.place(0), SIDE, SIDE)


class Still:
    """Does not move, and says nothing of how sure it is."""

    confidence = float("nan")

    def init(self, frame, box):
        self.box = box

    def update(self, frame):
        return self.box


def numbers(row):
    return [float(row[name]) for name in ("x", "y", "width", "height")]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
def test_the_box_is_where_the_square_is(tmp_path, ending):
    source, out = squares.write(tmp_path / "v.mp4"), tmp_path / f"tracked.{ending}"
    seen = []
    done = track_video(source, ByColour(), BOX, out, progress=lambda *counts: seen.append(counts))
    assert (done.first, done.frames, done.wanted, done.missing, done.ended) == (0, 30, 30, 0, "")
    assert seen == [(k, 30) for k in range(1, 30)]
    rows = squares.table(done.table)
    assert done.table == tmp_path / "tracked.csv"
    assert [int(row["frame"]) for row in rows] == list(range(30))
    assert np.allclose([float(row["seconds"]) for row in rows], np.arange(30) / 25, atol=1e-6)
    frames, times = squares.shown(out)
    assert np.allclose(times, np.arange(30) / 25, atol=6e-4)  # Matroska has milliseconds
    assert len(frames) == 30
    for k, (row, pixels) in enumerate(zip(rows, frames, strict=True)):
        x, y = squares.place(k)
        # A pixel of the source's compression; another one of the file's own, with half the resolution of colours.
        assert np.abs(np.subtract(numbers(row), (x, y, SIDE, SIDE))).max() <= 1, k
        assert np.abs(np.subtract(squares.drawn_box(pixels, (x, y)), numbers(row))).max() <= 1, k
    assert rows[0]["confidence"] == ""
    assert all(float(row["confidence"]) == pytest.approx(1, abs=0.06) for row in rows[1:])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tracked.csv", f"tracked.{ending}", "v.mp4"]


def test_from_one_second_until_another(tmp_path):
    source = squares.write(tmp_path / "v.mp4")
    tracker = ByColour()
    done = track_video(source, tracker, (*squares.place(10), SIDE, SIDE), tmp_path / "t.mp4", begin=0.43, until=0.8)
    assert (done.first, done.frames, done.wanted) == (10, 11, 11)
    rows = squares.table(done.table)
    assert [(int(row["frame"]), float(row["seconds"])) for row in rows] == [(k, k / 25) for k in range(10, 21)]
    assert np.abs(tracker.begun[0].astype(int) - squares.picture(10)).mean() < 3
    frames, times = squares.shown(done.out)
    assert np.allclose(times, np.arange(11) / 25, atol=6e-6)
    assert np.abs(np.subtract(squares.drawn_box(frames[-1], squares.place(20)), numbers(rows[-1]))).max() <= 1


def test_the_frame_that_is_shown_at_a_time():
    times = np.array([0, 0.04, 0.08, 1.0, 1.04])
    assert frames_between(times, 0) == (0, 4)
    assert frames_between(times, 0.5, 1.0) == (2, 3)
    assert frames_between(times, 3 * 0.04 - 0.04, 0.9) == (2, 2)
    assert frames_between(np.arange(100) / 25, 3.2, 99) == (80, 99)
    assert frames_between(np.array([0, 0, 1, 1, 2]), 0, 1) == (0, 3)
    for begin, until, said in (
        (-1, None, "--from must be 0 or more"), (1.05, None, r"--from 1\.05 lies behind .* at 1\.040 seconds"),
        (0.5, 0.5, r"--until must be above --from, 0\.5 seconds, not 0\.5"), (float("nan"), None, "--from"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=said):
            frames_between(times, begin, until)


def test_a_variable_rate_keeps_its_times(tmp_path):
    times = [40 * k + (15 if k % 3 == 1 else 0) + (600 if k >= 8 else 0) for k in range(20)]
    done = track_video(squares.write(tmp_path / "v.mp4", 20, times=times), ByColour(), BOX, tmp_path / "t.mp4")
    _, shown = squares.shown(done.out)
    assert np.allclose(shown, np.array(times) / 1000, atol=6e-6)
    assert np.allclose([float(row["seconds"]) for row in squares.table(done.table)], np.array(times) / 1000, atol=1e-6)


def test_times_that_repeat_and_rates_that_no_player_has(tmp_path):
    done = track_video(videos.make("repeated_times", tmp_path), Still(), (5, 5, 9, 9), tmp_path / "t.mkv")
    assert len(squares.shown(done.out)[0]) == done.frames == 40


@pytest.mark.parametrize("size", [(161, 240), (160, 241), (161, 241)])
def test_odd_sizes_get_a_pixel_and_boxes_stay(tmp_path, size):
    done = track_video(squares.write(tmp_path / "v.mp4", 5, size), ByColour(), BOX, tmp_path / "t.mp4")
    frames, _ = squares.shown(done.out)
    assert frames[0].shape == (*(side + side % 2 for side in size), 3)
    assert (
        np.abs(np.subtract(squares.drawn_box(frames[4], squares.place(4)), (*squares.place(4), SIDE, SIDE))).max() <= 2
    )
    # The last row and column once more: light, as the ground is there.
    assert frames[4][-1, -1].min() > 200
    assert frames[4][-1, 0].max() < 80


def test_boxes_are_those_of_the_turned_frame(tmp_path):
    """Stored a quarter turned, and shown upright: the box is given and written as it is shown."""
    source = videos.with_matrix(squares.write(tmp_path / "v.mp4", 8, turn=1), (0, 1, -1, 0))
    tracker = ByColour()
    done = track_video(source, tracker, BOX, tmp_path / "t.mp4")
    assert np.abs(tracker.begun[0].astype(int) - squares.picture(0)).mean() < 3
    frames, _ = squares.shown(done.out)
    assert frames[0].shape == (160, 240, 3)
    row = squares.table(done.table)[7]
    assert np.abs(np.subtract(numbers(row), (*squares.place(7), SIDE, SIDE))).max() <= 1
    assert np.abs(np.subtract(squares.drawn_box(frames[7], squares.place(7)), numbers(row))).max() <= 1


def folder_of(path, frames, without=()):
    path.mkdir()
    for k in range(frames):
        Image.fromarray(squares.picture(k)).save(path / f"{k:04d}.png")
    for k in without:
        (path / f"{k:04d}.png").write_bytes(b"no picture")
    return path


def test_frames_that_do_not_come_out_keep_the_box(tmp_path):
    tracker = ByColour()
    done = track_video(folder_of(tmp_path / "v", 10, (3, 4, 9)), tracker, BOX, tmp_path / "t.mp4")
    assert (done.frames, done.missing, done.ended, tracker.frames) == (10, 3, "", 6)
    rows = squares.table(done.table)
    for k in range(10):
        seen = {3: 2, 4: 2, 9: 8}.get(k, k)
        assert numbers(rows[k]) == [*squares.place(seen), SIDE, SIDE]
        assert (rows[k]["confidence"] == "") == (k in (0, 3, 4, 9))
    frames, _ = squares.shown(done.out)
    assert len(frames) == 10
    assert np.abs(frames[4].astype(int) - frames[2]).mean() < 2


def test_a_first_frame_that_does_not_come_out(tmp_path):
    with pytest.raises(UserError, match=r"the frame at 0\.120 seconds does not come out: pass another --from"):
        track_video(folder_of(tmp_path / "v", 6, (3,)), ByColour(), BOX, tmp_path / "t.mp4", begin=0.12)
    assert not (tmp_path / "t.mp4").exists()


def test_a_video_that_breaks_off_leaves_what_was_done(tmp_path):
    source = videos.write(tmp_path / "v.mkv", 120, size=(120, 200))

    class Cutting(Still):
        def init(self, frame, box):
            super().init(frame, box)
            os.truncate(source, source.stat().st_size // 2)

    done = track_video(source, Cutting(), BOX, tmp_path / "t.mp4")
    assert done.ended.startswith("it breaks off after")
    assert 0 < done.frames < 120 == done.wanted
    assert len(squares.shown(done.out)[0]) == len(squares.table(done.table)) == done.frames


def test_a_damaged_video_has_the_frames_that_come_out(tmp_path):
    done = track_video(videos.make("overwritten", tmp_path), Still(), (5, 5, 20, 20), tmp_path / "t.mp4")
    assert (done.frames, done.missing, done.ended) == (done.wanted, 0, "")
    assert len(squares.shown(done.out)[0]) == done.frames < 40


def test_stopped(tmp_path):
    tracker = ByColour()
    done = track_video(
        squares.write(tmp_path / "v.mp4"), tracker, BOX, tmp_path / "t.mp4", stopped=lambda: tracker.frames == 7
    )
    assert (done.frames, done.wanted, done.ended) == (8, 30, "stopped")
    assert len(squares.shown(done.out)[0]) == len(squares.table(done.table)) == 8


def test_one_frame(tmp_path):
    done = track_video(squares.write(tmp_path / "v.mp4", 1), ByColour(), BOX, tmp_path / "t.mp4")
    assert (done.frames, done.wanted, done.ended) == (1, 1, "")
    assert len(squares.shown(done.out)[0]) == 1


class Lost(Still):
    def update(self, frame):
        return np.full(4, np.nan)


def test_a_tracker_that_gives_no_numbers(tmp_path):
    done = track_video(squares.write(tmp_path / "v.mp4"), Lost(), BOX, tmp_path / "t.mp4")
    assert (done.frames, done.ended) == (1, "the tracker's box of frame 1 is no finite numbers")


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((10, 10, 0, 5), "--box 10,10,0,5 has no area: its width and height must be above 0"),
        ((10, 10, 5, -2), "must be above 0"),
        ((240, 10, 5, 5), "--box 240,10,5,5 lies outside of the frame, which is 240 pixels wide and 160 high"),
        ((-5, 10, 5, 5), "lies outside"),
        ((10, 160.5, 5, 5), "lies outside"),
        ((10, float("nan"), 5, 5), "is no box: it takes four finite numbers"),
        ((10, 10, 5), "is no box: it takes four finite numbers"),
    ],
)
def test_boxes_that_are_none(box, said):
    with pytest.raises(UserError, match=said):
        checked_box(box, 160, 240)


def test_a_box_may_reach_beyond_the_frame():
    assert checked_box((-5, 150, 6, 30), 160, 240).tolist() == [-5, 150, 6, 30]
