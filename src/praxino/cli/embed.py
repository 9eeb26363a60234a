"""Writes the vectors of videos: praxino embed [RUN] --videos DIR --out vectors.npz"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from praxino.built_in import BUILT_IN, is_built_in
from praxino.cli.line.arguments import help_of, take_apart
from praxino.cli.line.configured import configured, own_classes_importable
from praxino.errors import UserError
from praxino.printable import counted, printable

if TYPE_CHECKING:
    from praxino.encoders.encoder import Encoder

USAGE = """praxino embed [RUN] --videos DIR --out vectors.npz [--any.argument VALUE]

RUN is a run's folder, RUN:rgb of one with several encoders, or an encoder file. Without it, or as `built-in`, it is the
encoder that comes with praxino, trained on other videos than yours; its views are joined (--view joint). --videos DIR,
or one file, is --catalog VideoFolder --catalog.root DIR; --cut 10 makes every ten seconds of a video one of its own.
The file holds `vectors` [clips, dim], and for each clip `video` (its id), `start` and `end` (seconds). --every 5 takes
a clip every five seconds of each video, for long ones; without it a video has as many clips as the encoder's protocol
says, however long it is. A name that ends in .parquet makes a table of it.
A name that ends in "/" is the folder of an index, which 'praxino search' looks into. The same command brings it up to
date: what is new or changed is computed, what is gone is marked; one that was killed goes on. What cannot be read is
noted in it, whatever --max_left_out says.
--checkpoint last takes the encoder of a run that has not finished out of its last checkpoint.
An encoder of your own classes needs --trust my_file. --threads N: threads of the CPU, by itself as many as it has
cores; fewer where it does other work, too."""
POSITIONAL = ("RUN",)
NOT_TYPED = ("encoder", "progress")


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints."""
    words = take_apart(argv, POSITIONAL)
    from praxino.cli.line.help import print_class_help, print_help
    from praxino.cli.line.threads import use_threads
    from praxino.evaluations.embedding import embed_videos

    if help_of(words.options):
        own_classes_importable()
        print_class_help(embed_videos, words.options)
        return
    if "help" in words.flags:
        print_help(USAGE, embed_videos, without=NOT_TYPED)
        return
    place, options = (words.positional or [BUILT_IN])[0], words.options
    trust, checkpoint = options.pop("trust", None), options.pop("checkpoint", None)
    use_threads(options.pop("threads", None))
    if is_built_in(place):
        options.setdefault("view", "joint")
    load = partial(_loaded, place, trust, checkpoint)
    if options.get("out", "").endswith(("/", os.sep)):
        from praxino.cli.line.indexing import embed_into_index

        embed_into_index(place, load, options)
    else:
        _embed_into_file(load, options)


def _loaded(place: str, trust: str | None, checkpoint: str | None) -> Encoder:
    from praxino.cli.line.encoders import encoder_now, trusted

    encoder = encoder_now(place, trusted(trust), checkpoint)
    if is_built_in(place):
        print("encoder: the built-in one, which has not seen your videos in its training", file=sys.stderr)
    return encoder


def _embed_into_file(load: Callable[[], Encoder], options: dict[str, str]) -> None:
    from praxino.cli.line.terminal import progress_shown
    from praxino.configuration.complete import instantiate
    from praxino.encoders.cautions import caution
    from praxino.encoders.joined import is_joint
    from praxino.evaluations.embedding import embed_videos
    from praxino.evaluations.vector_files import refuse_out

    if "out" not in options and ("videos" in options or "catalog" in options):
        raise UserError("--out: missing; pass --out vectors.npz, or --out vectors/ for an index")
    config = configured(embed_videos, options, without=NOT_TYPED)
    refuse_out(options["out"], Path(config["out"]))
    arguments = instantiate(embed_videos, config)
    encoder = load()
    if line := caution(encoder, arguments.get("view")):
        print(printable(f"warning: {line}"), file=sys.stderr)
    with progress_shown(embed_videos, "reading videos") as shown:
        embedded = embed_videos(encoder, **arguments, **shown)
    clips, width = embedded.vectors.shape
    said = f"{config['out']}: {counted(clips, 'clip')} of {counted(embedded.videos, 'video')}, {width} numbers each"
    of_views = f", of {' and '.join(encoder.views)} joined" if is_joint(arguments["view"], encoder.views) else ""
    print(printable(said + of_views))
    for id, reason in embedded.left_out:
        print(printable(f"left out: {id}: {reason}"))
