"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from praxino.errors import UserError


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A path to write to, which is renamed to `path` at the end; on failure nothing is left.

    Args:
        path: the file; folders above it are made.

    Raises:
        UserError: if it cannot be written.
    """
    aside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        os.replace(aside, path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        if aside.exists():
            aside.unlink()
