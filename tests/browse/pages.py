"""An index of made-up vectors over small real videos, and a browser that looks at its page."""

import shutil

import numpy as np
import pytest

import videos
from praxino.browse.collection import Collection
from praxino.search.folder import Header, write_header
from praxino.search.index import open_index
from praxino.search.manifest import Record
from praxino.search.store import write_data

CLIPS = 4  # of each video
SECONDS = np.arange(CLIPS)[:, None] * 0.4 + [0.0, 0.3]
HOSTILE = "kite/<img src=x onerror='window.hurt=1'>.mp4"
NAMES = ("ball/a.mp4", "ball/b.mp4", "boat/c.mp4", "boat/d.mp4", "kite/e.mp4", HOSTILE)
GONE = ("ERR_FILE_NOT_FOUND",)  # what a browser says of pictures of a video that is gone
FAILED = ("kite/broken <b>.mp4", "no video <i>")


def unit(vectors):
    """Vectors of length 1."""
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def write_index(folder, names, root, dim=8, wide=0.2, failed=()):
    """Writes an index with a heap of vectors for each first folder of the names."""
    rng = np.random.default_rng(0)
    heaps = {name.split("/")[0]: rng.normal(size=dim) for name in names}
    clips = [(unit(heaps[name.split("/")[0]] + wide * rng.normal(size=(CLIPS, dim))), SECONDS) for name in names]
    records = [Record(name, "done", files={"rgb": name}, clips=CLIPS) for name in names]
    records += [Record(name, "failed", reason) for name, reason in failed]
    (folder / "data-made").mkdir(parents=True)
    _, sizes = write_data(folder / "data-made", records, clips, dim)
    rows = CLIPS * len(names)
    write_header(folder, Header("0" * 32, None, "rgb", 0.4, {}, str(root), dim, rows, len(records), "data-made", sizes))
    return open_index(folder)


def small_collection(folder, missing=()):
    """Six videos in three folders, one with a hostile name, and one that could not be read."""
    root = folder / "videos"
    one = videos.write(folder / "one.mp4", 50, size=(96, 128))
    for name in NAMES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if name not in missing:
            shutil.copy(one, root / name)
    return Collection.of(write_index(folder / "index", NAMES, root, failed=[FAILED]), groups=3)


def browser_of(playwright):
    """Debian's Chromium without a screen or a graphics card; skips where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("there is no Chromium")
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--enable-unsafe-swiftshader"])


class Looked:
    """A page that a browser has open, and what went wrong in it.

    Args:
        browser: opens it.
        address: of the page.
        how: of the browser's context: size, colours, motion.
    """

    def __init__(self, browser, address, **how):
        self.context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **how})
        self.page, self.wrong = self.context.new_page(), []
        self.page.set_default_timeout(20_000)
        self.page.on("console", lambda said: said.type == "error" and self.wrong.append(said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.goto(address)
        self.page.wait_for_function("performance.getEntriesByName('praxino-map').length > 0")

    def hash(self, wanted):
        """Waits until the address ends so."""
        self.page.wait_for_function("wanted => location.hash === wanted", arg=wanted)

    def select(self, row):
        """Goes to a clip by its address, and waits for what is like it."""
        self.page.evaluate("row => { location.hash = `row=${row}`; }", row)
        self.page.wait_for_selector(f".mark.own[data-row='{row}']", state="attached")
        self.page.wait_for_selector("#page-clip .hit")

    def place(self, row):
        """Where in the window the point of a clip lies: the page marks the clip that is chosen."""
        self.select(row)
        return self.page.evaluate(
            """() => { const box = document.querySelector(".mark.own").getBoundingClientRect();
                       return [box.x, box.y]; }"""
        )

    def colours(self):
        """How often each colour is in the map: (red, green, blue) -> pixels."""
        found = self.page.evaluate(
            """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
                const canvas = document.getElementById("map");
                const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
                const counts = {};
                for (let at = 0; at < data.length; at += 4) {
                    if (data[at + 3] < 200) continue;
                    const key = [data[at], data[at + 1], data[at + 2]].join();
                    counts[key] = (counts[key] || 0) + 1;
                }
                done(counts);
            })))"""
        )
        return {tuple(map(int, key.split(","))): count for key, count in found.items()}
