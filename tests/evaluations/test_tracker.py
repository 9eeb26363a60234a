"""The tracker follows what moves; where the object is; what is refused."""

import math

import numpy as np
import pytest
import torch

from praxino.backbones.r3d import R3D
from praxino.backbones.resnet2d import ResNet18
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.encoders.siamese import SiameseHead
from praxino.encoders.statistics import Statistics, averages
from praxino.errors import UserError
from praxino.evaluations.tracking.response import Search
from praxino.evaluations.tracking.tracker import Tracker
from praxino.evaluations.tracking.trunk import Trunk
from praxino.views.colour import Normalise
from praxino.views.geometry import CentreCrop, ResizeShorterSide
from praxino.views.motion import Residual
from praxino.views.pipeline import View
from tracked import OneLayer, encoder_on, moving, overlaps, toy_encoder

pytest.importorskip("cv2")


def followed(tracker, frames, box):
    tracker.init(frames[0], box)
    return [np.asarray(box, np.float64), *map(tracker.update, frames[1:])]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("step", "grows"), [((0, 0), 1.0), ((2, 3), 1.0), ((3, -1.5), 1.0), ((1, 2), 1.02)])
def test_it_follows_a_patch(step, grows, seed):
    frames, boxes = moving(step=step, grows=grows, seed=seed)
    found = followed(Tracker(toy_encoder(seed)), frames, boxes[0])
    # The size is followed by random kernels less well than the place.
    assert overlaps(found, boxes).min() > (0.7 if grows == 1 else 0.4)
    assert overlaps([boxes[0]] * len(boxes), boxes).min() < 0.4 or step == (0, 0)


def test_the_same_frames_give_the_same_boxes_and_a_confidence():
    frames, boxes = moving()
    tracker = Tracker(toy_encoder())
    assert math.isnan(tracker.confidence)
    first = followed(tracker, frames, boxes[0])
    assert 0.5 < tracker.confidence < 1
    assert (np.array(followed(tracker, frames, boxes[0])) == np.array(first)).all()
    tracker.init(frames[0], boxes[0])
    assert math.isnan(tracker.confidence)


def blob(y, x, sigma=9.0):
    rows, columns = np.ogrid[:120, :160]
    bright = 250 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2))
    return np.repeat(np.rint(bright).astype(np.uint8)[..., None], 3, 2)


class Sampled(OneLayer):
    """Every so many pixels, as they are: cell i lies on pixel i times the stride."""

    def __init__(self, stride: int = 8) -> None:
        super().__init__(1, stride)
        with torch.no_grad():
            self.weight.zero_()[:, :, 5, 5] = 1


@pytest.mark.parametrize(("stride", "off"), [(8, 0.5), (16, -3.5)])
def test_a_thing_that_stays_is_found_where_it_is(stride, off):
    """Cells of exemplar and search lie apart by a part of a cell, which the middle of the response ignores."""
    frame, ways = blob(60, 80), {}
    for middle in ("pixels", "grid"):
        tracker = Tracker(encoder_on(Sampled(stride)), SiameseHead(1), middle=middle, window=0.0, scales=1)
        # Its square, of 48 pixels, and that of the search, of 102, have edges on whole pixels.
        tracker.init(frame, (68.5, 48.5, 24, 24))
        ways[middle] = (tracker.update(frame)[:2] - (68.5, 48.5)) * 255 / tracker.search_side
    # A cell is refined to 16 places, and the interpolation of a sampled bell is off by as much again.
    assert np.abs(ways["pixels"]).max() <= 1.5 * stride / 16
    np.testing.assert_allclose(ways["pixels"] - ways["grid"], [off, off], atol=1e-3)


def test_the_published_grid_goes_seventeen_of_eighteen_parts_of_the_way():
    peak = np.zeros((3, 18, 18), np.float32)
    peak[1, 14, 6] = 1
    ways = []
    for grid in (None, 17):
        tracker = Tracker(toy_encoder(), grid=grid, middle="grid", bounded=False, window=0.0, scale_rate=0.0)
        tracker.init(blob(60, 80), (71, 51, 19, 19))
        ways.append((tracker.moved(peak, 120, 160)[:2] - (71, 51)) * 255 / tracker.search_side)
    np.testing.assert_allclose(ways[0], [-2.5 * 8, 5.5 * 8], atol=0.5 + 1e-3)  # a place is half a pixel
    np.testing.assert_allclose(ways[1] / ways[0], 17 / 18, atol=0.02)


@pytest.mark.parametrize("influence", [0.0, 0.3, 1.0])
def test_a_place_is_the_highest_of_response_and_window(influence):
    """Against plain loops over the refined response, without OpenCV's refinement: one place a cell."""
    responses = np.random.default_rng(0).normal(size=(3, 9, 9)).astype(np.float32) + 5
    search = Search(np.array([0.9, 1.0, 1.1]), 0.8, influence, 9)
    best, place, highest = search.found(responses)
    weights = [0.8, 1, 0.8]
    tops = [weights[k] * responses[k].max() for k in range(3)]
    assert best == tops.index(max(tops))
    assert highest == responses[best].max()
    own = weights[best] * responses[best].astype(np.float64)
    own = (own - own.min()) / (own - own.min()).sum()
    line = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(9) / 8)
    window = np.outer(line, line) / np.outer(line, line).sum()
    mixed = (1 - influence) * own + influence * window
    assert tuple(place) == np.unravel_index(mixed.argmax(), mixed.shape)


def test_equal_responses_choose_the_first_scale_and_the_windows_middle():
    best, place, _ = Search(np.array([0.9, 1.0, 1.1]), 1.0, 0.5, 9).found(np.ones((3, 9, 9), np.float32))
    assert best == 0
    assert place.tolist() == [4, 4]


@pytest.mark.parametrize("bounded", [True, False])
def test_what_is_bounded_stays_in_the_frame(bounded):
    far = np.zeros((3, 18, 18), np.float32)
    far[0, 0, 0] = 1
    boxes = {}
    for step in (1.0, 1.5):
        tracker = Tracker(toy_encoder(), bounded=bounded, scale_step=step, scale_rate=1.0)
        tracker.init(blob(60, 80), (71, 51, 19, 9))
        for _ in range(30):
            boxes[step] = tracker.moved(far, 120, 160)
    x, y, width, height = boxes[1.0]
    middle = (x + (width - 1) / 2, y + (height - 1) / 2)
    assert middle == (0, 0) if bounded else max(middle) < -100
    assert 2 <= boxes[1.5][3] < 3 if bounded else boxes[1.5][3] < 0.1


@pytest.mark.parametrize("border", ["current", "first"])
def test_the_border_has_the_colour_of_the_frame_that_is_named(border):
    dark, light = (np.full((60, 60, 3), grey, np.uint8) for grey in (10, 200))
    tracker = Tracker(toy_encoder(), border=border)
    tracker.init(dark, (0, 0, 30, 30))
    tracker.update(light)
    assert tracker.crops(light)[1][0, 0, 0] == (200 if border == "current" else 10)


def test_a_backbone_for_pictures_runs_at_stride_eight_with_its_own_weights():
    torch.manual_seed(0)
    backbone = ResNet18(width=4).eval()
    before = torch.random.get_rng_state()
    encoder = encoder_on(backbone, [ResizeShorterSide(256, crop=224), Normalise()])
    trunk = Trunk.of(encoder)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (trunk.stride, backbone.output_stride) == (8, 32)
    assert [type(one) for one in trunk.view.operations] == [Normalise]
    pictures = torch.randint(0, 256, (2, 120, 120, 3), dtype=torch.uint8)
    found = trunk.train()(pictures)
    fine = ResNet18(width=4, output_stride=8).eval()
    fine.load_state_dict(backbone.state_dict())
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    clips = ((pictures / 255 - mean) / std).permute(0, 3, 1, 2)[:, :, None]
    # Divided by 255 in another order, which 17 layers make more of.
    torch.testing.assert_close(found, fine(clips)[:, :, 0], rtol=1e-3, atol=1e-4)
    assert found.shape == (2, 32, 15, 15)
    assert not any(parameter.requires_grad for parameter in trunk.parameters())
    assert all(parameter.requires_grad for parameter in backbone.parameters())


def test_a_backbone_for_clips_sees_the_picture_repeated():
    torch.manual_seed(0)
    backbone = R3D(width=2).eval()
    trunk = Trunk.of(encoder_on(backbone, [CentreCrop(64)], frames=16))
    assert (trunk.stride, trunk.frames) == (16, 16)
    pictures = torch.randint(0, 256, (2, 64, 80, 3), dtype=torch.uint8)
    clips = (pictures.permute(0, 3, 1, 2) / 255)[:, :, None].repeat(1, 1, 16, 1, 1)
    torch.testing.assert_close(trunk(pictures), backbone(clips).mean(2))


def test_statistics_of_the_view_are_taken():
    torch.manual_seed(0)
    encoder = encoder_on(ResNet18(width=2))
    own = {name: torch.rand_like(value) + 0.5 for name, value in averages(encoder.backbone).items()}
    before = {name: value.clone() for name, value in encoder.backbone.state_dict().items()}
    encoder.statistics = {"rgb": Statistics(own)}
    trunk = Trunk.of(encoder)
    assert all(torch.equal(value, own[name]) for name, value in averages(trunk.backbone).items())
    assert all(torch.equal(value, before[name]) for name, value in encoder.backbone.state_dict().items())


@pytest.mark.parametrize(
    ("view", "said"),
    [(View([Residual()]), "made of differences of frames"), (View([], stream="flow"), "made of flow")],
)
def test_views_that_no_single_frame_has_are_refused(view, said):
    encoder = Encoder(OneLayer(), {"other": view}, EvenClips(1, frames=1))
    with pytest.raises(UserError, match=f"the view 'other' is {said}"):
        Trunk.of(encoder)


def test_a_network_of_other_channels_is_told():
    with pytest.raises(UserError, match="ResNet18 takes no picture of 64 pixels: "):
        Trunk.of(encoder_on(ResNet18(width=2, in_channels=1)))


def test_the_head_is_two_layers_and_a_correlation():
    torch.manual_seed(0)
    head, plain = SiameseHead(6, 4, 0.5), SiameseHead(6)
    z, x = torch.rand(2, 6, 3, 3), torch.rand(2, 6, 5, 5)
    found = head(z, x)
    ours = [torch.einsum("oc,bchw->bohw", layer.weight[:, :, 0, 0], y) + layer.bias[:, None, None]
            for layer, y in ((head.exemplar, z), (head.search, x))]  # fmt: skip
    windows = ours[1].unfold(2, 3, 1).unfold(3, 3, 1)
    torch.testing.assert_close(found[:, 0], 0.5 * torch.einsum("bcij,bchwij->bhw", ours[0], windows))
    windows = x.unfold(2, 3, 1).unfold(3, 3, 1)
    torch.testing.assert_close(plain(z, x)[:, 0], torch.einsum("bcij,bchwij->bhw", z, windows) / 54)
    assert not list(plain.parameters())


def test_mistakes_are_one_line():
    encoder, frame = toy_encoder(), blob(60, 80)
    tracker = Tracker(encoder)
    for call, said in (
        (lambda: tracker.update(frame), "knows no object yet"),
        (lambda: tracker.init(frame, (10, 10, 0, 5)), "has no area"),
        (lambda: tracker.init(frame[..., 0], (10, 10, 5, 5)), r"not uint8 \[120, 160\]"),
        (lambda: tracker.init(frame / 255, (10, 10, 5, 5)), "not float64"),
        (lambda: Tracker(encoder, SiameseHead(3)), "a head on maps of 3 channels does not fit a trunk of 16"),
        (lambda: Tracker(encoder, scales=2), "--scales must be odd"),
        (lambda: Tracker(encoder, exemplar=300), "--instance 255 is below --exemplar 300"),
        (lambda: Tracker(encoder, window=1.5), "--window must be from 0 to 1"),
        (lambda: Tracker(encoder, middle="left"), "--middle is pixels or grid"),
        (lambda: SiameseHead(3, out_scale=0.0), "--out_scale must be above 0"),
    ):
        with pytest.raises(UserError, match=said):
            call()
