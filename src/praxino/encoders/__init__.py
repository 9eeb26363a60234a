"""Encoders: what a user takes home, and the protocol by which it is used."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.encoders.encoder import Encoder as Encoder
    from praxino.encoders.encoder import load_encoders as load_encoders
    from praxino.encoders.head import Head as Head
    from praxino.encoders.protocol import Protocol as Protocol
    from praxino.encoders.siamese import SiameseHead as SiameseHead
    from praxino.encoders.statistics import Statistics as Statistics
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "encoder": ["Encoder", "load_encoders"],
            "head": ["Head"],
            "protocol": ["Protocol"],
            "siamese": ["SiameseHead"],
            "statistics": ["Statistics"],
        },
    )
