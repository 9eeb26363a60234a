"""Going on: after any end, with other videos, and with files that have changed; and what stops it."""

import json
import os
import shutil

import numpy as np
import pytest
from prepared import Means, again, flow, folder_of, left

import videos
from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.listfile import ListFile
from praxino.errors import UserError
from praxino.prepare import making, views
from praxino.prepare.flow import prepare_flow
from praxino.prepare.manifest import JOURNAL, Manifest
from praxino.streams.base import Canvas
from praxino.streams.flow import DISFlow


@pytest.fixture
def source(tmp_path):
    return folder_of(tmp_path / "videos")


def rows(out):
    return {row["id"]: row for row in map(json.loads, (out / "flow/manifest.jsonl").read_text().splitlines()[1:])}


def test_a_folder_that_is_older_than_an_option(source, tmp_path):
    flow(source[0], tmp_path)
    manifest = tmp_path / "flow/manifest.jsonl"
    first, *lines = manifest.read_text().splitlines()
    said = json.loads(first)
    assert said["canvas"]["init_args"].pop("even") is False
    manifest.write_text("\n".join([json.dumps(said), *lines, ""]))
    flow(source[0], tmp_path)
    with pytest.raises(UserError, match=r"canvas\.even false there, true now"):
        flow(source[0], tmp_path, canvas=Canvas(longest=1000, even=True))


class Killed(BaseException):
    """What ends a process, as far as the code can see."""


@pytest.mark.parametrize("at", ["put", "renamed", "added", "torn", "zeros", "empty"])
def test_an_end_between_any_two_steps(source, tmp_path, monkeypatch, at):
    """Whatever of the third item is there, the second video: it is as if it had been begun anew."""
    whole, out = tmp_path / "whole", tmp_path / "out"
    flow(source[0], whole)
    put, add, replace = views._put, Manifest.add, os.replace
    count = []

    def ends_put(items, row, record):
        count.append(row)
        if at == "put" and len(count) == 3:
            raise Killed
        put(items, row, record)

    def ends_replace(one, other):
        replace(one, other)
        # u is there, and v is not.
        if at == "renamed" and len(count) == 3 and "/u/" in str(other):
            raise Killed

    def ends_add(manifest, record):
        add(manifest, record)
        if at in ("added", "torn", "zeros", "empty") and len(count) == 3:
            journal = manifest.folder / JOURNAL
            data, end = journal.read_bytes(), {"torn": b"", "zeros": bytes(20), "empty": b"\n\n"}
            if at in end:
                journal.write_bytes(data[:-20] + end[at])
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(views, "_put", ends_put)
        patch.setattr(Manifest, "add", ends_add)
        patch.setattr(os, "replace", ends_replace)
        with pytest.raises(Killed):
            flow(source[0], out)
    assert len(left(out)) < len(left(whole))
    prepared = flow(source[0], out)
    assert left(out) == left(whole)
    assert prepared.before == (2 if at == "added" else 1)


def test_nothing_is_made_twice(source, tmp_path, monkeypatch):
    flow(source[0], tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")}
    monkeypatch.setattr(Means, "make", None)
    prepared = flow(source[0], tmp_path)
    assert (prepared.before, len(prepared.made), len(prepared.failed)) == (3, 3, 1)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")} == before


def test_what_failed_is_tried_again_and_what_has_changed_is_made_again(source, tmp_path):
    out = tmp_path / "out"
    flow(source[0], out)
    shutil.copy(source[0] / "b/v1.mp4", source[0] / source[1])
    videos.write(source[0] / "a/v0.mp4", 12, seed=9)
    shutil.rmtree(out / "flow/v/a/v2")
    prepared = flow(source[0], out)
    assert (prepared.before, prepared.anew, len(prepared.failed)) == (1, 2, 0)
    assert rows(out)[source[1]]["frames"] == 8
    assert rows(out)["a/v0.mp4"]["frames"] == 11
    flow(source[0], tmp_path / "fresh")
    assert left(out) == left(tmp_path / "fresh")


def test_nothing_stays_of_a_video_that_has_become_unreadable(source, tmp_path):
    out = tmp_path / "out"
    flow(source[0], out)
    (source[0] / "a/v0.mp4").write_bytes(b"no video")
    flow(source[0], out)
    assert rows(out)["a/v0.mp4"]["status"] == "failed"
    assert not (out / "flow/u/a/v0").exists()
    assert not (out / "flow/v/a/v0").exists()


def test_what_was_made_of_a_video_that_is_not_there_now_stays(source, tmp_path):
    """A disk that is not mounted: once it is, nothing has to be made again."""
    names = [video.id for video in VideoFolder(source[0])]
    (tmp_path / "all.txt").write_text("\n".join(names) + "\n")
    catalog = ListFile(tmp_path / "all.txt", root=source[0])
    out = tmp_path / "out"
    prepare_flow(catalog, out, Means(), workers=0)
    before, made = left(out), [row for row in rows(out).values() if row["status"] == "made"]
    (source[0] / "a").rename(source[0] / "unmounted")
    prepared = prepare_flow(catalog, out, Means(), workers=0)
    after = left(out)
    assert {k: v for k, v in after.items() if "manifest" not in k} == {
        k: v for k, v in before.items() if "manifest" not in k
    }
    assert [row for row in rows(out).values() if row["status"] == "made"] == made
    assert prepared.before == len(made)
    assert any("a/v0" in note and "not there now, and what was made of them stays" in note for note in prepared.notes)


def test_catalogs_one_after_the_other(source, tmp_path):
    """Two lists of one root leave what one of all leaves."""
    names = [video.id for video in VideoFolder(source[0])]
    for k, some in enumerate((names[2:], names[:2])):
        (tmp_path / f"{k}.txt").write_text("\n".join(some) + "\n")
        catalog = ListFile(tmp_path / f"{k}.txt", root=source[0])
        prepared = prepare_flow(catalog, tmp_path / "out", Means(), workers=0)
        assert [record.id for record in prepared.records] == some
    flow(source[0], tmp_path / "all")
    assert left(tmp_path / "out") == left(tmp_path / "all")


def test_other_versions_are_told(source, tmp_path, monkeypatch):
    flow(source[0], tmp_path)
    monkeypatch.setattr(making, "versions", lambda: {"praxino": "9"})
    (note,) = flow(source[0], tmp_path).notes
    assert note.startswith("some videos were made with other versions, and stay: {'praxino'")
    assert rows(tmp_path)[source[1]]["made_with"] == {"praxino": "9"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"provider": Means(times=2)}, r"provider\.times 1 there, 2 now"),
        ({"provider": DISFlow(bound=5)}, r'provider "prepared\.Means" there, "praxino\.streams\.flow\.DISFlow" now'),
        ({"canvas": Canvas(short_side=20)}, r"canvas\.short_side null there, 20 now"),
        ({"quality": 91}, "quality 80 there, 91 now"),
        ({"format": "png"}, 'format "jpeg" there, "png" now; quality 80 there, null now'),
        ({"layout": "dense_flow"}, 'layout "two_stream" there, "dense_flow" now'),
    ],
)
def test_other_settings_are_refused(source, tmp_path, changed, said):
    flow(source[0], tmp_path / "out")
    before = left(tmp_path)
    with pytest.raises(UserError, match=rf"^\S+/flow was made otherwise \({said}.*\): pass another --out$"):
        flow(source[0], tmp_path / "out", **changed)
    assert left(tmp_path) == before


def test_a_file_of_weights_is_known_by_its_content(source, tmp_path):
    provider, elsewhere = tmp_path / "one/w.bin", tmp_path / "other/w.bin"
    for path in (provider, elsewhere):
        path.parent.mkdir()
        path.write_bytes(b"weights")
    flow(source[0], tmp_path / "out", provider=Weighted(provider))
    flow(source[0], tmp_path / "out", provider=Weighted(elsewhere))
    elsewhere.write_bytes(b"other weights")
    with pytest.raises(UserError, match=r'provider\.weights\.sha256 "[0-9a-f]{64}" there'):
        flow(source[0], tmp_path / "out", provider=Weighted(elsewhere))
    if Path("/proc/self/mem").is_file():  # a file that cannot be read, by root either
        with pytest.raises(UserError, match=r"^--weights: /proc/self/mem cannot be read: Input/output error$"):
            flow(source[0], tmp_path / "out", provider=Weighted("/proc/self/mem"))


from pathlib import Path  # noqa: E402


class Weighted(Means):
    """Has a file."""

    def __init__(self, weights: Path):
        super().__init__()
        self.weights = weights


def test_what_others_have_written_stays(source, tmp_path):
    (tmp_path / "flow/u/v_1").mkdir(parents=True)
    (tmp_path / "flow/u/v_1/frame000001.jpg").write_bytes(b"mine")
    with pytest.raises(UserError, match="flow holds u, and nothing says that praxino has made it: pass another --out"):
        flow(source[0], tmp_path)
    assert left(tmp_path / "flow") == {"u/v_1/frame000001.jpg": b"mine"}


def test_a_manifest_that_is_damaged(source, tmp_path):
    flow(source[0], tmp_path)
    (tmp_path / "flow/manifest.jsonl").write_text("{\n")
    with pytest.raises(UserError, match=r"manifest\.jsonl cannot be read \(.*\): pass another --out, or remove"):
        flow(source[0], tmp_path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"id": 5}, "the id of a video is 5"),
        ({"id": None}, "the id of a video is null"),
        ({"frames": "many"}, 'the frames of a video is "many"'),
        ({"bytes": None}, "the bytes of a video is null"),
        ({"made_with": [1]}, r"the made_with of a video is \[1\]"),
        ({"size": 5}, "."),
    ],
)
def test_a_line_of_the_manifest_that_is_odd(source, tmp_path, changed, said):
    flow(source[0], tmp_path)
    manifest = tmp_path / "flow/manifest.jsonl"
    head, row, *more = manifest.read_text().splitlines(keepends=True)
    odd = "".join([head, json.dumps(json.loads(row) | changed) + "\n", *more])
    manifest.write_text(odd)
    with pytest.raises(
        UserError, match=rf"manifest\.jsonl cannot be read \(.*{said}.*\): pass another --out, or remove"
    ):
        flow(source[0], tmp_path)
    assert manifest.read_text() == odd


def test_a_manifest_of_endless_brackets(source, tmp_path):
    flow(source[0], tmp_path)
    (tmp_path / "flow/manifest.jsonl").write_text("[" * 100_000)
    with pytest.raises(UserError, match=r"manifest\.jsonl cannot be read \(.*\): pass another --out, or remove"):
        flow(source[0], tmp_path)


@pytest.mark.parametrize("name", [".part/v.mp4", ".lock.mp4", "manifest.jsonl/v.mp4"])
def test_a_video_does_not_lie_where_praxino_keeps_its_own_files(tmp_path, name):
    (tmp_path / "videos" / name).parent.mkdir(parents=True)
    videos.write(tmp_path / "videos" / name, 4)
    (tmp_path / "list.txt").write_text(f"{name}\n")
    catalog = ListFile(tmp_path / "list.txt", root=tmp_path / "videos")
    with pytest.raises(UserError, match=f"^the files of {name} would lie in .* praxino's own place: rename the video"):
        prepare_flow(catalog, tmp_path / "out", Means(), layout="dense_flow", workers=0)
    assert len(prepare_flow(catalog, tmp_path / "out", Means(), workers=0).made) == 1  # below u and v there is room


def test_what_has_failed_may_be_replaced_by_a_file_of_another_ending(source, tmp_path):
    flow(source[0], tmp_path / "out")
    (source[0] / source[1]).unlink()
    videos.write((source[0] / source[1]).with_suffix(".mkv"), 5)
    done = flow(source[0], tmp_path / "out")
    assert (len(done.made), done.before) == (4, 3)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a/c.mp4", "a/c.mkv"], "a/c.mkv and a/c.mp4 would share the folder a/c: rename one of them"),
        (["a/c.mp4", "a/c/d.mp4"], "the folder of a/c/d.mp4 would lie in that of a/c.mp4, a/c: rename one of them"),
    ],
)
def test_videos_that_would_share_a_folder_are_refused(tmp_path, names, said):
    for name in names:
        (tmp_path / "videos" / name).parent.mkdir(parents=True, exist_ok=True)
        videos.write(tmp_path / "videos" / name, 4)
    with pytest.raises(UserError, match=f"^{said}"):
        flow(tmp_path / "videos", tmp_path / "out")
    assert not list((tmp_path / "out/flow").glob("[uv]"))
    # Not even one after the other.
    for name, other in (names, names[::-1]):
        (tmp_path / name.replace("/", "-")).write_text(f"{name}\n")
        out = tmp_path / f"out of {name.replace('/', '-')}"
        for k, one in enumerate((name, other)):
            (tmp_path / "list.txt").write_text(f"{one}\n")
            catalog = ListFile(tmp_path / "list.txt", root=tmp_path / "videos")
            if k == 0:
                prepare_flow(catalog, out, Means(), workers=0)
                before = left(out)
            else:
                with pytest.raises(UserError, match=r"made of .* not among the videos now|would lie in that"):
                    prepare_flow(catalog, out, Means(), workers=0)
        assert left(out) == before


def test_the_same_name_in_different_folders(tmp_path):
    """Each is read back as itself, however deep it lies; and one that failed is not taken for its namesake."""
    from praxino.errors import UnreadableVideo
    from praxino.streams.flow_folder import FlowFolder

    names = ["a/c.mp4", "deep/a/c.mp4", "deep/b/c.mp4", "c.mp4"]
    for k, name in enumerate(names):
        (tmp_path / "videos" / name).parent.mkdir(parents=True, exist_ok=True)
        videos.write(tmp_path / "videos" / name, 4 + k, seed=k)
    (tmp_path / "videos/deep/a/c.mp4").write_bytes(b"no video")
    catalog = VideoFolder(tmp_path / "videos")
    for layout in ("two_stream", "dense_flow"):
        out = tmp_path / layout
        if layout == "dense_flow":
            (tmp_path / "videos/c.mp4").unlink()
            catalog = VideoFolder(tmp_path / "videos")
        prepare_flow(catalog, out, Means(), layout=layout, workers=0)
        for video in catalog:
            reader = FlowFolder(str(out / "flow"), layout)
            if video.id == "deep/a/c.mp4":
                with pytest.raises(UnreadableVideo, match=r"No such file or directory: \S+/deep/a/c$"):
                    reader.open(video)
            else:
                assert len(reader.open(video).times) == 3 + names.index(video.id)


def test_ids_that_lead_elsewhere_are_refused(tmp_path):
    videos.write(tmp_path / "v.mp4", 4)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/list.txt").write_text("../v.mp4\n")
    with pytest.raises(UserError, match=r"the id '\.\./v\.mp4' names no place below a folder: let --catalog\.root"):
        prepare_flow(ListFile(tmp_path / "lists/list.txt"), tmp_path / "out", Means(), workers=0)
    (tmp_path / "lists/list.txt").write_text(f"{tmp_path}/v.mp4\n")
    prepare_flow(ListFile(tmp_path / "lists/list.txt"), tmp_path / "out", Means(), workers=0)
    assert (tmp_path / f"out/flow/u/{tmp_path}/v/frame000001.jpg".replace("//", "/")).is_file()


def test_names_that_are_no_utf8(tmp_path):
    odd = os.fsdecode(b"caf\xe9.mp4")
    (tmp_path / "videos").mkdir()
    videos.write(tmp_path / "v.mp4", 4)
    os.replace(tmp_path / "v.mp4", tmp_path / "videos" / odd)
    flow(tmp_path / "videos", tmp_path / "out")
    first = left(tmp_path / "out")
    assert f"flow/u/{odd[:-4]}/frame000001.jpg" in first
    assert flow(tmp_path / "videos", tmp_path / "out").before == 1
    assert left(tmp_path / "out") == first


@pytest.mark.parametrize("channels", [1, 17])
def test_a_provider_of_other_channels_is_refused(source, tmp_path, channels):
    with pytest.raises(UserError, match=f"--provider: Means makes {channels} channels, and flow has 2"):
        flow(source[0], tmp_path / "out", provider=Means(channels=channels))
    assert not (tmp_path / "out").exists()


def test_a_copy_of_the_folder_goes_on(source, tmp_path):
    flow(source[0], tmp_path / "out")
    copy = again(tmp_path / "out", tmp_path / "copy")
    assert flow(source[0], copy).before == 3
    assert left(copy) == left(tmp_path / "out")
    assert np.all([name.startswith("flow/") for name in left(copy)])
