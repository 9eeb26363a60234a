"""What loading four views costs beside RGB: clips a second of one core, and bytes of a clip.

    python benchmarks/four_views.py --root DIR [--files 20] [--repeats 5]

First flow, masks and keypoints of the files are prepared into a temporary folder, at the sizes that `praxino prepare`
takes; masks by `Foreground`, and keypoints drawn at made-up places, as what stands in a map changes nothing of its
size to speak of. Clips are those of `cocon_small_four_views`, 24 frames two apart, on its canvas (a short side of 56
pixels) and as stored; loaded in this process, one of each file. Times are CPU times; the cases take turns in a new
order at each repeat, on the same clips; a ratio is a case's time over that of RGB alone in the same repeat.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from praxino.catalogs.base import Catalog, Video
from praxino.catalogs.folder import VideoFolder
from praxino.clips.blocks import BlockClip
from praxino.clips.dataset import load_clips
from praxino.prepare import prepare_flow, prepare_keypoints, prepare_segmentation
from praxino.rng import Rng
from praxino.streams.base import Canvas, Derived, Stream
from praxino.streams.flow import DISFlow
from praxino.streams.flow_folder import FlowFolder
from praxino.streams.foreground import Foreground
from praxino.streams.heatmaps import draw_points
from praxino.streams.maps import HeatMaps, Masks

RGB = "RGB alone"
CANVASES = {"short side 56": Canvas(short_side=56), "as stored": Canvas()}
Case = tuple[tuple[str, ...], dict[str, Stream | Derived]]


class First(Catalog):
    """Some videos of a catalog, evenly from it."""

    def __init__(self, of: Catalog, files: int) -> None:
        self.of = of
        self.files = files

    def __len__(self) -> int:
        return min(self.files, len(self.of))

    def video(self, row: int) -> Video:
        return self.of[row * len(self.of) // len(self)]


class MadeUp(Derived):
    """Keypoints of nobody: they wander with the frames."""

    of = "rgb"
    channels = 17

    def needs(self, wanted: np.ndarray) -> np.ndarray:
        return wanted

    def make(self, pixels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        height, width = pixels.shape[1:3]
        turn = wanted[:, None] / 25 + np.arange(17)
        points = np.stack([width * (0.5 + 0.4 * np.cos(turn)), height * (0.5 + 0.4 * np.sin(turn))], -1)
        return np.stack([draw_points(one, height, width) for one in points])


def cases(root: Path) -> dict[str, Case]:
    """What is needed, and from which streams."""
    maps = {"segmentation": Masks(str(root / "segmentation")), "keypoints": HeatMaps(str(root / "keypoints"))}
    files = {"flow": FlowFolder(str(root / "flow")), **maps}
    return {
        RGB: (("rgb",), {}),
        "RGB, flow computed": (("rgb", "flow"), {"flow": DISFlow()}),
        "RGB, flow of files": (("rgb", "flow"), {"flow": files["flow"]}),
        "masks alone": (("segmentation",), maps),
        "keypoints alone": (("keypoints",), maps),
        "four views, flow computed": (("rgb", "flow", *maps), {"flow": DISFlow(), **maps}),
        "four views, all of files": (("rgb", *files), dict(files)),
    }


def load_all(chosen: Sequence[Video], case: Case, canvas: Canvas, repeat: int) -> tuple[float, int]:
    """CPU seconds of one clip of each video, and bytes of a clip."""
    needed, streams = case
    derived = [name for name, stream in streams.items() if isinstance(stream, Derived)]
    canvases = {name: canvas for name in needed if name not in derived}
    begin, size = time.process_time(), 0
    for row, video in enumerate(chosen):
        clip = load_clips(video, needed, streams, canvases, BlockClip(6, 4, 2), Rng(repeat, "clip", row).shared())
        size += sum(frames.pixels.nbytes for frames in clip.streams.values())
    return time.process_time() - begin, size // len(chosen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    catalog = First(VideoFolder(given.root), given.files)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        prepared = [
            prepare_flow(catalog, root, workers=0),
            prepare_segmentation(catalog, root, Foreground(), workers=0),
            prepare_keypoints(catalog, root, MadeUp(), workers=0),
        ]
        for one in prepared:
            frames, size = sum(r.frames for r in one.made), sum(r.bytes for r in one.made)
            print(
                f"{one.folder.name}: {frames} frames of {len(one.made)} videos, {size / frames / 1024:.2f} KiB a frame"
            )
        print("\n| canvas | streams | KiB a clip in memory | clips/s a core | times RGB alone |")
        print("| --- | --- | --- | --- | --- |")
        for name, canvas in CANVASES.items():
            print(table(name, [catalog[row] for row in range(len(catalog))], cases(root), canvas, given.repeats))


def table(name: str, chosen: Sequence[Video], asked: dict[str, Case], canvas: Canvas, repeats: int) -> str:
    times: dict[str, list[float]] = {case: [] for case in asked}
    sizes: dict[str, int] = {}
    for repeat in range(repeats + 1):
        for turn in Rng(repeat, "order").shared().permutation(len(asked)):
            case = list(asked)[turn]
            seconds, sizes[case] = load_all(chosen, asked[case], canvas, repeat)
            if repeat:  # the first one warms up
                times[case].append(seconds)
    lines = []
    for case, spent in times.items():
        ratios = [a / b for a, b in zip(spent, times[RGB], strict=True)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} - {max(ratios):.2f})"
        rate = len(chosen) / statistics.median(spent)
        lines.append(f"| {name} | {case} | {sizes[case] / 1024:.0f} | {rate:.1f} | {spread} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
