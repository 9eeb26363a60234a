"""The rendered set: real files, the same from the same seed, and classes that one frame does not tell apart."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.listfile import ListFile
from praxino.demo import render as rendering
from praxino.demo.render import CLASSES, CYCLES, Plan, frames, render
from praxino.errors import UserError
from praxino.rng import Rng

if TYPE_CHECKING:
    import torch


def decode(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def lines(folder: Path, part: str) -> list[tuple[str, str]]:
    return [tuple(line.split()) for line in (folder / f"{part}.txt").read_text().splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("rendered") / "videos", videos=26, seed=3)


def test_layout_and_lists(folder: Path) -> None:
    train, test = lines(folder, "train"), lines(folder, "test")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*.mp4")}
    assert files == {path for path, _ in train + test}
    assert len(files) == len(train) + len(test) == 26
    assert all(path.split("/")[0] == label for path, label in train + test)
    assert {label for _, label in train} == {label for _, label in test} == set(CLASSES)
    assert not list(folder.parent.glob(".*"))


def test_catalogs_take_it(folder: Path) -> None:
    listed = ListFile(folder / "train.txt", test=folder / "test.txt")
    assert listed.classes == CLASSES
    for part in ("train", "test"):
        found = [(video.id, CLASSES[video.label]) for video in listed.part(part) if video.label is not None]
        assert found == lines(folder, part)
    assert len(VideoFolder(str(folder))) == 26


def test_files_are_ordinary_videos(folder: Path) -> None:
    path = folder / "zoom" / "zoom_0001.mp4"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.height, stream.width, stream.average_rate) == (96, 128, 25)
        packets = [packet for packet in container.demux(stream) if packet.size]
        # Long groups of pictures, as real files have them: a reader that seeks only to key frames would be caught.
        assert sum(packet.is_keyframe for packet in packets) == 1
    video = decode(path)
    assert 40 <= len(video) == len(packets) <= 64
    made = frames("zoom", Rng(3, "render", CLASSES.index("zoom")).shared())
    assert np.abs(video.astype(int) - made).mean() < 6, "the file does not show what was rendered"


def test_the_same_seed_gives_the_same_pixels(folder: Path, tmp_path: Path) -> None:
    again = render(tmp_path / "again", videos=26, seed=3)
    other = render(tmp_path / "other", videos=26, seed=4)
    for path in (f"{name}/{name}_0001.mp4" for name in CLASSES):
        assert (folder / path).read_bytes() == (again / path).read_bytes()
        assert (folder / path).read_bytes() != (other / path).read_bytes()


def test_a_whole_set_is_used_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "encode", lambda *_: pytest.fail("rendered again"))
    assert render(folder, videos=26, seed=3) == folder


def test_what_is_not_this_set_is_left_alone(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="another rendered set"):
        render(folder, videos=26, seed=5)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="no rendered set"):
        render(tmp_path, videos=24)
    with pytest.raises(UserError, match="too few"):
        render(tmp_path / "few", videos=20)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_interrupted_set_is_not_there(tmp_path: Path) -> None:
    def stop(done: int, _: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(tmp_path / "videos", videos=24, progress=stop)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", CLASSES)
def test_only_the_phase_of_the_class_advances(name: str) -> None:
    plan = Plan.draw(name, np.random.default_rng(1))
    still = dataclasses.replace(plan, speed=0.0)
    assert still.pose(0.0) == still.pose(1.7) == plan.pose(0.0)
    changes = {
        "bounce": {"y"},
        "flicker": {"gain"},
        "rotate": {"angle"},
        "shake": {"x", "y"},
        "slide": {"x", "y"},
        "zoom": {"scale"},
    }
    before, after = (dataclasses.asdict(plan.pose(seconds)) for seconds in (0.0, 0.11))
    assert {key for key in before if abs(before[key] - after[key]) > 1e-9} == changes[name]
    a_cycle_later = dataclasses.astuple(plan.pose(0.3 + 1 / abs(plan.speed)))
    assert dataclasses.astuple(plan.pose(0.3)) == pytest.approx(a_cycle_later)


def test_one_moment_has_the_same_distribution_in_every_class() -> None:
    poses = {
        name: np.array(
            [
                dataclasses.astuple(Plan.draw(name, rng).pose(0.9))
                for rng in map(np.random.default_rng, range(4000 * k, 4000 * (k + 1)))
            ]
        )
        for k, name in enumerate(CLASSES)
    }
    grid = np.linspace(0.02, 0.98, 49)
    for field in range(5):
        values = np.sort(np.concatenate([p[:, field] for p in poses.values()]))
        at = np.quantile(values, grid)
        for name, pose in poses.items():
            share = np.searchsorted(np.sort(pose[:, field]), at) / len(pose)
            # Kolmogorov-Smirnov at 4000 draws: 0.033 is passed by chance once in 3000 tries; here are 30.
            assert np.abs(share - grid).max() < 0.033, (name, field)


def test_speeds_can_be_seen_in_every_second_frame() -> None:
    assert all(0 < low < high < rendering.RATE / 4 for low, high in CYCLES.values())


def features(function: object, videos: list[np.ndarray]) -> torch.Tensor:
    import torch

    rows = []
    for video in videos:
        starts = (0, (len(video) - 31) // 2, len(video) - 31)
        clips = torch.from_numpy(np.stack([video[start : start + 31 : 2] for start in starts]))
        rows.append(function(clips.permute(0, 4, 1, 2, 3).float() / 255).mean(0))  # type: ignore[operator]
    made = torch.stack(rows)
    return torch.nn.functional.normalize(made - made.mean(0), dim=1)


@pytest.mark.slow
def test_motion_tells_the_class_and_one_frame_does_not() -> None:
    """Each of 120 videos finds its nearest other one."""
    torch = pytest.importorskip("torch", reason="the handmade features are torch")
    from praxino.evaluations import handmade

    videos = [frames(CLASSES[row % 6], Rng(11, row).shared())[:, ::2, ::2] for row in range(120)]
    label = torch.arange(120) % 6

    def found(function: object) -> float:
        made = features(function, videos)
        near = (made @ made.T).fill_diagonal_(-2).argmax(1)
        return (label[near] == label).float().mean().item()

    # Chance is 19/119 = 0.16 with a standard error of 0.033: four of them above it.
    assert found(handmade.one_frame) < 0.30
    assert found(handmade.thumbnail) < 0.30
    assert found(handmade.colour_histogram) < 0.30
    assert found(handmade.temporal_spectrum) > 0.55
