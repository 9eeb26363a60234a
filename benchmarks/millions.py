"""A pretraining on a catalog of 1,300,000 rows: how long it takes to begin, and what the rows cost of memory.

python benchmarks/millions.py [--rows 1300000] [--before COMMIT] [--steps 10]

The catalog is made up: ids like R2V2's, four named frames a video, and a single one of every thousandth, which is too
short for the sampler. Nothing is read from a disk, and the network is small. A run is stopped by a signal in the middle
of its first epoch and gone on with, with the source of COMMIT (in a git worktree) and with this one, one process and
two (gloo), all one after another. A source that knows `--probe listed` is asked for it; an earlier one probes, which
costs nothing here but the asking.

Memory is that of a process less that of one that has imported everything and built the network, largest and when the
first step is done. Of a loading process it is what it shares with no other. Prints Markdown.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from praxino.backbones.base import Backbone
from praxino.catalogs.base import Catalog, Video
from praxino.clips.dataset import ClipDataset
from praxino.clips.samplers import Sampler
from praxino.encoders.protocol import Protocol
from praxino.methods.simclr import SimCLR
from praxino.streams.base import Canvas, FrameReader, Probed, Stream
from praxino.training.pretrain import pretrain
from praxino.training.stages import Stage
from praxino.views.pipeline import View

ROOT = Path(__file__).resolve().parents[1]
BEFORE = "fe2aca5"  # the last commit that held an object a row
FEW = 1000  # rows of a run that shows what training itself takes
BATCH = 64
SIZE = 16
SHORT = 1000  # every so many videos one has a single frame
HEADING = """\
| rows | processes | | source | s to the first step | CPU s | MiB, largest | MiB, then | loading process, MiB |
|---|---|---|---|---|---|---|---|---|"""


class MadeUp(Catalog):
    def __init__(self, rows: int) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return self.rows

    def listed_frames(self, row: int) -> int:
        return 1 if row % SHORT == SHORT - 1 else 4

    def video(self, row: int) -> Video:
        number = (row * 0x9E3779B97F4A7C15) % 2**64
        name = base64.urlsafe_b64encode(number.to_bytes(8, "big"))[:11].decode()
        numbers = range(1 + row % 50, 400, 60)[: self.listed_frames(row)]
        return Video(name, {"rgb": tuple(f"/r2v2/train/{name[:2]}/{name}_{n:06d}.jpg" for n in numbers)})


class TinyReader(FrameReader):
    def __init__(self, video: Video) -> None:
        self.times = np.arange(len(video.files["rgb"]), dtype=np.float64)
        self.shade = sum(video.id.encode()) % 200

    def read(self, indices: Any) -> Any:
        pixels = np.full((len(indices), SIZE, SIZE, 3), self.shade, np.uint8)
        pixels += np.asarray(indices, np.uint8)[:, None, None, None]
        return pixels, np.ones(len(indices), bool)


class Tiny(Stream):
    def open(self, video: Video, canvas: Canvas | None = None) -> FrameReader:
        return TinyReader(video)

    def probe(self, video: Video, full: bool = False) -> Probed:
        return Probed(len(video.files["rgb"]))


class TwoFrames(Sampler):
    min_frames = 4

    def __call__(self, times: Any, rng: np.random.Generator) -> Any:
        return rng.choice(len(times), 2, replace=False)[:, None]


class Small(Backbone):
    dim = 16

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv3d(3, self.dim, (1, 4, 4), stride=(1, 4, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class Measured(SimCLR):
    """Notes time and memory after its first step, and is stopped by a signal after so many.

    Args:
        notes: the file.
        began: when the process was started.
        last: the step after which it is stopped.
    """

    def __init__(self, notes: Path, began: float, last: int) -> None:
        super().__init__(Small(), View([]), dim=16)
        self.notes, self.began, self.last, self.done = notes, began, last, 0
        self.network = memory()["now"]

    def before_step(self) -> None:
        if self.done == 1:
            found = {"seconds": time.time() - self.began, "cpu": time.process_time(), **memory()}
            self.notes.write_text(json.dumps({**found, "network": self.network}))
        if self.done == self.last:
            os.kill(os.getpid(), signal.SIGTERM)
        self.done += 1


def memory() -> dict[str, float]:
    """MiB of this process, now and at most so far; and of a loading process, what it shares with no other."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    own = {name: int(status[word].split()[0]) / 1024 for name, word in (("now", "VmRSS"), ("most", "VmHWM"))}
    return {**own, "loading": max((private(child.pid) for child in multiprocessing.active_children()), default=0.0)}


def private(pid: int | None) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def measure(out: str, rows: int, last: int, began: float, what: str) -> None:
    """One process of a run: trains until it is stopped."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    if what == "spawned":
        multiprocessing.set_start_method("spawn")
    method = Measured(Path(f"{out}-{os.environ.get('RANK', '0')}.json"), began, last)
    more: dict[str, Any] = {"probe": "listed"} if hasattr(Catalog, "listed_frames") else {}
    pretrain(
        MadeUp(rows), TwoFrames(), method, [Stage(lambda groups: torch.optim.SGD(groups, lr=0.01), epochs=1)],
        Protocol({"rgb": View([])}, TwoFrames()), out, streams={"rgb": Tiny()}, batch_size=BATCH, workers=1, threads=1,
        device="cpu", validation=0.01 if what == "held out" else 0.0, resume=what == "resumed", **more,
    )  # fmt: skip


def order(rows: int) -> None:
    """Prints how long an epoch's order takes, and a digest of it."""
    dataset = ClipDataset(MadeUp(rows), ("rgb",), TwoFrames(), seed=0)
    began = time.perf_counter()
    found = dataset.order(1)
    print(time.perf_counter() - began, hashlib.sha256(found.tobytes()).hexdigest())


def run(source: Path, out: Path, rows: int, last: int, what: str, processes: int) -> list[dict[str, float]]:
    """What each process of a run notes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    joined = {"WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    children = []
    for rank in range(processes):
        own = {"PYTHONPATH": source / "src", "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": 1}
        if processes > 1:
            own |= {**joined, "RANK": rank, "LOCAL_RANK": rank}
        words = [sys.executable, __file__, "--measure", out, rows, last, time.time(), what]
        environment = {**os.environ, **{name: str(value) for name, value in own.items()}}
        children.append(subprocess.Popen(list(map(str, words)), env=environment, stderr=subprocess.PIPE, text=True))
    said = [child.communicate()[1] for child in children]
    assert not any(child.returncode for child in children), said
    return [json.loads(Path(f"{out}-{rank}.json").read_text()) for rank in range(processes)]


def line(rows: int, what: str, source: str, found: list[dict[str, float]]) -> str:
    """A row of the table: of several processes the one that needs most."""
    above = [{name: one[name] - one["network"] for name in ("most", "now")} for one in found]
    seconds, cpu, loading = (max(one[name] for one in found) for name in ("seconds", "cpu", "loading"))
    most, now = (max(one[name] for one in above) for name in ("most", "now"))
    numbers = f"{seconds:.1f} | {cpu:.1f} | {most:.0f} | {now:.0f} | {loading:.0f}"
    return f"| {rows:,} | {len(found)} | {what} | {source} | {numbers} |"


def same(first: Path, second: Path) -> bool:
    """Whether two runs have the same list of videos, but for the words of a reason, and the same losses, to the bit."""
    losses = [
        [json.loads(step)["total"] for step in (folder / "metrics.jsonl").read_text().splitlines()]
        for folder in (first, second)
    ]
    lists = [
        [line.rsplit(b",", 1)[0] if b",too short," not in line else line.split(b",too short,")[0]
         for line in (folder / "videos.csv").read_bytes().splitlines()]
        for folder in (first, second)
    ]  # fmt: skip
    return losses[0] == losses[1] and lists[0] == lists[1]


@contextmanager
def worktree(commit: str, folder: Path) -> Iterator[Path]:
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--detach", str(folder), commit], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def compare(sources: dict[str, Path], folder: Path, rows: int, steps: int) -> None:
    print(HEADING)
    for processes in (1, 2):
        for what in ("begun", "resumed"):
            for name, source in sources.items():
                out = folder / f"{name}-{processes}"
                print(line(rows, what, name, run(source, out, rows, steps, what, processes)), flush=True)
    for what in ("held out", "spawned"):
        for name, source in sources.items():
            found = run(source, folder / f"{name}-{what.replace(' ', '-')}", rows, steps, what, 1)
            print(line(rows, what, name, found), flush=True)
    for name, source in sources.items():
        print(line(FEW, "begun", name, run(source, folder / f"{name}-few", FEW, steps, "begun", 1)))
    for processes in (1, 2):
        equal = same(*(folder / f"{name}-{processes}" for name in sources))
        print(f"\n{processes} process{'es' if processes > 1 else ''}: same videos.csv and losses, resumed: {equal}")
    for name, source in sources.items():
        asked = [sys.executable, __file__, "--order", str(rows)]
        environment = {**os.environ, "PYTHONPATH": str(source / "src")}
        found = subprocess.run(asked, env=environment, check=True, capture_output=True, text=True).stdout.split()
        sizes = [(folder / f"{name}-{way}/checkpoints/last.ckpt").stat().st_size for way in ("few", "1")]
        print(
            f"\n{name}: an epoch's order in {1000 * float(found[0]):.0f} ms ({found[1][:12]}); a checkpoint of "
            f"{sizes[0]:,} bytes at {FEW:,} rows, {sizes[1]:,} at {rows:,}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_300_000)
    parser.add_argument("--before", default=BEFORE)
    parser.add_argument("--steps", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, worktree(given.before, Path(folder) / "before") as before:
        compare({"before": before, "after": ROOT}, Path(folder), given.rows, given.steps)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]), sys.argv[6])
    elif sys.argv[1:2] == ["--order"]:
        order(int(sys.argv[2]))
    else:
        main()
