"""What browsers play, and previews of what they do not: the right frames at the right seconds."""

import io
import os

import av
import numpy as np
import pytest
from PIL import Image

import praxino.browse.kept as kept
import praxino.browse.previews as previews
import videos
from praxino.browse.previews import frame, moment, playable, unreadable_because
from praxino.catalogs.base import Video


def video(path):
    return Video(path.name, {"rgb": str(path)})


def shown(content):
    """Seconds and pixels of an MP4's frames, and its stream's facts."""
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.video[0]
        frames = [(float(one.pts * one.time_base), one.to_ndarray(format="rgb24")) for one in container.decode(stream)]
        context = stream.codec_context
        return frames, (context.codec.canonical_name, context.pix_fmt, context.height, context.width)


@pytest.mark.parametrize("name", ["mpeg4_b_frames", "packed", "huffyuv", "truncated_avi", "variable_rate", "animation"])
def test_a_preview_shows_the_frames_of_its_seconds(tmp_path, name):
    path = videos.make(name, tmp_path)
    made = moment(video(path), 0.6, 0.7)
    frames, (codec, pixels, height, width) = shown(made)
    assert (codec, pixels, height % 2, width % 2) == ("h264", "yuv420p", 0, 0)
    assert made.index(b"moov") < made.index(b"mdat")  # a browser can begin before all of it has come
    original = videos.decoded(path)
    from praxino.streams.video import VideoFile

    times = VideoFile().open(video(path)).times
    wanted = [k for k, second in enumerate(times) if -0.4 - 1e-6 <= second <= 1.7 + 1e-6][: len(original)]
    assert abs(len(frames) - len(wanted)) <= 1
    for second, picture in frames[::5]:
        apart = [
            np.abs(original[k].astype(float) - picture[: original[k].shape[0], : original[k].shape[1]]).mean()
            for k in wanted
        ]
        assert times[wanted[int(np.argmin(apart))]] - times[wanted[0]] == pytest.approx(second, abs=0.021)


def test_a_preview_begins_a_second_earlier_and_ends_a_second_later(tmp_path):
    path = videos.write(tmp_path / "long.avi", 200, codec="mpeg4", options={"qscale": "2"})
    frames, _ = shown(moment(video(path), 3.0, 3.4))
    numbers = [videos.number(picture) for _, picture in frames]
    assert numbers == list(range(50, 111))
    assert np.allclose([second for second, _ in frames], np.arange(61) / 25, atol=1e-4)
    frames, _ = shown(moment(video(path), 0.0, 0.2))
    assert [videos.number(picture) for _, picture in frames] == list(range(31))
    frames, _ = shown(moment(video(path), 7.9, 7.96))
    assert [videos.number(picture) for _, picture in frames] == list(range(173, 200))


def test_a_large_picture_becomes_small_and_an_odd_one_even(tmp_path):
    large = videos.write(tmp_path / "large.avi", 5, size=(480, 640), codec="mpeg4", options={"qscale": "2"})
    assert shown(moment(video(large), 0, 0.1))[1][2:] == (360, 480)
    odd = videos.make("odd_size", tmp_path)  # 67 x 99
    frames, facts = shown(moment(video(odd), 0, 0.1))
    assert facts[2:] == (68, 100)
    assert np.abs(frames[0][1][:67, :99].astype(float) - videos.decoded(odd)[0]).mean() < 12


def test_a_turned_video_is_shown_upright(tmp_path):
    path = videos.make("turned", tmp_path)
    assert shown(moment(video(path), 0, 0.1))[1][2:] == (96, 64)
    assert Image.open(io.BytesIO(frame(video(path), 0, 0.1))).size == (128, 192)


def test_pictures_and_rendered_videos_have_previews(tmp_path):
    picture = tmp_path / "one.png"
    Image.fromarray(videos.frame(7)).save(picture)
    frames, _ = shown(moment(video(picture), 0, 0))
    assert [(round(second, 2), videos.number(pixels)) for second, pixels in frames] == [(0, 7), (1, 7)]
    rendered = Video("rendered-0-1", {"rgb": "rendered:0/1/20"})
    assert len(shown(moment(rendered, 0.1, 0.3))[0]) == 20
    assert frame(rendered, 0.1, 0.3)[:2] == b"\xff\xd8"
    assert playable(rendered) is None


def test_a_stretch_of_a_file_has_the_seconds_of_the_file(tmp_path):
    path = videos.write(tmp_path / "long.avi", 200, codec="mpeg4", options={"qscale": "2"})
    piece = Video("piece", {"rgb": f"{path}#t=2,6"})
    frames, _ = shown(moment(piece, 2.5, 3.0))
    assert [videos.number(picture) for _, picture in frames] == list(range(50, 101))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("plain", "video/mp4"), ("turned", "video/mp4"), ("vp9", "video/webm"), ("variable_rate", "video/mp4"),
     ("grey", "video/mp4"), ("ten_bits", None), ("matroska", None), ("mpeg4_mp4", None), ("prores", None),
     ("packed", None), ("text", None), ("empty", None), ("no_header", None), ("sound", None),
     ("transport_stream", None)],
)  # fmt: skip
def test_what_browsers_play(tmp_path, name, kind):
    found = playable(video(videos.make(name, tmp_path)))
    assert (found and found.kind) == kind


def test_high_444_and_quicktime_are_not_played(tmp_path):
    lossless = videos.write(tmp_path / "lossless.mp4", 5, options={"crf": "0"})
    assert playable(video(lossless)) is None
    assert playable(video(videos.write(tmp_path / "x.mov", 5, format="mov"))) is None
    assert playable(video(tmp_path)) is None
    assert playable(video(tmp_path / "none.mp4")) is None


def test_sound_that_begins_earlier_moves_the_clock(tmp_path):
    quiet = videos.write(tmp_path / "quiet.mp4", 50)
    assert playable(video(quiet)).ahead == 0
    videos.ffmpeg("-f", "lavfi", "-i", "sine=d=3", "-itsoffset", "0.5", "-i", quiet, "-map", "0:a", "-map", "1:v",
                  "-c:v", "copy", "-c:a", "aac", tmp_path / "late.mp4")  # fmt: skip
    assert playable(video(tmp_path / "late.mp4")).ahead == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("name", videos.BROKEN)
def test_why_there_is_no_picture(tmp_path, name):
    one = video(videos.make(name, tmp_path))
    reasons = {unreadable_because(one), frame(one, 0, 1), moment(one, 0, 1)}
    assert len(reasons) == 1
    assert all(isinstance(reason, str) and reason for reason in reasons)


def test_previews_are_kept_and_the_oldest_go(tmp_path, monkeypatch):
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "cache"))
    path = videos.write(tmp_path / "x.avi", 100, codec="mpeg4")
    first = kept.kept_moment(video(path), 0, 0.2)
    content = first.read_bytes()
    assert first.parent.stat().st_mode & 0o077 == 0
    monkeypatch.setattr(kept.previews, "moment", lambda *_: content)
    monkeypatch.setattr(kept, "MOMENTS_BYTES", len(content) * 5 // 2)  # two of them
    second = kept.kept_moment(video(path), 1, 1.2)
    os.utime(first, (1, 1))
    os.utime(second, (2, 2))
    monkeypatch.setattr(kept.previews, "moment", lambda *_: "it was made once more")
    assert kept.kept_moment(video(path), 0, 0.2) == first
    assert kept.kept_moment(video(path), 2, 2.2) == "it was made once more"
    monkeypatch.setattr(kept.previews, "moment", lambda *_: content)
    third = kept.kept_moment(video(path), 2, 2.2)
    assert not second.exists()
    assert sorted(one.name for one in first.parent.iterdir()) == sorted({first.name, third.name})
    videos.write(path, 100, codec="mpeg4", seed=5)  # another file in its place
    assert kept.kept_moment(video(path), 2, 2.2) != third


def test_previews_that_were_left_half_written_go(tmp_path, monkeypatch):
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path))
    monkeypatch.setattr(kept.previews, "moment", lambda *_: b"a preview")
    folder = kept.moments_folder()
    folder.mkdir()
    left, others = folder / "0a.mp4.123.part", folder / "0b.mp4.456.part"
    for file in (left, others):
        file.write_bytes(b"half")
    os.utime(left, (1, 1))
    made = kept.kept_moment(video(tmp_path / "x.avi"), 0, 0.2)
    assert {*folder.iterdir()} == {made, others}


def test_where_the_cache_cannot_be_written_they_are_kept_aside(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("in the way")
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "cache"))
    path = videos.write(tmp_path / "x.avi", 50, codec="mpeg4")
    assert "cannot be kept" in kept.kept_moment(video(path), 0, 0.2)
    first = kept.kept_moment(video(path), 0, 0.2, tmp_path / "aside")
    assert tmp_path / "aside" in first.parents
    assert len(shown(first.read_bytes())[0]) > 20
    assert first.parent.stat().st_mode & 0o077 == 0
    monkeypatch.setattr(kept.previews, "moment", lambda *_: "it was made once more")
    assert kept.kept_moment(video(path), 0, 0.2, tmp_path / "aside") == first


def test_one_that_is_made_lies_in_the_folder_that_is_given(tmp_path, monkeypatch):
    """The caller removes it, should the process end in the middle."""
    path, places = videos.write(tmp_path / "x.avi", 50, codec="mpeg4"), []
    real = previews._write
    monkeypatch.setattr(previews, "_write", lambda file, *rest: places.append(file) or real(file, *rest))
    monkeypatch.setenv("PRAXINO_CACHE", str(tmp_path / "cache"))
    kept.kept_moment(video(path), 0, 0.2, tmp_path / "aside")
    assert [place.parents[1] for place in places] == [tmp_path / "aside"]
    assert list((tmp_path / "aside").iterdir()) == []


def test_frames_are_held_up_to_a_limit():
    frames = kept.Frames(25)
    made = []

    def make(row):
        return frames.of(row, lambda: made.append(row) or bytes([row]) * 10)

    assert make(1) == bytes([1]) * 10
    for row in (2, 1, 3, 1, 2):
        make(row)
    assert made == [1, 2, 3, 2]
    assert frames.of(9, lambda: "gone") == "gone"
    assert frames.of(9, lambda: b"back") == b"back"
