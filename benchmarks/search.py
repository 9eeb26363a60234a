"""How quick an index of videos is, and how well a moment is found again.

python benchmarks/search.py [--vectors 1000000] [--dim 512] [--files 100000]
python benchmarks/search.py --moments DIR --encoder RUN [--clips 300] [--every 2] [--view joint]

The first: made-up vectors of ten clips a video, written as `praxino embed` writes them at its end, opened and searched
in a process of its own with one thread; then tiny made-up files, whose vectors come from a stub in place of decoder and
network, so that what is measured is all else: finding, looking at and noting each of them. It takes disk for the
vectors, 2 GB, and removes them.

The second: videos of DIR joined into one file, which is indexed; each video is asked for, encoded anew at another size
and quality: as `praxino search` asks by itself, as a sequence, and with clips of the query as far apart as the index's.
A query is right where the first hit lies within one step of where it was. Groups 22 to 25 of UCF101 are those on which
settings were chosen. Both print Markdown; intervals: 95 % bootstrap over the queries.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

CLIPS = 10  # of a made-up video
BATCH = 32
K = 20


def table(heads: list[str], rows: list[list[str]]) -> None:
    """Prints a table."""
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def peak_mib() -> float:
    """The peak resident memory of this process (Linux)."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


class Clock:
    """Seconds on the clock, and of this process on its cores."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def said(self, parts: int = 1) -> list[str]:
        return [
            f"{(time.perf_counter() - self.wall) / parts:.3f}",
            f"{(time.process_time() - self.cpu) / parts:.3f}",
        ]


def made_up(rows: int, dim: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Clips of videos, of length 1."""
    rng = np.random.default_rng(0)
    seconds = np.arange(CLIPS)[:, None] * 2.0 + [0.0, 1.2]
    for _ in range(rows // CLIPS):
        vectors = rng.standard_normal((CLIPS, dim), np.float32)
        yield vectors / np.linalg.norm(vectors, axis=1, keepdims=True), seconds


def build(folder: Path, rows: int, dim: int) -> list[str]:
    """Writes an index of made-up vectors, as the end of an `embed` does."""
    from praxino.search.folder import Header, write_header
    from praxino.search.manifest import Record
    from praxino.search.store import write_data

    videos = rows // CLIPS
    records = [Record(f"folder{k % 100}/video{k}.mp4", "done", clips=CLIPS) for k in range(videos)]
    (folder / "data-made").mkdir(parents=True)
    clock = Clock()
    _, sizes = write_data(folder / "data-made", records, made_up(rows, dim), dim)
    header = Header("0" * 32, None, "rgb", 2.0, {}, "", dim, videos * CLIPS, videos, "data-made", sizes)
    write_header(folder, header)
    return clock.said()


def searched(folder: str) -> None:
    """Opens an index and searches it; prints JSON rows."""
    from praxino.search.index import open_index

    rows, clock = [], Clock()
    index = open_index(folder)
    rows.append(["open", *clock.said(), f"{peak_mib():.0f}"])
    queries = list(np.random.default_rng(1).standard_normal((BATCH, index.header.dim), np.float32))
    index.search(queries[0])  # the file is in the system's memory from here on
    for name, many in ((f"a query of a batch of {BATCH}", BATCH), ("a query alone", 1)):
        clock = Clock()
        index.search_many(queries[:many], K)
        rows.append([name, *clock.said(many), f"{peak_mib():.0f}"])
    print(json.dumps(rows))


def vectors_measured(rows: int, dim: int) -> None:
    """Prints the table of made-up vectors."""
    with tempfile.TemporaryDirectory() as folder:
        written = build(Path(folder, "i"), rows, dim)
        environment = {**os.environ, **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")}
        command = [sys.executable, __file__, "--searched", f"{folder}/i"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = [["write all of it", *written, ""], *json.loads(done.stdout.splitlines()[-1])]
    print(f"{rows:,} vectors of {dim} numbers, {rows // CLIPS:,} videos, one thread, k = {K}, moments:\n")
    table(["", "seconds", "processor seconds", "peak MiB"], found)


def files_measured(files: int) -> None:
    """Prints the table of tiny files."""
    import torch

    import praxino.search.embedding as embedding
    from praxino.backbones.resnet3d import R3D18
    from praxino.catalogs.folder import VideoFolder
    from praxino.clips.samplers import EvenClips
    from praxino.encoders.encoder import Encoder
    from praxino.search.build import index_videos
    from praxino.views.pipeline import View

    def stub(self, videos, progress=None):
        vectors = np.random.default_rng(0).standard_normal((CLIPS, 16))
        one = embedding.Clips(embedding.of_length_1(vectors), np.zeros((CLIPS, 2)))
        return dict.fromkeys(range(len(videos)), one)

    embedding.Embedding.of = stub  # type: ignore[method-assign]
    torch.manual_seed(0)
    encoder = Encoder(R3D18(), {"rgb": View([])}, EvenClips(CLIPS, 8, 2))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for k in range(files):
            path = Path(folder, "v", str(k % 100), f"{k}.mp4")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(str(k).encode())
        for name in ("the first go", "again, nothing new", "again, one new file"):
            if "one" in name:
                Path(folder, "v", "0", "new.mp4").write_bytes(b"new")
            clock = Clock()
            done = index_videos(encoder, VideoFolder(f"{folder}/v"), f"{folder}/i", workers=0, device="cpu")
            rows.append([name, *clock.said(), str(done.computed), f"{peak_mib():.0f}"])
        print(f"{files:,} tiny files, of which a stub makes {CLIPS} vectors of 16 numbers each:\n")
        table(["", "seconds", "processor seconds", "computed", "peak MiB"], rows)


def joined(paths: list[Path], out: Path, size: tuple[int, int], crf: int, rate: int = 25) -> list[tuple[float, float]]:
    """Writes videos into one file, and gives from when to when each is in it."""
    import av

    spans, count = [], 0
    with av.open(str(out), "w") as file:
        stream = file.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": "veryfast"})
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        for path in paths:
            first = count
            with av.open(str(path)) as source:
                for frame in source.decode(video=0):
                    frame = frame.reformat(size[1], size[0], "yuv420p")
                    frame.pts, frame.time_base = count, stream.codec_context.time_base
                    file.mux(stream.encode(frame))
                    count += 1
            spans.append((first / rate, (count - 1) / rate))
        file.mux(stream.encode(None))
    return spans


def moments_measured(folder: str, place: str, clips: int, every: float, view: str, trust: tuple[str, ...]) -> None:
    """Prints how many of the clips of a joined file are found in it again."""
    from praxino import load_encoder
    from praxino.catalogs.folder import VideoFolder
    from praxino.search.build import index_videos
    from praxino.search.index import open_index
    from praxino.search.queries import clips_of_file, query_of_file
    from praxino.search.sequence import search_sequence

    catalog = VideoFolder(folder)
    chosen = np.unique(np.linspace(0, len(catalog) - 1, clips).astype(int))
    paths = [Path(str(catalog[int(row)].files["rgb"])) for row in chosen]
    encoder = load_encoder(place, trust=trust)
    right: dict[str, list[tuple[bool, bool]]] = {}
    with tempfile.TemporaryDirectory() as work:
        long = Path(work, "long.mp4")
        spans = joined(paths, long, (240, 320), 23)
        index_videos(encoder, VideoFolder(long), Path(work, "i"), view=view, every=every, device="cpu", workers=0)
        index = open_index(Path(work, "i"))
        for path, (begin, end) in zip(paths, spans, strict=True):
            again = Path(work, "query.mp4")
            again.unlink(missing_ok=True)
            joined([path], again, (144, 176), 34)
            clips_of_query = clips_of_file(index, encoder, again)
            far = query_of_file(index, encoder, again, every=every)
            for name, hits in (
                ("as asked by itself", index.search(clips_of_query.vectors, k=5)),
                ("`--sequence`", search_sequence(index, clips_of_query, k=5)),
                (f"`--every {every:g}`", index.search(far, k=5)),
            ):
                near = [begin - every <= hit.start <= end + every for hit in hits]
                right.setdefault(name, []).append((near[0], any(near)))
    print(f"{len(paths)} clips, {spans[-1][1] / 60:.1f} minutes, --every {every:g}, {len(index)} clips in the index:\n")
    others = np.array([not re.search(r"_g2[2-5]_", path.name) for path in paths])
    found = {name: np.array(hits) for name, hits in right.items()}
    rows = [[name, *map(share, hits.T), *map(share, hits[others].T)] for name, hits in found.items()]
    apart = f"{others.sum()} clips of other groups"
    table(["found within one step, %", "first hit", "among five", f"{apart}: first hit", "among five"], rows)


def share(hits: np.ndarray) -> str:
    """Percent, with its interval."""
    from praxino.evaluations.metrics import hits_interval

    low, high = hits_interval(hits)
    return f"{100 * hits.mean():.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def main() -> None:
    """Parses and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--moments", help="a folder of videos")
    parser.add_argument("--encoder", help="a run's folder, or an encoder file")
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--every", type=float, default=2.0)
    parser.add_argument("--view", default="joint", help="joint, as of `praxino embed` with the built-in encoder")
    parser.add_argument("--trust", default="")
    parser.add_argument("--searched", help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.searched:
        searched(words.searched)
    elif words.moments:
        trust = tuple(filter(None, words.trust.split(",")))
        moments_measured(words.moments, words.encoder, words.clips, words.every, words.view, trust)
    else:
        if words.vectors:
            vectors_measured(words.vectors, words.dim)
        if words.files:
            files_measured(words.files)


if __name__ == "__main__":
    main()
