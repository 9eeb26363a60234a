"""TCLR's frames from raw AVI files: ours against reading the whole file by OpenCV, as the original does.

    python benchmarks/tclr_data.py --root DIR [--files 12] [--lengths 180 500 1500] [--draws 8] [--repeats 7]

An item of TCLR has five distinct clips of 16 frames, a sparse one and four dense ones, which lie in one stretch of 64
frames; both versions of a clip share its frames. Ours seeks by the frame index, and decodes the stretch once. The
original sets OpenCV to frame 0 and reads until a read fails, whatever is wanted; a wanted frame becomes a Pillow image.
Two readers written by hand with OpenCV stand beside them: one stops at the last wanted frame, one seeks, too.

The draws are those of `ClipDataset` with the recipe's sampler, the same for all readers; frames are compared before
anything is timed, and a file on whose length the decoders differ is named and left out. Files of DIR come first, then
longer ones, made of the longest file's frames forth and back (MPEG-4 in AVI, a key every 12 frames). One thread; files
lie in the system's cache; making an index is not timed. A ratio is a reader's time over ours for the same draws in the
same repeat: above 1 means that ours is faster. The augmentation to ten clips is not measured. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from decode import SUFFIXES, opencv_from_start, opencv_seek, praxino
from praxino.catalogs.base import Video
from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.clips.sparse_dense import SparseDense
from praxino.streams.index import FrameIndex
from praxino.streams.scan import build_index

try:
    import cv2
except ImportError:
    raise SystemExit("OpenCV is not installed: pip install 'praxino[bench]'") from None

CLIPS = 5
KEY_EVERY = 12
ORIGINAL = "the original's way"
Read = Callable[[str, Any], Any]
Costs = dict[str, list[tuple[float, float]]]


def original(path: str, wanted: np.ndarray) -> list[Image.Image]:
    """As the original: from frame 0 to a read that fails; blue stays first."""
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
    chosen, frames, count = set(wanted.tolist()), [], 0
    while True:
        there, frame = capture.read()
        if not there:
            break
        if count in chosen:
            frames.append(Image.fromarray(frame))
        count += 1
    capture.release()
    return frames


RIVALS: dict[str, Read] = {
    ORIGINAL: original,
    "OpenCV to the last wanted": opencv_from_start,
    "OpenCV seek": opencv_seek,
}


def counts_by_opencv(path: str) -> tuple[int, int]:
    """Frames that the container announces, and those that come out."""
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    announced, count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0
    while capture.grab():
        count += 1
    capture.release()
    return announced, count


def make_long(source: str, folder: Path, lengths: Sequence[int]) -> list[str]:
    """Files of the given lengths in `folder`: the frames of `source`, forth and back."""
    frames = praxino(source, np.arange(min(300, len(build_index(source).pts))))
    paths = [str(folder / f"made_{length}.avi") for length in lengths]
    for path, length in zip(paths, lengths, strict=True):
        with av.open(path, "w") as container:
            stream = container.add_stream("mpeg4", rate=25, options={"g": str(KEY_EVERY), "bf": "0", "qscale": "4"})
            stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
            for k in range(length):
                place = k % (2 * len(frames) - 2)
                frame = frames[min(place, 2 * len(frames) - 2 - place)]
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode(None))
    return paths


def dataset_of(paths: Sequence[str], lengths: Sequence[int]) -> ClipDataset:
    videos = [Video(path, {"rgb": path}) for path in paths]
    sampler = SparseDense(frames=16, dense=4, stride=1, short="mirror_last")
    return ClipDataset(videos, ["rgb"], sampler, shuffle=False, lengths=lengths)


def numbers_of(dataset: ClipDataset, epochs: int) -> list[list[np.ndarray]]:
    """Distinct frames of each video's item, by epoch."""
    loader = ClipLoader(dataset, len(dataset.videos), drop_last=False)
    drawn = [dataset[loader.key(epoch, 0)].numbers.numpy() for epoch in range(epochs)]
    return [[np.unique(item) for item in items] for items in drawn]


def spent(read: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the process and of the clock."""
    wall, begin = time.perf_counter(), time.process_time()
    read()
    return time.process_time() - begin, time.perf_counter() - wall


def taking_turns(readers: dict[str, Read], reads: Sequence[tuple[str, Any]], repeat: int) -> Costs:
    """Seconds of each read; readers take turns in a new order at each."""
    rng = np.random.default_rng(repeat)
    costs: Costs = {name: [] for name in readers}
    for path, wanted in reads:
        for name in rng.permutation(list(readers)).tolist():
            costs[name].append(spent(lambda read=readers[name], path=path, wanted=wanted: read(path, wanted)))
    return costs


def seconds(runs: Sequence[Costs], name: str) -> np.ndarray:
    """[repeats, 2]: of the process and of the clock, all reads of a repeat together."""
    return np.array([run[name] for run in runs]).sum(1)


def header(label: str, readers: Sequence[str]) -> None:
    rates = [f"{name}, clips/s" for name in readers]
    ratios = [f"{name} / ours" for name in readers[1:]]
    titles = [label, "ours, CPU ms an item", *rates, *ratios, f"{ORIGINAL} / ours, by the clock"]
    print(f"\n| {' | '.join(titles)} |\n|{' --- |' * len(titles)}")


def row(label: str, runs: Sequence[Costs], items: int) -> None:
    """Of one table: medians of processor time, and ratios with their spread."""
    spents = {name: seconds(runs, name) for name in runs[0]}
    process = {name: statistics.median(spent[:, 0]) / items for name, spent in spents.items()}
    ratios = {name: spent / spents["ours"] for name, spent in spents.items() if name != "ours"}
    cells = [label, f"{1000 * process['ours']:.1f}", *(f"{CLIPS / one:.0f}" for one in process.values())]
    cells += [spread(one[:, 0]) for one in ratios.values()] + [spread(ratios[ORIGINAL][:, 1])]
    print(f"| {' | '.join(cells)} |", flush=True)


def spread(ratios: np.ndarray) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} - {max(ratios):.2f})"


def usable(paths: Sequence[str], least: int) -> dict[str, int]:
    """Prints what the decoders say of each file; frames of those that are compared."""
    print("| file | frames, ours | announced | by OpenCV | keys | how ours finds a frame | index, once, CPU ms | |")
    print(f"|{' --- |' * 8}")
    kept = {}
    for path in paths:
        index: list[FrameIndex] = []
        process, _ = spent(lambda path=path, index=index: index.append(build_index(path)))
        frames = len(index[0].pts)
        announced, count = counts_by_opencv(path)
        note = "too short: left out" if frames < least else ""
        note = note if frames == announced == count else "counts differ: left out"
        found = "seeks" if index[0].seekable else "counts from the start"
        cells = [Path(path).name, frames, announced, count, len(index[0].keys), found, f"{1000 * process:.1f}", note]
        print(f"| {' | '.join(map(str, cells))} |")
        if not note:
            kept[path] = frames
    return kept


def compare(paths: Sequence[str], draws: dict[str, list[np.ndarray]]) -> None:
    """Refuses readers whose frames are not ours; prints the greatest difference."""
    worst = dict.fromkeys(RIVALS, 0)
    for path in paths:
        for wanted in draws[path]:
            mine = praxino(path, wanted).astype(np.int16)
            for name, read in RIVALS.items():
                theirs = read(path, wanted)
                theirs = np.stack([np.asarray(one)[..., ::-1] for one in theirs]) if read is original else theirs
                worst[name] = max(worst[name], int(np.abs(theirs - mine).max()))
    for name, most in worst.items():
        print(f"Frames of ours and of {name}: greatest difference {most} of 255.")
        # Conversions may differ by rounding; a frame beside the wanted one differs by far more.
        if most > 3:
            raise SystemExit(f"{name} gives other frames than ours")


def decoding(paths: Sequence[str], draws: dict[str, list[np.ndarray]], repeats: int) -> None:
    readers = {"ours": praxino, **RIVALS}
    header("decoding alone", list(readers))
    for path in paths:
        reads = [(path, wanted) for wanted in draws[path]]
        runs = [taking_turns(readers, reads, repeat) for repeat in range(repeats)]
        row(f"{Path(path).name}, {len(reads)} draws", runs, len(reads))


def batches(paths: Sequence[str], lengths: Sequence[int], draws: int, repeats: int) -> None:
    """One item of each file, as the training loop takes them with no worker; theirs are the images alone."""
    dataset = dataset_of(paths, lengths)
    coming = ClipLoader(dataset, len(paths), workers=0, drop_last=False).batches()
    epochs = numbers_of(dataset, draws * repeats)
    readers = {
        "ours": lambda *_: next(coming),
        ORIGINAL: lambda _, epoch: [original(*one) for one in zip(paths, epoch, strict=True)],
        "ours without the batch": lambda _, epoch: [praxino(*one) for one in zip(paths, epoch, strict=True)],
    }
    header("batches", list(readers))
    reads = [("", epoch) for epoch in epochs]
    runs = [taking_turns(readers, reads[k * draws : (k + 1) * draws], k) for k in range(repeats)]
    row(f"the {len(paths)} files of DIR, {draws} draws", runs, draws * len(paths))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="folder of videos")
    parser.add_argument("--files", type=int, default=12, help="how many of the folder's at most, evenly spread")
    parser.add_argument("--lengths", type=int, nargs="*", default=[180, 500, 1500], help="frames of the files made")
    parser.add_argument("--draws", type=int, default=8, help="items of each file")
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    found = sorted(str(path) for path in arguments.root.rglob("*") if path.suffix in SUFFIXES)
    if not found:
        parser.error(f"--root {arguments.root}: no videos ({', '.join(SUFFIXES)}) there")
    paths = [found[k] for k in np.unique(np.linspace(0, len(found) - 1, arguments.files).astype(int))]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PRAXINO_CACHE"] = folder
        longest = max(paths, key=lambda path: len(build_index(path).pts))
        lengths = usable([*paths, *make_long(longest, Path(folder), arguments.lengths)], least=57)
        real = [path for path in paths if path in lengths]
        if not real:
            parser.error(f"--root {arguments.root}: no video there can be compared, see the table above")
        numbers = numbers_of(dataset_of(list(lengths), list(lengths.values())), arguments.draws)
        draws = {path: [epoch[k] for epoch in numbers] for k, path in enumerate(lengths)}
        print()
        compare(list(lengths), draws)
        decoding(list(lengths), draws, arguments.repeats)
        batches(real, [lengths[path] for path in real], arguments.draws, arguments.repeats)


if __name__ == "__main__":
    main()
