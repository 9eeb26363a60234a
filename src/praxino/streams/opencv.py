"""OpenCV, where it is installed, with one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from praxino.errors import UserError


def opencv(owner: str, extra: str = "flow") -> Any:
    """The module `cv2`.

    Args:
        owner: who needs it.
        extra: of praxino, that brings it.

    Raises:
        UserError: if it is not installed.
    """
    try:
        import cv2
    except ImportError as error:
        raise UserError(f'{owner} needs OpenCV: pip install "praxino[{extra}]" ({error})') from None
    return cv2


@contextmanager
def one_thread(cv2: Any) -> Iterator[None]:
    """Within it OpenCV has one thread; behind it, as many as before.

    Its threads would compete with the other loading processes, and must not exist when a process forks.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
