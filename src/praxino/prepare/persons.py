"""Masks and keypoints of persons together: BlazePose looks at each frame once for both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from praxino.catalogs.base import Catalog, Part
from praxino.prepare.keypoints import keypoints_view
from praxino.prepare.segmentation import segmentation_view
from praxino.prepare.views import Prepared, prepare_views
from praxino.streams.base import Canvas, Stream
from praxino.streams.blazepose import BlazePoseKeypoints, BlazePoseMask, Library


def prepare_persons(
    catalog: Catalog,
    out: Path,
    weights: Path,
    confidence: float = 0.5,
    chain: int = 16,
    library: Library = "opencv",
    part: Part = "all",
    canvas: Canvas = Canvas(short_side=96),  # noqa: B008  (frozen)
    seen: Canvas = Canvas(longest=384),  # noqa: B008  (frozen)
    streams: dict[str, Stream] | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> list[Prepared]:
    """Makes the mask and the keypoints of one person in every frame of all videos, into OUT/segmentation and
    OUT/keypoints.

    The files are, to the byte, those of `prepare_segmentation` with `BlazePoseMask` and of `prepare_keypoints` with
    `BlazePoseKeypoints`, in about the time of one of them.

    Args:
        catalog: the videos.
        out: the folder of all views.
        weights: path of the file with the network, as of `BlazePoseKeypoints`.
        confidence: as of `BlazePoseKeypoints`.
        chain: as of `BlazePoseKeypoints`.
        library: as of `BlazePoseKeypoints`.
        part: of the catalog.
        canvas: the size at which both are stored: by default a short side of 96 pixels; CoCon has 192.
        seen: the size at which the network's regions are cut: by default no side is longer than 384 pixels.
        streams: how the frames are read where that is not as usual: `--streams.rgb FrameFolder` and its arguments.
        workers: processes; 0: this one alone.
        progress: called with (videos done, videos to do).

    Returns:
        What there is of the masks, and of the keypoints.

    Raises:
        UserError: as of `praxino.prepare.views.prepare_views` and `BlazePoseKeypoints`.
    """
    mask = BlazePoseMask(weights, confidence=confidence, chain=chain, library=library)
    keypoints = BlazePoseKeypoints(weights, confidence=confidence, chain=chain, library=library)
    views = [
        segmentation_view(Path(out), mask, canvas, seen),
        keypoints_view(Path(out), keypoints, canvas, seen),
    ]
    return prepare_views(views, catalog, seen, part=part, streams=streams, workers=workers, progress=progress)
