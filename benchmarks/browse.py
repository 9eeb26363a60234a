"""How quick the page of a large index is: map and groups, the first sight in a browser, and how often it redraws.

python benchmarks/browse.py [--clips 100000] [--dim 512] [--only vectors|page] [--seconds 8]

Made-up vectors in heaps, ten clips a video, written as `praxino embed` writes them at its end. Map and groups are made
in a process of their own, by one thread. Then Debian's Chromium without a graphics card opens the page of a server, in
a window of 1400 x 900; the map is dragged in circles by the mouse. Redraws are counted where the map comes onto its
canvas. There are no videos, so frames are answered by 404. It takes disk for the vectors, and removes them. Prints
Markdown.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from search import peak_mib, table

CLIPS = 10  # of a made-up video
HEAPS = 30
TRIES = 3
WINDOW = {"width": 1400, "height": 900}
CHROMIUM = ["--no-sandbox", "--enable-unsafe-swiftshader"]
COUNT = """() => {
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    window.redraws = 0;
    CanvasRenderingContext2D.prototype.drawImage = function (...given) {
        if (this.canvas.id === "map") window.redraws += 1;
        return draw.apply(this, given);
    };
}"""


def made_up(rows: int, dim: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Clips of videos, of length 1, around the middles of heaps."""
    rng = np.random.default_rng(0)
    middles = rng.standard_normal((HEAPS, dim), np.float32)
    seconds = np.arange(CLIPS)[:, None] * 2.0 + [0.0, 1.2]
    for _ in range(rows // CLIPS):
        vectors = middles[rng.integers(HEAPS)] + rng.standard_normal((CLIPS, dim), np.float32)
        yield vectors / np.linalg.norm(vectors, axis=1, keepdims=True), seconds


def build(folder: Path, rows: int, dim: int) -> None:
    """Writes an index of made-up vectors, as the end of an `embed` does."""
    from praxino.search.folder import Header, write_header
    from praxino.search.manifest import Record
    from praxino.search.store import write_data

    videos = rows // CLIPS
    records = [Record(f"folder{k % 12}/video{k}.mp4", "done", clips=CLIPS) for k in range(videos)]
    (folder / "data-made").mkdir(parents=True)
    _, sizes = write_data(folder / "data-made", records, made_up(rows, dim), dim)
    header = Header("0" * 32, None, "rgb", 2.0, {}, "", dim, videos * CLIPS, videos, "data-made", sizes)
    write_header(folder, header)


def made(folder: str) -> None:
    """Makes map and groups of an index; prints JSON rows."""
    import sklearn.cluster
    import sklearn.metrics  # noqa: F401  # whose import is no part of what is measured

    from praxino.browse.collection import Collection
    from praxino.browse.groups import groups_of
    from praxino.browse.points import points_of
    from praxino.search.index import open_index

    index, rows = open_index(folder), []
    rows.append(["before", "", "", f"{peak_mib():.0f}"])
    for name, make in (
        ("map by PCA", lambda: points_of(index.vectors)),
        ("20 groups", lambda: groups_of(index.vectors, index.owners, 20)),
        ("groups, their number chosen", lambda: groups_of(index.vectors, index.owners)),
        ("all of it, with names and arrays", lambda: Collection.of(index).about()),
    ):
        wall, cpu = time.perf_counter(), time.process_time()
        make()
        took = time.perf_counter() - wall, time.process_time() - cpu
        rows.append([name, *(f"{one:.2f}" for one in took), f"{peak_mib():.0f}"])
    print(json.dumps(rows))


def browser_seconds() -> float:
    """Processor seconds of all processes that this one has started, and theirs, that still run (Linux)."""
    parents, used = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        number = int(path.parent.name)
        parents[number], used[number] = int(fields[1]), int(fields[11]) + int(fields[12])
    own = {os.getpid()}
    while more := {number for number, parent in parents.items() if parent in own} - own:
        own |= more
    return sum(used[number] for number in own - {os.getpid()}) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of an index, which runs in a thread."""
    from praxino.browse.app import Pages
    from praxino.browse.collection import Collection
    from praxino.browse.guard import Guard
    from praxino.browse.serving import listening, server_of
    from praxino.search.index import open_index

    with listening(None) as one:
        port = one.getsockname()[1]
        pages = Pages(Collection.of(open_index(folder), groups=20))
        server = server_of(Guard(pages.app, "token", port))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [one]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}/token/"
        finally:
            server.should_exit = True
            thread.join()


def looked_at(folder: Path, seconds: float) -> list[list[str]]:
    """Opens the page several times: milliseconds to its first map, and redraws a second while it is dragged."""
    from playwright.sync_api import sync_playwright

    rows = []
    with served(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        for number in range(1, TRIES + 1):
            page = browser.new_page(viewport=WINDOW, device_scale_factor=1)
            page.goto(address)
            page.wait_for_function("performance.getEntriesByName('praxino-map').length > 0", timeout=120_000)
            first = page.evaluate("performance.getEntriesByName('praxino-map')[0].startTime")
            page.wait_for_timeout(1500)  # frames of the groups have been asked for
            page.evaluate(COUNT)
            box = page.locator("#map").bounding_box()
            assert box is not None
            middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            page.mouse.move(*middle)
            page.mouse.down()
            begin, used = time.perf_counter(), browser_seconds()
            while (now := time.perf_counter() - begin) < seconds:
                page.mouse.move(middle[0] + 120 * math.sin(3 * now), middle[1] + 120 * (1 - math.cos(3 * now)))
            redraws, used = page.evaluate("window.redraws"), browser_seconds() - used
            page.mouse.up()
            load = os.getloadavg()[0] / (os.cpu_count() or 1)
            rates = f"{redraws / now:.1f}", f"{redraws / used:.1f}"
            rows.append([str(number), f"{first / 1000:.2f}", *rates, f"{load:.1f}"])
            page.close()
        browser.close()
    return rows


def main() -> None:
    """Parses the command line and prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--only", choices=("vectors", "page"))
    parser.add_argument("--made", metavar="FOLDER", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.made:
        made(given.made)
        return
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder, "i"), given.clips, given.dim)
        if given.only != "page":
            environment = {**os.environ, **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")}
            command = [sys.executable, __file__, "--made", f"{folder}/i"]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            print(f"{given.clips:,} vectors of {given.dim} numbers, one thread:\n")
            table(["", "seconds", "processor seconds", "peak MiB"], json.loads(done.stdout.splitlines()[-1]))
        if given.only != "vectors":
            print(f"Chromium without a graphics card, a window of 1400 x 900, {os.cpu_count()} cores:\n")
            heads = [
                "try",
                "first map, seconds",
                "redraws a second",
                "redraws a processor second",
                "busy processes a core",
            ]
            table(heads, looked_at(Path(folder, "i"), given.seconds))


if __name__ == "__main__":
    main()
