"""Golden items: what a folder of them holds, and how a computed value is held against it.

The folder is the one beside the repository, or the one that the environment variable PRAXINO_GOLDEN names. It holds a
folder a system, each with a `manifest.json` and one safetensors file an item. Nothing about an item is taken from
anywhere else, so that another folder may hold the same items with other numbers, shapes and names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import golden_numbers
import numpy as np
import pytest
import torch
from golden_later import LATER
from numpy.typing import NDArray
from safetensors.numpy import load_file
from torch import Tensor

SHARED = Path(__file__).parents[2] / "../shared"
FOLDER = Path(os.environ.get("PRAXINO_GOLDEN") or SHARED / "golden")
# Sums over many values come in another order: the last digits of float64.
SUM_ROUNDING = 1e-12


class Item:
    """One golden item.

    Args:
        folder: of its system.
        system: name of the system.
        entry: the item's part of the manifest.
    """

    def __init__(self, folder: Path, system: str, entry: Mapping[str, Any]) -> None:
        self.folder = folder
        self.system = system
        self.entry = entry
        self.name: str = entry["name"]
        self.scalars: dict[str, Any] = entry.get("scalars", {})
        self.apart: dict[str, float] = {}

    @cached_property
    def stored(self) -> dict[str, NDArray]:
        return load_file(self.folder / f"{self.name}.safetensors")

    def fill(self, name: str) -> NDArray:
        """An array made by formula. Where an item has one fill only, its name does not matter."""
        fills = self.entry["fills"]
        if name not in fills and len(fills) == 1:
            (name,) = fills
        how = fills[name]
        if how.get("kind", "uniform") == "unit_rows":
            return golden_numbers.unit_rows(name, how["shape"], how["seed"])
        return golden_numbers.uniform(name, how["shape"], how["seed"], how["low"], how["high"], how["dtype"])

    def tensor(self, name: str) -> Tensor:
        """`fill` as a tensor."""
        return torch.from_numpy(self.fill(name))

    def input(self, name: str) -> NDArray:
        """A stored array (whatever its name, if there is only one), or a fill where a folder makes it by formula."""
        names = self.entry["inputs"]
        if name not in names and len(names) == 1:
            (name,) = names
        return self.stored[f"in.{name}"] if name in names else self.fill(name)

    def state(self, prefix: str | None = None) -> dict[str, Tensor]:
        """The network's weights under the original's names; with a prefix the further ones of the scalars."""
        if prefix is None:
            arrays = golden_numbers.weights(self.entry["state"]["shapes"], self.entry["state"]["seed"])
        else:
            shapes, seed = self.scalars[f"{prefix}_shapes"], self.scalars[f"{prefix}_seed"]
            arrays = golden_numbers.weights(shapes, seed, self.scalars.get(f"{prefix}_scale", 1.0))
        return {key: torch.from_numpy(array) for key, array in arrays.items()}

    def compare(self, **computed: Any) -> None:
        """Holds every output of the item against the computed value of its name.

        An output that goes by another name in this folder, or is stored whole instead of every n-th row, is held
        against every computed value of its size: one must agree.
        """
        values = {name: _array(value) for name, value in computed.items()}
        for output in self.entry["outputs"]:
            size = self.size(output)
            candidates = {name: value for name, value in values.items() if value.size == size}
            if output in candidates:
                candidates = {output: candidates[output]}
            wrong = {name: self._difference(output, value) for name, value in candidates.items()}
            if None in wrong.values():
                continue
            sizes = {name: value.shape for name, value in values.items()}
            raise AssertionError(
                f"{self.system}/{self.name}: output {output!r} of {size} values: "
                + ("; ".join(f"{name}: {why}" for name, why in wrong.items()) or f"nothing of this size in {sizes}")
            )

    def allow(self, apart: float, *outputs: str) -> None:
        """Holds outputs by their relative distance, |ours - theirs| / |theirs|, and not value by value.

        For gradients behind many ReLUs: another processor's order of sums turns the sign of a few values in front of
        them, and with them single gradients. Say beside the call how far apart float64 is.
        """
        self.apart |= dict.fromkeys(outputs, apart)

    def size(self, output: str) -> int:
        """How many values an output has."""
        whole = self.stored.get(f"out.{output}")
        return int(np.prod(self.stored[f"out.{output}.shape"])) if whole is None else whole.size

    def _difference(self, output: str, got: NDArray) -> str | None:
        """What is wrong with `got`; None if nothing."""
        default = self.entry["rtol"], self.entry["atol"]
        rtol, atol = self.entry.get("tolerances", {}).get(output, default)
        whole = self.stored.get(f"out.{output}")
        if whole is not None:
            return _elements_differ(got.reshape(-1), whole.reshape(-1), rtol, atol)
        head = self.stored[f"out.{output}.head"].reshape(-1)
        got = got.astype(head.dtype).reshape(-1)
        allowed_apart = self.apart.get(output)
        if allowed_apart is None:
            wrong = _elements_differ(got[: len(head)], head, rtol, atol)
        else:
            apart = float(np.linalg.norm(got[: len(head)] - head) / np.linalg.norm(head))
            wrong = None if apart <= allowed_apart else f"they are {apart:.2g} apart (allowed {allowed_apart})"
        if wrong is not None:
            return f"in the head {wrong}"
        numbers = got.astype(np.float64)
        scale = self.stored[f"out.{output}.abs_sum"].item()
        allowed = atol + max(rtol, SUM_ROUNDING) * scale
        for name, value in (("sum", numbers.sum()), ("abs_sum", np.abs(numbers).sum())):
            want = self.stored[f"out.{output}.{name}"].item()
            if not abs(value - want) <= allowed:
                return f"{name} is {value!r}, not {want!r} (allowed {allowed:.3g})"
        return None


def _array(value: Any) -> NDArray:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


def _elements_differ(got: NDArray, want: NDArray, rtol: float, atol: float) -> str | None:
    if rtol == atol == 0:
        equal = got == want
        if got.dtype.kind == want.dtype.kind == "f":
            equal |= np.isnan(got) & np.isnan(want)
    else:
        equal = np.isclose(got.astype(np.float64), want.astype(np.float64), rtol=rtol, atol=atol, equal_nan=True)
    if equal.all():
        return None
    first = int(np.argmin(equal))
    return f"{(~equal).sum()} of {equal.size} differ, at {first} it is {got[first]!r} and not {want[first]!r}"


Check = Callable[[Item], None]


def items(system: str, folder: Path = FOLDER) -> list[Item]:
    """All items of a system, in the manifest's order."""
    manifest = json.loads((folder / system / "manifest.json").read_text())
    return [Item(folder / system, system, entry) for entry in manifest["items"]]


def each_item(system: str) -> pytest.MarkDecorator:
    """Parametrizes a test by the items of a system; its ids hold the system and the item's name."""
    if not (FOLDER / system / "manifest.json").is_file():
        return pytest.mark.parametrize("item", [None], ids=[f"{system}-absent"])
    found = items(system)
    return pytest.mark.parametrize("item", found, ids=[f"{system}-{item.name}" for item in found])


def run(item: Item | None, checks: Mapping[str, Check]) -> None:
    """Runs an item's check; skips an item that later work owns, and fails on one that nobody knows."""
    if item is None:
        if os.environ.get("PRAXINO_GOLDEN"):
            pytest.fail(f"PRAXINO_GOLDEN={FOLDER} has no folder of this system with a manifest.json")
        pytest.skip("no golden items beside the repository")
    check = checks.get(item.name)
    if check is not None:
        check(item)
    elif item.name in LATER.get(item.system, {}):
        pytest.skip(LATER[item.system][item.name])
    else:
        pytest.fail(f"the golden item {item.system}/{item.name} has no check")
