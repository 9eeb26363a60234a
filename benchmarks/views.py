"""Views of a batch of clips: ours against Pillow frame by frame and against kornia, per core.

    python benchmarks/views.py [--clips 4] [--repeats 9] [--height 240] [--width 320]

Every contender takes the same bytes [clips, 16, H, W, 3], as a loader hands them over, and gives float32
[clips, 3, 16, h, w], with one thread. The draws are made beforehand. Times are the thread's CPU time; a ratio is a
rival's time over ours in the same repeat, so above 1 means that ours is faster. What Pillow gives is compared with
ours to the bit before anything is timed. kornia computes in floats, and blurs and resizes by other filters: a rival for
the same kind of operation, not for the same numbers. One large block of memory is allocated and freed first, as a
training step does it: without that, the C library gives memory back to the system after each operation, and fetching
it again takes longer than the arithmetic.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor

from praxino.batch import ClipBatch, Frames
from praxino.rng import Rng
from praxino.views.colour import Blur, Brightness, Contrast, Grey, Hue, Saturation
from praxino.views.geometry import Flip, RandomResizedCrop, Resize
from praxino.views.pipeline import Drawn, Operation, View

FRAMES = 16
Change = Callable[[Any, list[float]], Any]


def picture(clips: int, height: int, width: int) -> ClipBatch:
    """Moving soft slopes with noise."""
    rng = np.random.default_rng(0)
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    slopes = [127 + 110 * np.sin((rows + 3 * t) / 30) * np.cos((columns - t) / 25) for t in range(FRAMES)]
    pixels = np.stack(slopes)[None, ..., None] + rng.normal(0, 12, (clips, FRAMES, height, width, 3))
    frames = torch.from_numpy(np.clip(pixels, 0, 255).astype(np.uint8)).flatten(0, 1)
    where = torch.arange(clips * FRAMES).view(clips, 1, FRAMES)
    size = torch.tensor([height, width]).expand(len(frames), 2)
    rgb = Frames(frames, size, torch.ones(len(frames), dtype=torch.bool), where)
    none = torch.full((clips,), -1)
    return ClipBatch({"rgb": rgb}, none, none, where, where.double())


def hue_by_pillow(image: Image.Image, shift: float) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    turned = (np.asarray(hue).astype(np.int64) + int(np.trunc(255 * shift))) % 256
    return Image.merge("HSV", (Image.fromarray(turned.astype(np.uint8)), saturation, value)).convert("RGB")


def box_by_pillow(image: Image.Image, numbers: list[float]) -> Image.Image:
    top, left, height, width = (int(number) for number in numbers)
    image = image.crop((left, top, left + width, top + height))
    # Width first, as one call did it in Pillow before 13; that one takes as long.
    return image.resize((112, height), Image.Resampling.BILINEAR).resize((112, 112), Image.Resampling.BILINEAR)


def corner_by_pillow(image: Image.Image, numbers: list[float]) -> Image.Image:
    top, left = (int(number) for number in numbers)
    return image.resize((171, 128), Image.Resampling.BILINEAR).crop((left, top, left + 112, top + 112))


BY_PILLOW: dict[str, Change] = {
    "Resize": corner_by_pillow,
    "RandomResizedCrop": box_by_pillow,
    "Flip": lambda image, n: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "Brightness": lambda image, n: ImageEnhance.Brightness(image).enhance(n[0]),
    "Contrast": lambda image, n: ImageEnhance.Contrast(image).enhance(n[0]),
    "Saturation": lambda image, n: ImageEnhance.Color(image).enhance(n[0]),
    "Hue": lambda image, n: hue_by_pillow(image, n[0]),
    "Grey": lambda image, n: image.convert("L").convert("RGB"),
    "Blur": lambda image, n: image.filter(ImageFilter.GaussianBlur(n[0])),
}


def by_kornia() -> dict[str, Change]:
    """The functions beneath kornia's augmentations, on the frames of one clip: float32 [16, 3, h, w]."""
    kornia = importlib.import_module("kornia")
    resize, enhance = kornia.geometry.transform.resize, kornia.enhance

    def corner(x: Tensor, numbers: list[float]) -> Tensor:
        top, left = (int(number) for number in numbers)
        return resize(x, (128, 171), antialias=True)[..., top : top + 112, left : left + 112]

    def box(x: Tensor, numbers: list[float]) -> Tensor:
        top, left, height, width = (int(number) for number in numbers)
        return resize(x[..., top : top + height, left : left + width], (112, 112), antialias=True)

    return {
        "Resize": corner,
        "RandomResizedCrop": box,
        "Flip": lambda x, n: kornia.geometry.transform.hflip(x),
        "Brightness": lambda x, n: enhance.adjust_brightness_accumulative(x, n[0]),
        "Contrast": lambda x, n: enhance.adjust_contrast_with_mean_subtraction(x, n[0]),
        "Saturation": lambda x, n: enhance.adjust_saturation_with_gray_subtraction(x, n[0]),
        "Hue": lambda x, n: enhance.adjust_hue(x, n[0] * 2 * np.pi),
        "Grey": lambda x, n: kornia.color.rgb_to_grayscale(x).expand_as(x),
        "Blur": lambda x, n: kornia.filters.gaussian_blur2d(x, (9, 9), (n[0], n[0])),
    }


def numbers_of(operation: Operation, drawn: Drawn, clip: int) -> list[float] | None:
    """What was drawn for a clip; None: the operation is not applied to it."""
    if "on" in drawn and not drawn["on"][clip]:
        return None
    key = {"Resize": "corner", "RandomResizedCrop": "box", "Flip": "on", "Grey": "on"}.get(type(operation).__name__)
    return drawn[key or "number"][clip].flatten().tolist()


def frame_by_frame(view: View, drawn: list[Drawn], pixels: Tensor) -> Tensor:
    """Pillow, one frame after the other."""
    clips = []
    for clip, frames in enumerate(pixels.numpy()):
        steps = [(type(o).__name__, numbers_of(o, d, clip)) for o, d in zip(view.operations, drawn, strict=True)]
        done = []
        for frame in frames:
            image = Image.fromarray(frame)
            for name, numbers in steps:
                image = image if numbers is None else BY_PILLOW[name](image, numbers)
            done.append(np.asarray(image))
        clips.append(np.stack(done))
    return torch.from_numpy(np.stack(clips)).permute(0, 4, 1, 2, 3).to(torch.float32).contiguous() / 255


def clip_by_clip(changes: dict[str, Change], view: View, drawn: list[Drawn], pixels: Tensor) -> Tensor:
    """kornia, on all frames of a clip at once."""
    clips = []
    for clip, frames in enumerate(pixels):
        x = frames.permute(0, 3, 1, 2).to(torch.float32).contiguous() / 255
        for operation, one in zip(view.operations, drawn, strict=True):
            numbers = numbers_of(operation, one, clip)
            x = x if numbers is None else changes[type(operation).__name__](x, numbers)
        clips.append(x.transpose(0, 1))
    return torch.stack(clips)


def seconds(call: Callable[[], Any]) -> float:
    start = time.thread_time()
    call()
    return time.thread_time() - start


def compared(name: str, view: View, batch: ClipBatch, kornia: dict[str, Change] | None, repeats: int) -> None:
    """Prints one line of the table."""
    pixels = batch.streams["rgb"].clips()[:, 0]
    drawn = view.draw(batch, Rng(0))
    ours = lambda: view.apply(batch, drawn)  # noqa: E731
    rivals = {"Pillow": lambda: frame_by_frame(view, drawn, pixels)}
    if kornia is not None:
        rivals["kornia"] = lambda: clip_by_clip(kornia, view, drawn, pixels)
    exact = all(getattr(operation, "exact", True) for operation in view.operations)
    if exact and not torch.equal(ours()[:, 0], rivals["Pillow"]()):
        raise SystemExit(f"{name}: not what Pillow gives")
    ratios: dict[str, list[float]] = {rival: [] for rival in rivals}
    own = []
    for repeat in range(repeats + 1):
        time_of_ours = seconds(ours)
        for rival, call in rivals.items():
            ratio = seconds(call) / time_of_ours
            if repeat:  # the first one warms up
                ratios[rival].append(ratio)
        if repeat:
            own.append(1e3 * time_of_ours / len(pixels))
    columns = [f"{statistics.median(r):.1f} ({min(r):.1f} to {max(r):.1f})" for r in ratios.values()]
    print(f"| {name} | {statistics.median(own):.1f} | {' | '.join(columns)} |")


def main() -> None:
    """Prints a table for operations on whole frames, then one for operations at 112 pixels, then the chain."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--height", type=int, default=240)
    parser.add_argument("--width", type=int, default=320)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.empty(31 << 20, dtype=torch.uint8).fill_(1)
    try:
        kornia = by_kornia()
    except ImportError:
        kornia = None
    large = picture(options.clips, options.height, options.width)
    small = picture(options.clips, 112, 112)
    print(
        f"{options.clips} clips of {FRAMES} frames; ratios: median (least to greatest) of {options.repeats} repeats\n"
    )
    print("| operation | ours, ms a clip | Pillow / ours |" + (" kornia / ours |" if kornia else ""))
    print("| --- | --- | --- |" + (" --- |" if kornia else ""))
    whole = f"{options.height}x{options.width}"
    colours = [Flip(1.0), Brightness(), Contrast(), Saturation(), Hue(), Grey(1.0), Blur(p=1.0)]
    chain = [RandomResizedCrop(112), Flip(), Brightness(p=0.8), Contrast(p=0.8), Saturation(p=0.8)]
    chain += [Hue(p=0.8), Grey(0.2), Blur(p=0.5)]
    cases: list[tuple[str, list[Operation], ClipBatch]] = [
        (f"resize {whole} to 128x171, crop 112", [Resize(128, 171, 112, "random")], large),
        ("the same, `exact=False`", [Resize(128, 171, 112, "random", exact=False)], large),
        (f"random resized crop of {whole} to 112", [RandomResizedCrop(112)], large),
        ("the same, `exact=False`", [RandomResizedCrop(112, exact=False)], large),
        *((f"{type(operation).__name__.lower()}, 112x112", [operation], small) for operation in colours),
        (f"chain of all on {whole}", chain, large),
    ]
    for name, operations, batch in cases:
        compared(name, View(operations), batch, kornia, options.repeats)


if __name__ == "__main__":
    main()
