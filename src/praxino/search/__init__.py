"""Moments of videos found again: an index of vectors, and what is most like a query in it."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.search.build import index_videos as index_videos
    from praxino.search.building import Indexed as Indexed
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "build": ["index_videos"],
            "building": ["Indexed"],
        },
    )
