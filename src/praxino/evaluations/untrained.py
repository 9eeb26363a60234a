"""The untrained twin of an encoder: what a trained network has to be better than, and where `--scratch` begins."""

from __future__ import annotations

import copy

import torch

from praxino.described import fresh
from praxino.encoders.encoder import Encoder
from praxino.rng import Rng


def untrained(encoder: Encoder, seed: int = 0) -> Encoder:
    """The encoder with a fresh backbone of the same kind: every layer drawn anew, also of what it wraps."""
    twin = copy.copy(encoder)
    twin.statistics = {}  # those are the trained one's
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(Rng(seed, "untrained").shared().integers(2**31)))
        twin.backbone = fresh(encoder.backbone)
    twin.backbone.to(encoder.device).train(encoder.backbone.training)
    return twin
