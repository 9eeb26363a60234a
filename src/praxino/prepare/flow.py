"""Optical flow of all videos, as pictures of both components."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from praxino.catalogs.base import Catalog, Part
from praxino.described import describe
from praxino.prepare.forms import FlowLayout, FlowPictures, PictureFormat
from praxino.prepare.making import View
from praxino.prepare.views import Prepared, prepare_views
from praxino.streams.base import Canvas, Derived, Stream
from praxino.streams.flow import DISFlow


def prepare_flow(
    catalog: Catalog,
    out: Path,
    provider: Derived | None = None,
    part: Part = "all",
    canvas: Canvas = Canvas(),  # noqa: B008  (frozen)
    layout: FlowLayout = "two_stream",
    format: PictureFormat = "jpeg",
    quality: int = 80,
    streams: dict[str, Stream] | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Computes the optical flow of all videos and writes it into OUT/flow, as `FlowFolder` reads it.

    Args:
        catalog: the videos.
        out: the folder of all views; the flow comes into `flow` below it.
        provider: what computes the flow; none: DISFlow.
        part: of the catalog.
        canvas: the size of the frames that are compared, and of the pictures: by default that of the videos.
        layout: "two_stream", `u/<class>/<video>/frame000001.jpg` and `v/...`; or "dense_flow",
            `<class>/<video>/flow_x_00001.jpg` and `flow_y_...`.
        format: jpeg, or png, which is exact and takes some times the room.
        quality: of JPEG, 1 to 100.
        streams: how the frames are read where that is not as usual: `--streams.rgb FrameFolder` and its arguments.
        workers: processes; 0: this one alone.
        progress: called with (videos done, videos to do).

    Raises:
        UserError: as of `praxino.prepare.views.prepare_views`.
    """
    form = FlowPictures(layout, format, quality)
    settings = {"canvas": describe(canvas), "layout": layout, "format": format}
    settings |= {"quality": quality} if format == "jpeg" else {}
    view = View("flow", Path(out) / "flow", provider or DISFlow(), form, settings)
    (prepared,) = prepare_views([view], catalog, canvas, part=part, streams=streams, workers=workers, progress=progress)
    return prepared
