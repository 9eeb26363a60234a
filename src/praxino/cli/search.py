"""Finds moments of videos: praxino search vectors/ query.mp4 --from 12 --to 15 -k 20 --out hits.html"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from praxino.cli.line.arguments import Words, refuse_options, required, take_apart
from praxino.errors import UserError, nearest
from praxino.printable import counted, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from praxino.search.embedding import Clips
    from praxino.search.hits import Hits
    from praxino.search.index import Index

    Query = tuple[Clips, NDArray[np.int64] | None]

USAGE = """usage: praxino search INDEX QUERY.mp4 [--from SECONDS] [--to SECONDS] [-k 20] [--out hits.html]
       praxino search INDEX --image frame.png
       praxino search INDEX --of ID --from SECONDS --to SECONDS

INDEX is a folder that 'praxino embed [RUN] --videos DIR --out INDEX/' has made. Each clip of the query is searched, and
what is printed is ranked by the highest cosine similarity to one of them: rank, similarity, from and to in seconds, and
the video. Several files are one query together.

options:
  --from SECONDS    the query is the part of the file from there on (default: its beginning)
  --to SECONDS      ... up to there (default: its end)
  --every SECONDS   a clip of the query so often (default: 0.25, or as in the index where that is closer or none is)
  --image FILE      asks by a picture, where the encoder takes single frames or repeats them
  --of ID           asks by a video of the index itself, without reading it; what is asked by is not among the hits
  -k, --k N         how many hits (default: 20)
  --by WHAT         moment: clips of a video that overlap are one hit; clip: each is one; video: one hit for each
                    (default: moment)
  --sequence        finds this very footage, encoded anew or cut out of a longer file: the clips have to follow each
                    other as in the query
  --approximate     walks a graph of the clips instead of looking at each, and some hits may be missing. Quicker for
                    many queries of one open index (in Python), where there are millions of clips: reading the graph
                    takes longer than one exact search. The first time it makes it (pip install "praxino[search]")
  --out FILE.html   also writes a page with frames of each hit
  --encoder RUN     where the encoder of the index is now, if it was moved
  --root DIR        where the videos of the index are now, if they were moved
  --device NAME     auto, cpu or cuda; auto takes a GPU where there is one (default: auto)
  --threads N       of the CPU (default: its cores); fewer where it does other work, too
  --trust my_file   for an encoder of your own classes"""
OPTIONS = (
    "from", "to", "every", "image", "of", "k", "by", "out", "encoder", "root", "device", "threads", "trust",
)  # fmt: skip
FLAGS = ("sequence", "approximate")


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints."""
    given = ["--k" if word == "-k" else word for word in argv]
    words = take_apart(given, ("INDEX", *["QUERY"] * len(given)), FLAGS)
    if "help" in words.flags:
        print(USAGE)
        return
    refuse_options(words, OPTIONS)
    place, options = required(words, ("INDEX",))[0], words.options
    begin, end, every = (_number(name, options) for name in ("from", "to", "every"))
    _refuse_mixed(words)
    k = _count(options)

    from praxino.cli.line.threads import use_threads
    from praxino.search.index import open_index
    from praxino.search.queries import refuse_no_part

    use_threads(options.get("threads"))
    if "out" in options:
        from praxino.search.page import refuse_out

        refuse_out(options["out"])
    refuse_no_part(begin, end)
    index = open_index(place)
    query, without = _query(index, words, begin, end, every)
    hits = _searched(index, query, k, options.get("by", "moment"), without, words.flags)
    # The page first: who reads the first lines only, as `| head` does, ends the command with them.
    page = _write(index, hits, words, begin, end) if "out" in options else None
    _print(index, hits)
    if page is not None:
        print(printable(page))


def _query(index: Index, words: Words, begin: float | None, end: float | None, every: float | None) -> Query:
    import numpy as np

    from praxino.search.embedding import Clips
    from praxino.search.queries import STEP, clips_of_file, joined, query_of_image, query_of_moment

    options = words.options
    if "of" in options:
        vectors, rows = query_of_moment(index, options["of"], begin, end)
        return Clips(vectors, np.array(index.seconds[rows])), rows
    from praxino.cli.line.encoders import loaded_encoder, trusted
    from praxino.ranks import Device, pick_device

    device = options.get("device", "auto")
    if device not in get_args(Device):
        raise UserError(f"--device: there is no '{device}'.{nearest(device, get_args(Device))}")
    place, trust = options.get("encoder") or index.header.place, trusted(options.get("trust"))
    if place is None:
        raise UserError("the index does not say where its encoder is: pass --encoder RUN")
    try:
        encoder = loaded_encoder(place, trust)
    except UserError as error:
        more = "" if "encoder" in options else " (the encoder of the index; if it was moved, pass --encoder RUN)"
        raise UserError(f"{error}{more}") from None
    encoder.to(pick_device(cast(Device, device)))
    if "image" in options:
        return Clips(query_of_image(index, encoder, options["image"]), np.zeros((1, 2))), None
    if "sequence" in words.flags:
        # Not those of a sampler, which are far between.
        every = min(STEP, index.header.every or STEP) if every is None else every
    clips = [clips_of_file(index, encoder, file, begin, end, every, trust) for file in words.positional[1:]]
    return joined(clips), None


def _searched(
    index: Index, query: Clips, k: int, by: str, without: NDArray[np.int64] | None, flags: Collection[str]
) -> Hits:
    if "sequence" in flags:
        from praxino.search.sequence import search_sequence

        return search_sequence(index, query, k, by, without)  # type: ignore[arg-type]
    approximate = "approximate" in flags
    if approximate and len(index):
        _make_graph(index)
    return index.search(query.vectors, k, by, without, approximate)  # type: ignore[arg-type]


def _make_graph(index: Index) -> None:
    from praxino.bars import bar_shown

    with bar_shown("making the graph, clips") as progress:
        index.graph(progress)


def _print(index: Index, hits: Hits) -> None:
    print(printable(f"{counted(len(index), 'clip')} searched"), file=sys.stderr)
    print("rank  similarity       from         to  video")
    for hit in hits:
        print(printable(f"{hit.rank:4d}  {hit.similarity:10.4f} {hit.start:10.2f} {hit.end:10.2f}  {hit.video}"))


def _write(index: Index, hits: Hits, words: Words, begin: float | None, end: float | None) -> Path:
    from praxino.bars import bar_shown
    from praxino.search.page import Asked, write_hits

    options = words.options
    asked = Asked(tuple(words.positional[1:]), options.get("of"), options.get("image"), begin, end)
    with bar_shown("reading frames") as progress:
        return write_hits(index, hits, options["out"], asked, options.get("root"), progress)


def _refuse_mixed(words: Words) -> None:
    ways = [f"--{name}" for name in ("image", "of") if name in words.options]
    ways += ["QUERY.mp4"] if len(words.positional) > 1 else []
    if not ways:
        raise UserError("nothing is asked for: give a QUERY.mp4, --image FILE, or --of ID")
    if len(ways) > 1:
        raise UserError(f"{' and '.join(ways)}: give one of them")
    if "sequence" in words.flags:
        others = ["--approximate"] if "approximate" in words.flags else ["--image"] if "image" in words.options else []
        others += ["several files"] if len(words.positional) > 2 else []
        if others:
            raise UserError(f"--sequence looks for one video's clips in their order: not together with {others[0]}")
    unread = [name for name in ("encoder", "device") if name in words.options] if "of" in words.options else []
    if unread:
        raise UserError(f"--of takes vectors that the index holds, and no encoder: leave out --{unread[0]}")
    for name in ("from", "to", "every") if "image" in words.options else ("every",) if "of" in words.options else ():
        if name in words.options:
            raise UserError(f"--{name} is of a file that is read, and {ways[0]} is none")


def _count(options: Mapping[str, str]) -> int:
    try:
        return int(options.get("k", "20"))
    except ValueError:
        raise UserError(f"-k takes a whole number, not '{options['k']}'") from None


def _number(name: str, options: Mapping[str, str]) -> float | None:
    if name not in options:
        return None
    try:
        return float(options[name])
    except ValueError:
        raise UserError(f"--{name} takes seconds, such as 3.2, not '{options[name]}'") from None
