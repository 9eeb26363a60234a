"""Reading exact frames: `VideoFile` against loops written by hand with PyAV, OpenCV and torchcodec, per core.

    python benchmarks/decode.py [--videos DIR] [--files 6] [--repeats 5]

Every reader opens the file, gives the same frames as RGB uint8 and closes it, with one thread. Times are the
process's CPU time; a ratio is a reader's time over `VideoFile`'s for the same frames in the same repeat, so above 1
means that `VideoFile` is faster. Each reader's frames are compared with a full decode first; one that gives wrong
frames is no rival, and is not timed. Making an index is not timed either: `VideoFile` loads its own from the disk each
time, and so does the reader that needs timestamps (`numpy.load`).
"""

from __future__ import annotations

import argparse
import functools
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from praxino.catalogs.base import Video
from praxino.streams.cache import frame_index
from praxino.streams.scan import build_index
from praxino.streams.video import VideoFile

SUFFIXES = (".mp4", ".avi", ".mkv", ".webm", ".mov")
Reader = Callable[[str, np.ndarray], np.ndarray]


def praxino(path: str, wanted: np.ndarray) -> np.ndarray:
    with VideoFile().open(Video(path, {"rgb": path})) as reader:
        return reader.read(wanted)[0]


def pyav_from_start(path: str, wanted: np.ndarray) -> np.ndarray:
    """As it is usually written: decode from the start, keep what is wanted."""
    last, chosen, frames = wanted.max(), set(wanted.tolist()), {}
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for number, frame in enumerate(container.decode(stream)):
            if number in chosen:
                frames[number] = frame.to_ndarray(format="rgb24")
            if number == last:
                break
    return np.stack([frames[number] for number in wanted.tolist()])


def pyav_seek(path: str, wanted: np.ndarray) -> np.ndarray:
    """Seeks once, to the key before the first wanted timestamp, and starts no threads in the scaler."""
    every_time = np.load(frame_times[path])
    times = {time: row for row, time in enumerate(every_time[wanted].tolist())}
    scaler = VideoReformatter()
    frames: list[Any] = [None] * len(wanted)
    left = len(times)
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        if min(times) > every_time[0]:
            container.seek(min(times), stream=stream)
        for frame in container.decode(stream):
            row = times.get(frame.pts)
            if row is not None:
                frames[row] = scaler.reformat(frame, format="rgb24", threads=1).to_ndarray()
                left -= 1
                if not left:
                    break
    return np.stack(frames)


def pyav_index(path: str, wanted: np.ndarray) -> np.ndarray:
    """`pyav_seek` with all keys kept beside the timestamps, and told to leave out what nothing refers to."""
    every_time, keys = np.load(frame_times[path]), np.load(frame_times[path] + ".keys.npy")
    times = {time: row for row, time in enumerate(every_time[wanted].tolist())}
    scaler = VideoReformatter()
    frames: list[Any] = [None] * len(wanted)
    left, first = len(times), min(times)
    key = keys[max(0, np.searchsorted(keys, first, side="right") - 1)]
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        if key > keys[0]:
            container.seek(int(key), stream=stream)
        for packet in container.demux(stream):
            stream.codec_context.skip_frame = "DEFAULT" if packet.pts is None or packet.pts in times else "NONREF"
            for frame in packet.decode():
                row = times.get(frame.pts)
                if row is not None:
                    frames[row] = scaler.reformat(frame, format="rgb24", threads=1).to_ndarray()
                    left -= 1
            if not left:
                break
    return np.stack(frames)


def opencv_from_start(path: str, wanted: np.ndarray) -> np.ndarray:
    """Grabs every frame, and converts those that are wanted."""
    import cv2

    return _opencv(cv2, path, wanted, 0)


def opencv_seek(path: str, wanted: np.ndarray) -> np.ndarray:
    """Seeks by frame number to the first that is wanted."""
    import cv2

    return _opencv(cv2, path, wanted, int(wanted.min()))


def _opencv(cv2: Any, path: str, wanted: np.ndarray, number: int) -> np.ndarray:
    last, chosen, frames = wanted.max(), set(wanted.tolist()), {}
    capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if number:
        capture.set(cv2.CAP_PROP_POS_FRAMES, number)
    while number <= last:
        capture.grab()
        if number in chosen:
            frames[number] = cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB)
        number += 1
    capture.release()
    return np.stack([frames[number] for number in wanted.tolist()])


def torchcodec_exact(path: str, wanted: np.ndarray) -> np.ndarray:
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(path, dimension_order="NHWC", num_ffmpeg_threads=1, seek_mode="exact")
    return decoder.get_frames_at(wanted.tolist()).data.numpy()


def torchcodec_index(path: str, wanted: np.ndarray) -> np.ndarray:
    """With the index that it can be given, as ffprobe writes it; its documentation recommends that for many reads."""
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(path, dimension_order="NHWC", num_ffmpeg_threads=1, custom_frame_mappings=mappings(path))
    return decoder.get_frames_at(wanted.tolist()).data.numpy()


@functools.cache
def mappings(path: str) -> bytes:
    words = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_frames"]
    words += ["-show_entries", "frame=pts,duration,pkt_duration,key_frame", "-of", "json", path]
    return subprocess.run(words, check=True, capture_output=True).stdout


# Files of all timestamps of a video, for the reader that needs them.
frame_times: dict[str, str] = {}

# What a training step, a strided sampler and an evaluation ask of one video: frame numbers by length.
TASKS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "16 in a row": lambda n, rng: rng.integers(max(1, n - 15)) + np.arange(min(16, n)),
    "16, every 4th": lambda n, rng: rng.integers(max(1, n - 60)) + np.arange(0, min(61, n), 4),
    "10 clips of 16": lambda n, rng: np.unique(
        np.linspace(0, max(0, n - 16), 10).astype(int)[:, None] + np.arange(min(16, n))
    ),
}


def make_videos(folder: Path) -> list[str]:
    """Four kinds of files of 10 seconds: as phones and sites make them, as tools prepare them, as UCF101 has them."""
    rng = np.random.default_rng(0)
    picture = np.kron(rng.integers(0, 255, (40, 54, 3)), np.ones((8, 8, 1)))
    for _ in range(3):
        picture = (picture + np.roll(picture, 3, 0) + np.roll(picture, 3, 1)) / 3
    kinds = {
        "h264_gop250.mp4": ("libx264", {"g": "250", "bf": "3", "crf": "23"}),
        "h264_gop30.mp4": ("libx264", {"g": "30", "bf": "3", "crf": "23"}),
        "mpeg4_gop12.avi": ("mpeg4", {"g": "12", "bf": "0", "qscale": "4"}),
        "mjpeg.avi": ("mjpeg", {"qscale": "4"}),
    }
    for name, (codec, options) in kinds.items():
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream(codec, rate=25, options=options)
            stream.width, stream.height, stream.pix_fmt = 320, 240, "yuvj420p" if codec == "mjpeg" else "yuv420p"
            for k in range(250):
                moved = np.roll(picture, (int(40 * np.sin(k / 20)), 2 * k), (0, 1))[:240, :320]
                noisy = (moved + rng.normal(0, 2, moved.shape)).clip(0, 255).astype(np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, format="rgb24")))
            container.mux(stream.encode(None))
    return [str(folder / name) for name in kinds]


def decode_all(path: str) -> np.ndarray:
    with av.open(path) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def wrong_frames(reader: Reader, path: str, asked: list[np.ndarray], truth: np.ndarray) -> int:
    """Frames that are not the ones asked for, of all; conversions may differ by rounding (2 of 255)."""
    wrong = 0
    for wanted in asked:
        try:
            got = reader(path, wanted).astype(np.int16)
        except Exception:
            wrong += len(wanted)
            continue
        wrong += sum(int(np.abs(one - truth[k]).max() > 2) for one, k in zip(got, wanted, strict=True))
    return wrong


def seconds(reader: Reader, path: str, wanted: np.ndarray) -> float:
    begin = time.process_time()
    reader(path, wanted)
    return time.process_time() - begin


def time_readers(readers: dict[str, Reader], reads: list[tuple[str, np.ndarray]], repeat: int) -> dict[str, float]:
    """Seconds a read. Readers take turns in a new order at each read: the machine's pace, and the memory that the
    reader before has left to the process, then fall on all of them alike."""
    rng = np.random.default_rng(repeat)
    spent = dict.fromkeys(readers, 0.0)
    for path, wanted in reads:
        for name in rng.permutation(list(readers)).tolist():
            spent[name] += seconds(readers[name], path, wanted) / len(reads)
    return spent


def installed() -> dict[str, Reader]:
    readers: dict[str, Reader] = {"PyAV from start": pyav_from_start, "PyAV seek": pyav_seek, "PyAV index": pyav_index}
    try:
        import cv2

        cv2.setNumThreads(1)
        readers |= {"OpenCV from start": opencv_from_start, "OpenCV seek": opencv_seek}
    except ImportError:
        print("OpenCV is not installed")
    try:
        import torchcodec.decoders  # noqa: F401

        readers |= {"torchcodec exact": torchcodec_exact, "torchcodec index": torchcodec_index}
    except Exception:
        print("torchcodec does not import here")
    return readers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, help="folder of videos; without it, files made for this")
    parser.add_argument("--files", type=int, default=6, help="how many of the folder's, evenly spread")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PRAXINO_CACHE"] = folder
        if arguments.videos:
            paths = sorted(str(path) for path in arguments.videos.rglob("*") if path.suffix in SUFFIXES)
            paths = [paths[k] for k in np.linspace(0, len(paths) - 1, arguments.files).astype(int)]
            groups = {f"{len(paths)} files of {arguments.videos.name}": paths}
        else:
            groups = {Path(path).name: [path] for path in make_videos(Path(folder))}
        readers = installed()
        for title, paths in groups.items():
            compare(title, paths, readers, arguments.repeats)


def compare(title: str, paths: list[str], readers: dict[str, Reader], repeats: int) -> None:
    begin = time.process_time()
    lengths = {path: len(build_index(path).pts) for path in paths}
    print(f"\n{title}: index {1000 * (time.process_time() - begin) / len(paths):.1f} ms a file, once")
    print(f"{'':16}{'reader':20}{'CPU ms':>8}  {'times VideoFile: median (min - max)':36} wrong frames")
    rng = np.random.default_rng(0)
    for task, draw in TASKS.items():
        asked = {path: [draw(lengths[path], rng) for _ in range(4)] for path in paths}
        wrong = dict.fromkeys(["VideoFile", *readers], 0)
        for path in paths:
            name = f"{len(frame_times)}.npy"
            frame_times.setdefault(path, os.path.join(os.environ["PRAXINO_CACHE"], name))
            np.save(frame_times[path], frame_index(path).pts)
            np.save(frame_times[path] + ".keys.npy", frame_index(path).keys)
            truth = decode_all(path)
            for name in wrong:
                wrong[name] += wrong_frames(readers.get(name, praxino), path, asked[path], truth)
        reads = [(path, wanted) for path in paths for wanted in asked[path]]
        total = sum(len(wanted) for _, wanted in reads)
        exact = {"VideoFile": praxino} | {name: reader for name, reader in readers.items() if not wrong[name]}
        runs = [time_readers(exact, reads, repeat) for repeat in range(repeats)]
        spent = {name: [run[name] for run in runs] for name in exact}
        for name, count in wrong.items():
            line = f"{task:16}{name:20}"
            if name in spent:
                ratios = [one / own for one, own in zip(spent[name], spent["VideoFile"], strict=True)]
                spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} - {max(ratios):.2f})"
                line += f"{1000 * statistics.median(spent[name]):8.2f}  {spread:36}"
            else:
                line += f"{'':8}  {'not exact, not timed':36}"
            print(f"{line} {count} of {total}")


if __name__ == "__main__":
    main()
