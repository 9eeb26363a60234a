"""Files of prepared flow: JPEG pairs beside videos of two grey planes, and TV-L1's time beside that of DIS.

    python benchmarks/prepare.py --root DIR [--files 40] [--repeats 5] [--pairs 12]

The flow of the files (`DISFlow`, medium, of the stored frames) is written by `praxino prepare`'s own function as JPEG
pairs of several qualities, and as videos in which u stands beside v, grey, with a key every 2 to 8 frames. A clip is 24
frames from a random start on, two apart, as in CoCon's pretraining. Clips are loaded in this process, one of each file:
open, decode, close. Times are the process's CPU time, so clips a second are those of one core; the last column takes
the clock's, of a machine that may do other things, too. The cases take turns in a new order at each repeat, on the same
clips; a ratio is a case's time over that of JPEG 80 in the same repeat. An error is the mean difference to the levels
that were computed: 127 of them are 20 pixels a frame.

The second table needs an OpenCV with TV-L1 (opencv-contrib-python-headless, in an environment of its own); without it
TV-L1 is left out. Pairs of neighbouring frames, scaled to 340x256, one thread, the algorithms in turns.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from praxino.catalogs.base import Catalog, Video
from praxino.catalogs.folder import VideoFolder
from praxino.errors import UserError
from praxino.prepare.flow import prepare_flow
from praxino.rng import Rng
from praxino.streams.base import Canvas, Stream
from praxino.streams.flow import DISFlow, PairwiseFlow
from praxino.streams.flow_folder import FlowFolder
from praxino.streams.flow_named import FarnebackFlow, TVL1Flow
from praxino.streams.places import place_of
from praxino.streams.video import VideoFile

FRAMES, STRIDE = 24, 2
BASE = "JPEG 80"
Pixels = NDArray[np.uint8]
Read = Callable[[Video, Sequence[int]], Pixels]


class Some(Catalog):
    """Evenly chosen videos that are long enough for a clip.

    Args:
        whole: the catalog.
        count: how many.
    """

    def __init__(self, whole: Catalog, count: int) -> None:
        long = [video for video in whole if VideoFile().probe(video).frames > FRAMES * STRIDE]
        self._videos = long[:: max(1, len(long) // count)][:count]

    def __len__(self) -> int:
        return len(self._videos)

    def video(self, row: int) -> Video:
        return self._videos[row]


def write_video(path: Path, flow: Pixels, codec: str, options: dict[str, str]) -> None:
    """u beside v, [frames, H, 2W], as a grey video."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = flow.shape[1], 2 * flow.shape[2], "gray"
        stream.codec_context.thread_count = 1
        stream.codec_context.color_range = ColorRange.JPEG  # all 256 levels
        for levels in flow:
            picture = av.VideoFrame.from_ndarray(np.concatenate([levels[..., 0], levels[..., 1]], 1), format="gray")
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))


def as_video(root: Path, ending: str) -> Read:
    """Reads clips of such videos, by the house's reader."""

    def read(video: Video, numbers: Sequence[int]) -> Pixels:
        file = Video(video.id, {"rgb": f"{root}/{place_of(video.id)}{ending}"})
        with VideoFile().open(file) as reader:
            grey = reader.read(numbers)[0][..., 0]
        return np.stack(np.split(grey, 2, axis=2), -1)

    return read


def as_stream(stream: Stream) -> Read:
    """Reads clips of a stream."""

    def read(video: Video, numbers: Sequence[int]) -> Pixels:
        with stream.open(video) as reader:
            return reader.read(numbers)[0]

    return read


def kinds() -> dict[str, tuple[str, dict[str, str], str]]:
    """Name -> codec, its options, the file's ending."""
    common = {"preset": "medium", "bf": "0", "sc_threshold": "0"}
    found = {
        f"H.264 crf 16, key every {gop}": ("libx264", {**common, "crf": "16", "g": str(gop)}, ".mp4")
        for gop in (2, 4, 8)
    }
    found["H.264 crf 22, key every 8"] = ("libx264", {**common, "crf": "22", "g": "8"}, ".mp4")
    found["H.264 lossless, key every 4"] = ("libx264", {**common, "qp": "0", "g": "4"}, ".mp4")
    found["FFV1 (lossless)"] = ("ffv1", {"level": "3", "g": "1"}, ".mkv")
    return found


def written(videos: Some, root: Path) -> tuple[dict[str, Read], dict[str, int], dict[str, Pixels]]:
    """Writes all kinds of files; how each is read, how many bytes it takes, and the levels that were computed."""
    flow: dict[str, Pixels] = {}
    for video in videos:
        with VideoFile().open(video) as reader:
            wanted = np.arange(len(reader.times) - 1)
            flow[video.id] = DISFlow().make(reader.read(np.arange(len(reader.times)))[0], wanted)
    reads: dict[str, Read] = {"RGB, H.264 as it is": as_stream(VideoFile())}
    sizes = {"RGB, H.264 as it is": sum(Path(str(video.files["rgb"])).stat().st_size for video in videos)}
    for quality in (70, 80, 90, 95):
        place = root / str(quality)
        made = prepare_flow(videos, place, quality=quality, workers=0)
        reads[f"JPEG {quality}"] = as_stream(FlowFolder(str(place / "flow")))
        sizes[f"JPEG {quality}"] = sum(record.bytes for record in made.made)
    made = prepare_flow(videos, root / "png", format="png", workers=0)
    reads["PNG (lossless)"] = as_stream(FlowFolder(str(root / "png/flow")))
    sizes["PNG (lossless)"] = sum(record.bytes for record in made.made)
    for number, (name, (codec, options, ending)) in enumerate(kinds().items()):
        place = root / f"video{number}"
        for video in videos:
            path = place / f"{place_of(video.id)}{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_video(path, flow[video.id], codec, options)
        reads[name] = as_video(place, ending)
        sizes[name] = sum(path.stat().st_size for path in place.rglob(f"*{ending}"))
    return reads, sizes, flow


def clip_of(video: Video, frames: int, repeat: int, row: int) -> list[int]:
    """24 frames from a random start on, two apart."""
    start = Rng(repeat, "clip", row).shared().integers(frames - (FRAMES - 1) * STRIDE)
    return [int(start) + STRIDE * k for k in range(FRAMES)]


def spread(times: list[float], base: list[float]) -> str:
    """Median (least - greatest) of the ratios."""
    ratios = sorted(one / other for one, other in zip(times, base, strict=True))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} - {ratios[-1]:.2f})"


def reading(videos: Some, repeats: int) -> None:
    """Prints the first table."""
    with tempfile.TemporaryDirectory() as folder:
        reads, sizes, flow = written(videos, Path(folder))
        times: dict[str, list[float]] = {name: [] for name in reads}
        clock: dict[str, list[float]] = {name: [] for name in reads}
        errors: dict[str, list[float]] = {name: [] for name in reads}
        for repeat in range(-1, repeats):  # the first time indices are made
            for name in np.random.default_rng(repeat + 1).permutation(list(reads)):
                spent = elapsed = 0.0
                for row, video in enumerate(videos):
                    numbers = clip_of(video, len(flow[video.id]), repeat + 1, row)
                    begin, began = time.process_time(), time.perf_counter()
                    pixels = reads[name](video, numbers)
                    spent += time.process_time() - begin
                    elapsed += time.perf_counter() - began
                    if pixels.shape[-1] == 2:
                        difference = pixels.astype(np.int16) - flow[video.id][numbers]
                        errors[name].append(float(np.abs(difference).mean()))
                if repeat >= 0:
                    times[name].append(spent)
                    clock[name].append(elapsed)
    frames = sum(map(len, flow.values()))
    print(f"{len(videos)} videos, {frames} frames of flow; one clip of {FRAMES} frames of each, {repeats} repeats:\n")
    print("| files | KiB a frame | mean error, levels | clips/s a core | times JPEG 80 | by the clock |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, spent in times.items():
        error = f"{statistics.mean(errors[name]):.2f}" if errors[name] else ""
        rate = len(videos) / statistics.median(spent)
        ratios = f"{spread(spent, times[BASE])} | {spread(clock[name], clock[BASE])}"
        print(f"| {name} | {sizes[name] / frames / 1024:.2f} | {error} | {rate:.1f} | {ratios} |")


def algorithms(videos: Some, pairs: int) -> None:
    """Prints the second table."""
    flows: list[PairwiseFlow] = [
        DISFlow(preset="ultrafast"),
        DISFlow(preset="fast"),
        DISFlow(),
        FarnebackFlow(),
        TVL1Flow(),
    ]
    times: dict[int, list[float]] = {k: [] for k in range(len(flows))}
    for video in videos[:pairs]:
        with VideoFile().open(video, Canvas(exact=(256, 340))) as reader:
            pixels, _ = reader.read([10, 11])
        for k, flow in enumerate(flows):
            begin = time.process_time()
            try:
                flow.make(pixels, np.arange(1))
            except UserError as error:
                print(f"{type(flow).__name__} is left out: {error}\n" * (not times[k]), end="")
                times[k].append(float("nan"))
                continue
            times[k].append(time.process_time() - begin)
    base = times[2]
    print(f"\nFlow of {pairs} pairs of 340x256:\n\n| algorithm | ms a pair | times DIS medium |\n| --- | --- | --- |")
    for k, flow in enumerate(flows):
        name = f"{type(flow).__name__} {getattr(flow, 'preset', '')}".strip()
        print(f"| {name} | {1000 * statistics.median(times[k]):.1f} | {spread(times[k], base)} |")


def main() -> None:
    """Reads the command line, and prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True)
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=12)
    chosen = parser.parse_args()
    videos = Some(VideoFolder(chosen.root), chosen.files)
    if chosen.repeats:
        reading(videos, chosen.repeats)
    if chosen.pairs:
        algorithms(videos, chosen.pairs)


if __name__ == "__main__":
    main()
