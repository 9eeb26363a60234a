"""Which runs were begun by this user: only their recipes may name any class without being trusted once more.

A note lies in the user's cache, where a received folder has none: the folder's path, and what its recipe holds.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from praxino.cache import cache_folder
from praxino.errors import UserError
from praxino.files import write_text


def remember(recipe_file: Path) -> None:
    """Notes a recipe that has just been written. Without a cache there is no note, and `--trust` has to be typed."""
    with suppress(OSError, UserError):
        write_text(_note(recipe_file), _content(recipe_file), shared=True)


def is_own(recipe_file: Path) -> bool:
    """Whether the recipe was noted here, and is what it was then."""
    try:
        note = _note(recipe_file)
        return note.is_file() and note.read_text(encoding="utf-8") == _content(recipe_file)
    except (OSError, ValueError):
        return False


def _note(recipe_file: Path) -> Path:
    folder = os.path.realpath(recipe_file.parent).encode(errors="surrogateescape")
    return Path(cache_folder()) / "runs" / hashlib.blake2b(folder, digest_size=16).hexdigest()


def _content(recipe_file: Path) -> str:
    return hashlib.blake2b(recipe_file.read_bytes(), digest_size=32).hexdigest() + "\n"
