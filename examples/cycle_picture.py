"""A picture of the cycles of a CycleContrast run: a frame, the frames that make its soft neighbour, and the way back.

python examples/cycle_picture.py RUN [--cycles 4] [--videos 256] [--seed 0] [--out cycle.png] [--trust [my_file]]

RUN is a folder that `praxino pretrain cyclecontrast_small` has left, trained to its end or not. One frame of each of
its videos is the queue here, so that every neighbour can be shown.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jsonargparse import auto_cli
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from praxino.backbones.pooling import pool
from praxino.cli.line.received import refuse_untrusted_run
from praxino.cli.line.terminal import exit_code_of
from praxino.clips import collate, load_clips
from praxino.configuration.complete import instantiate
from praxino.errors import UnreadableVideo, UserError, check_numbers
from praxino.files import written_aside
from praxino.losses import soft_neighbours
from praxino.methods import CycleContrast
from praxino.rng import Rng
from praxino.training.pretrain import pretrain
from praxino.training.restoring import restore_weights
from praxino.training.run import Run
from praxino.training.start import recipe_of

SHOWN = 3  # neighbours, and ends of the way back


@dataclass
class Frames:
    """One query and one candidate of each video: what the network sees, and what it makes of it.

    Attributes:
        queries, candidates: float32 [videos, h, w, 3] in [0, 1].
        asked, keys, ends: float32 [videos, dim] of unit length: of the queries, of the queries as the queue holds them,
            and of the candidates.
    """

    queries: Tensor
    candidates: Tensor
    asked: Tensor
    keys: Tensor
    ends: Tensor


def trained(run: Path, most: int, seed: int) -> tuple[CycleContrast, Frames]:
    """The method with its last checkpoint's weights, and frames of at most so many of its videos."""
    made = instantiate(pretrain, recipe_of(run))
    method, checkpoint = made["method"], Run(run).checkpoint()
    if not isinstance(method, CycleContrast) or checkpoint is None:
        raise UserError(f"{run} is no run of CycleContrast with a checkpoint")
    restore_weights(method, checkpoint, Run(run).checkpoint_file)
    catalog = made["catalog"].part("train")
    order = Rng(seed, "order").shared().permutation(len(catalog))[:most].tolist()
    loaded = []
    for row in order:
        generator = Rng(seed, "clip", row).shared()
        try:
            loaded.append(
                load_clips(
                    catalog[row],
                    method.streams,
                    made["streams"] or {},
                    made["canvas"] or {},
                    made["sampler"],
                    generator,
                )
            )
        except UnreadableVideo as error:
            print(f"left out: {error}")
    if not loaded:
        raise UserError(f"no video of {run} can be read")
    batch = collate(loaded, list(range(len(loaded))), [None] * len(loaded))
    protocol = made["protocol"]
    seen = next(iter(protocol.views.values()))(batch, Rng(0))  # [videos, 1 + candidates, C, T, h, w], without chance
    return method, embedded(method.eval(), seen[:, 0], seen[:, 1])


@torch.no_grad()
def embedded(method: CycleContrast, queries: Tensor, candidates: Tensor) -> Frames:
    """What the networks make of frames [videos, 3, 1, h, w]."""
    head = method.cycle_head if method.separate_head else method.head
    asked = F.normalize(head(pool(method.backbone(queries), "mean")), dim=1)
    keys, ends = (method.key_embeddings(some)[:, -method.dim :] for some in (queries, candidates))
    pictures = [some[:, :, 0].movedim(1, -1) for some in (queries, candidates)]
    low, high = (torch.stack(pictures).amin(), torch.stack(pictures).amax())  # a normalised view has other numbers
    return Frames(*((some - low) / (high - low) for some in pictures), asked, keys, ends)


def picture(method: CycleContrast, frames: Frames, cycles: int) -> Figure:
    """A line for each cycle: the query; what weighs most in its soft neighbour; what lies nearest to that."""
    left_out = torch.eye(len(frames.asked), dtype=torch.bool) & method.exclude_own
    temperature = method.soft_temperature or method.temperature
    neighbours = soft_neighbours(frames.asked, frames.keys, temperature, left_out=left_out)
    similar = frames.asked @ frames.keys.T / temperature
    weights = similar.masked_fill(left_out, float("-inf")).softmax(1)
    back = neighbours @ frames.ends.T
    rank = (back >= back.diagonal()[:, None]).sum(1)
    print(f"{int((rank == 1).sum())} of {len(rank)} cycles end at their own video; by chance 1 would")
    figure = Figure((11, 1.65 * cycles + 0.5))
    grid = figure.add_gridspec(
        cycles, 2 * SHOWN + 3, width_ratios=[1, 0.25, *[1] * SHOWN, 0.25, *[1] * SHOWN], top=1 - 0.45 / (1.65 * cycles),
        left=0.01, right=0.99, bottom=0.01, wspace=0.06, hspace=0.28,
    )  # fmt: skip
    for row in range(cycles):
        near, ends = weights[row].topk(SHOWN), back[row].topk(SHOWN)
        shown = [(frames.queries[row], "", False), None]
        shown += [(frames.queries[k], f"weight {w:.2f}", False) for w, k in zip(*map(Tensor.tolist, near), strict=True)]
        shown.append(None)
        for place, (_, k) in enumerate(zip(*map(Tensor.tolist, ends), strict=True), 1):
            shown.append((frames.candidates[k], f"{place}." + (" its own" if k == row else ""), k == row))
        if int(rank[row]) > SHOWN:
            shown[-1] = (frames.candidates[row], f"{int(rank[row])}. of {len(rank)}, its own", True)
        for column, one in enumerate(shown):
            axes = figure.add_subplot(grid[row, column])
            axes.set_xticks([])
            axes.set_yticks([])
            if one is None:
                axes.axis("off")
                axes.text(0.5, 0.5, "→", ha="center", va="center", fontsize=16)
                continue
            pixels, title, own = one
            axes.imshow(pixels.clamp(0, 1).numpy())
            axes.set_title(title, fontsize=9, pad=4)
            for spine in axes.spines.values():
                spine.set(visible=own, color="tab:green", linewidth=3)
    figure.text(0.01, 0.995, "the query", fontsize=11, va="top")
    figure.text(0.178, 0.995, "what weighs most in its soft neighbour, of other videos", fontsize=11, va="top")
    figure.text(0.606, 0.995, "and back: what lies nearest to that", fontsize=11, va="top")
    return figure


def draw(
    run: Path,
    cycles: int = 4,
    videos: int = 256,
    seed: int = 0,
    out: Path = Path("cycle.png"),
    trust: list[str] = [],  # noqa: B006  (read only)
) -> None:
    """Draws cycles of a run, and writes them to `out`; a run that was not begun here names what it imports."""
    check_numbers(cycles=cycles, videos=videos)
    refuse_untrusted_run(run, trust)
    method, frames = trained(run, videos, seed)
    if len(frames.asked) <= max(SHOWN, cycles):
        raise UserError(
            f"{len(frames.asked)} videos of {run} can be read, and {cycles} cycles need more: pass fewer --cycles, or "
            "more --videos"
        )
    with written_aside(out) as aside:
        picture(method, frames, cycles).savefig(aside, format="png", dpi=100)
        Image.open(aside).convert("RGB").save(aside, format="png", optimize=True)


if __name__ == "__main__":
    raise SystemExit(exit_code_of(lambda: auto_cli(draw)))
