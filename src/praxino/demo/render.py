"""A small labelled set of real video files, made from a seed: the class is the motion, and one frame does not tell it.

Every video holds one textured object over a cluttered, drifting background. Its pose is made of six phases, one for
each class: the turn, the swelling, the shaking, the way along a line, the hop and the brightness. **All six are drawn
uniformly for every video, and only that of its class advances with time.** So at any single moment pose, size and
brightness have the same distribution in every class, by construction and not by tuning.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from praxino.demo.scenery import Scenery, background, sprite
from praxino.errors import UserError
from praxino.files import folder_aside
from praxino.rng import Rng

CLASSES = ("bounce", "flicker", "rotate", "shake", "slide", "zoom")
HEIGHT, WIDTH, RATE = 96, 128, 25
FRAMES = (40, 64)
TRAIN_SHARE = 0.75
MARK = "rendered.json"
FORMAT = 1

# Cycles per second. The fastest stays below the limit of 6.25 that every second frame of 25 a second can show.
CYCLES = {
    "bounce": (1.5, 2.0),
    "flicker": (2.4, 4.0),
    "rotate": (0.8, 1.5),
    "shake": (4.0, 5.0),
    "slide": (0.4, 0.6),
    "zoom": (1.2, 1.8),
}
SLIDE, BOUNCE, SHAKE = 26.0, 30.0, 5.0
SWELL, GLOW = 0.4, 0.55

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Pose:
    """Where and how the object is seen at one moment.

    Attributes:
        x, y: its centre in pixels.
        angle: in radians.
        scale: of the sprite.
        gain: its brightness is multiplied by this.
    """

    x: float
    y: float
    angle: float
    scale: float
    gain: float


@dataclass(frozen=True)
class Plan:
    """All that is drawn for one object. None of it depends on the class but for `moving` and `speed`.

    Attributes:
        moving: the class, which is the name of the phase that advances.
        speed: cycles per second of that phase; negative: backwards.
        phases: the phase of every class at time 0, in [0, 1).
        x, y: middle of the object's ways, in pixels.
        scale: of the sprite, before it swells.
        slide, shake: directions of the line and of the shaking, in radians.
    """

    moving: str
    speed: float
    phases: dict[str, float]
    x: float
    y: float
    scale: float
    slide: float
    shake: float

    @classmethod
    def draw(cls, moving: str, rng: np.random.Generator) -> Plan:
        low, high = CYCLES[moving]
        return cls(
            moving=moving,
            speed=float(rng.uniform(low, high) * rng.choice((-1, 1))),
            phases={name: float(rng.uniform()) for name in CLASSES},
            x=float(rng.uniform(0.3, 0.7) * WIDTH),
            y=float(rng.uniform(0.3, 0.7) * HEIGHT),
            scale=float(np.exp(rng.uniform(np.log(0.7), np.log(1.0)))),
            slide=float(rng.uniform(0, 2 * np.pi)),
            shake=float(rng.uniform(0, 2 * np.pi)),
        )

    def pose(self, seconds: float) -> Pose:
        """The pose at a time."""
        at = dict(self.phases)
        at[self.moving] = (at[self.moving] + self.speed * seconds) % 1.0
        turn = {name: 2 * np.pi * phase for name, phase in at.items()}
        along = SLIDE * (4 * abs(at["slide"] - 0.5) - 1)
        aside = SHAKE * np.sin(turn["shake"])
        height = BOUNCE * 4 * at["bounce"] * (1 - at["bounce"])
        return Pose(
            x=self.x + along * np.cos(self.slide) + aside * np.cos(self.shake),
            y=self.y + along * np.sin(self.slide) + aside * np.sin(self.shake) + BOUNCE / 2 - height,
            angle=turn["rotate"],
            scale=self.scale * np.exp(SWELL * np.sin(turn["zoom"])),
            gain=np.exp(GLOW * np.sin(turn["flicker"])),
        )


def frames(moving: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The frames of one video, before they are encoded: uint8 [T, 96, 128, 3] with T in 40..64.

    Args:
        moving: the class.
        rng: draws everything.
    """
    plan = Plan.draw(moving, rng)
    scenery = Scenery(background(rng), rng)
    thing = sprite(rng)
    count = int(rng.integers(FRAMES[0], FRAMES[1] + 1))
    made = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
    for number in range(count):
        picture = scenery.at(number / RATE, WIDTH, HEIGHT)
        _paste(picture, thing, plan.pose(number / RATE))
        made[number] = np.asarray(picture)
    return made


def _paste(picture: Image.Image, thing: Image.Image, pose: Pose) -> None:
    pixels = np.asarray(thing, np.float32) * np.array([pose.gain, pose.gain, pose.gain, 1], np.float32)
    lit = Image.fromarray(np.minimum(pixels, 255).astype(np.uint8), "RGBA")
    cos, sin = np.cos(pose.angle) / pose.scale, np.sin(pose.angle) / pose.scale
    middle = thing.width / 2
    shift = (middle - cos * pose.x - sin * pose.y, middle + sin * pose.x - cos * pose.y)
    placed = lit.transform(
        picture.size, Image.Transform.AFFINE, (cos, sin, shift[0], -sin, cos, shift[1]), Image.Resampling.BILINEAR
    )
    picture.paste(placed, (0, 0), placed)


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
        videos: how many in all; a multiple of six keeps the classes equal, else the first classes get one more.
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
