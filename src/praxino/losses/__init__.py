"""Losses: pure functions of embeddings or scores."""

from typing import TYPE_CHECKING

from praxino.lazy import lazy

if TYPE_CHECKING:
    from praxino.losses.contrastive import nt_xent as nt_xent
    from praxino.losses.contrastive import nt_xent_rows as nt_xent_rows
    from praxino.losses.cooperative import block_vectors as block_vectors
    from praxino.losses.cooperative import cooperation as cooperation
    from praxino.losses.cooperative import cosines as cosines
    from praxino.losses.cooperative import kinds_of_blocks as kinds_of_blocks
    from praxino.losses.cooperative import synchronisation as synchronisation
    from praxino.losses.cycle import positive_first as positive_first
    from praxino.losses.cycle import soft_neighbours as soft_neighbours
    from praxino.losses.dense import dense_nce as dense_nce
    from praxino.losses.dense import dense_scores as dense_scores
    from praxino.losses.dense import kinds_of_places as kinds_of_places
    from praxino.losses.nce import info_nce as info_nce
    from praxino.losses.nce import nce_constant as nce_constant
    from praxino.losses.nce import nce_rows as nce_rows
    from praxino.losses.nce import softmax_rows as softmax_rows
    from praxino.losses.siamese import balanced as balanced
    from praxino.losses.siamese import correlate as correlate
    from praxino.losses.siamese import focal as focal
    from praxino.losses.siamese import label_map as label_map
    from praxino.losses.temporal import global_local as global_local
    from praxino.losses.temporal import instance_pairs as instance_pairs
    from praxino.losses.temporal import local_local as local_local
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "contrastive": ["nt_xent", "nt_xent_rows"],
            "cooperative": ["block_vectors", "cooperation", "cosines", "kinds_of_blocks", "synchronisation"],
            "cycle": ["positive_first", "soft_neighbours"],
            "dense": ["dense_nce", "dense_scores", "kinds_of_places"],
            "nce": ["info_nce", "nce_constant", "nce_rows", "softmax_rows"],
            "siamese": ["balanced", "correlate", "focal", "label_map"],
            "temporal": ["global_local", "instance_pairs", "local_local"],
        },
    )
