"""Checks of CycleContrast's golden items: queues, momentum, shuffling, losses, a whole step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from golden_items import Check, Item
from torch import Tensor, nn

import praxino.backbones
from praxino.backbones.base import Backbone
from praxino.losses.cycle import positive_first
from praxino.methods.base import Losses
from praxino.methods.cyclecontrast import CycleContrast
from praxino.methods.moco import MoCo
from praxino.methods.parts.momentum import follow, share_of
from praxino.methods.parts.queue import Queue
from praxino.training.stages import Stage
from praxino.views.pipeline import View


class Given(Backbone):
    """A network that gives what it gets."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return x


def settings(scalars: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of CycleContrast that the original's options mean."""
    support, soft = int(scalars["soft_nn_support"]), scalars["soft_nn_T"]
    return {
        "queue_rows": scalars["K"],
        "temperature": scalars["T"],
        "separate_head": scalars.get("sep_head", True),
        "cycle_queue_rows": scalars["cycle_K"],
        "support": None if support == -1 else support,
        "soft_temperature": None if soft == -1 else soft,
        "with_query": not scalars.get("cycle_neg_only", True),
        "video_positive": scalars.get("moco_random_video_frame_as_pos", True),
        "contrast_weight": scalars.get("moco_loss_weight", 1.0),
        "cycle_weight": scalars["soft_nn_loss_weight"],
        "exclude_own": False,
    }


def filled(queue: Queue, rows: Tensor, pointer: int) -> None:
    queue.keys.copy_(rows)
    queue.pointer.fill_(pointer)


def unit(item: Item, *names: str) -> Tensor:
    """[h, ..., dim] of unit length, of the heads that there are."""
    return F.normalize(torch.stack([item.tensor(name) for name in names]), dim=-1)


def drawn(item: Item, name: str, videos: int) -> Tensor:
    """Which candidate of each video; where nothing is drawn, the only one."""
    if name not in item.entry["inputs"]:
        return torch.zeros(videos, dtype=torch.int64)
    return torch.from_numpy(item.input(name)).long().reshape(-1)


def logits(queries: Tensor, positives: Tensor, queue: Tensor, temperature: float) -> Tensor:
    return positive_first(queries, positives, queue) / temperature


def plain(item: Item) -> None:
    """MoCo, with the key or with another frame of the video as the positive."""
    scalars = item.scalars
    raw = item.tensor("q").requires_grad_()
    options = {"queue_rows": scalars["K"], "temperature": scalars["T"], "exclude_own": False}
    method = MoCo(Given(raw.shape[1]), View([]), dim=raw.shape[1], **options)
    filled(method.queue, item.tensor("queue_rows"), scalars["queue_ptr"])
    keys = F.normalize(item.tensor("k"), dim=1)
    positives = keys
    if scalars["moco_random_video_frame_as_pos"]:
        candidates = F.normalize(item.tensor("can"), dim=-1)
        positives = candidates[torch.arange(len(raw)), drawn(item, "pos_moco", len(raw))]
    queries = F.normalize(raw, dim=1)
    table = logits(queries, positives, method.queue.keys, scalars["T"]).detach().clone()
    losses = method.contrasted(queries, positives, keys, torch.arange(len(raw)))
    losses.total.backward()
    method.after_step(losses.kept)
    item.compare(
        logits=table,
        loss_moco=losses.terms["contrastive"],
        total=losses.total,
        grad_q=raw.grad,
        queue=method.queue.keys.T,
        queue_ptr=method.queue.pointer,
    )


def video_positive(item: Item) -> None:
    """As MoCo's own function computes it, and as the option of CycleContrast without its cycle does."""
    plain(item)
    options = {**settings(item.scalars), "support": None}
    raw = item.tensor("q").requires_grad_()
    method = CycleContrast(Given(raw.shape[1]), View([]), dim=raw.shape[1], **options)
    filled(method.queue, item.tensor("queue_rows"), item.scalars["queue_ptr"])
    losses = of_cycle(method, item, [F.normalize(raw, dim=1)], "k", "can")
    losses.total.backward()
    torch.testing.assert_close(losses.total.detach(), losses.terms["contrastive"])
    item.compare(
        loss_moco=losses.terms["contrastive"], total=losses.total, grad_q=raw.grad,
        **of_queues(method, losses), logits=table_of(method, item, F.normalize(raw, dim=1)),
    )  # fmt: skip


def table_of(method: CycleContrast, item: Item, queries: Tensor) -> Tensor:
    queue = item.tensor("queue_rows")
    candidates, keys = unit(item, "can")[0], unit(item, "k")[0]
    chosen = candidates[torch.arange(len(queries)), drawn(item, "pos_moco", len(queries))]
    return logits(queries, chosen if method.video_positive else keys, queue, method.temperature)


def of_cycle(method: CycleContrast, item: Item, queries: list[Tensor], key: str, candidate: str) -> Losses:
    two = method.separate_head
    videos = len(queries[0])
    return method.cycle_contrasted(
        torch.stack(queries),
        unit(item, key, *([f"{key}_cycle"] * two)),
        unit(item, candidate, *([f"{candidate}_cycle"] * two)),
        index=torch.arange(videos),
        split=split_of(item, len(method.cycled)),
        back=drawn(item, "pos_cycle", videos),
        positive=drawn(item, "pos_moco", videos),
    )


def split_of(item: Item, rows: int) -> Tensor:
    if "perm" not in item.entry["inputs"]:
        return torch.arange(rows)
    return torch.from_numpy(item.input("perm")).long()


def negatives_of(method: CycleContrast, split: Tensor) -> Tensor:
    return method.part_of_queue(split, torch.zeros(1), back=True)[0]


def of_queues(method: CycleContrast, losses: Losses) -> dict[str, Tensor]:
    """The queues after the step."""
    method.after_step(losses.kept)
    found = {"queue": method.queue.keys.T, "queue_ptr": method.queue.pointer}
    if method.separate_head:
        found |= {"queue_cycle": method.cycle_queue.keys.T, "queue_cycle_ptr": method.cycle_queue.pointer}
    return found


def cycle(item: Item) -> None:
    scalars = item.scalars
    names = ["q", "q_cycle"] if scalars["sep_head"] else ["q"]
    raw = [item.tensor(name).requires_grad_() for name in names]
    queries = [F.normalize(one, dim=1) for one in raw]
    method = CycleContrast(Given(raw[0].shape[1]), View([]), dim=raw[0].shape[1], **settings(scalars))
    filled(method.queue, item.tensor("queue_rows"), scalars["queue_ptr"])
    if method.separate_head:
        filled(method.cycle_queue, item.tensor("queue_cycle_rows"), scalars["queue_cycle_ptr"])
    split, videos = split_of(item, len(method.cycled)), len(raw[0])
    own, ends = (unit(item, name + "_cycle" * method.separate_head)[0] for name in ("k", "can"))
    neighbours = method.neighbours(queries[-1], own, split, torch.arange(videos))
    ends = ends[torch.arange(videos), drawn(item, "pos_cycle", videos)]
    back = logits(neighbours, ends, negatives_of(method, split), method.temperature).detach()
    losses = of_cycle(method, item, queries, "k", "can")
    losses.total.backward()
    item.compare(
        logits=table_of(method, item, queries[0]),
        loss_moco=losses.terms["contrastive"],
        back_logits=back,
        loss_cycle=losses.terms["cycle"],
        total=losses.total,
        **{f"grad_{name}": one.grad for name, one in zip(names, raw, strict=True)},
        **of_queues(method, losses),
    )


def momentum(item: Item) -> None:
    """An encoder and a second head; here each is a layer of the given weights."""
    computed = {}
    for word in ("k", "kc"):
        own, other = (nn.Linear(1, 1, bias=False) for _ in range(2))
        own.weight = nn.Parameter(item.tensor(f"{word}0"), requires_grad=False)
        for step in (1, 2, 3):
            other.weight = nn.Parameter(item.tensor(f"q{word[1:]}{step}"))
            follow(own, other, item.scalars["m"])
            computed[f"{word}{step}"] = own.weight.clone()
    item.compare(**computed)


def shuffle_ranks(item: Item) -> None:
    world, order = item.scalars["processes"], torch.from_numpy(item.input("perm")).long()
    everyone = torch.cat([item.tensor(f"x{rank}") for rank in range(world)])
    encoded = [everyone[share_of(order, rank, world)] for rank in range(world)]
    back = order.argsort()
    restored = [torch.cat(encoded)[share_of(back, rank, world)] for rank in range(world)]
    item.compare(
        **{f"encoded_by{rank}": encoded[rank] for rank in range(world)},
        **{f"restored{rank}": restored[rank] for rank in range(world)},
    )


def queue_wrap(item: Item) -> None:
    scalars = item.scalars
    steps = sum(name.startswith("key") and name[3:].isdigit() for name in item.entry["fills"])
    queues = {}
    pointers = []
    for name, length in (("queue", scalars["K"]), ("queue_cycle", scalars["cycle_K"])):
        rows = item.tensor(f"{name}_rows")
        for kind, base in (("labels", 10), ("indices", 100)):
            queue = Queue(length, rows.shape[1])
            filled(queue, rows, 0)
            queue.videos.zero_()  # as the original's buffers begin
            at = []
            for step in range(steps):
                keys = item.tensor(f"key{name.removeprefix('queue')}{step}")
                queue.write(keys, base * step + torch.arange(len(keys)))
                at.append(int(queue.pointer))
            queues[name, kind] = queue
        pointers.append(at)
    item.compare(
        queue=queues["queue", "labels"].keys.T,
        queue_cycle=queues["queue_cycle", "labels"].keys.T,
        pointers=np.array(pointers).T,
        labels=queues["queue", "labels"].videos,
        indices=queues["queue", "indices"].videos,
    )


PARTS = {
    "module.encoder_q.fc.": "head.",
    "module.encoder_k.fc.": "key_head.",
    "module.q_cycle_fc.": "cycle_head.",
    "module.k_cycle_fc.": "key_cycle_head.",
    "module.encoder_q.": "backbone.",
    "module.encoder_k.": "key_backbone.",
}


def ours(key: str) -> str:
    start = next(start for start in PARTS if key.startswith(start))
    return PARTS[start] + key.removeprefix(start)


def whole_step(item: Item) -> None:
    scalars, state = item.scalars, item.state()
    images = {name: item.tensor(name).unsqueeze(-3) for name in ("im_q", "im_k", "candidates")}
    backbone = praxino.backbones.ResNet18(width=len(state["module.encoder_q.conv1.weight"]))
    dim = len(state["module.encoder_q.fc.2.bias"])
    method = CycleContrast(
        backbone, View([]), dim=dim, momentum=scalars["m"], batchnorm_parts=1, **settings(scalars)
    ).train()
    missing, extra = method.load_state_dict({ours(key): value for key, value in state.items()}, strict=False)
    assert not extra
    assert all("queue" in name for name in missing)
    filled(method.queue, item.tensor("queue_rows"), 0)
    filled(method.cycle_queue, item.tensor("queue_cycle_rows"), 0)

    seen: dict[str, Tensor] = {}

    def noting(queries: Tensor, positives: Tensor, keys: Tensor, index: Tensor) -> Losses:
        seen["logits"] = logits(queries, positives, method.queue.keys, scalars["T"]).detach()
        return MoCo.contrasted(method, queries, positives, keys, index)

    def noting_neighbours(*given: Tensor) -> Tensor:
        seen["neighbours"] = CycleContrast.neighbours(method, *given)
        return seen["neighbours"]

    method.contrasted, method.neighbours = noting, noting_neighbours  # type: ignore[method-assign]
    of_cycle_only = method.cycle_contrasted

    def noting_ends(queries: Tensor, keys: Tensor, candidates: Tensor, **more: Tensor) -> Losses:
        seen["ends"] = candidates[-1][:, 0]
        return of_cycle_only(queries, keys, candidates, **more)

    method.cycle_contrasted = noting_ends  # type: ignore[assignment]
    stage = Stage(
        lambda groups: torch.optim.SGD(
            groups, lr=scalars["lr"], momentum=scalars["momentum"], weight_decay=scalars["weight_decay"]
        ),
        steps=1,
    )
    optimizer = stage.make_optimizer(method)
    assert all(group["weight_decay"] == scalars["weight_decay"] for group in optimizer.param_groups)
    videos = len(images["im_q"])
    split = torch.from_numpy(item.input("perm")).long()
    only = torch.zeros(videos, dtype=torch.int64)
    method.before_step()
    losses = method.objective(
        {"query": images["im_q"], "key": images["im_k"], "candidates": images["candidates"]},
        order=torch.from_numpy(item.input("shuffle")).long(), index=torch.arange(videos), split=split, back=only,
        positive=only,
    )  # fmt: skip
    back = logits(seen["neighbours"], seen["ends"], negatives_of(method, split), scalars["T"]).detach()
    losses.total.backward()
    gradients = {name: value.grad for name, value in method.named_parameters() if value.grad is not None}
    computed = {f"grad.{key}": gradients[ours(key)].clone() for key in state if ours(key) in gradients}
    optimizer.step()
    after = method.state_dict()
    item.compare(
        logits=seen["logits"],
        back_logits=back,
        loss_moco=losses.terms["contrastive"],
        loss_cycle=losses.terms["cycle"],
        total=losses.total,
        **computed,
        **{f"after.{key}": after[ours(key)] for key in state},
        **of_queues(method, losses),
    )


CHECKS: dict[str, Check] = {
    "moco_plain": plain,
    "moco_video_pos": video_positive,
    "moco_momentum": momentum,
    "moco_shuffle_ranks": shuffle_ranks,
    "moco_queue_wrap": queue_wrap,
    **dict.fromkeys(
        (
            "cycle_published",
            "cycle_one_candidate",
            "cycle_shared_full",
            "cycle_shared_support",
            "cycle_self_support",
            "cycle_self_full",
            "cycle_soft_t",
        ),
        cycle,
    ),
    "cycle_step_r18": whole_step,
}
