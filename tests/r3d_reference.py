"""R3D in eval mode written out with plain functions, under the original's key names: the other opinion of the tests."""

import torch
from torch.nn import functional as F


def forward(state, x):
    """The forward pass in eval mode, read off the layer table of the paper's code, under the original's names."""

    def norm(x, name):
        weight, bias, mean, var = (state[f"{name}.{w}"] for w in ("weight", "bias", "running_mean", "running_var"))
        scale = weight / torch.sqrt(var + 1e-5)
        return x * scale[:, None, None, None] + (bias - mean * scale)[:, None, None, None]

    def conv(x, name, stride, padding):
        return F.conv3d(x, state[f"{name}.temporal_spatial_conv.weight"], None, stride, padding)

    x = torch.relu(norm(conv(x, "conv1", (1, 2, 2), (1, 3, 3)), "bn1"))
    for stage in (2, 3, 4, 5):
        for place in ["block1", "blocks.0", "blocks.1"]:
            block = f"conv{stage}.{place}"
            if f"{block}.bn1.weight" not in state:
                continue
            halves = stage > 2 and place == "block1"
            y = torch.relu(norm(conv(x, f"{block}.conv1", 2 if halves else 1, 1), f"{block}.bn1"))
            y = norm(conv(y, f"{block}.conv2", 1, 1), f"{block}.bn2")
            short = norm(conv(x, f"{block}.downsampleconv", 2, 0), f"{block}.downsamplebn") if halves else x
            x = torch.relu(short + y)
    return x
