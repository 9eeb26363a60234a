"""Streams of two, of seventeen and of one channel, from the probe to the encoder, and what is refused on the way."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="from the probe to the encoder")

import torch
from PIL import Image

from praxino.backbones.r3d import R3D
from praxino.backbones.resnet3d import R3D18
from praxino.catalogs.base import Video
from praxino.clips.black import zero_batch
from praxino.clips.dataset import ClipDataset, collate, load_clips
from praxino.clips.loader import ClipLoader
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder, load_encoders
from praxino.encoders.protocol import Protocol
from praxino.errors import UserError
from praxino.methods.simclr import SimCLR
from praxino.rng import Rng
from praxino.streams.base import Canvas, Derived, Stream
from praxino.streams.choose import channels_of
from praxino.streams.flow import DISFlow
from praxino.streams.frames import FrameFolder
from praxino.streams.probe import probe
from praxino.streams.video import VideoFile
from praxino.training.pretrain import pretrain
from praxino.training.tryout import try_out
from praxino.views.colour import Grey, Normalise
from praxino.views.geometry import CentreCrop, Flip, RandomResizedCrop
from praxino.views.pipeline import View
from toys import ToyCatalog, ToyPair, ToyPlanes, ToySampler, ToyStream, toy_planes, toy_stages

CHANNELS = {"flow": 2, "keypoints": 17, "mask": 1, "pair": 2, "rgb": 3}
STREAMS = {name: ToyPlanes(channels) for name, channels in CHANNELS.items()} | {"pair": ToyPair()}


def numbers_of(channels):
    return tuple(0.3 + 0.02 * c for c in range(channels)), tuple(0.2 + 0.01 * c for c in range(channels))


def pair_of(indices):
    now, then = (toy_planes(np.asarray(indices) + k, 3).astype(int) for k in (0, 1))
    return np.stack([(then - now)[..., 0] % 256, now[..., 1]], -1)


def pixels_of(stream, indices):
    return pair_of(indices) if stream == "pair" else toy_planes(indices, CHANNELS[stream])


def loader(stream, workers=0, streams=STREAMS):
    return ClipLoader(ClipDataset(ToyCatalog(), (stream,), ToySampler(), streams), 4, workers)


def first_batch(*arguments, **more):
    batches = loader(*arguments, **more).batches()
    try:
        return next(batches)
    finally:
        batches.close()


@pytest.mark.parametrize("stream", CHANNELS)
@pytest.mark.parametrize("workers", [0, 1])
def test_from_the_probe_to_the_batch(stream, workers):
    found = probe(ToyCatalog(), STREAMS, (stream,), 4)
    assert [(video.status, video.frames) for video in found] == [("ok", 19 if stream == "pair" else 20)] * 12
    batch = first_batch(stream, workers)
    clips = batch.streams[stream].clips()
    assert clips.shape == (4, 2, 4, 14, 18, CHANNELS[stream])
    assert np.array_equal(clips, pixels_of(stream, batch.numbers.numpy()))
    canvas = {"rgb" if stream == "pair" else stream: Canvas(exact=(14, 18))}
    black = zero_batch(4, (stream,), canvas, ToySampler(), STREAMS)
    assert black.streams[stream].clips().shape == clips.shape
    assert not black.streams[stream].pixels.any()


def by_pillow(plane, box, size):
    """One channel as a grey picture: cropped and resized, width first, as in test_resample."""
    top, left, height, width = box
    picture = Image.fromarray(np.ascontiguousarray(plane[top : top + height, left : left + width]))
    return np.asarray(picture.resize((size, height), Image.Resampling.BILINEAR).resize((size, size), 2))


@pytest.mark.parametrize("stream", CHANNELS)
def test_a_view_is_that_of_each_channel_alone(stream):
    mean, std = numbers_of(CHANNELS[stream])
    view = View([RandomResizedCrop(6), Flip(), Normalise(mean, std)], stream=stream)
    batch, rng = first_batch(stream), Rng(5)
    seen = view(batch, rng)
    assert seen.shape == (4, 2, CHANNELS[stream], 4, 6, 6)
    boxes, mirrored, _ = view.draw(batch, rng)
    for at in np.ndindex(seen.shape[:4]):
        video, clip, channel, frame = at
        plane = pixels_of(stream, batch.numbers[video, clip].numpy())[frame, ..., channel].astype(np.uint8)
        small = by_pillow(plane, boxes["box"][video, clip, 0].tolist(), 6)
        small = small[:, ::-1] if mirrored["on"][video, clip, 0] else small
        want = (small / 255 - mean[channel]) / std[channel]
        # Bytes are equal; then float32 does the arithmetic of numbers up to about 4.
        np.testing.assert_allclose(seen[at], want, atol=2e-6)


def simclr(stream, channels=None, view=None):
    torch.manual_seed(0)
    channels = CHANNELS[stream] if channels is None else channels
    mean, std = numbers_of(CHANNELS[stream])
    view = view or View([RandomResizedCrop(8), Flip(), Normalise(mean, std)], stream=stream)
    return SimCLR(R3D(width=4, in_channels=channels), view, dim=5)


def protocol(stream):
    mean, std = numbers_of(CHANNELS[stream])
    # The toy's videos are all alike: BatchNorm statistics of its clips would be worth nothing.
    own = {"reestimate_batchnorm": False, "centred": False}
    return Protocol({"seen": View([CentreCrop(8), Normalise(mean, std)], stream=stream)}, EvenClips(3, 4), **own)


def tried(method, streams=STREAMS):
    return try_out(method, ToySampler(), {}, 0, 4, "fp32", torch.device("cpu"), streams)


def run(out, method, stream, streams=STREAMS, **more):
    return pretrain(
        ToyCatalog(), ToySampler(), method, toy_stages(steps=3), protocol(stream), out, streams=streams, batch_size=4,
        workers=0, threads=1, device="cpu", **more,
    )  # fmt: skip


@pytest.mark.parametrize("stream", CHANNELS)
def test_a_run_and_its_encoder(stream, tmp_path):
    assert "train/total" in tried(simclr(stream))
    needed = {name: STREAMS[name] for name in ([stream] if stream != "pair" else ["pair", "rgb"])}
    done = run(tmp_path / "run", simclr(stream), stream, needed, validation=4)
    assert done.finished
    losses = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert all(np.isfinite(line["train/total"]) for line in losses if "train/total" in line)
    (encoder,) = load_encoders(tmp_path / "run", trust=("toys",)).values()
    assert encoder.backbone.in_channels == CHANNELS[stream]
    video = Video("a", {name: "/toy" for name in needed})
    vectors = encoder.embed(video)
    # Independently: clips 0..3, in the middle, and at the end, through the network one by one.
    loaded = load_clips(video, (stream,), STREAMS, {}, EvenClips(3, 4), np.random.default_rng(0))
    mean, std = (torch.tensor(numbers).view(-1, 1, 1, 1) for numbers in numbers_of(CHANNELS[stream]))
    for numbers, vector in zip(loaded.numbers, vectors, strict=True):
        x = torch.stack([torch.from_numpy(_centre(frame)) for frame in pixels_of(stream, numbers).astype(np.uint8)], 1)
        with torch.no_grad():
            own = encoder.backbone(((x / 255 - mean) / std)[None]).amax((-3, -2, -1))[0]
        # Another order of summation in convolutions of one clip and of three.
        np.testing.assert_allclose(vector, own, atol=1e-5)
    assert torch.equal(encoder.features(collate([loaded], [0], [None])), torch.from_numpy(vectors))
    again = Encoder.load(encoder.save(tmp_path / "again.safetensors"), trust=("toys",))
    assert np.array_equal(again.embed(video), vectors)


def _centre(frame):
    return np.stack([by_pillow(plane, (0, 2, 14, 14), 8) for plane in np.moveaxis(frame, -1, 0)])


class Undecoded(ToyPlanes):
    def open(self, video, canvas=None):
        raise AssertionError("something was decoded")

    def probe(self, video, full=False):
        raise AssertionError("something was probed")


NOT_YET = {name: Undecoded(channels) for name, channels in CHANNELS.items() if name != "pair"} | {"pair": ToyPair()}


@pytest.mark.parametrize(
    ("stream", "method", "said"),
    [
        ("flow", lambda: simclr("flow", 3), r"SimCLR on ToySampler, flow of 2 channels\): .* 3 channels, but got 2 "),
        ("pair", lambda: simclr("pair", 3), r"SimCLR on ToySampler, pair of 2 channels\): .* 3 channels, but got 2 "),
        ("rgb", lambda: simclr("rgb", 2), r"SimCLR on ToySampler\): .* 2 channels, but got 3 "),
        (
            "keypoints",
            lambda: simclr("keypoints", view=View([CentreCrop(8), Normalise()], stream="keypoints")),
            r"^Normalise has mean and std for 3 channels, and the clips have 17: ",
        ),
        (
            "flow",
            lambda: simclr("flow", view=View([CentreCrop(8), Grey(p=0.0)], stream="flow")),
            r"^Grey needs RGB, and the clips have 2 channels: leave it out of this view's operations$",
        ),
        # The task fits, and what the protocol makes of its network does not.
        ("keypoints", lambda: simclr("flow"), r"protocol, encoder '', view 'seen'\): .* 2 channels, but got 17 "),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_decoded(stream, method, said, tmp_path):
    with pytest.raises(UserError, match=said) as raised:
        run(tmp_path / "run", method(), stream, NOT_YET)
    assert "\n" not in str(raised.value)


class WrongPair(ToyPair):
    channels = 3


def test_a_derived_stream_that_makes_other_frames_is_told_before_anything_is_decoded(tmp_path):
    with pytest.raises(UserError, match=r"^the stream pair says channels = 3, .* uint8 \[240, 320, 2\]: correct"):
        run(tmp_path / "run", simclr("pair"), "pair", {**NOT_YET, "pair": WrongPair()})


def test_flow_is_made_of_colours_only():
    pytest.importorskip("cv2", reason="OpenCV computes the flow")
    with pytest.raises(UserError, match="optical flow needs frames in RGB, and those of keypoints have 17 channels"):
        tried(simclr("rgb", view=View([CentreCrop(8)], stream="u")), {**NOT_YET, "u": DISFlow(of="keypoints")})


def test_what_streams_say():
    assert [channels_of(name, STREAMS) for name in CHANNELS] == list(CHANNELS.values())
    assert channels_of("not_named", STREAMS) == 3
    assert [source.channels for source in (VideoFile(), FrameFolder(), ToyStream(), DISFlow())] == [3, 3, 3, 2]
    assert Stream.channels == Derived.channels == 3


def test_a_deeper_network_of_seventeen_channels():
    net = R3D18(width=4, in_channels=17)
    view = View([CentreCrop(8)], stream="keypoints")
    assert net(view(first_batch("keypoints"), Rng(0)).flatten(0, 1)).shape[:2] == (8, net.dim)
