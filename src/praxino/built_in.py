"""The encoder that comes with praxino: the word for it, and where its files lie."""

from __future__ import annotations

from pathlib import Path

BUILT_IN = "built-in"
FILE = Path(__file__).parent / "weights" / f"{BUILT_IN}.safetensors"


def is_built_in(place: object) -> bool:
    """Whether a place is the word `built-in`, whatever lies in the current folder: `./built-in` is a file or folder."""
    return isinstance(place, str) and place.removesuffix(":") == BUILT_IN


def namesake() -> str | None:
    """A line where the current folder holds something of this name, which the word does not mean; else None."""
    if not Path(BUILT_IN).exists():
        return None
    return f"{BUILT_IN} is the encoder that comes with praxino; what is called so in this folder is ./{BUILT_IN}"


def no_run(path: Path) -> str | None:
    """A line where a run is asked for, there is none at the path, and its name is the word; else None."""
    if path.name != BUILT_IN or path.exists():
        return None
    return f"{BUILT_IN} is the encoder that comes with praxino, and no run: give the folder of one"


def shown(path: Path) -> str:
    """A path as it has to be typed: a relative one that is called like the word is `./built-in`."""
    return f"./{path}" if str(path) == BUILT_IN else str(path)
