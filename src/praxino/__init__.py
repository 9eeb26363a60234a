"""Self-supervised contrastive learning of video representations.

>>> import praxino
>>> encoder = praxino.load_encoder("runs/mine/encoder.safetensors")
>>> vectors = encoder.embed("my_video.mp4")  # [clips, dim]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from praxino.methods.encoder import Encoder

__version__ = "0.1.0.dev0"
__all__ = ["__version__", "load_encoder"]


def load_encoder(path: str | Path, *, trust: tuple[str, ...] = ()) -> Encoder:
    """Loads an encoder that a run has written.

    Args:
        path: `encoder.safetensors` (its `encoder.json` lies beside it), or a run folder that holds one.
        trust: further packages whose classes may be built; without them only classes of `praxino` are.

    Raises:
        UserError: if there is no encoder, or its weights do not fit, or it names a class that is not trusted.
    """
    # torch is imported here and not above, so that `import praxino` and `praxino --help` stay quick.
    from praxino.methods.encoder import Encoder

    return Encoder.load(path, trust=trust)
