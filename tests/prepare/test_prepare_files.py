"""The files that `prepare` writes, as today's readers read them."""

import json

import numpy as np
import pytest
from PIL import Image
from prepared import Halves, Means, flow, folder_of, left

import videos
from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.imagefolder import ImageFolder
from praxino.catalogs.listfile import ListFile
from praxino.errors import UserError
from praxino.prepare import walk
from praxino.prepare.flow import prepare_flow
from praxino.prepare.keypoints import prepare_keypoints
from praxino.prepare.segmentation import prepare_segmentation
from praxino.streams.base import Canvas
from praxino.streams.flow import DISFlow
from praxino.streams.flow_folder import FlowFolder
from praxino.streams.frames import FrameFolder
from praxino.streams.maps import HeatMaps, Masks, scaled
from praxino.streams.probe import probe
from praxino.streams.video import VideoFile


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return folder_of(tmp_path_factory.mktemp("source") / "videos")


def derived(video, provider, canvas=Canvas()):  # noqa: B008
    """All frames, from one call of `make`."""
    with VideoFile().open(video, canvas) as reader:
        wanted = np.arange(len(reader.times) - provider.fewer)
        return provider.make(reader.read(provider.needs(wanted))[0], wanted)


@pytest.mark.parametrize("layout", ["two_stream", "dense_flow"])
@pytest.mark.parametrize(("format", "quality", "most"), [("png", 90, 0), ("jpeg", 95, 4), ("jpeg", 50, 14)])
def test_flow_comes_back(source, tmp_path, layout, format, quality, most):
    pytest.importorskip("cv2")
    catalog = VideoFolder(source[0])
    prepared = prepare_flow(catalog, tmp_path, layout=layout, format=format, quality=quality, workers=0)
    reader = FlowFolder(str(tmp_path / "flow"), layout)
    for video in catalog:
        if video.id == source[1]:
            continue
        wanted = derived(video, DISFlow())
        with reader.open(video) as opened:
            pixels, present = opened.read(range(len(opened.times)))
        assert present.all()
        assert pixels.shape == wanted.shape
        error = np.abs(pixels.astype(int) - wanted)
        assert error.mean() <= most
        assert most == 0 or error.max() > 0
    assert [record.frames for record in prepared.made] == [19, 13, 8]
    assert prepared.made[0].size == (48, 64)


def test_names_of_the_files(source, tmp_path):
    flow(source[0], tmp_path / "a")
    flow(source[0], tmp_path / "b", layout="dense_flow")
    two, dense = left(tmp_path / "a/flow"), left(tmp_path / "b/flow")
    assert {f"{axis}/b/v1/frame{k:06d}.jpg" for axis in "uv" for k in range(1, 9)} < set(two)
    assert {f"b/v1/flow_{axis}_{k:05d}.jpg" for axis in "xy" for k in range(1, 9)} < set(dense)
    # Nothing else: no folder aside, no lock, no journal.
    assert len(two) == len(dense) == 2 * (19 + 8 + 13) + 1


@pytest.mark.parametrize(
    ("prepare", "channels", "stream", "name"),
    [(prepare_segmentation, 1, Masks, "segmentation"), (prepare_keypoints, 17, HeatMaps, "keypoints")],
)
def test_maps_come_back(source, tmp_path, prepare, channels, stream, name):
    catalog = VideoFolder(source[0])
    provider, seen, stored = Means(channels=channels), Canvas(longest=48), Canvas(short_side=20)
    prepared = prepare(catalog, tmp_path, provider, canvas=stored, seen=seen, workers=0)
    assert prepared.made[0].size == (20, 27)
    for video in catalog:
        if video.id == source[1]:
            continue
        made = derived(video, provider, seen)
        assert made.shape[1:] == (36, 48, channels)
        with stream(str(tmp_path / name)).open(video) as opened:
            pixels, present = opened.read(range(len(opened.times)))
        assert present.all()
        assert np.array_equal(pixels, np.stack([scaled(frame, 20, 27) for frame in made]))


def test_bytes_do_not_depend_on_processes_and_chunks(source, tmp_path, monkeypatch):
    for name, chunk, workers in (("a", 64, 0), ("b", 64, 1), ("c", 64, 2), ("d", 1, 0), ("e", 5, 2)):
        monkeypatch.setattr(walk, "MOST_FRAMES", chunk)
        monkeypatch.setattr(walk, "chunk_of", lambda height, width, chunk=chunk: chunk)
        flow(source[0], tmp_path / name, workers=workers)
        prepare_keypoints(VideoFolder(source[0]), tmp_path / name, Means(channels=17), workers=workers)
    first = left(tmp_path / "a")
    assert len(first) == 2 * 40 + 40 + 2
    for name in "bcde":
        assert left(tmp_path / name) == first, name


@pytest.mark.parametrize("side", [2300, 10**12])
def test_maps_that_no_stream_would_read_are_not_written(tmp_path, side):
    """17 channels of 2300 times 3450 are more than 64 MiB; a million times a million cannot even be held."""
    (tmp_path / "videos").mkdir()
    videos.write(tmp_path / "videos/v.mp4", 4)
    catalog, provider = VideoFolder(tmp_path / "videos"), Means(channels=17)
    with pytest.raises(UserError, match=r"is larger than the 64 MiB that are read"):
        prepare_keypoints(catalog, tmp_path / "out", provider, canvas=Canvas(short_side=side), workers=0)
    assert not (tmp_path / "out/keypoints/heatmaps").exists()


def test_the_largest_map_that_is_written_is_read(tmp_path):
    from praxino.prepare.forms import MapFiles
    from praxino.streams.npz import MOST_BYTES, read_bytes_array

    height = MOST_BYTES // 8192 - 1
    form = MapFiles("segmasks", "segmask_", "seg", 1, Canvas())
    ((_, name, data),) = form.files(0, np.zeros((height, 8192, 1), np.uint8))
    (tmp_path / name).write_bytes(data)
    assert read_bytes_array(str(tmp_path / name), "seg").shape == (height, 8192)
    with pytest.raises(ValueError, match="is larger than"):
        form.files(0, np.zeros((height + 1, 8192, 1), np.uint8))


def test_the_manifest_says_what_was_made(source, tmp_path):
    prepared = flow(source[0], tmp_path, provider=Halves(times=2))
    head, *rows = map(json.loads, (tmp_path / "flow/manifest.jsonl").read_text().splitlines())
    assert head["stream"] == "flow"
    assert head["provider"] == {"class_path": "prepared.Halves", "init_args": {"of": "rgb", "channels": 2, "times": 2}}
    assert (
        [row["id"] for row in rows]
        == sorted(row["id"] for row in rows)
        == [video.id for video in VideoFolder(source[0])]
    )
    made = {row["id"]: row for row in rows}
    assert made["a/v0.mp4"]["found"] == 10
    files = left(tmp_path / "flow")
    assert made["a/v0.mp4"]["bytes"] == sum(len(data) for name, data in files.items() if "/a/v0/" in name)
    assert made["a/v0.mp4"]["source"]["bytes"] == (source[0] / "a/v0.mp4").stat().st_size
    assert {"praxino", "av", "numpy", "pillow"} <= set(made["a/v0.mp4"]["made_with"])
    assert made[source[1]]["status"] == "failed"
    assert "text file" in made[source[1]]["reason"]
    assert [record.id for record in prepared.failed] == [source[1]]


def test_frames_that_do_not_come_out_have_no_files(tmp_path):
    paths = [tmp_path / f"{k}.png" for k in range(12)]
    for k, path in enumerate(paths):
        Image.fromarray(np.full((16, 16, 3), 20 * k, np.uint8)).save(path)
    paths[6].write_bytes(b"no picture")
    (tmp_path / "v").mkdir()
    for path in paths:
        path.rename(tmp_path / "v" / path.name)
    (tmp_path / "list.txt").write_text("v\n")
    prepared = prepare_flow(ListFile(tmp_path / "list.txt"), tmp_path / "out", Means(), workers=0)
    (record,) = prepared.made
    # Means looks two frames back and one ahead.
    assert (record.frames, record.missing) == (11, 4)
    streams = {"flow": FlowFolder(str(tmp_path / "out/flow"))}
    (found,) = probe(ListFile(tmp_path / "list.txt"), streams, ["flow"], 1)
    assert (found.frames, found.status) == (11, "ok")
    assert found.reason.startswith("4 frames of its flow are missing or damaged, number 5 the first")


def test_a_video_of_which_nothing_comes_out_has_failed(tmp_path):
    """Pictures that open and cannot be decoded: no empty folders are left."""
    (tmp_path / "v").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for k in range(5):
        Image.fromarray(noise).save(tmp_path / f"v/{k}.jpg", quality=95)
        (tmp_path / f"v/{k}.jpg").write_bytes((tmp_path / f"v/{k}.jpg").read_bytes()[:700])
    (tmp_path / "list.txt").write_text("v\n")
    with pytest.raises(UserError, match=r"\(v: none of its frames comes out\)$"):
        prepare_flow(ListFile(tmp_path / "list.txt"), tmp_path / "out", Means(), workers=0)
    assert list(left(tmp_path / "out")) == ["flow/manifest.jsonl"]
    assert [path.name for path in (tmp_path / "out/flow").iterdir()] == ["manifest.jsonl"]


def test_pictures_in_class_folders_are_videos_of_one_frame(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.fromarray(np.full((20, 30, 3), 80, np.uint8)).save(tmp_path / f"data/{name}/1.jpg")
    catalog = ImageFolder(tmp_path / "data")
    provider = Means(channels=1)
    with pytest.raises(UserError, match=r"nothing can be made of 2 videos \(.*it has 1 frame, and Means needs 2"):
        prepare_segmentation(catalog, tmp_path / "out", provider, workers=0)
    Means.fewer, needs = 0, Means.needs
    Means.needs = lambda self, wanted: wanted
    try:
        assert len(prepare_segmentation(catalog, tmp_path / "out2", provider, workers=0).made) == 2
    finally:
        Means.fewer, Means.needs = 1, needs
    with Masks(str(tmp_path / "out2/segmentation")).open(catalog[0]) as reader:
        assert reader.read([0])[0].shape == (1, 96, 144, 1)


def test_the_frames_are_read_by_the_stream_that_is_named(tmp_path):
    for k in range(4):
        for kind in ("img", "depth"):
            (tmp_path / "data/a/v").mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((16, 16, 3), 10 * k + 100 * (kind == "img"), np.uint8)).save(
                tmp_path / f"data/a/v/{kind}_{k}.png"
            )
    (tmp_path / "list.txt").write_text("data/a/v\n")
    catalog = ListFile(tmp_path / "list.txt")
    with pytest.raises(UserError, match="its pictures are 2 series"):
        prepare_flow(catalog, tmp_path / "out", Means(), workers=0)
    streams = {"rgb": FrameFolder(pattern="img_*")}
    prepare_flow(catalog, tmp_path / "named", Means(), format="png", streams=streams, workers=0)
    with FlowFolder(str(tmp_path / "named/flow")).open(catalog[0]) as reader:
        assert reader.read([0])[0][0, 0, 0].tolist() == [105, 105]


def test_a_pretraining_on_prepared_flow(source, tmp_path):
    """Two steps of a small recipe, typed as the last line of `prepare` says it."""
    pytest.importorskip("cv2")
    from praxino.cli.main import main

    clips = tmp_path / "clips"
    for k in range(4):
        (clips / "ab"[k % 2]).mkdir(parents=True, exist_ok=True)
        videos.write(clips / "ab"[k % 2] / f"{k}.mp4", 80, seed=k)
    assert main(["prepare", "flow", "--videos", str(clips), "--out", str(tmp_path), "--workers", "0"]) == 0
    words = ["--streams.flow", "FlowFolder", "--streams.flow.root", str(tmp_path / "flow")]
    words += ["--videos", str(clips), "--out", str(tmp_path / "run"), "--steps", "2", "--batch_size", "2"]
    assert main(["pretrain", "cocon_small", *words, "--workers", "0", "--device", "cpu"]) == 0
    steps = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert sum(line["kind"] == "step" for line in steps) == 2
    assert "cannot" not in (tmp_path / "run/videos.csv").read_text()
