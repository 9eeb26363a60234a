"""States under the names of MoCo's and CycleContrast's programs, of random numbers but for the network's own."""

import re

import torch

from praxino.originals.moco import backbone_to_original


def with_prefix(prefix, state):
    return {prefix + key: tensor for key, tensor in state.items()}


def head(dim, out=4, mlp=True):
    if not mlp:
        return {"weight": torch.rand(out, dim), "bias": torch.rand(out)}
    first = {"0.weight": torch.rand(dim, dim), "0.bias": torch.rand(dim)}
    return first | {"2.weight": torch.rand(out, dim), "2.bias": torch.rand(out)}


def pretraining(network, cycle=True, mlp=True, labelled=True, queue=6, cycle_queue=9):
    """The whole state of a pretraining, without `module.`."""
    trunk, dim = backbone_to_original(network), network.dim
    state = {"queue": torch.rand(4, queue), "queue_ptr": torch.tensor([2])}
    if cycle:
        state |= {"queue_cycle": torch.rand(4, cycle_queue), "queue_cycle_ptr": torch.tensor([3])}
    if labelled:
        state |= {"queue_labels": torch.arange(queue)[None], "queue_indices": torch.arange(queue)[None]}
    for name in ("encoder_q.", "encoder_k."):
        state |= with_prefix(name, {key: tensor.clone() for key, tensor in trunk.items()})
        state |= with_prefix(f"{name}fc.", head(dim, mlp=mlp))
    for name in ("q_cycle_fc.", "k_cycle_fc.") if cycle else ():
        state |= with_prefix(name, head(dim, mlp=mlp))
    return state


def linear(network, place="fc."):
    classifier = {"weight": torch.rand(7, network.dim), "bias": torch.rand(7)}
    return backbone_to_original(network) | with_prefix(place, classifier)


def ucf101(network):
    trunk, classifier = backbone_to_original(network), with_prefix("classifier.", head(network.dim, 5, mlp=False))
    return with_prefix("feature_extractor.model.", trunk) | classifier


def lively(network):
    """Weights and statistics that are not the trivial ones."""
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif tensor.ndim == 1:
            tensor.uniform_(-0.5, 1)
        elif name.endswith("num_batches_tracked"):
            tensor.fill_(271_800)
    return network


def saved(path, state, zipped=True, parallel=True, **beside):
    content = {"epoch": 200, "arch": "resnet18", "optimizer": {"state": {}, "param_groups": []}} | beside
    content["state_dict"] = with_prefix("module.", state) if parallel else state
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def counted(report):
    """How many tensors the lines account for, one way or the other."""
    return sum(int(number) for number in re.findall(r"(\d+) tensors", "\n".join(report)))
