"""The files of the project, for the tests of the house's rules."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "praxino"
MODULES = sorted(PACKAGE.rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def name_of(path: Path) -> str:
    """A file's path below the project's folder."""
    return path.relative_to(ROOT).as_posix()


def dotted(path: Path) -> str:
    """The dotted name of a file of src; that of a package for its __init__.py."""
    parts = ("praxino", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def everything(room: str = "") -> list[ModuleType]:
    """All modules of a room, imported; without a room those of the whole house."""
    package = importlib.import_module(f"praxino.{room}" if room else "praxino")
    found = pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    return [importlib.import_module(m.name) for m in found if not m.name.endswith("__main__")]


def printed(code: str) -> str:
    """What a Python process of its own prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
