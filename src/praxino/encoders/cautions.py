"""What an encoder's vectors lack where it has no statistics of its own, in a line."""

from __future__ import annotations

from praxino.encoders.encoder import Encoder
from praxino.encoders.statistics import batchnorms
from praxino.encoders.trained_views import not_trained


def asks_for_statistics(encoder: Encoder) -> bool:
    """Whether an encoder is measured by other vectors than its plain network gives."""
    return encoder.centred or (encoder.reestimate_batchnorm and bool(batchnorms(encoder.backbone)))


def caution(encoder: Encoder, view: str | None = None) -> str | None:
    """A line on what the vectors of a view lack; None: they lack nothing.

    Args:
        encoder: what embeds.
        view: which view; None: the first; "joint": all, of which the first line is taken.
    """
    return next((line for name in encoder.names_of(view) if (line := _of_view(encoder, name))), None)


def _of_view(encoder: Encoder, name: str) -> str | None:
    if name in encoder.statistics:
        return None
    if line := not_trained(name, encoder.record, encoder.statistics):
        return line
    if asks_for_statistics(encoder):
        return (
            "the encoder has no statistics of its own: these are the vectors of the plain network, and evaluations "
            "measure others, with BatchNorm statistics and a centre from their gallery"
        )
    return None
