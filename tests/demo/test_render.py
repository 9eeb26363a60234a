"""The rendered set: real files, the same from the same seed, and classes that one frame does not tell apart."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.listfile import ListFile
from praxino.demo import render as rendering
from praxino.demo.motions import CLASSES, PERIOD, Plan, Pose, Wave
from praxino.demo.render import frames, render
from praxino.demo.scenery import Ground
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
    return render(tmp_path_factory.mktemp("rendered") / "videos", videos=34, seed=3)


def test_layout_and_lists(folder: Path) -> None:
    train, test = lines(folder, "train"), lines(folder, "test")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*.mp4")}
    assert files == {path for path, _ in train + test}
    assert len(files) == len(train) + len(test) == 34
    assert all(path.split("/")[0] == label for path, label in train + test)
    assert {label for _, label in train} == {label for _, label in test} == set(CLASSES)
    assert not list(folder.parent.glob(".*"))


def test_catalogs_take_it(folder: Path) -> None:
    listed = ListFile(folder / "train.txt", test=folder / "test.txt")
    assert listed.classes == CLASSES
    for part in ("train", "test"):
        found = [(video.id, CLASSES[video.label]) for video in listed.part(part) if video.label is not None]
        assert found == lines(folder, part)
    assert len(VideoFolder(str(folder))) == 34


def test_files_are_ordinary_videos(folder: Path) -> None:
    path = folder / "recede" / "recede_0001.mp4"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.height, stream.width, stream.average_rate) == (96, 128, 25)
        packets = [packet for packet in container.demux(stream) if packet.size]
        # Long groups of pictures, as real files have them: a reader that seeks only to key frames would be caught.
        assert sum(packet.is_keyframe for packet in packets) == 1
    video = decode(path)
    assert 40 <= len(video) == len(packets) <= 56
    made = frames("recede", Rng(3, "render", CLASSES.index("recede")).shared())
    assert np.abs(video.astype(int) - made).mean() < 6, "the file does not show what was rendered"


def test_the_same_seed_gives_the_same_pixels(folder: Path, tmp_path: Path) -> None:
    again = render(tmp_path / "again", videos=34, seed=3)
    other = render(tmp_path / "other", videos=34, seed=4)
    for path in (f"{name}/{name}_0001.mp4" for name in CLASSES):
        assert (folder / path).read_bytes() == (again / path).read_bytes()
        assert (folder / path).read_bytes() != (other / path).read_bytes()


def test_a_whole_set_is_used_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "encode", lambda *_: pytest.fail("rendered again"))
    assert render(folder, videos=34, seed=3) == folder


def test_what_is_not_this_set_is_left_alone(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="another rendered set"):
        render(folder, videos=34, seed=5)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="no rendered set"):
        render(tmp_path, videos=32)
    with pytest.raises(UserError, match="too few"):
        render(tmp_path / "few", videos=20)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_interrupted_set_is_not_there(tmp_path: Path) -> None:
    def stop(done: int, _: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(tmp_path / "videos", videos=32, progress=stop)
    assert not list(tmp_path.iterdir())


def on_screen(plan: Plan, seconds: float, point: np.ndarray) -> np.ndarray:
    """Where a point of the ground is seen, in pixels from the plan's middle."""
    pose = plan.pose(seconds)
    cos, sin = np.cos(pose.turn), np.sin(pose.turn)
    return pose.size * np.array([[cos, -sin], [sin, cos]]) @ (point - (pose.x, pose.y))


def steady(name: str, seed: int) -> Plan:
    """A plan whose camera is held by no hand, under no cloud."""
    plan = Plan.draw(name, 2.0, np.random.default_rng(seed))
    still = Wave(np.zeros(2), np.ones(2), np.zeros(2))
    return dataclasses.replace(plan, pace=still, sway=(still, still), tilt=still, light=still, aslant=0.0)


ALONG = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


@pytest.mark.parametrize("name", CLASSES)
@given(seed=st.integers(0, 2**32 - 1), before=st.floats(0, 1.8), angle=st.floats(0, 6.2))
def test_the_picture_moves_as_its_class_is_called(name: str, seed: int, before: float, angle: float) -> None:
    plan, after = steady(name, seed), before + 0.1
    pose = plan.pose(before)
    point = np.array([pose.x, pose.y]) + 30 * np.array([np.cos(angle), np.sin(angle)])
    old, new = on_screen(plan, before, point), on_screen(plan, after, point)
    gone, cross = new - old, old[0] * new[1] - old[1] * new[0]
    length = np.hypot(*new) / np.hypot(*old)
    if name in ALONG:
        assert gone == pytest.approx(0.1 * plan.speed * np.array(ALONG[name]))
    elif name in ("approach", "recede"):
        assert cross == pytest.approx(0, abs=1e-6)
        assert (length > 1.01) if name == "approach" else (length < 0.99)
    else:
        assert length == pytest.approx(1)
        # y points down, so that a positive turn is clockwise.
        assert (cross > 1) if name == "clockwise" else (cross < -1)


def test_one_moment_has_the_same_distribution_in_every_class() -> None:
    def moment(name: str, seed: int) -> tuple[float, ...]:
        rng = np.random.default_rng(seed)
        plan = Plan.draw(name, float(rng.uniform(1.6, 2.24)), rng)
        pose = plan.pose(float(rng.uniform(0, plan.seconds)))
        return pose.x % PERIOD, pose.y % PERIOD, pose.turn % (2 * np.pi), pose.size, pose.light, *plan.middle

    drawn = {name: np.array([moment(name, 4000 * k + n) for n in range(4000)]) for k, name in enumerate(CLASSES)}
    grid = np.linspace(0.02, 0.98, 49)
    for field in range(7):
        values = np.sort(np.concatenate([rows[:, field] for rows in drawn.values()]))
        at = np.quantile(values, grid)
        for name, rows in drawn.items():
            share = np.searchsorted(np.sort(rows[:, field]), at) / len(rows)
            # Kolmogorov-Smirnov at 4000 draws: 0.033 is passed by chance once in 3000 tries; here are 56.
            assert np.abs(share - grid).max() < 0.033, (name, field)


def test_the_ground_has_no_end() -> None:
    ground = Ground(np.random.default_rng(2))
    pose = Plan.draw("left", 2.0, np.random.default_rng(3)).pose(0.4)
    seen = np.asarray(ground.seen(pose, (64.0, 48.0)), int)
    again = dataclasses.replace(pose, x=pose.x + PERIOD, y=pose.y - 3 * PERIOD)
    assert np.abs(seen - np.asarray(ground.seen(again, (64.0, 48.0)), int)).max() <= 1
    upright = Pose(x=10.0, y=20.0, turn=0.0, size=1.0, light=1.0)
    right = dataclasses.replace(upright, x=17.0)
    one, other = (np.asarray(ground.seen(pose, (64.0, 48.0)), int) for pose in (upright, right))
    assert np.abs(one[:, 7:] - other[:, :-7]).max() <= 1


def features(function: object, videos: list[np.ndarray]) -> torch.Tensor:
    import torch

    rows = []
    for video in videos:
        starts = (0, (len(video) - 15) // 2, len(video) - 15)
        clips = torch.from_numpy(np.stack([video[start : start + 15 : 2] for start in starts]))
        rows.append(function(clips.permute(0, 4, 1, 2, 3).float() / 255).mean(0))  # type: ignore[operator]
    made = torch.stack(rows)
    return torch.nn.functional.normalize(made - made.mean(0), dim=1)


def flow(clips: torch.Tensor) -> torch.Tensor:
    """Shift, growth and turn that explain the change of brightness best (Lucas and Kanade), as a vector of length 1."""
    import torch

    grey = torch.nn.functional.avg_pool2d(clips.mean(1), 4)  # [clips, T, h, w]
    change = grey[:, 1:] - grey[:, :-1]
    down, across = torch.gradient((grey[:, 1:] + grey[:, :-1]) / 2, dim=(2, 3))
    height, width = grey.shape[2:]
    y, x = torch.meshgrid(torch.arange(height) - height / 2, torch.arange(width) - width / 2, indexing="ij")
    parts = (across, down, (across * x + down * y) / 8, (down * x - across * y) / 8)
    sides = torch.stack([part.flatten(1) for part in parts], -1)
    solved = torch.linalg.lstsq(sides, -change.flatten(1)[..., None]).solution.squeeze(-1)
    return torch.nn.functional.normalize(solved, dim=1)


@pytest.mark.slow
def test_motion_tells_the_class_and_one_frame_does_not() -> None:
    """Each of 160 videos finds its nearest other one."""
    torch = pytest.importorskip("torch", reason="the handmade features are torch")
    from praxino.evaluations import handmade

    videos = [frames(CLASSES[row % 8], Rng(11, row).shared()) for row in range(160)]
    label = torch.arange(160) % 8

    def found(function: object) -> float:
        made = features(function, videos)
        near = (made @ made.T).fill_diagonal_(-2).argmax(1)
        return (label[near] == label).float().mean().item()

    # Chance is 19/159 = 0.12 with a standard error of 0.026: four of them above it.
    assert found(handmade.one_frame) < 0.23
    assert found(handmade.thumbnail) < 0.23
    assert found(handmade.colour_histogram) < 0.23
    assert found(flow) > 0.6
