"""Peak memory of `praxino track` on a long video against a short one, without a network.

python benchmarks/track_memory.py [--seconds 10 600]

Rendered videos of 640 x 480 at 25 frames a second, and a tracker that does not move: what is measured is reading,
drawing and writing. Each figure is the peak resident memory of a process of its own (Linux): of the first one on a new
file, which finds its frames, and of the next one. Prints Markdown.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

RATE = 25
HEIGHT, WIDTH = 480, 640


class Still:
    """A tracker that does not move."""

    confidence = 0.5

    def init(self, frame: NDArray[np.uint8], box: NDArray[np.float64]) -> None:
        self.box = box

    def update(self, frame: NDArray[np.uint8]) -> NDArray[np.float64]:
        return self.box


def render(path: Path, seconds: int) -> None:
    """A texture that drifts."""
    texture = np.random.default_rng(0).integers(40, 216, (HEIGHT // 8, WIDTH // 8, 3)).astype(np.uint8)
    texture = texture.repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "28"})
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        for k in range(seconds * RATE):
            frame = av.VideoFrame.from_ndarray(np.roll(texture, (k, 2 * k), (0, 1)), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def measure(video: str, out: str) -> None:
    """Prints peak KiB and frames of this process."""
    from praxino.evaluations.tracking.video import track_video

    done = track_video(video, Still(), (100, 100, 120, 90), out)
    # Not getrusage, whose maximum a process inherits from the one that started it.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(status["VmHWM"].split()[0], done.frames)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, nargs="+", default=[10, 600])
    print("| video, s | frames | new file, MiB | once more, MiB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for seconds in parser.parse_args().seconds:
            video = Path(folder) / f"{seconds}.mp4"
            render(video, seconds)
            command = [sys.executable, __file__, "--measure", str(video), str(Path(folder) / "out.mp4")]
            said = [subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() for _ in "12"]
            new, again = (float(peak) / 1024 for peak, _ in said)
            print(f"| {seconds} | {said[0][1]} | {new:,.0f} | {again:,.0f} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], sys.argv[3])
    else:
        main()
