"""Self-supervised contrastive learning of video representations.

>>> import praxino
>>> encoder = praxino.load_encoder("runs/mine/encoder.safetensors")
>>> vectors = encoder.embed("my_video.mp4")  # [clips, dim]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from praxino.encoders.encoder import Encoder
    from praxino.search.index import Index

__version__ = "0.1.0.dev0"
__all__ = ["__version__", "load_encoder", "load_encoders", "open_index"]


# torch is imported inside of the functions, so that `import praxino` and `praxino --help` stay quick.
def load_encoder(
    place: str | Path = "built-in", *, trust: tuple[str, ...] = (), checkpoint: Literal["last"] | None = None
) -> Encoder:
    """Loads an encoder that a run has written, or the one that comes along.

    Args:
        place: `encoder.safetensors` (its `encoder.json` lies beside it); a run folder that holds exactly one encoder;
            `RUN:rgb`, one of several; or the word `built-in` for the encoder that comes with praxino (a file or folder
            of this name is `./built-in`).
        trust: further packages whose classes may be built; without them only classes of `praxino` are.
        checkpoint: "last" takes the encoder out of the last checkpoint of a run that has not finished, and warns that
            it does.

    Raises:
        UserError: if there is no encoder, or its weights do not fit, or it names a class that is not trusted.
    """
    if checkpoint is not None:
        from praxino.evaluations.classifying.unfinished import the_unfinished

        return the_unfinished(place, trust, checkpoint)
    from praxino.encoders.encoder import Encoder

    return Encoder.load(place, trust=trust)


def load_encoders(place: str | Path, *, trust: tuple[str, ...] = ()) -> dict[str, Encoder]:
    """Loads all encoders that a run has written, by their names; most runs write one, named "".

    Args:
        place, trust: as of `load_encoder`.

    Raises:
        UserError: as of `load_encoder`.
    """
    from praxino.encoders.encoder import load_encoders

    return load_encoders(place, trust=trust)


def open_index(folder: str | Path) -> Index:
    """Opens an index of videos, to search in it.

    Args:
        folder: what `praxino embed RUN --videos DIR --out FOLDER/` has made.

    Raises:
        UserError: if there is none, it is not finished, of another version, or damaged.
    """
    from praxino.search.index import open_index

    return open_index(folder)
