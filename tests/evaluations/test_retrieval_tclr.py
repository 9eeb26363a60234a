"""TCLR's retrieval, carried by an encoder through its file, against the rule written out in plain numpy."""

import numpy as np
import pytest
import torch
from test_retrieval_joint import Movies, Moving, frames_of

from praxino.backbones.resnet3d import DilatedR3D18
from praxino.clips.modes import TemporalModes
from praxino.encoders.encoder import Encoder
from praxino.evaluations.retrieval import retrieve
from praxino.views.geometry import CentreCrop
from praxino.views.pipeline import View

MODES = 9


def mode_starts(length):
    """Where the modes begin, one after another."""
    starts = []
    for mode in range(MODES):
        start = int(np.linspace(0, length - 32 - 10, MODES)[mode])
        starts.append(mode if start < 0 else start)
    return starts


def feature(backbone, frames):
    """The sum over the modes of a ninth of the map, whose places in time stand side by side in each channel."""
    total = 0
    for start in mode_starts(len(frames)):
        numbers = [k for k in range(start, start + 32, 2) if k < len(frames)]
        numbers += numbers[-2::-1][: 16 - len(numbers)]
        clip = torch.from_numpy(frames[numbers]).movedim(-1, 0)[None, None]
        view = CentreCrop(16, share=0.8)
        size = torch.tensor(frames.shape[1:3]).expand(1, 1, 1, 2)
        seen = view.apply(clip, **view.draw(None, (1, 1, 16), size))[0].float() / 255
        with torch.no_grad():
            mapped = backbone(seen)[0].mean((2, 3))  # [channels, times]
        flat = [float(mapped[channel, time]) for channel in range(len(mapped)) for time in range(mapped.shape[1])]
        total = total + np.array(flat) / MODES
    return total


def test_the_whole_protocol(tmp_path):
    torch.manual_seed(0)
    backbone = DilatedR3D18(width=2).eval()
    protocol = {"feature": "time", "reestimate_batchnorm": False, "centred": False, "streams": {"rgb": Moving()}}
    made = Encoder(backbone, {"rgb": View([CentreCrop(16, share=0.8)])}, TemporalModes(clips=MODES), **protocol)
    encoder = Encoder.load(made.save(tmp_path / "encoder.safetensors"), trust=("test_retrieval_joint",))
    catalog = Long()
    found = retrieve(encoder, catalog, k=(1, 5), baselines=False, workers=0, device="cpu")

    videos = [[catalog.part(part)[row] for row in range(len(catalog.part(part)))] for part in ("train", "test")]
    train, test = ([feature(backbone, frames_of(video.id)) for video in part] for part in videos)
    assert len(train[0]) == 16 * 4
    for column in (1, 5):
        hits = []
        for video, asked in zip(videos[1], test, strict=True):
            similar = [asked @ one / np.linalg.norm(asked) / np.linalg.norm(one) for one in train]
            nearest = np.argsort(similar)[-column:]
            hits.append(any(videos[0][row].label == video.label for row in nearest))
        assert found.per_query["trained"][str(column)] == hits
        assert found.row("trained").values[str(column)] == pytest.approx(100 * np.mean(hits))
    assert found.settings["feature"] == "time"
    assert found.settings["clips a video"] == MODES


class Long(Movies):
    """Those of the movies that are long enough for every mode."""

    def part(self, name):
        rows = [row for row in range(20) if len(frames_of(f"video{row}")) >= 25]
        return _Some(rows[:8] if name == "train" else rows[8:])


class _Some(Movies):
    def __init__(self, rows):
        super().__init__()
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def video(self, row):
        return super().video(self.rows[row])
