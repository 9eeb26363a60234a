"""What `Canvas(longest=)` costs beside cropping from the full picture, and what one huge picture costs without it.

python benchmarks/canvas.py --root DIR [--pictures 12] [--crops 16] [--batch 32]

DIR holds photographs (any tree of JPEG files), which are enlarged: real shapes without fine detail. Rendered pictures
are the other end, with more of it than photographs have: discs of all sizes, down to a pixel, one over the other, and
noise. Both are written as JPEG files of quality 92. The same boxes of `RandomResizedCrop(224)` are cut from the full
picture and from the one on its canvas. Differences are in grey levels of 255.

A batch is of pictures of 375x500, or one of them is larger. It is moved to shared memory, as loading processes do; its
memory is the peak of a process of its own (Linux), less that of one which has loaded a single picture. Prints Markdown.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from iic_step import memory
from praxino.catalogs.base import Video
from praxino.clips.dataset import BatchKey, ClipDataset
from praxino.clips.samplers import RandomClip
from praxino.rng import Rng
from praxino.streams.base import Canvas
from praxino.streams.frames import FrameFolder
from praxino.views.geometry import RandomResizedCrop
from praxino.views.pipeline import View

LARGE = [(1200, 1600), (2000, 3000)]
LONGEST = (400, 500, 640, 800, 1000, 1280)
SCALES = {"pretraining, scale 0.2 to 1": (0.2, 1.0), "linear evaluation, scale 0.08 to 1": (0.08, 1.0)}
SIDE = 224
HUGE = (3000, 4000)
USUAL = (375, 500)


def discs(height: int, width: int, rng: np.random.Generator) -> Image.Image:
    """Discs of all sizes, one over the other: as many edges at every size as photographs have."""
    picture = Image.new("RGB", (2 * width, 2 * height))
    draw = ImageDraw.Draw(picture)
    count = height * width // 150
    # A share of radius^-2 is larger than a radius: the area that each size covers is the same.
    radii = np.minimum(3 / np.sqrt(rng.random(count)), width / 2)
    places, colours = rng.random((count, 2)) * [2 * width, 2 * height], rng.integers(0, 256, (count, 3))
    for (x, y), radius, colour in zip(places, radii, colours, strict=True):
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=tuple(colour.tolist()))
    pixels = np.asarray(picture.reduce(2)) + rng.normal(0, 3, (height, width, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def enlarged(path: Path, height: int, width: int) -> Image.Image:
    with Image.open(path) as file:
        return file.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)


def pixels_of(path: Path, canvas: Canvas) -> Tensor:
    with FrameFolder().open(Video(path.name, {"rgb": str(path)}), canvas) as reader:
        return torch.from_numpy(reader.read([0])[0])


def crops(
    path: Path, canvas: Canvas, scale: tuple[float, float], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Crops int64 [count, 3, 224, 224], and the shorter side of the box that each was cut from."""
    pixels, view = pixels_of(path, canvas), View([RandomResizedCrop(SIDE, scale=scale)])
    size = torch.tensor(pixels.shape[1:3]).expand(1, 1, 1, 2)
    made, sides = [], []
    for number in range(count):
        drawn = view.operations[0].draw(Rng(path.name, number), (1, 1, 1), size)
        made.append((view.transform(pixels[None, None], [drawn]) * 255).round().long().reshape(3, SIDE, SIDE))
        sides.append(drawn["box"][..., 2:].min().item())
    return torch.stack(made).numpy(), np.array(sides)


def compare(files: dict[str, list[Path]], count: int) -> None:
    for kind, paths in files.items():
        for said, scale in SCALES.items():
            full = [crops(path, Canvas(), scale, count)[0] for path in paths]
            print(f"\n{kind}; {said}\n")
            print("| longest | mean difference | 99th percentile | largest | crops of fewer than 224 pixels |")
            print("|---|---|---|---|---|")
            for longest in LONGEST:
                made = [crops(path, Canvas(longest=longest), scale, count) for path in paths]
                apart = np.concatenate([abs(ours - theirs) for (ours, _), theirs in zip(made, full, strict=True)])
                small = np.mean(np.concatenate([sides for _, sides in made]) < SIDE)
                print(
                    f"| {longest} | {apart.mean():.2f} | {np.percentile(apart, 99):.0f} | {apart.max()} | {small:.0%} |"
                )


def one_batch(folder: Path, longest: int | None, huge: bool, batch: int) -> None:
    """Loads a batch and makes the view of it, in a process of its own: seconds, MiB of pixels, peak MiB."""
    paths = sorted(folder.glob("usual*.jpg"))[: batch - huge] + [folder / "huge.jpg"] * huge
    videos = [Video(path.name, {"rgb": str(path)}) for path in paths]
    dataset = ClipDataset(videos, ["rgb"], RandomClip(frames=1), canvas={"rgb": Canvas(longest=longest)})
    view = View([RandomResizedCrop(SIDE, scale=(0.2, 1.0))])
    torch.set_num_threads(1)
    before = time.process_time()
    loaded = dataset[BatchKey(0, 0, len(videos), 0, len(videos))]
    loaded.streams["rgb"].pixels.share_memory_()
    middle = time.process_time()
    view(loaded, Rng(0))
    after = time.process_time()
    print(middle - before, after - middle, loaded.streams["rgb"].pixels.nbytes / 2**20, memory("cpu"))


def batches(folder: Path, batch: int) -> None:
    def run(longest: int | None, huge: bool, size: int) -> list[float]:
        own = [sys.executable, __file__, "--folder", str(folder), "--batch", str(size)]
        own += ["--huge"] * huge + (["--longest", str(longest)] if longest else [])
        tried = [subprocess.run(own, check=True, capture_output=True, text=True).stdout.split() for _ in range(3)]
        return [statistics.median(column) for column in zip(*(map(float, row) for row in tried), strict=True)]

    base = run(None, huge=False, size=1)[3]
    print(f"\nA batch of {batch} pictures of {USUAL[0]}x{USUAL[1]}, or one of them {HUGE[0]}x{HUGE[1]}\n")
    print("| batch | loading, s | view, s | pixels, MiB | peak memory, MiB |\n|---|---|---|---|---|")
    for said, longest, huge in [
        ("usual pictures", None, False),
        ("one is huge", None, True),
        *((f"one is huge, longest {longest}", longest, True) for longest in (500, 640, 800, 1000)),
    ]:
        loading, view, pixels, peak = run(longest, huge, batch)
        print(f"| {said} | {loading:.2f} | {view:.2f} | {pixels:.0f} | {peak - base:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--crops", type=int, default=16)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--folder", type=Path, help="of the process that loads one batch")
    parser.add_argument("--longest", type=int)
    parser.add_argument("--huge", action="store_true")
    given = parser.parse_args()
    if given.folder:
        one_batch(given.folder, given.longest, given.huge, given.batch)
        return
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    photographs = sorted(path for path in given.root.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    chosen = [photographs[k] for k in rng.permutation(len(photographs))[: max(given.pictures, given.batch)]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files: dict[str, list[Path]] = {}
        for height, width in LARGE:
            for kind in ("enlarged photographs", "rendered discs"):
                paths = files.setdefault(f"{kind}, {height}x{width}", [])
                for number, path in enumerate(chosen[: given.pictures]):
                    picture = discs(height, width, rng) if "disc" in kind else enlarged(path, height, width)
                    paths.append(folder / f"{kind[:8]}{height}_{number}.jpg")
                    picture.save(paths[-1], quality=92)
        compare(files, given.crops)
        for number in range(given.batch):
            enlarged(chosen[number % len(chosen)], *USUAL).save(folder / f"usual{number:03d}.jpg", quality=92)
        enlarged(chosen[0], *HUGE).save(folder / "huge.jpg", quality=92)
        batches(folder, given.batch)


if __name__ == "__main__":
    main()
