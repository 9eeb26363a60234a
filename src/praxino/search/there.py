"""Whether the videos of an index are where it says."""

from __future__ import annotations

import os
from collections.abc import Sequence

from praxino.catalogs.base import Video
from praxino.catalogs.rendered import rendering_of
from praxino.errors import UserError
from praxino.search.index import Index
from praxino.streams.stretch import whole


def refuse_nothing_there(index: Index, videos: Sequence[Video], root: str | None) -> None:
    """Refuses videos of which none is there: a folder that was moved.

    Args:
        index: whose they are.
        videos: that are to be read.
        root: their folder, where it was moved.

    Raises:
        UserError: that says how to tell where they are now.
    """
    places = [whole(files) for video in videos for files in video.files.values() if rendering_of(files) is None]
    paths = [one if isinstance(one, str) else one[0] for one in places if one]
    if paths and not any(os.path.exists(path) for path in paths):
        now = index.header.root if root is None else root
        raise UserError(
            f"none of the videos that were found is below {now} ({paths[0]}): pass --root DIR, their folder"
        )
