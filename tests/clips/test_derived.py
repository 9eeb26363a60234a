"""Streams made from another one's frames: read once for all, the same in any process, from the probe to the encoder."""

import json
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

import praxino
import videos
from praxino.catalogs.base import Video
from praxino.catalogs.folder import VideoFolder
from praxino.clips.black import zero_batch
from praxino.clips.dataset import ClipDataset, load_clips
from praxino.clips.in_turn import loaded_videos
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import EvenClips, RandomClip
from praxino.configuration.complete import complete, instantiate
from praxino.configuration.documents import read
from praxino.encoders.protocol import Protocol
from praxino.errors import UnreadableVideo, UserError
from praxino.methods.simclr import SimCLR
from praxino.rng import Rng
from praxino.streams.base import Canvas, Derived
from praxino.streams.flow import DISFlow
from praxino.streams.frames import FrameFolder, PictureReader
from praxino.streams.video import VideoFile
from praxino.training.pretrain import pretrain
from praxino.views.geometry import CentreCrop, Resize
from praxino.views.pipeline import View
from toys import ToyBackbone, ToyCatalog, ToySampler, ToyStream, toy_stages

FLOW = {"flow": DISFlow(bound=8)}


@pytest.fixture(scope="module")
def cv2():
    return pytest.importorskip("cv2", reason="OpenCV computes the flow")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for k in range(6):
        videos.write(folder / f"{k}.mp4", 12 + k, seed=k)
    return folder


@pytest.fixture
def video(clips):
    return Video("a", {"rgb": str(clips / "0.mp4")})


class CountedFrames(VideoFile):
    """Keeps which frames were asked for."""

    asked: ClassVar[list] = []

    def open(self, video, canvas=Canvas()):  # noqa: B008
        reader = super().open(video, canvas)
        real = reader.read

        def read(indices):
            self.asked.append(np.asarray(indices).tolist())
            return real(indices)

        reader.read = read
        return reader


def test_frames_are_read_once_for_all_streams(cv2, video):
    CountedFrames.asked = []
    streams = {"rgb": CountedFrames(), "flow": DISFlow(), "fast": DISFlow(preset="fast")}
    loaded = load_clips(video, ("flow", "rgb", "fast"), streams, {}, EvenClips(2, 4), np.random.default_rng(0))
    assert list(loaded.streams) == ["flow", "rgb", "fast"]
    # The 12 frames give 11 of flow: the clips are 0..3 and 7..10, and each is read with the frame behind it, once.
    assert loaded.numbers.tolist() == [[0, 1, 2, 3], [7, 8, 9, 10]]
    assert CountedFrames.asked == [[0, 1, 2, 3, 4, 7, 8, 9, 10, 11]]
    assert all(frames.present.all() and len(frames.pixels) == 8 for frames in loaded.streams.values())
    other = load_clips(video, ("flow",), streams, {}, EvenClips(2, 4), np.random.default_rng(0))
    assert np.array_equal(other.streams["flow"].pixels, loaded.streams["flow"].pixels)


def test_flow_is_that_of_the_frames_on_their_canvas(cv2, video):
    canvas = {"rgb": Canvas(short_side=32)}
    loaded = load_clips(video, ("rgb", "flow"), FLOW, canvas, RandomClip(5), np.random.default_rng(1))
    first = loaded.numbers[0, 0]
    with VideoFile().open(video, canvas["rgb"]) as reader:
        frames = reader.read(np.arange(first, first + 6))[0]
    assert loaded.streams["flow"].pixels.shape == (5, 32, 48, 2)
    for k in range(5):
        # Independently: a new object for each pair of frames.
        pair = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames[k : k + 2]]
        flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(*pair, None)
        levels = np.clip(np.round(255 * (flow.astype(np.float64) + 8) / 16), 0, 255)
        differ = np.abs(loaded.streams["flow"].pixels[k] - levels)
        assert differ.max() <= 1
        assert (differ > 0).mean() < 0.01  # ties, in another precision
    with pytest.raises(UserError, match=r"the canvas of flow: .* say canvas\.rgb instead"):
        load_clips(video, ("flow",), FLOW, {"flow": Canvas()}, RandomClip(5), np.random.default_rng(1))


def test_a_flow_frame_is_there_if_both_its_frames_are(cv2, tmp_path):
    for k in range(8):
        Image.fromarray(videos.frame(k)).save(tmp_path / f"{k}.png")
    (tmp_path / "3.png").write_text("no picture")
    video = Video("a", {"rgb": str(tmp_path)})
    loaded = load_clips(video, ("rgb", "flow"), FLOW, {}, EvenClips(1, 7), np.random.default_rng(0))
    assert loaded.streams["rgb"].present.tolist() == [True] * 3 + [False] + [True] * 3
    assert loaded.streams["flow"].present.tolist() == [True] * 2 + [False] * 2 + [True] * 3
    # A file that turns out shorter than the probe had found.
    longer = load_clips(video, ("flow",), FLOW, {}, EvenClips(1, 9), np.random.default_rng(0), length=9)
    assert longer.streams["flow"].present.tolist() == [True] * 2 + [False] * 2 + [True] * 3 + [False] * 2


def test_what_flow_cannot_be_made_of_is_an_unreadable_video(cv2, video):
    with pytest.raises(UnreadableVideo, match="12 pixels at least, not 8x12"):
        load_clips(video, ("flow",), FLOW, {"rgb": Canvas(short_side=8)}, RandomClip(4), np.random.default_rng(0))


def test_flow_pictures_beside_the_video(tmp_path, clips):
    """u and v have one frame fewer than RGB; their grey pictures come as three equal channels."""
    for component in "uv":
        folder = tmp_path / component / "v"
        folder.mkdir(parents=True)
        for k in range(1, 12):
            grey = videos.frame(k, seed=ord(component))[..., 0]
            Image.fromarray(grey).save(folder / f"frame{k:06}.jpg", quality=95)
        (folder / "n_frames").write_text("11")
        (folder / "nested").mkdir()
        Image.fromarray(grey).save(folder / "nested" / "frame000001.jpg")
    files = {"rgb": str(clips / "0.mp4"), **{f"flow_{c}": str(tmp_path / c / "v") for c in "uv"}}
    video = Video("v", files)
    loaded = load_clips(video, ("rgb", "flow_u", "flow_v"), {}, {}, EvenClips(1, 11), np.random.default_rng(0))
    assert loaded.numbers.tolist() == [list(range(11))]
    assert [videos.number(frame) for frame in loaded.streams["rgb"].pixels] == list(range(11))
    for stream in ("flow_u", "flow_v"):
        pixels = loaded.streams[stream].pixels
        assert (pixels == pixels[..., :1]).all()
        assert [videos.number(frame) for frame in pixels] == list(range(1, 12))
    with pytest.raises(UnreadableVideo, match="has 11 frames, and the sampler needs 12"):
        load_clips(video, ("rgb", "flow_u"), {}, {}, RandomClip(12), np.random.default_rng(0))
    assert isinstance(FrameFolder("flow_u").open(video), PictureReader)


class Half(Derived):
    """Frames at half the width, in one channel."""

    channels = 1

    def __init__(self, of: str = "rgb") -> None:
        self.of = of

    def needs(self, wanted):
        return wanted

    def make(self, prepared, wanted):
        return prepared[:, :, ::2, :1]


def test_the_black_batch_has_the_shape_of_the_real_one():
    streams = {"half": Half(), "rgb": ToyStream()}
    batch = zero_batch(2, ("half", "rgb"), {"rgb": Canvas(exact=(6, 8))}, ToySampler(), streams=streams)
    assert batch.streams["half"].pixels.shape[1:] == (6, 4, 1)
    real = load_clips(ToyCatalog()[0], ("half",), streams, {}, ToySampler(), np.random.default_rng(0))
    assert real.streams["half"].pixels.shape[1:] == (6, 4, 1)
    assert list(zero_batch(1, ("half",), {}, ToySampler(), streams=streams).streams) == ["half"]


def same(a, b):
    return all(
        torch.equal(a.streams[name].pixels, b.streams[name].pixels)
        and torch.equal(a.streams[name].where, b.streams[name].where)
        for name in a.streams
    )


def test_loading_processes_change_nothing(cv2, clips):
    def batches(workers):
        dataset = ClipDataset(VideoFolder(clips), ("rgb", "flow"), RandomClip(4, clips=2), FLOW, seed=3)
        source = ClipLoader(dataset, 3, workers).batches()
        try:
            return [next(source) for _ in range(4)]
        finally:
            source.close()

    alone, two = batches(0), batches(2)
    assert all(same(a, b) for a, b in zip(alone, two, strict=True))


def test_a_view_resizes_flow_like_any_stream(cv2, clips):
    dataset = ClipDataset(VideoFolder(clips), ("rgb", "flow"), RandomClip(4), FLOW)
    batch = next(ClipLoader(dataset, 2).batches())
    seen = View([Resize(32, 40, 24, "random")], stream="flow")(batch, Rng(0))
    assert seen.shape == (2, 1, 2, 4, 24, 24)
    assert ((seen >= 0) & (seen <= 1)).all()


def test_a_run_from_videos_alone(cv2, clips, tmp_path):
    """A method whose only view is flow: probed, tried, trained, saved; and the encoder takes a plain video file."""

    def run(name, **more):
        torch.manual_seed(0)
        return pretrain(
            VideoFolder(clips), RandomClip(4, clips=2),
            SimCLR(ToyBackbone(channels=2), View([CentreCrop(24)], stream="flow"), dim=5),
            toy_stages(steps=4), Protocol({"flow": View([CentreCrop(24)], stream="flow")}, EvenClips(2, 4)),
            tmp_path / name, streams=FLOW, canvas={"rgb": Canvas(short_side=32)}, batch_size=3, threads=1,
            device="cpu", **more,
        )  # fmt: skip

    assert run("one", workers=0).finished
    assert run("two", workers=2).finished
    with pytest.raises(UserError, match=r"the canvas of flow"):
        pretrain(
            VideoFolder(clips), RandomClip(4, clips=2),
            SimCLR(ToyBackbone(channels=2), View([CentreCrop(24)], stream="flow"), dim=5), toy_stages(steps=4),
            Protocol({"flow": View([CentreCrop(24)], stream="flow")}, EvenClips(2, 4)), tmp_path / "three",
            streams=FLOW, canvas={"flow": Canvas(short_side=32)}, batch_size=3, workers=0, device="cpu",
        )  # fmt: skip

    def losses(name):
        lines = (tmp_path / name / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line).get("train/total") for line in lines]

    assert losses("one") == losses("two")
    assert "11" in (tmp_path / "one/videos.csv").read_text().splitlines()[1]
    weights = [(tmp_path / name / "encoder.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]
    encoder = praxino.load_encoder(tmp_path / "one", trust=("toys",))
    assert isinstance(encoder.streams["flow"], DISFlow)
    assert encoder.embed(clips / "3.mp4").shape == (2, 6)


class NeedsMore(Half):
    def make(self, pixels, wanted):
        raise UserError("install it")


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_user_has_to_mend_is_one_line_out_of_any_process(clips, workers):
    with pytest.raises(UserError) as raised:
        list(loaded_videos(VideoFolder(clips), ("half",), EvenClips(1, 4), {"half": NeedsMore()}, {}, workers=workers))
    assert str(raised.value) == "install it"
    dataset = ClipDataset(VideoFolder(clips), ("half",), RandomClip(4), {"half": NeedsMore()})
    batches = ClipLoader(dataset, 2, workers).batches()
    with pytest.raises(UserError) as raised:
        next(batches)
    assert str(raised.value) == "install it"


def test_a_recipe_names_it_in_a_line(tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("streams:\n  flow: {class_path: DISFlow, init_args: {preset: fast}}\n  motion: DISFlow\n")
    config = complete(pretrain, read(recipe), partial=True)
    streams = instantiate(pretrain, config)["streams"]
    assert [type(stream) for stream in streams.values()] == [DISFlow, DISFlow]
    assert config["streams"]["motion"]["init_args"] == {"of": "rgb", "bound": 20.0, "preset": "medium"}
