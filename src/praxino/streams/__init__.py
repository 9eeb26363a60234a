"""Streams: kinds of pixels, and how frames come out of a video by their numbers."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.streams.base import Canvas as Canvas
    from praxino.streams.base import Derived as Derived
    from praxino.streams.base import FrameReader as FrameReader
    from praxino.streams.base import Probed as Probed
    from praxino.streams.base import Stream as Stream
    from praxino.streams.blazepose import BlazePoseKeypoints as BlazePoseKeypoints
    from praxino.streams.blazepose import BlazePoseMask as BlazePoseMask
    from praxino.streams.flow import DISFlow as DISFlow
    from praxino.streams.flow import PairwiseFlow as PairwiseFlow
    from praxino.streams.flow_folder import FlowFolder as FlowFolder
    from praxino.streams.flow_named import FarnebackFlow as FarnebackFlow
    from praxino.streams.flow_named import TVL1Flow as TVL1Flow
    from praxino.streams.foreground import Foreground as Foreground
    from praxino.streams.frames import FrameFolder as FrameFolder
    from praxino.streams.maps import HeatMaps as HeatMaps
    from praxino.streams.maps import Masks as Masks
    from praxino.streams.rendered import RenderedVideo as RenderedVideo
    from praxino.streams.video import VideoFile as VideoFile
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "base": ["Canvas", "Derived", "FrameReader", "Probed", "Stream"],
            "blazepose": ["BlazePoseKeypoints", "BlazePoseMask"],
            "flow": ["DISFlow", "PairwiseFlow"],
            "flow_folder": ["FlowFolder"],
            "flow_named": ["FarnebackFlow", "TVL1Flow"],
            "foreground": ["Foreground"],
            "frames": ["FrameFolder"],
            "maps": ["HeatMaps", "Masks"],
            "rendered": ["RenderedVideo"],
            "video": ["VideoFile"],
        },
    )
