"""What the index of a new video costs: all of it is decoded, and its keys are tried, before anything is claimed of it.

    python benchmarks/index.py [--videos DIR] [--files 24] [--repeats 3]

A ratio is the CPU time of `build_index` over that of a plain decode of the same files by PyAV with one thread, in the
same repeat; the plain decode makes no RGB pictures. It is paid once a file: the cache keeps the index.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av

from praxino.demo.render import render
from praxino.streams.scan import build_index

SUFFIXES = (".mp4", ".avi", ".mkv", ".webm", ".mov")


def plain(path: str) -> None:
    """Decodes all frames, and looks at none."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for _ in container.decode(stream):
            pass


def seconds(function: Callable[[str], object], paths: list[str]) -> float:
    """CPU time for all files."""
    began = time.process_time()
    for path in paths:
        function(path)
    return time.process_time() - began


def main() -> None:
    """Prints a line for each kind of file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, help="folders of videos; none: the demo's rendered ones")
    parser.add_argument("--files", type=int, default=24, help="of each ending")
    parser.add_argument("--repeats", type=int, default=3)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = words.videos or render(Path(folder) / "videos", videos=60)
        print("| files | ms a video, plain decode | ms a video, index | ratio, of each repeat |")
        print("|---|---|---|---|")
        for suffix in SUFFIXES:
            paths = [str(path) for path in sorted(root.rglob(f"*{suffix}"))]
            paths = paths[:: max(1, len(paths) // words.files)][: words.files]
            if paths:
                pairs = [(seconds(plain, paths), seconds(build_index, paths)) for _ in range(words.repeats)]
                once, index = (1000 * statistics.median(column) / len(paths) for column in zip(*pairs, strict=True))
                ratios = ", ".join(f"{b / a:.2f}" for a, b in pairs)
                print(f"| {len(paths)} {suffix} | {once:.1f} | {index:.1f} | {ratios} |")


if __name__ == "__main__":
    main()
