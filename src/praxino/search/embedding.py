"""The vectors of a part's videos, of length 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from praxino.catalogs.base import Video
from praxino.clips.samplers import Sampler
from praxino.encoders.encoder import Encoder
from praxino.evaluations.embedding_every import embedded_every
from praxino.evaluations.features import Embed, embedded, evens_out
from praxino.search.lengths import of_length_1

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Clips:
    """The clips of one video: vectors float32 [clips, d] of length 1, and seconds float64 [clips, 2]."""

    vectors: NDArray[np.float32]
    seconds: NDArray[np.float64]


@dataclass(frozen=True)
class Embedding:
    """How clips become vectors.

    Attributes:
        encoder: what embeds; on its device, in evaluation mode.
        view: of it, or joint.
        sampler: takes the clips; where there is `every`, its first one from each such second on.
        every: seconds from one clip to the next; None: the sampler's clips.
        clips_at_once: through the network.
        workers: loading processes.
    """

    encoder: Encoder
    view: str
    sampler: Sampler
    every: float | None = None
    clips_at_once: int = 64
    workers: int = 0

    def of(self, videos: Sequence[Video], progress: Progress | None = None) -> dict[int, Clips | str]:
        """The clips of each video by its row; or the reason why there are none.

        Args:
            videos: of which all vectors are held, and pixels of some clips only.
            progress: called with (done, all of it), in whatever pieces.

        Raises:
            UserError: if the encoder gives something that is no vector.
        """
        encoder = self.encoder
        seen = [encoder.views[name] for name in encoder.names_of(self.view)]
        streams = tuple(dict.fromkeys(view.stream for view in seen))
        embeds: dict[str, Embed] = {
            "vectors": lambda batch: encoder.features(batch, self.view, as_measured=True),
            "times": lambda batch: batch.times[:, 0],
        }
        left_out: list[tuple[str, str]] = []
        what = (videos, embeds, streams, self.sampler, encoder.streams, encoder.canvas)
        how = {
            "left_out": left_out, "clips_at_once": self.clips_at_once, "progress": progress,
            "padded": all(evens_out(view) for view in seen),
            "workers": min(self.workers, len(videos)) if self.every is None else self.workers,
        }  # fmt: skip
        if self.every is None:
            source = embedded(*what, **how)  # type: ignore[arg-type]
        else:
            source = embedded_every(self.every, *what, **how)  # type: ignore[arg-type]
        made: dict[int, Clips | str] = {}
        for row, found in source:
            times = found["times"].numpy()
            made[row] = Clips(of_length_1(found["vectors"].numpy()), times[:, [0, -1]].astype(np.float64))
        reasons = dict(left_out)
        return {row: made.get(row, reasons.get(video.id, "it has no clips")) for row, video in enumerate(videos)}
