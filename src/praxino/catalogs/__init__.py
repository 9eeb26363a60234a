"""Catalogs: which videos there are."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.catalogs.base import Catalog as Catalog
    from praxino.catalogs.base import Video as Video
    from praxino.catalogs.cut import Cut as Cut
    from praxino.catalogs.folder import VideoFolder as VideoFolder
    from praxino.catalogs.got10k import GOT10k as GOT10k
    from praxino.catalogs.hmdb51 import HMDB51 as HMDB51
    from praxino.catalogs.imagefolder import ImageFolder as ImageFolder
    from praxino.catalogs.kinetics400 import Kinetics400 as Kinetics400
    from praxino.catalogs.listfile import ListFile as ListFile
    from praxino.catalogs.otb import OTB as OTB
    from praxino.catalogs.r2v2 import R2V2 as R2V2
    from praxino.catalogs.rendered import Rendered as Rendered
    from praxino.catalogs.sequences import PlacedSequences as PlacedSequences
    from praxino.catalogs.sequences import Sequences as Sequences
    from praxino.catalogs.splits import SplitCatalog as SplitCatalog
    from praxino.catalogs.ucf101 import UCF101 as UCF101
    from praxino.catalogs.vot import VOT as VOT
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "base": ["Catalog", "Video"],
            "cut": ["Cut"],
            "folder": ["VideoFolder"],
            "got10k": ["GOT10k"],
            "hmdb51": ["HMDB51"],
            "imagefolder": ["ImageFolder"],
            "kinetics400": ["Kinetics400"],
            "listfile": ["ListFile"],
            "otb": ["OTB"],
            "r2v2": ["R2V2"],
            "rendered": ["Rendered"],
            "sequences": ["PlacedSequences", "Sequences"],
            "splits": ["SplitCatalog"],
            "ucf101": ["UCF101"],
            "vot": ["VOT"],
        },
    )
