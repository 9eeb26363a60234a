"""What BlazePose and background subtraction cost, and where BlazePose finds a person.

    python benchmarks/prepare_networks.py --root DIR --weights mediapipe-0.10.21-*.whl
        [--libraries opencv litert] [--clips 6] [--frames 80] [--pictures FOLDER]

Of each class folder below DIR some clips are taken, evenly spread over it, and of each the frames 2, 4, 6, ... counted
from 1, as many as are asked for: the frames of which CoCon has maps. They are looked at as if they were the video, in
chains of 16. Times are CPU time of one thread on frames as stored, without decoding: medians over the clips, where a
clip's is the mean of its frames. With both libraries their answers are compared in the same regions. With --pictures
what is found in two clips is drawn on white: the mask in grey, and the keypoints joined.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from praxino.catalogs.base import Video
from praxino.catalogs.folder import VideoFolder
from praxino.streams.blazepose import COCO, BlazePoseKeypoints, BlazePoseMask, Person
from praxino.streams.chains import chains_of
from praxino.streams.foreground import Foreground
from praxino.streams.opencv import one_thread, opencv
from praxino.streams.video import VideoFile

LIMBS = (
    (5, 7), (7, 9), (6, 8), (8, 10), (5, 6), (5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16),
    (0, 5), (0, 6),
)  # fmt: skip
LEFT, RIGHT, MIDDLE = (30, 90, 200), (200, 60, 30), (90, 90, 90)


class Counted(NamedTuple):
    """What was found in a clip: of each frame the person or None, and milliseconds a frame."""

    name: str
    people: list[Person | None]
    milliseconds: float


def chosen(root: str, clips: int) -> Iterator[tuple[str, list[Video]]]:
    """Of each class some clips, evenly spread."""
    videos = list(VideoFolder(root))
    for name in sorted({video.id.split("/")[0] for video in videos if "/" in video.id}):
        own = [video for video in videos if video.id.startswith(f"{name}/")]
        yield name, [own[len(own) * k // clips] for k in range(min(clips, len(own)))]


def even_frames(video: Video, most: int) -> np.ndarray:
    """The frames 2, 4, 6, ... of a video, [n, H, W, 3]."""
    with VideoFile().open(video) as reader:
        return reader.read(np.arange(1, len(reader.times), 2)[:most])[0]


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """What a call gives, and its CPU seconds."""
    begun = time.process_time()
    made = function()
    return made, time.process_time() - begun


def people_of(stream: BlazePoseKeypoints, frames: np.ndarray) -> list[Person | None]:
    """The person in each frame, chain by chain, as the stream finds them."""
    chains = chains_of(np.arange(len(frames)), stream.chain)
    return [person for looked, _ in chains for person in stream.followed(frames[looked])]


def counted(root: str, clips: int, most: int, stream: BlazePoseKeypoints) -> Iterator[tuple[str, list[Counted]]]:
    """What is found in the clips of each class."""
    for name, videos in chosen(root, clips):
        done = []
        for video in videos:
            frames = even_frames(video, most)
            people, seconds = timed(lambda frames=frames: people_of(stream, frames))
            done.append(Counted(video.id, people, 1000 * seconds / len(frames)))
        yield name, done


def print_shares(root: str, clips: int, most: int, weights: str, libraries: list[str]) -> None:
    """The table of all classes: share of frames with a person, milliseconds a frame."""
    found: dict[str, dict[str, list[Counted]]] = {}
    for library in libraries:
        stream = BlazePoseKeypoints(weights, library=library)  # type: ignore[arg-type]
        stream.networks()  # loaded beforehand
        for name, done in counted(root, clips, most, stream):
            found.setdefault(name, {})[library] = done
            print(".", end="", file=sys.stderr, flush=True)
    heads = [
        f"{library}: {what}" for library in libraries for what in ("frames with a person", "by clip", "ms a frame")
    ]
    print("| class | frames | " + " | ".join(heads) + " |\n|" + " --- |" * (2 + len(heads)))
    for name, by_library in [*found.items(), ("all", {key: _all(found, key) for key in libraries})]:
        cells = [name, str(sum(len(one.people) for one in by_library[libraries[0]]))]
        for library in libraries:
            shares = [np.mean([person is not None for person in one.people]) for one in by_library[library]]
            frames = np.mean([person is not None for one in by_library[library] for person in one.people])
            spread = " ".join(f"{100 * share:.0f}" for share in shares) if name != "all" else ""
            time_of = statistics.median(one.milliseconds for one in by_library[library])
            cells += [f"{100 * frames:.0f} %", spread, f"{time_of:.1f}"]
        print("| " + " | ".join(cells) + " |")


def _all(found: dict[str, dict[str, list[Counted]]], library: str) -> list[Counted]:
    return [one for by_library in found.values() for one in by_library[library]]


def print_costs(root: str, weights: str, libraries: list[str]) -> None:
    """Milliseconds of the parts, on one clip of each class."""
    print("\n| part | ms a frame: median (least - greatest) |\n| --- | --- |")
    clips = [even_frames(videos[0], 32) for _, videos in chosen(root, 1)]
    wanted = np.arange(32)
    parts: dict[str, Callable[[np.ndarray], Any]] = {}
    for library in libraries:
        mask = BlazePoseMask(weights, library=library)  # type: ignore[arg-type]
        networks = mask.networks()
        regions = [networks.search(frames[0]) for frames in clips]
        one = next(region for region in regions if region is not None)
        parts[f"{library}: the landmark network"] = lambda frames, n=networks, r=one: [n.look(f, r) for f in frames]
        parts[f"{library}: search"] = lambda frames, n=networks: [n.search(f) for f in frames]
        parts[f"{library}: BlazePoseMask, all of it"] = lambda frames, m=mask: m.make(frames, wanted[: len(frames)])
        keypoints = BlazePoseKeypoints(weights, library=library)  # type: ignore[arg-type]
        parts[f"{library}: BlazePoseKeypoints, all of it"] = lambda frames, k=keypoints: k.make(
            frames, wanted[: len(frames)]
        )
    parts["Foreground"] = lambda frames: Foreground().make(frames, wanted[: len(frames)])
    for name, part in parts.items():
        times = [1000 * timed(lambda frames=frames: part(frames))[1] / len(frames) for frames in clips]  # noqa: B023
        print(f"| {name} | {statistics.median(times):.1f} ({min(times):.1f} - {max(times):.1f}) |")


def print_agreement(root: str, weights: str) -> None:
    """How far OpenCV and LiteRT differ in the same regions."""
    here, there = (BlazePoseKeypoints(weights, library=library).networks() for library in ("opencv", "litert"))
    apart, flags, overlap, frames_seen = 0.0, 0.0, 1.0, 0
    for _, videos in chosen(root, 1):
        for frame in even_frames(videos[0], 8):
            region = here.search(frame)
            if region is None:
                continue
            frames_seen += 1
            one, other = here.look(frame, region), there.look(frame, region)
            apart = max(apart, float(np.abs(one.points[:33] - other.points[:33]).max()) * 256)
            flags = max(flags, abs(one.flag - other.flag))
            masks = one.mask > 0, other.mask > 0
            if one.flag > 0.5 and masks[0].any():
                overlap = min(overlap, float((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()))
    print(
        f"\nOpenCV and LiteRT in the same {frames_seen} regions: landmarks differ by {apart:.3f} of 256 pixels at "
        f"most, the flag by {flags:.5f}, the masks of persons overlap by {overlap:.4f} at least (IoU)."
    )


def draw(video: Video, stream: BlazePoseKeypoints, numbers: tuple[int, ...], path: Path) -> None:
    """What is found in some frames of a clip, on white, side by side: the mask in grey, left blue and right red."""
    with VideoFile().open(video) as reader:
        frames = reader.read(np.arange(max(numbers) + 1))[0]
    people, scale = people_of(stream, frames), 2
    height, width = frames.shape[1:3]
    sheet = Image.new("RGB", (len(numbers) * (width * scale + 8) - 8, height * scale + 16), "white")
    mask = BlazePoseMask(stream.weights)
    for column, number in enumerate(numbers):
        tile = Image.new("RGB", (width * scale, height * scale), (250, 250, 250))
        pen, person = ImageDraw.Draw(tile), people[number]
        if person is not None:
            grey = Image.fromarray(mask.drawn(person, height, width)[..., 0]).resize(tile.size)
            tile.paste((205, 205, 205), mask=grey)
            points = person.region.to_frame(person.pose.points[list(COCO)]) * scale
            for a, b in LIMBS:
                colour = LEFT if a % 2 and b % 2 else RIGHT if a and not (a % 2 or b % 2) else MIDDLE
                pen.line([*points[a], *points[b]], fill=colour, width=3)
            for k, (x, y) in enumerate(points):
                colour = MIDDLE if not k else LEFT if k % 2 else RIGHT
                pen.ellipse([x - 3, y - 3, x + 3, y + 3], fill=colour)
        pen.rectangle([0, 0, tile.width - 1, tile.height - 1], outline=(180, 180, 180))
        sheet.paste(tile, (column * (width * scale + 8), 16))
        said = f"frame {number}: " + ("nobody" if person is None else f"flag {person.pose.flag:.2f}")
        ImageDraw.Draw(sheet).text((column * (width * scale + 8) + 2, 2), said, fill="black")
    sheet.save(path)


def main() -> None:
    """Prints the tables, and draws the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True, help="a folder of class folders of videos")
    parser.add_argument("--weights", required=True, help="the wheel that holds BlazePose's networks")
    parser.add_argument("--libraries", nargs="+", default=["opencv"], choices=["opencv", "litert"])
    parser.add_argument("--clips", type=int, default=6, help="of each class")
    parser.add_argument("--frames", type=int, default=80, help="of each clip, at most")
    parser.add_argument("--pictures", type=Path, help="a folder to draw into, and nothing else")
    parser.add_argument(
        "--drawn", nargs=2, default=["PlayingCello/v_PlayingCello_g01_c01", "CricketBowling/v_CricketBowling_g01_c01"]
    )
    asked = parser.parse_args()
    with one_thread(opencv("this benchmark")):
        if asked.pictures:
            stream = BlazePoseKeypoints(asked.weights)
            for start, name in zip(asked.drawn, ("pose_right.png", "pose_wrong.png"), strict=True):
                video = next(one for one in VideoFolder(asked.root) if one.id.startswith(start))
                draw(video, stream, (4, 16, 28), asked.pictures / name)
            return
        print_shares(asked.root, asked.clips, asked.frames, asked.weights, asked.libraries)
        print_costs(asked.root, asked.weights, asked.libraries)
        if len(asked.libraries) == 2:
            print_agreement(asked.root, asked.weights)


if __name__ == "__main__":
    main()
