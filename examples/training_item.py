"""A picture of what TCLR sees of one video: the sparse clip and the dense ones, each in both of its versions.

python examples/training_item.py VIDEO_OR_FOLDER [--recipe tclr_small] [--seed 0] [--out item.png]
"""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from jsonargparse import auto_cli
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from praxino.batch import ClipBatch
from praxino.catalogs import Video, VideoFolder
from praxino.cli.line.terminal import exit_code_of
from praxino.clips import collate, load_clips
from praxino.configuration.complete import complete, instantiate
from praxino.configuration.documents import read
from praxino.configuration.recipes import recipe_file
from praxino.errors import UserError
from praxino.files import written_aside
from praxino.methods import TCLR
from praxino.methods.tclr import VERSIONS
from praxino.rng import Rng
from praxino.training.pretrain import pretrain

WIDTH = 8.0  # of a row of frames; with its name 9.15, on 14 inches


def load(where: Path, recipe: str, seed: int) -> tuple[TCLR, ClipBatch]:
    """The recipe's method, and a batch of one video: of a folder the seed says which."""
    given = {k: v for k, v in read(recipe_file(recipe)).items() if k in ("sampler", "canvas", "method")}
    made = instantiate(pretrain, complete(pretrain, given, partial=True))
    if not isinstance(made.get("method"), TCLR) or made["method"].streams != ("rgb",):
        raise UserError(f"{recipe} is no recipe of TCLR on RGB frames: take tclr_small, or one of your own like it")
    if not where.exists():
        raise UserError(f"there is no video and no folder {where}")
    videos = [Video(str(where), {"rgb": str(where)})] if where.is_file() else VideoFolder(where)
    video, generator = videos[seed % len(videos)], Rng(seed, "clip").shared()
    clips = load_clips(video, ["rgb"], {}, made["canvas"] or {}, made["sampler"], generator)
    return made["method"], collate([clips], [0], [None])


def views(method: TCLR, batch: ClipBatch, rng: Rng) -> Tensor:
    """What the backbone gets of the first video, drawn as in TCLR.forward: float32 [2, 1 + n, T, h, w, 3] in [0, 1]."""
    clips = range(batch.numbers.shape[1])
    drawn = [method.view(batch, rng.child("view", version, k), k)[0, 0] for version in VERSIONS for k in clips]
    return torch.stack(drawn).unflatten(0, (len(VERSIONS), -1)).movedim(2, -1)


def picture(batch: ClipBatch, seen: Tensor) -> Figure:
    """The video's frames, below them the sparse clip, and below each part of that the dense clip of its time."""
    sparse, *dense = batch.numbers[0].tolist()
    finer = math.ceil(math.sqrt(len(dense)))  # a dense clip is as wide as its part of the sparse one: smaller frames
    frames, numbers = batch.streams["rgb"].clips(0)[0] / 255, [f"frame {sparse[0]}", *map(str, sparse[1:])]
    rows = [("the video", numbers, frames, len(sparse))]
    rows += [(f"sparse clip\nversion {v}", [], seen[v, :1], len(sparse)) for v in VERSIONS]
    titles = [f"D{j}: frames {clip[0]}, {clip[1]}, ... {clip[-1]}" for j, clip in enumerate(dense)]
    rows += [(f"dense clips\nversion {v}", titles, seen[v, 1:], len(sparse) // len(dense) * finer) for v in VERSIONS]
    figure, bottom = Figure((14, 14)), 0.0
    axes = figure.add_axes((0, 0, 1, 1), frame_on=False)
    for name, above, clips, columns in rows:
        top, width = bottom + (0.32 if above else 0.08), WIDTH / len(clips)
        for k, clip in enumerate(clips):
            lines = F.pad(clip, (0, 0, 1, 1, 1, 1, 0, -len(clip) % columns), value=1.0).unflatten(0, (-1, columns))
            image = lines.transpose(1, 2).flatten(0, 1).flatten(1, 2)  # [lines, columns, h, w, 3] -> [H, W, 3]
            bottom = top + width * image.shape[0] / image.shape[1]
            axes.imshow(image.numpy(), extent=(k * width, (k + 1) * width, bottom, top), interpolation="nearest")
        for k, title in enumerate(above):
            axes.text((k + 0.5) * WIDTH / len(above), top - 0.05, title, ha="center", fontsize=10)
        axes.text(-0.1, (top + bottom) / 2, name, ha="right", va="center", fontsize=11)
    for k in range(len(dense) + 1):
        axes.vlines(k * WIDTH / len(dense), 0.1, bottom, colors="0.4", linestyles="dotted")
    axes.set(xlim=(-1.1, WIDTH + 0.05), ylim=(bottom + 0.05, 0), xticks=[], yticks=[], aspect="auto")
    figure.set_figheight(14 * (bottom + 0.05) / (WIDTH + 1.15))
    return figure


def draw(video_or_folder: Path, recipe: str = "tclr_small", seed: int = 0, out: Path = Path("item.png")) -> None:
    """Draws what TCLR sees of one video, and writes it to `out`."""
    method, batch = load(video_or_folder, recipe, seed)
    with written_aside(out) as aside:
        picture(batch, views(method, batch, Rng(seed))).savefig(aside, format="png", dpi=100)
        Image.open(aside).convert("RGB").quantize().save(aside, format="png")  # a third of the bytes


if __name__ == "__main__":
    raise SystemExit(exit_code_of(lambda: auto_cli(draw)))
