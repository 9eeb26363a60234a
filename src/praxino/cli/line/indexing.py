"""`praxino embed` with a folder as its --out: an index."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from praxino.cli.line.configured import configured
from praxino.cli.line.terminal import progress_shown
from praxino.configuration.complete import instantiate
from praxino.encoders.cautions import caution
from praxino.encoders.files import absolute
from praxino.printable import counted, printable
from praxino.search.build import index_videos

if TYPE_CHECKING:
    from praxino.encoders.encoder import Encoder
    from praxino.search.building import Indexed

NOT_TYPED = ("encoder", "place", "progress")


def embed_into_index(place: str, load: Callable[[], Encoder], options: Mapping[str, str]) -> None:
    """Makes an index, or brings it up to date, and prints what came of it.

    Args:
        place: where the encoder is from.
        load: loads it, when the options are known to be right.
        options: what is typed.

    Raises:
        UserError: as of `index_videos`.
    """
    given = {name: value for name, value in options.items() if name != "max_left_out"}
    config = configured(index_videos, given, without=NOT_TYPED)
    arguments = instantiate(index_videos, config)
    encoder = load()
    if line := caution(encoder, arguments.get("view")):
        print(printable(f"warning: {line}"), file=sys.stderr)
    out = options["out"]
    try:
        with progress_shown(index_videos, "reading videos, MB") as shown:
            done = index_videos(encoder, **arguments, place=absolute(place), **shown)
    except KeyboardInterrupt:
        print(printable(f"{out} keeps what is done; the same command goes on"), file=sys.stderr)
        raise
    for line in _said(out, done):
        print(printable(line))


def _said(out: str, done: Indexed) -> list[str]:
    as_before = done.videos + len(done.left_out) - done.computed - done.moved
    lines = [
        f"{out}: {counted(done.clips, 'clip')} of {counted(done.videos, 'video')}, {done.dim} numbers each",
        f"computed: {done.computed}; as before: {as_before}; renamed or touched: {done.moved}; gone: {done.gone}",
    ]
    if done.left_out:
        lines[1] += f"; of these cannot be read: {len(done.left_out)}"
    return lines + [f"left out: {id}: {reason}" for id, reason in done.left_out]
