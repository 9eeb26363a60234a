"""Writes the vectors of videos: praxino embed RUN --videos DIR --out vectors.npz"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from praxino.cli.line.arguments import help_of, required, take_apart
from praxino.cli.line.configured import configured, own_classes_importable
from praxino.printable import counted, printable

USAGE = """praxino embed RUN --videos DIR --out vectors.npz [--any.argument VALUE]

RUN is a run's folder, RUN:rgb of one with several encoders, or an encoder file. --videos DIR, or one file, is --catalog
VideoFolder --catalog.root DIR; --cut 10 makes every ten seconds of a video one of its own. The file holds `vectors`
[clips, dim], and for each clip `video` (its id), `start` and `end` (seconds). --every 5 takes a clip every five seconds
of each video, for long ones; without it a video has as many clips as the encoder's protocol says, however long it is.
A name that ends in .parquet makes a table of it.
--checkpoint last takes the encoder of a run that has not finished out of its last checkpoint.
An encoder of your own classes needs --trust my_file. --threads N: threads of the CPU, by itself as many as it has
cores; fewer where it does other work, too."""
POSITIONAL = ("RUN",)
NOT_TYPED = ("encoder", "progress")


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints."""
    words = take_apart(argv, POSITIONAL)
    from praxino.cli.line.encoders import encoder_now, trusted
    from praxino.cli.line.help import print_class_help, print_help
    from praxino.cli.line.terminal import progress_shown
    from praxino.cli.line.threads import use_threads
    from praxino.configuration.complete import instantiate
    from praxino.encoders.cautions import caution
    from praxino.evaluations.embedding import embed_videos

    if help_of(words.options):
        own_classes_importable()
        print_class_help(embed_videos, words.options)
        return
    if "help" in words.flags:
        print_help(USAGE, embed_videos, without=NOT_TYPED)
        return
    place, trust = required(words, POSITIONAL)[0], words.options.pop("trust", None)
    checkpoint = words.options.pop("checkpoint", None)
    use_threads(words.options.pop("threads", None))
    config = configured(embed_videos, words.options, without=NOT_TYPED)
    arguments = instantiate(embed_videos, config)
    encoder = encoder_now(place, trusted(trust), checkpoint)
    if line := caution(encoder, arguments.get("view")):
        print(printable(f"warning: {line}"), file=sys.stderr)
    with progress_shown(embed_videos, "reading videos") as shown:
        embedded = embed_videos(encoder, **arguments, **shown)
    clips, width = embedded.vectors.shape
    print(
        printable(
            f"{config['out']}: {counted(clips, 'clip')} of {counted(embedded.videos, 'video')}, {width} numbers each"
        )
    )
    for id, reason in embedded.left_out:
        print(printable(f"left out: {id}: {reason}"))
