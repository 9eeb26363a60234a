"""The .pth files of originals: pickles, of which nothing is run.

torch reads them with an unpickler of its own that builds tensors and plain data. To these comes what the originals'
files hold beside them, and nothing else. Of what is not needed a file may name the class all the same: `Unread` stands
in for it, keeps what it is given and does nothing.
"""

from __future__ import annotations

import argparse
import math
import re
import warnings
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from praxino.errors import UserError
from praxino.files import written_aside

# The settings of a run, as its command line gave them: a class without code that reading could run.
ALLOWED = (argparse.Namespace,)
REFUSED = re.compile(r"GLOBAL ([\w.]+)")
ZIP = b"PK\x03\x04"


class Unread:
    """Stands in for an object of a pickle that nobody needs, and for a function: made of whatever it is given.

    What the object's state is lands in `__dict__`, as plain data.
    """

    def __new__(cls, *given: Any) -> Unread:
        return super().__new__(cls)

    def __init__(self, *given: Any) -> None:
        pass


def load_pickle(path: str | Path, unread: Collection[str] = ()) -> Any:
    """What a .pth file holds, on the CPU: tensors, plain data and `argparse.Namespace`.

    Both forms that torch has written are read: zip archives, and the bare pickles before torch 1.6.

    Args:
        path: the file.
        unread: dotted names of classes and functions that it may name; `Unread` stands in for them.

    Raises:
        UserError: if there is no such file, it is damaged, or it names anything else; then nothing of it has been run.
            Also if one of its tensors is not dense, or has not all of its numbers in the file.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    content = _unpickled(path, unread)
    _refuse_odd(path, content)
    return content


def load_state(path: str | Path, container: str, whose: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A state in a .pth file, as it is or under a key, and what stands beside it.

    Args:
        path: the file.
        container: the key.
        whose: file it should be, for messages.

    Returns:
        The state, and the rest by key; a tensor of one number is a number.

    Raises:
        UserError: as of `load_pickle`, or if it holds no state.
    """
    content = load_pickle(path)
    if not isinstance(content, Mapping):
        raise UserError(f"{path} holds no state: it is a {type(content).__name__}")
    state = content.get(container, content)
    if not isinstance(state, Mapping) or not all(
        isinstance(k, str) and isinstance(v, Tensor) for k, v in state.items()
    ):
        raise UserError(f"{path} holds no state: a file of {whose} is one, or holds one as '{container}'")
    beside = {} if state is content else {key: _number(value) for key, value in content.items() if key != container}
    return dict(state), beside


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) and value.numel() == 1 else value


def _unpickled(path: Path, unread: Collection[str]) -> Any:
    try:
        _check_sums(path)
        stand_ins: list[Any] = [(Unread, name) for name in unread]
        with torch.serialization.safe_globals([*ALLOWED, *stand_ins]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles in newer forms than torch's own: they are read or refused
            return torch.load(path, map_location="cpu", weights_only=True)
    # A damaged pickle may fail in any way, and whatever it is, it is the file's fault.
    except Exception as error:
        named = REFUSED.search(str(error))
        if named:
            raise UserError(
                f"{path} is refused: it asks for {named[1]}, which no weights need; nothing of it was run"
            ) from None
        # torch's own text would advise to read it without a guard.
        reason = error.strerror if isinstance(error, OSError) else "it is damaged, or torch has not written it"
        raise UserError(f"{path} cannot be read as a file of weights: {reason}; nothing of it was run") from None


def _check_sums(path: Path) -> None:
    # torch compares no checksums: a flipped bit would be another weight.
    with path.open("rb") as file:
        if file.read(len(ZIP)) != ZIP:
            return
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(damaged)


def _refuse_odd(path: Path, content: Any) -> None:
    """Refuses what is no dense tensor wherever it is: to ask one for its numbers may fail, or fill the memory."""
    waiting: list[tuple[tuple[object, ...], Any]] = [((), content)]
    seen = set[int]()
    while waiting:
        keys, value = waiting.pop()
        reason = _odd(value)
        if reason:
            where = ".".join(key if isinstance(key, str) else f"<{type(key).__name__}>" for key in keys)
            raise UserError(f"{path}: {where or 'what it holds'} {reason}")
        # A pickle may hold itself.
        if id(value) not in seen:
            seen.add(id(value))
            waiting += [((*keys, key), inner) for key, inner in reversed(_within(value))]


def _within(value: Any) -> list[tuple[object, Any]]:
    if isinstance(value, argparse.Namespace | Unread):
        value = vars(value)
    if isinstance(value, Mapping):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list | tuple | set) else []


def _odd(value: Any) -> str:
    """What is wrong with a tensor; empty where nothing is."""
    if not isinstance(value, Tensor):
        return ""
    if value.is_nested or value.layout != torch.strided or value.is_quantized:
        kind = "nested" if value.is_nested else "quantized" if value.is_quantized else str(value.layout)
        return f"is no dense tensor ({kind.removeprefix('torch.')}), as weights are"
    if value.device.type != "cpu":
        return f"is a tensor on the device {value.device.type}, so the file has no numbers of it"
    stored, shape = value.untyped_storage().nbytes() // value.element_size(), list(value.shape)
    if stored < math.prod(shape):
        return f"has the shape {shape}, and the file holds {stored} numbers of it"
    return ""


def save_pickle(path: str | Path, content: Any) -> Path:
    """Writes a .pth file that every torch from 1.0 on can read; aside first, then renamed."""
    path = Path(path)
    with written_aside(path) as aside:
        # The zip form is unknown to the versions that the originals were written for.
        torch.save(content, aside, _use_new_zipfile_serialization=False)
    return path
