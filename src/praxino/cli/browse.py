"""Looks at a folder of videos in a browser: praxino browse vectors/; or follows runs: praxino browse RUN [RUN ...]."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from praxino.cli.line.arguments import Words, refuse_options, required, take_apart
from praxino.cli.line.encoders import trusted
from praxino.cli.line.threads import threads_of, use_threads
from praxino.errors import UserError, nearest
from praxino.printable import counted, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from praxino.browse.collection import Collection
    from praxino.encoders.encoder import Encoder
    from praxino.search.index import Index

USAGE = """usage: praxino browse INDEX [--map umap] [--groups 20] [--out site/]
       praxino browse RUN [RUN ...]

INDEX is a folder that 'praxino embed [RUN] --videos DIR --out INDEX/' has made. A page opens in the browser: a map of
all clips, in groups; a click plays a moment and shows its neighbours, and a file that is dropped on the page is a
query. Only this machine gets an answer, and only who has the address that is printed. Ctrl-C ends it.
RUN is a run's folder: its report, which follows the training; several stand side by side.
It needs some packages more: pip install "praxino[browse]"

options of an index:
  --map WAY         pca, or umap, which takes longer and needs pip install "praxino[umap]" (default: pca)
  --groups N        how many (default: as suits the clips)
  --root DIR        where the videos of the index are now, if they were moved
  --encoder RUN     where the encoder of the index is now, if it was moved; it embeds what is dropped
  --device NAME     auto, cpu or cuda, for what is dropped (default: auto)
  --threads N       of the CPU (default: its cores); fewer where it does other work, too
  --trust my_file   for an encoder of your own classes
  --out site/       writes the page into a folder and ends: its index.html needs no server, nor praxino; nothing can be
                    dropped on it
options of both:
  --port N          (default: any that is free)
  --no-open         prints the address, and opens no browser"""
OF_INDEX = ("map", "groups", "root", "encoder", "device", "threads", "trust", "out")
OF_SERVER = ("port",)
OF_QUERIES = ("encoder", "device", "trust")
DEVICES = ("auto", "cpu", "cuda")  # as praxino.ranks has them, which takes seconds to import
PACKAGES = ("starlette", "uvicorn")
MOST = 32  # runs on a page, as of `praxino report`


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints."""
    words = take_apart(argv, ("INDEX",) + ("RUN",) * (MOST - 1), flags=("no_open",))
    if "help" in words.flags:
        print(USAGE)
        return
    refuse_options(words, (*OF_INDEX, *OF_SERVER))
    required(words, ("INDEX",))
    port = _number("port", words.options)
    for package in PACKAGES:
        if find_spec(package) is None:
            raise UserError(f'praxino browse needs {package}: pip install "praxino[browse]"')
    from praxino.browse.runs import is_run
    from praxino.browse.serving import listening
    from praxino.search.folder import HEADER

    if port is not None:
        listening(port).close()  # before anything takes its time
    indexes = [place for place in words.positional if Path(place, HEADER).is_file()]
    if len(words.positional) > 1 and indexes:
        raise UserError(f"{indexes[0]} is an index, which is shown by itself: give one index, or runs")
    if len(words.positional) > 1 or (not indexes and is_run(words.positional[0])):
        _runs(words, port)
    else:
        _index(words, port)


def _runs(words: Words, port: int | None) -> None:
    for name in OF_INDEX:
        if name in words.options:
            raise UserError(f"--{name} is of an index, and {words.positional[0]} is a run")
    from praxino.browse.runs import POLICY, Runs
    from praxino.browse.serving import leave_if_busy, serve

    serve(Runs(words.positional).app, port, "no_open" not in words.flags, _say, POLICY)
    leave_if_busy()


def _index(words: Words, port: int | None) -> None:
    options = words.options
    _refuse_odd(options)
    import numpy as np

    from praxino.search.index import open_index
    from praxino.search.there import refuse_nothing_there

    place, root = words.positional[0], options.get("root")
    index = open_index(place)
    videos = [index.video(int(line), root) for line in np.unique(index.owners)]
    refuse_nothing_there(index, videos, root)
    collection = _collection(index, options)
    if "out" in options:
        _write(collection, options["out"])
    else:
        _serve(collection, words, port)


def _collection(index: Index, options: Mapping[str, str]) -> Collection:
    from praxino.browse.collection import Collection

    print(printable(f"{counted(len(index), 'clip')}: making their map and groups"), file=sys.stderr, flush=True)
    how: Any = options.get("map", "pca")
    return Collection.of(index, options.get("root"), _number("groups", options), how)


def _write(collection: Collection, out: str) -> None:
    from praxino.bars import bar_shown
    from praxino.browse.site import write_site

    with bar_shown("making previews") as progress:
        page, missing = write_site(collection, out, progress)
    print(printable(str(page)))
    for id, reason in missing:
        print(printable(f"without a preview: {id}: {reason}"))


def _serve(collection: Collection, words: Words, port: int | None) -> None:
    import tempfile

    from praxino.browse.app import Pages
    from praxino.browse.queries import Queries
    from praxino.browse.renewed import Renewed
    from praxino.browse.serving import leave_if_busy, serve
    from praxino.search.index import open_index

    options, folder, first = words.options, words.positional[0], [collection]
    place = options.get("encoder") or collection.index.header.place
    with tempfile.TemporaryDirectory(prefix="praxino-", ignore_cleanup_errors=True) as aside:
        queries = None
        if place is not None:
            queries = Queries(lambda: _encoder(str(place), options), trusted(options.get("trust")), Path(aside))

        def pages() -> Pages:
            return Pages(first.pop() if first else _collection(open_index(folder), options), queries, Path(aside))

        serve(Renewed(folder, pages, _say), port, "no_open" not in words.flags, _say)
    leave_if_busy()


def _encoder(place: str, options: Mapping[str, str]) -> Encoder:
    from praxino.cli.line.encoders import loaded_encoder
    from praxino.ranks import Device, pick_device

    use_threads(options.get("threads"))
    encoder = loaded_encoder(place, trusted(options.get("trust")))
    return encoder.to(pick_device(cast(Device, options.get("device", "auto"))))


def _refuse_odd(options: Mapping[str, str]) -> None:
    """Refuses values that would only be missed when a file is dropped, or after the map is made."""
    from praxino.browse.points import How
    from praxino.browse.site import refuse_other

    threads_of(options.get("threads"))
    _number("groups", options)
    for name, known in {"device": DEVICES, "map": get_args(How)}.items():
        if name in options and options[name] not in known:
            raise UserError(f"--{name}: there is no '{options[name]}'.{nearest(options[name], known)}")
    if "out" in options:
        for name in (*OF_SERVER, *OF_QUERIES):
            if name in options:
                raise UserError(f"--{name} is of a page that is served, and --out writes one that is not")
        refuse_other(Path(options["out"]))


def _number(name: str, options: Mapping[str, str]) -> int | None:
    typed = options.get(name)
    if typed is not None and not (typed.isascii() and typed.isdecimal() and len(typed) < 10):
        raise UserError(f"--{name} takes a whole number, not '{typed}'")
    return None if typed is None else int(typed)


def _say(line: str) -> None:
    print(printable(line), flush=True)
