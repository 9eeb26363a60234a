"""The .pth files of originals: pickles, of which nothing is run.

torch reads them with an unpickler of its own that builds tensors and plain data. To these comes what the originals'
files hold beside them, and nothing else.
"""

from __future__ import annotations

import argparse
import os
import re
import warnings
from pathlib import Path
from typing import Any

import torch

from praxino.errors import UserError

# The settings of a run, as its command line gave them: a class without code that reading could run.
ALLOWED = (argparse.Namespace,)
REFUSED = re.compile(r"GLOBAL ([\w.]+)")


def load_pickle(path: str | Path) -> Any:
    """What a .pth file holds, on the CPU: tensors, plain data and `argparse.Namespace`.

    Both forms that torch has written are read: zip archives, and the bare pickles before torch 1.6.

    Raises:
        UserError: if there is no such file, it is damaged, or it names anything else; then nothing of it has been run.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    try:
        with torch.serialization.safe_globals([*ALLOWED]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles in newer forms than torch's own: they are read or refused
            return torch.load(path, map_location="cpu", weights_only=True)
    # A damaged pickle may fail in any way, and whatever it is, it is the file's fault.
    except Exception as error:
        named = REFUSED.search(str(error))
        if named:
            raise UserError(
                f"{path} is refused: it asks for {named[1]}, which no weights need; nothing of it was run"
            ) from None
        said = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise UserError(f"{path} cannot be read as a file of weights: {said}") from None


def save_pickle(path: str | Path, content: Any) -> Path:
    """Writes a .pth file that every torch from 1.0 on can read; aside first, then renamed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    # The zip form is unknown to the versions that the originals were written for.
    torch.save(content, aside, _use_new_zipfile_serialization=False)
    os.replace(aside, path)
    return path
