"""Views: what a network sees, made by operations on whole batches."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.views.channels import OneChannel as OneChannel
    from praxino.views.colour import Blur as Blur
    from praxino.views.colour import Brightness as Brightness
    from praxino.views.colour import ColourJitter as ColourJitter
    from praxino.views.colour import Contrast as Contrast
    from praxino.views.colour import Grey as Grey
    from praxino.views.colour import Hue as Hue
    from praxino.views.colour import Normalise as Normalise
    from praxino.views.colour import Saturation as Saturation
    from praxino.views.flow import Component as Component
    from praxino.views.flow_values import FlowFlip as FlowFlip
    from praxino.views.flow_values import FlowValues as FlowValues
    from praxino.views.flow_values import WrappedFlow as WrappedFlow
    from praxino.views.gated import Erase as Erase
    from praxino.views.gated import GatedJitter as GatedJitter
    from praxino.views.gated import GreyOrDrop as GreyOrDrop
    from praxino.views.geometry import CentreCrop as CentreCrop
    from praxino.views.geometry import Flip as Flip
    from praxino.views.geometry import RandomResizedCrop as RandomResizedCrop
    from praxino.views.geometry import Resize as Resize
    from praxino.views.geometry import ResizeShorterSide as ResizeShorterSide
    from praxino.views.geometry import SquareCrop as SquareCrop
    from praxino.views.keypoints import KeypointFlip as KeypointFlip
    from praxino.views.motion import Repeat as Repeat
    from praxino.views.motion import Residual as Residual
    from praxino.views.motion import Shuffle as Shuffle
    from praxino.views.nearest import LiveliestCrop as LiveliestCrop
    from praxino.views.nearest import NearestCrop as NearestCrop
    from praxino.views.pipeline import Operation as Operation
    from praxino.views.pipeline import View as View
    from praxino.views.sized import SizedCrop as SizedCrop
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "channels": ["OneChannel"],
            "colour": ["Blur", "Brightness", "ColourJitter", "Contrast", "Grey", "Hue", "Normalise", "Saturation"],
            "flow_values": ["FlowFlip", "FlowValues", "WrappedFlow"],
            "flow": ["Component"],
            "gated": ["Erase", "GatedJitter", "GreyOrDrop"],
            "geometry": ["CentreCrop", "Flip", "RandomResizedCrop", "Resize", "ResizeShorterSide", "SquareCrop"],
            "keypoints": ["KeypointFlip"],
            "motion": ["Repeat", "Residual", "Shuffle"],
            "nearest": ["LiveliestCrop", "NearestCrop"],
            "pipeline": ["Operation", "View"],
            "sized": ["SizedCrop"],
        },
    )
