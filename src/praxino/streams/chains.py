"""Streams whose frames depend on those before: chains that begin anew, so that a frame is a function of its number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError

Numbers = NDArray[np.int64]
LONGEST = (1 << 31) - 1


def chains_of(wanted: Numbers, chain: int, lead: int = 0) -> list[tuple[Numbers, Numbers]]:
    """The chains in which frames are made: each begins at a multiple of `chain`, whatever is wanted.

    Args:
        wanted: numbers of the frames to make, ascending.
        chain: frames of a chain.
        lead: so many frames before its beginning are looked at besides, as far as there are any.

    Returns:
        Of each chain the frames to look at, one after the other, up to the last that is wanted, and those wanted.
    """
    begins = wanted // chain * chain
    made = []
    for begin in np.unique(begins):
        some = wanted[begins == begin]
        made.append((np.arange(max(0, begin - lead), some[-1] + 1), some))
    return made


def frames_of(wanted: Numbers, chain: int, lead: int = 0) -> Numbers:
    """All frames that are looked at in the chains of `chains_of`, ascending."""
    return np.unique(np.concatenate([wanted, *(looked for looked, _ in chains_of(wanted, chain, lead))]))


def refuse_chain(owner: str, chain: int, lead: int = 0) -> None:
    """Refuses chains without frames, and such as no number of a frame can be counted with.

    Raises:
        UserError: names the owner.
    """
    if chain < 1 or lead < 0:
        raise UserError(f"{owner} takes a chain of at least 1 frame, and a lead of at least 0, not {chain} and {lead}")
    if max(chain, lead) > LONGEST:
        raise UserError(f"{owner} takes a chain and a lead of at most {LONGEST} frames, not {chain} and {lead}")
