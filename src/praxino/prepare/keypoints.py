"""Heat maps of the keypoints of persons, of all videos: one npz file a frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from praxino.catalogs.base import Catalog, Part
from praxino.described import describe
from praxino.prepare.forms import MapFiles
from praxino.prepare.making import View
from praxino.prepare.views import Prepared, prepare_views
from praxino.streams.base import Canvas, Derived, Stream


def prepare_keypoints(
    catalog: Catalog,
    out: Path,
    provider: Derived,
    part: Part = "all",
    canvas: Canvas = Canvas(short_side=96),  # noqa: B008  (frozen)
    seen: Canvas = Canvas(longest=384),  # noqa: B008  (frozen)
    streams: dict[str, Stream] | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Makes heat maps of the 17 keypoints of COCO of every frame of all videos, and writes them into OUT/keypoints.

    The files are those of `HeatMaps`: `heatmaps/<class>/<video>/heatmap_00001.npz`.

    Args:
        catalog: the videos.
        out: the folder of all views; these come into `keypoints` below it.
        provider: what makes the heat maps.
        part: of the catalog.
        canvas: the size at which they are stored: by default a short side of 96 pixels; CoCon has 192.
        seen: the size at which the provider sees the frames: by default no side is longer than 384 pixels.
        streams: how the frames are read where that is not as usual: `--streams.rgb FrameFolder` and its arguments.
        workers: processes; 0: this one alone.
        progress: called with (videos done, videos to do).

    Raises:
        UserError: as of `praxino.prepare.views.prepare_views`.
    """
    view = keypoints_view(Path(out), provider, canvas, seen)
    (prepared,) = prepare_views([view], catalog, seen, part=part, streams=streams, workers=workers, progress=progress)
    return prepared


def keypoints_view(out: Path, provider: Derived, canvas: Canvas, seen: Canvas) -> View:
    """What is made of each video, into OUT/keypoints; the arguments are those of `prepare_keypoints`."""
    form = MapFiles("heatmaps", "heatmap_", "hm", 17, canvas)
    settings = {"canvas": describe(canvas), "seen": describe(seen)}
    return View("keypoints", out / "keypoints", provider, form, settings)
