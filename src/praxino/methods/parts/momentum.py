"""A network that follows another one slowly, and how its batches are mixed.

He, Fan, Wu, Xie, Girshick: Momentum Contrast for Unsupervised Visual Representation Learning, CVPR 2020.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from praxino import ranks

Network = TypeVar("Network", bound=nn.Module)


def follower(network: Network) -> Network:
    """A copy of a network, without gradient: it begins with the same weights, and with buffers of its own."""
    return copy.deepcopy(network).requires_grad_(False)


@torch.no_grad()
def follow(follower: nn.Module, network: nn.Module, momentum: float) -> None:
    """Moves every parameter: own := momentum * own + (1 - momentum) * the network's. Buffers stay as they are."""
    for own, other in zip(follower.parameters(), network.parameters(), strict=True):
        own.mul_(momentum).add_(other.detach(), alpha=1 - momentum)


def share_of(order: Tensor, rank: int, world: int) -> Tensor:
    """Which rows of all a process takes, where these go to the processes in the order `order`.

    Args:
        order: int64 [n * world], a permutation.
        rank: of the process.
        world: how many processes there are.
    """
    return order.view(world, -1)[rank]


def shuffled(x: Tensor, order: Tensor) -> Tensor:
    """This process's share of the mixed rows of all processes: [n, ...] -> [n, ...].

    A BatchNorm then normalises the keys of a batch together with others than their queries ("shuffling BN").

    Args:
        x: as many rows on each process, without gradient.
        order: int64 [n * world], a permutation, the same on all processes.
    """
    return ranks.gather_rows(x)[share_of(order, ranks.rank(), ranks.world())]


def unshuffled(x: Tensor, order: Tensor) -> Tensor:
    """The rows of this process, from all the mixed ones: what `shuffled` does, undone.

    Args:
        x, order: as of `shuffled`.
    """
    return shuffled(x, order.argsort())


def in_parts(network: Callable[[Tensor], Tensor], x: Tensor, parts: int) -> Tensor:
    """What a network makes of a batch, in so many parts: each is a batch of its own to a BatchNorm.

    Args:
        network: rows in, rows out.
        x: [n, ...].
        parts: how many; fewer where that would leave one with a single row.
    """
    parts = max(1, min(parts, len(x) // 2))
    return torch.cat([network(part) for part in x.tensor_split(parts)]) if parts > 1 else network(x)
