"""What a run ran in."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from praxino import ranks


def environment() -> dict[str, Any]:
    """What a run ran in: versions, machine, the state of the source."""
    import torch

    names = ("praxino", "torch", "numpy", "av", "pillow", "safetensors", "jsonargparse")
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in names},
        "machine": f"{platform.system()} {platform.machine()}",
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "processes": ranks.world(),
        "commit": source_commit(),
    }


def source_commit() -> str | None:
    """The commit of the source tree that praxino runs from, if it is one."""
    here = Path(__file__).parent
    try:
        asked = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
