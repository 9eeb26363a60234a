"""How an encoder is used: which views, clips and pooling. An evaluation follows it without being told."""

from __future__ import annotations

from collections.abc import Mapping

from praxino.backbones.pooling import Feature
from praxino.clips.samplers import Sampler
from praxino.errors import UserError
from praxino.streams.base import Canvas, Derived, Stream
from praxino.views.pipeline import View


class Protocol:
    """How the encoders of a method are used: what a recipe's `protocol` says.

    Args:
        views: name -> view, without randomness; the first is the default one.
        sampler: which clips of a video; its vector is their mean.
        canvas: stream -> size of its frames.
        feature: how a feature map becomes a vector: mean or maximum over time and space; the map itself after a 2x2
            spatial maximum (IIC's retrieval feature); or the mean over space at each time (TCLR's).
        streams: stream -> its reader; a stream not named is told by its files.
        reestimate_batchnorm: evaluations first re-estimate the BatchNorm statistics on the gallery's clips of the view
            (without that, features of a view other than the trained one are worthless). The originals do not. The
            encoder of a pretraining gets its own, from the run's videos, for the vectors that are taken home.
        centred: evaluations take the gallery's mean off all vectors. The originals do not. The encoder of a pretraining
            gets a mean of its own, too.

    Raises:
        UserError: if there is no view.
    """

    def __init__(
        self,
        views: Mapping[str, View],
        sampler: Sampler,
        canvas: Mapping[str, Canvas] | None = None,
        feature: Feature = "max",
        streams: Mapping[str, Stream | Derived] | None = None,
        reestimate_batchnorm: bool = True,
        centred: bool = True,
    ) -> None:
        if not views:
            raise UserError("a protocol needs at least one view")
        self.views = views
        self.sampler = sampler
        self.canvas = canvas
        self.feature = feature
        self.streams = streams
        self.reestimate_batchnorm = reestimate_batchnorm
        self.centred = centred
