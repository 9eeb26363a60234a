"""A small labelled set of real video files, made from a seed: the class is the motion, and one frame does not tell it.

A camera looks at a cluttered ground, which comes nearer or goes away, turns, or passes by; pieces cross the picture on
ways of their own. Speed, look, place, light and the unsteady hand are drawn alike in every class (`motions`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from praxino.demo.motions import CLASSES, HEIGHT, RATE, WIDTH, Plan
from praxino.demo.scenery import Drifting, Ground
from praxino.errors import UserError
from praxino.folders import folder_aside
from praxino.rng import Rng

FRAMES = (40, 56)
DRIFTING = 2
TRAIN_SHARE = 0.75
MARK = "rendered.json"
FORMAT = 2

Progress = Callable[[int, int], None]


def frames(moving: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The frames of one video, before they are encoded: uint8 [T, 96, 128, 3] with T in 40..56.

    Args:
        moving: the class.
        rng: draws everything.
    """
    count = int(rng.integers(FRAMES[0], FRAMES[1] + 1))
    plan = Plan.draw(moving, count / RATE, rng)
    ground = Ground(rng)
    things = [Drifting(rng) for _ in range(rng.integers(DRIFTING + 1))]
    made = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
    for number in range(count):
        pose = plan.pose(number / RATE)
        picture = ground.seen(pose, plan.middle)
        for thing in things:
            thing.paste(picture, number / RATE)
        lit = np.minimum(np.arange(256) * pose.light, 255).astype(np.uint8)
        made[number] = lit[np.asarray(picture)]
    return made


def encode(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Writes frames uint8 [T, H, W, 3] as an H.264 file at 25 frames a second."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.height, stream.width, stream.pix_fmt = pixels.shape[1], pixels.shape[2], "yuv420p"
        # One thread: the bits then depend on the frames alone.
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = Fraction(1, RATE)
        stream.options = {"crf": "20", "preset": "veryfast"}
        for number, picture in enumerate(pixels):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def render(folder: str | Path, videos: int = 480, seed: int = 0, progress: Progress | None = None) -> Path:
    """Renders the set: `<class>/<class>_0001.mp4`, and the lists `train.txt` and `test.txt` of lines "path class".

    The first three quarters of every class are the training part. A folder that
    already holds this very set is used again; the set is made aside and renamed, so a folder is whole or not there.

    Args:
        folder: where to, e.g. "demo/videos".
        videos: how many in all; a multiple of eight keeps the classes equal, else the first classes get one more.
        seed: the same seed gives the same pixels.
        progress: called with (done, all) after each video.

    Returns:
        The folder.

    Raises:
        UserError: if the folder holds something else, or there are fewer than four videos a class.
    """
    folder = Path(folder)
    if videos < 4 * len(CLASSES):
        raise UserError(f"{videos} videos are too few to render: at least {4 * len(CLASSES)}, four a class")
    wanted = {"format": FORMAT, "videos": videos, "seed": seed}
    if _holds(folder, wanted):
        return folder
    with folder_aside(folder) as aside:
        for name in CLASSES:
            (aside / name).mkdir(parents=True, exist_ok=True)
        lists: dict[str, list[str]] = {"train": [], "test": []}
        for row in range(videos):
            label, number = row % len(CLASSES), row // len(CLASSES)
            name = CLASSES[label]
            path = f"{name}/{name}_{number + 1:04}.mp4"
            encode(aside / path, frames(name, Rng(seed, "render", row).shared()))
            each = len(range(label, videos, len(CLASSES)))
            lists["train" if number < round(TRAIN_SHARE * each) else "test"].append(f"{path} {name}\n")
            if progress is not None:
                progress(row + 1, videos)
        for part, lines in lists.items():
            (aside / f"{part}.txt").write_text("".join(sorted(lines)), encoding="utf-8")
        (aside / MARK).write_text(json.dumps(wanted) + "\n", encoding="utf-8")
    return folder


def _holds(folder: Path, wanted: dict[str, int]) -> bool:
    """Whether the folder holds this very set; False where it is not there or empty."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    try:
        found = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{folder} is there and is no rendered set: name another folder, or remove it") from None
    if found != wanted:
        raise UserError(
            f"{folder} holds another rendered set ({found}, not {wanted}): name another folder, or remove it"
        )
    return True
