"""BatchNorm statistics re-estimated on the gallery, for all networks that an evaluation compares.

The statistics that an encoder holds of its own are another matter: they come from its training videos, and evaluations
do without them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from praxino.batch import ClipBatch
from praxino.catalogs.base import Video
from praxino.clips.dataset import Streams
from praxino.encoders.encoder import Encoder
from praxino.encoders.reestimate import BATCH, SAMPLE, average_anew, sampled_clips
from praxino.encoders.statistics import batchnorms
from praxino.evaluations.features import one_frame_only


def reestimate_batchnorm(
    encoders: Mapping[str, tuple[Encoder, str | None]],
    videos: Sequence[Video],
    *,
    streams: Streams | None = None,
    workers: int = 0,
    sample: int = SAMPLE,
    batch_size: int = BATCH,
    one_frame: Collection[str] = (),
) -> int:
    """Replaces the running statistics by plain means over batches of one clip of each of some videos.

    Args:
        encoders: name -> (encoder, its view); all read the same streams, with the first one's sampler and canvas.
        videos: training videos (the gallery).
        streams: as of `load_clips`.
        workers: loading processes.
        sample: how many videos, drawn without regard to labels; the same ones each time.
        batch_size: clips a batch.
        one_frame: names of those that see one frame of each clip, repeated.

    Returns:
        How many clips were used.
    """
    backbones = [encoder.backbone for encoder, _ in encoders.values()]
    if not any(map(batchnorms, backbones)):
        return 0
    first, _ = next(iter(encoders.values()))
    needed = tuple(dict.fromkeys(encoder.view(view).stream for encoder, view in encoders.values()))

    def see(batch: ClipBatch) -> None:
        for name, (encoder, view) in encoders.items():
            encoder.features(one_frame_only(batch) if name in one_frame else batch, view)

    return average_anew(backbones, sampled_clips(videos, needed, first, streams, workers, sample), see, batch_size)
