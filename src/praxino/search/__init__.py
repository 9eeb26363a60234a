"""Moments of videos found again: an index of vectors, and what is most like a query in it."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.search.build import index_videos as index_videos
    from praxino.search.building import Indexed as Indexed
    from praxino.search.duplicates import find_duplicates as find_duplicates
    from praxino.search.embedding import Clips as Clips
    from praxino.search.hits import Hit as Hit
    from praxino.search.hits import Hits as Hits
    from praxino.search.index import Index as Index
    from praxino.search.index import open_index as open_index
    from praxino.search.page import write_hits as write_hits
    from praxino.search.pairs import Duplicates as Duplicates
    from praxino.search.pairs import Footage as Footage
    from praxino.search.pairs import Pair as Pair
    from praxino.search.pairs_page import write_pairs as write_pairs
    from praxino.search.queries import clips_of_file as clips_of_file
    from praxino.search.sequence import search_sequence as search_sequence
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "build": ["index_videos"],
            "building": ["Indexed"],
            "duplicates": ["find_duplicates"],
            "embedding": ["Clips"],
            "hits": ["Hit", "Hits"],
            "index": ["Index", "open_index"],
            "page": ["write_hits"],
            "pairs": ["Duplicates", "Footage", "Pair"],
            "pairs_page": ["write_pairs"],
            "queries": ["clips_of_file"],
            "sequence": ["search_sequence"],
        },
    )
