"""Clips: samplers, the data set and the loader."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.clips.blocks import BlockClip as BlockClip
    from praxino.clips.blocks import BlockWindows as BlockWindows
    from praxino.clips.blocks import ScatteredBlocks as ScatteredBlocks
    from praxino.clips.dataset import ClipDataset as ClipDataset
    from praxino.clips.dataset import collate as collate
    from praxino.clips.dataset import load_clips as load_clips
    from praxino.clips.loader import ClipLoader as ClipLoader
    from praxino.clips.modes import TemporalModes as TemporalModes
    from praxino.clips.related import RelatedFrames as RelatedFrames
    from praxino.clips.samplers import EvenClips as EvenClips
    from praxino.clips.samplers import RandomClip as RandomClip
    from praxino.clips.samplers import Sampler as Sampler
    from praxino.clips.seconds import EvenSeconds as EvenSeconds
    from praxino.clips.seconds import RandomSeconds as RandomSeconds
    from praxino.clips.sparse_dense import SparseDense as SparseDense
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "blocks": ["BlockClip", "BlockWindows", "ScatteredBlocks"],
            "dataset": ["ClipDataset", "collate", "load_clips"],
            "loader": ["ClipLoader"],
            "modes": ["TemporalModes"],
            "related": ["RelatedFrames"],
            "samplers": ["EvenClips", "RandomClip", "Sampler"],
            "seconds": ["EvenSeconds", "RandomSeconds"],
            "sparse_dense": ["SparseDense"],
        },
    )
