"""Crafted checkpoints and encoders for `attack.py`: a small run is made, spoilt, and gone on with."""

from __future__ import annotations

import contextlib
import copy
import gzip
import io
import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import videos
from praxino.cli.main import main
from praxino.training.checkpoint import DIGEST_BYTES, MARK, load_checkpoint, save_checkpoint

RECIPE = """\
catalog: {{class_path: VideoFolder, init_args: {{root: '{videos}'}}}}
out: '{out}'
sampler: {{class_path: RandomClip, init_args: {{frames: 4, clips: 2}}}}
method:
  class_path: SimCLR
  init_args:
    {{hidden: 8, dim: 4, backbone: {{class_path: R3D, init_args: {{width: {width}, layers: [1, 1, 1, 1]}}}},
     view: {{operations: [{{class_path: SquareCrop, init_args: {{size: 24, exact: false}}}}, Flip]}}}}
stages:
  - {{epochs: 3, optimizer: {optimizer}, schedule: {{class_path: Cosine, init_args: {{warmup: 1}}}}}}
batch_size: 4
workers: 0
threads: 1
device: cpu
keep_epochs: 1
protocol:
  views: {{rgb: {{operations: [{{class_path: CentreCrop, init_args: {{size: 24, exact: false}}}}]}}}}
  sampler: {{class_path: EvenClips, init_args: {{clips: 2, frames: 4}}}}
"""
ADAM, SGD = "{class_path: AdamW, init_args: {lr: 1.0e-3}}", "{class_path: SGD, init_args: {lr: 0.1, momentum: 0.9}}"
# Names of the runs: width of the network, optimizer.
RUNS = {"whole": (2, ADAM), "wider": (3, ADAM), "another optimizer": (2, SGD)}
GOOD = "good.npz"
END = len(MARK) + DIGEST_BYTES


class Code:
    """Runs code where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.marker),)


def prepare(folder: Path) -> None:
    """Makes the runs that are spoilt later, one uninterrupted, and the vectors of its encoder."""
    (folder / "videos").mkdir()
    for row in range(8):
        videos.write(folder / f"videos/{row}.mp4", range(20 * row, 20 * row + 8), size=(32, 48), seed=row)
    for name, (width, optimizer) in RUNS.items():
        recipe = folder / f"{name}.yaml"
        recipe.write_text(RECIPE.format(videos=folder / "videos", out=folder / name, width=width, optimizer=optimizer))
        code, said = called(["pretrain", str(recipe)])
        assert code == 0, said
    code, said = embedded(folder, folder / "whole", folder / GOOD)
    assert code == 0, said


def called(words: list[str]) -> tuple[int, str]:
    """What a command line ends with, and what it says on stderr."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(words)
    return code, said.getvalue()


def embedded(folder: Path, run: Path, out: Path) -> tuple[int, str]:
    """Embeds the videos with a run's encoder."""
    words = ["--videos", str(folder / "videos"), "--workers", "0", "--device", "cpu", "--out", str(out)]
    return called(["embed", str(run), *words])


def _kept(run: Path) -> list[Path]:
    return sorted((run / "checkpoints").glob("epoch*.ckpt"))


def stopped(folder: Path, run: Path, previous: bool) -> Path:
    """A copy of the uninterrupted run as it was after its second epoch; the path of its last checkpoint."""
    shutil.copytree(folder / "whole", run, ignore=shutil.ignore_patterns("encoder*", "*.ckpt", ".lock"))
    kept = _kept(folder / "whole")
    shutil.copy(kept[1], run / "checkpoints/last.ckpt")
    if previous:
        shutil.copy(kept[0], run / "checkpoints/previous.ckpt")
    return run / "checkpoints/last.ckpt"


def refused(code: int, said: str, column: str) -> str:
    """The column of a command that has ended: "unreadable" where it has refused in one line, else the given one.

    Raises:
        RuntimeError: if it has ended in any other way.
    """
    lines = said.splitlines()
    if code == 0:
        return column
    if code != 2 or "Traceback" in said or sum(line.startswith("praxino: ") for line in lines) != 1:
        raise RuntimeError(f"exit code {code}: {said[-600:]}")
    return "unreadable"


def flipped(data: bytes, rng: np.random.Generator) -> bytes:
    """One bit of it is another."""
    changed = bytearray(data)
    changed[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def places(tree: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the values of nested mappings and lists are."""
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield (*above, name)
        if isinstance(value, dict | list):
            yield from places(value, (*above, name))


def changed(tree: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at a place; `KeyError`: without it. A function is given the value that there is."""
    tree = copy.deepcopy(tree)
    at = tree
    for name in place[:-1]:
        at = at[name]
    if value is KeyError:
        del at[place[-1]]
    else:
        at[place[-1]] = value(at[place[-1]]) if callable(value) else value
    return tree


def not_a_number(value: Tensor) -> Tensor:
    """Of floating-point numbers none is left; others are lowered."""
    return torch.full_like(value, float("nan")) if value.is_floating_point() else value - 10


def as_bool(value: Tensor) -> Tensor:
    """Nought or not."""
    return value.bool()


def as_complex(value: Tensor) -> Tensor:
    """The same numbers, of another type."""
    return value.to(torch.complex64)


def with_an_axis(value: Tensor) -> Tensor:
    """The same numbers, of another shape."""
    return value[None]


VALUES: list[Any] = [KeyError, None, "text", -1, 7, 1e300, True, [], {}, torch.zeros(2, 3)]
FORMS: list[Any] = [
    KeyError, not_a_number, as_bool, as_complex, with_an_axis, torch.zeros(2, 3), torch.zeros(0),
]  # fmt: skip
TENSORS: list[Any] = [*FORMS, None, "text", 3, [], {}]
PLAIN: list[Any] = [KeyError, None, "text", -1, 7, 1e300, 10**30, True, [], {}, [[]], {"class_path": "os.system"}]
# What is written in the place of a file, by its content and a marker that code would leave.
OTHERS: dict[str, Callable[[bytes, Path], bytes]] = {
    "empty": lambda data, marker: b"",
    "text": lambda data, marker: b"Nothing.\n" * 50,
    "zeros": lambda data, marker: bytes(len(data)),
    "by chance": lambda data, marker: np.random.default_rng(0).bytes(len(data)),
    "gzip": lambda data, marker: gzip.compress(data),
    "twice": lambda data, marker: data + data,
    "junk before": lambda data, marker: b"junk" + data,
    "head of an archive": lambda data, marker: b"PK\3\4" + bytes(500),
    "pickle": lambda data, marker: pickle.dumps({"version": 1}),
    "pickle with code": lambda data, marker: pickle.dumps(Code(marker)),
    "torch with code": lambda data, marker: _torch({"version": 1, "task": Code(marker)}),
    "old torch with code": lambda data, marker: _torch(Code(marker), _use_new_zipfile_serialization=False),
    "list": lambda data, marker: _torch([1, 2]),
    "tensor": lambda data, marker: _torch(torch.zeros(3)),
    "weights only": lambda data, marker: _torch({"weight": torch.zeros(3)}),
    "another version": lambda data, marker: _torch({"version": 99}),
    "odd version": lambda data, marker: _torch({"version": torch.zeros(3)}),
    "JSON": lambda data, marker: b'{"version": 1}',
    "nested": lambda data, marker: b"[" * 100_000,
    "header of 2^60 bytes": lambda data, marker: (1 << 60).to_bytes(8, "little") + b"{}",
}
# What takes the place of a file, and is none.
NO_FILES: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
    "link to nothing": lambda path: path.symlink_to("gone"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "none": lambda path: None,
}


def _named(value: Any) -> str:
    return f"{getattr(value, '__name__', value)!s:.40}"


def _torch(value: Any, **more: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, **more)
    return file.getvalue()


def _put(kind: int, file: Path, marker: Path) -> str:
    """Something else takes a file's place; says what."""
    name = [*OTHERS, *NO_FILES][kind % (len(OTHERS) + len(NO_FILES))]
    data = file.read_bytes()
    file.unlink()
    if name in OTHERS:
        file.write_bytes(OTHERS[name](data, marker))
    else:
        NO_FILES[name](file)
    return name


def _fields(file: Path, rng: np.random.Generator) -> str:
    """One field of a checkpoint is another, under a right checksum."""
    state = load_checkpoint(file)
    state.pop("version")
    some = list(places(state))
    # The many weights are half of what is drawn, and not nearly all.
    weights = [place for place in some if place[0] in ("task", "optimizer") and len(place) > 1]
    others = [place for place in some if place not in weights]
    at = [weights, others][int(rng.integers(2))]
    place = at[int(rng.integers(len(at)))]
    there = state
    for name in place:
        there = there[name]
    values = TENSORS if isinstance(there, Tensor) else VALUES
    value = values[int(rng.integers(len(values)))]
    save_checkpoint(file, {**changed(state, place, value), **({"more": 1} if not rng.integers(9) else {})})
    return f"{'.'.join(map(str, place))} = {_named(value)}"


def checkpoint(kind: str, number: int, seed: int, folder: Path, run: Path) -> tuple[str, str]:
    """One spoilt checkpoint, gone on with: the column, and what was done.

    Args:
        kind: of `CHECKPOINTS`.
        number: of this kind.
        seed: of chance.
        folder: that `prepare` was given.
        run: a path for the spoilt run.
    """
    rng = np.random.default_rng([seed, number, list(CHECKPOINTS).index(kind)])
    file = stopped(folder, run, previous="no other" not in kind and kind != "field")
    data, done, marker = file.read_bytes(), kind, run / "has_run"
    if "flipped" in kind:
        file.write_bytes(flipped(data[:-END] if "checksum" in kind else data, rng))
    elif "cut" in kind:
        file.write_bytes(data[: int(rng.integers(len(data)))])
    elif kind == "without checksum":
        file.write_bytes(data[:-END])
    elif kind == "field":
        done = _fields(file, rng)
    elif "another run" in kind:
        other = ["wider", "another optimizer"][number % 2]
        shutil.copy(_kept(folder / other)[1], file)
        done = f"checkpoint of the run '{other}'"
    else:
        done = _put(number, file, marker)
    code, said = called(["resume", str(run)])
    if marker.exists():
        raise RuntimeError(f"{done}: its code was run")
    if refused(code, said, "clean") == "unreadable":
        return "unreadable", done
    last, good = (load_checkpoint(one / "checkpoints/last.ckpt")["task"] for one in (run, folder / "whole"))
    same = last.keys() == good.keys() and all(torch.equal(last[name], value) for name, value in good.items())
    same &= (run / "encoder.safetensors").read_bytes() == (folder / "whole/encoder.safetensors").read_bytes()
    if same:
        return "damaged" if "going on from" in said else "clean", done
    # What a field says under a right checksum is gone on from as it is said.
    return "as told" if kind == "field" else "other pixels", done


def encoder(kind: str, number: int, seed: int, folder: Path, run: Path) -> tuple[str, str]:
    """One spoilt encoder, embedded with: the column, and what was done.

    Args:
        kind: of `ENCODERS`.
        number, seed, folder, run: as of `checkpoint`.
    """
    from safetensors.torch import load, save

    rng = np.random.default_rng([seed, number, list(ENCODERS).index(kind)])
    shutil.copytree(folder / "whole", run, ignore=shutil.ignore_patterns("*.ckpt", ".lock"))
    weights, description, marker = run / "encoder.safetensors", run / "encoder.json", run / "has_run"
    data, done = weights.read_bytes(), kind
    if kind == "weights, one bit flipped":
        weights.write_bytes(flipped(data, rng))
    elif kind == "weights, cut":
        weights.write_bytes(data[: int(rng.integers(len(data)))])
    elif kind == "weights, another network's":
        shutil.copy(folder / "wider/encoder.safetensors", weights)
    elif kind == "weights, a field":
        state = load(data)
        name = sorted(state)[int(rng.integers(len(state)))]
        told = FORMS[int(rng.integers(len(FORMS)))]
        weights.write_bytes(save({k: v.contiguous() for k, v in changed(state, (name,), told).items()}))
        # As earlier versions wrote it: else nothing but the checksum would be tried.
        described = json.loads(description.read_text())
        description.write_text(json.dumps({k: v for k, v in described.items() if k != "checksum"}))
        done = f"{name} = {_named(told)}"
    elif kind == "description, a field":
        said = json.loads(description.read_text())
        some = [place for place in places(said) if place[0] != "record" or len(place) == 1]
        place, told = some[int(rng.integers(len(some)))], PLAIN[int(rng.integers(len(PLAIN)))]
        description.write_text(json.dumps(changed(said, place, told)))
        done = f"{'.'.join(map(str, place))} = {_named(told)}"
    else:
        done = _put(number, description if "description" in kind else weights, marker)
    code, said = embedded(folder, run, run / "vectors.npz")
    if marker.exists():
        raise RuntimeError(f"{done}: its code was run")
    if refused(code, said, "clean") == "unreadable":
        return "unreadable", done
    if "description" not in kind:
        now, before = load(weights.read_bytes()), load(data)
        same = now.keys() == before.keys() and all(torch.equal(now[name], value) for name, value in before.items())
        return "clean" if same else "no checksum", done
    with np.load(run / "vectors.npz") as made, np.load(folder / GOOD) as good:
        same = all(np.array_equal(made[name], good[name]) for name in good)
    return "clean" if same else "as told", done


# How many of each kind make the full attack.
CHECKPOINTS = {
    "one bit flipped": 40, "one bit flipped, no other": 24, "cut": 12, "cut, no other": 12,
    "something else": len(OTHERS) + len(NO_FILES), "something else, no other": len(OTHERS) + len(NO_FILES),
    "without checksum": 1, "without checksum, one bit flipped": 8, "another run's": 2, "another run's, no other": 2,
    "field": 60,
}  # fmt: skip
ENCODERS = {
    "weights, one bit flipped": 24, "weights, cut": 8, "weights, another network's": 1, "weights, a field": 24,
    "weights, something else": len(OTHERS) + len(NO_FILES), "description, a field": 80,
    "description, something else": len(OTHERS) + len(NO_FILES),
}  # fmt: skip
