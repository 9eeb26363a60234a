"""Rendering a video's clips beside decoding as many of real files: processor time a video, side by side.

    python benchmarks/rendering.py --videos DIR [--most 100] [--turns 3]

Of each video two clips of 8 frames, every second one, are read at random at 64 pixels (short side), as `simclr_small`
and `rendered_encoder` read them; opening is part of it. Both take turns in one process. Prints Markdown.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from praxino.catalogs.base import Catalog
from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.rendered import Rendered
from praxino.clips.samplers import RandomClip
from praxino.streams.base import Canvas
from praxino.streams.choose import stream_of

CANVAS = Canvas(short_side=64, even=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", required=True)
    parser.add_argument("--most", type=int, default=100)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    catalogs = {"rendered": Rendered(), "decoded": VideoFolder(given.videos)}
    for catalog in catalogs.values():
        read(catalog, min(given.most, 5), 0)  # the first calls import and index
    taken: dict[str, list[float]] = {name: [] for name in (*catalogs, "only opened, rendered")}
    for turn in range(given.turns):
        for name, catalog in catalogs.items():
            taken[name].append(read(catalog, given.most, turn))
        taken["only opened, rendered"].append(read(catalogs["rendered"], given.most, turn, only_open=True))
    print("| | ms of a processor a video | least, greatest |\n|---|---|---|")
    for name, times in taken.items():
        print(f"| {name} | {statistics.median(times):.1f} | {min(times):.1f}, {max(times):.1f} |")
    ratios = [one / other for one, other in zip(taken["rendered"], taken["decoded"], strict=True)]
    print(f"\nrendered over decoded: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


def read(catalog: Catalog, most: int, turn: int, only_open: bool = False) -> float:
    """Milliseconds of a processor a video."""
    rng = np.random.default_rng(turn)
    rows = rng.permutation(min(len(catalog), 10_000))[:most]
    sampler = RandomClip(frames=8, stride=2, clips=2, short="repeat")
    began = time.process_time()
    for row in rows:
        video = catalog[int(row)]
        with stream_of(video, "rgb", {}).open(video, CANVAS) as reader:  # type: ignore[union-attr]
            if not only_open:
                reader.read(np.unique(sampler(reader.times, rng)))
    return 1000 * (time.process_time() - began) / len(rows)


if __name__ == "__main__":
    main()
