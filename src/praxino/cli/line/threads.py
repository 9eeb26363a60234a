"""`--threads`: how many the CPU's arithmetic takes."""

from __future__ import annotations

from praxino.errors import UserError


def use_threads(typed: str | None) -> None:
    """Sets the number of PyTorch's threads; by itself that of the cores.

    On a machine that does other work fewer are quicker: threads that wait for each other take the cores' time.

    Args:
        typed: the option's value; None: it was not given.

    Raises:
        UserError: if it is no number above 0.
    """
    if (threads := threads_of(typed)) is not None:
        import torch

        torch.set_num_threads(threads)


def threads_of(typed: str | None) -> int | None:
    """The number that is typed; None where none is.

    Raises:
        UserError: if it is no number above 0.
    """
    if typed is None:
        return None
    if not (typed.isascii() and typed.isdecimal() and 0 < int(typed) < 1 << 16):
        raise UserError(f"--threads takes a number of 1 or more, not '{typed}'")
    return int(typed)
