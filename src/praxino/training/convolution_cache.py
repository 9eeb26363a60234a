"""What was found of a machine's convolutions, kept in the user's cache: a shape is checked once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from praxino.cache import cache_folder
from praxino.errors import UserError
from praxino.files import written_aside
from praxino.training.convolution_check import Verdict
from praxino.training.convolution_process import Question

PROCESSOR = ("vendor_id", "cpu family", "model", "model name", "stepping", "microcode", "flags", "CPU implementer",
             "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features")  # fmt: skip
STEERING = ("ONEDNN_", "DNNL_", "ATEN_", "CUDNN_", "TORCH_CUDNN_")  # variables that choose among kernels

MEASURED = 2  # how: raised where seconds that were found in another way are not to be compared with new ones


def machine(device: torch.device) -> dict[str, str]:
    """What decides how a convolution is computed, beside its shape: the processor or GPU, and the libraries."""
    steering = {name: value for name, value in sorted(os.environ.items()) if name.startswith(STEERING)}
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        facts = [name, torch.cuda.get_device_capability(device), torch.backends.cudnn.version()]
    else:
        here = processor()
        name = here.get("model name") or platform.processor() or platform.machine()
        facts = [here, platform.machine(), torch.backends.cpu.get_cpu_capability()]
    return {"name": name, "torch": torch.__version__, "facts": _digest([facts, steering])}


def processor() -> dict[str, str]:
    """What Linux says of the first core, as far as kernels are chosen by it; elsewhere nothing."""
    with contextlib.suppress(OSError):
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
        pairs = (line.partition(":") for line in first.splitlines())
        return {name.strip(): value.strip() for name, _, value in pairs if name.strip() in PROCESSOR}
    return {}


def known(questions: Iterable[Question], where: Mapping[str, Any]) -> dict[Question, Verdict]:
    """The verdicts that are in the cache.

    Args:
        questions: any.
        where: `machine`, and whatever else an answer depends on.
    """
    found = {}
    for question in questions:
        key, path = _key(question, where), _path(question, where)
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            entry = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
            if entry["key"] == key and entry["checksum"] == _digest([key, entry["verdict"]]):
                found[question] = Verdict(**entry["verdict"])
    return found


def keep(found: Mapping[Question, Verdict], where: Mapping[str, Any]) -> None:
    """Keeps verdicts in the cache; a folder that cannot be written is no error.

    Args:
        found: any; those that need not be so again are left out.
        where: as of `known`.
    """
    for question, verdict in found.items():
        if verdict.lasting:
            key, said = _key(question, where), asdict(verdict)
            entry = {"key": key, "verdict": said, "checksum": _digest([key, said])}
            # Without a cache everything works, only slower.
            with contextlib.suppress(UserError), written_aside(_path(question, where)) as aside:
                aside.write_text(json.dumps(entry) + "\n", encoding="utf-8")


def _key(question: Question, where: Mapping[str, Any]) -> dict[str, Any]:
    convolution, way = question
    return json.loads(json.dumps({**where, "measured": MEASURED, "convolution": convolution.plain(), "way": way}))


def _path(question: Question, where: Mapping[str, Any]) -> Path:
    return Path(cache_folder()) / "convolutions" / f"{_digest(_key(question, where))}.json"


def _digest(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=12).hexdigest()
