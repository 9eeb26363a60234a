"""Makes views of videos, once for all runs: praxino prepare flow|segmentation|keypoints|persons --videos DIR --out V"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from praxino.cli.line.arguments import help_of, required, take_apart
from praxino.cli.line.configured import configured, own_classes_importable
from praxino.errors import UserError, nearest
from praxino.printable import counted, printable

if TYPE_CHECKING:
    from praxino.prepare.views import Prepared

USAGE = """praxino prepare flow|segmentation|keypoints|persons --videos DIR --out VIEWS [--any.argument VALUE]

Every frame of every video becomes files below VIEWS/flow, VIEWS/segmentation or VIEWS/keypoints; the last line says
how a run reads them. --videos DIR is --catalog VideoFolder --catalog.root DIR. Stopped anywhere, the same line goes on,
and tries again what has failed. What makes the view is --provider: the name of a class, or the dotted path of one of
your own, with its arguments (--provider.bound 15; --provider.help DISFlow lists them). persons is segmentation and
keypoints by BlazePose (--weights FILE), which looks at each frame once for both."""
POSITIONAL = ("flow|segmentation|keypoints|persons",)
NOT_TYPED = ("progress",)
VIEWS = {
    "flow": "praxino.prepare.flow.prepare_flow",
    "segmentation": "praxino.prepare.segmentation.prepare_segmentation",
    "keypoints": "praxino.prepare.keypoints.prepare_keypoints",
    "persons": "praxino.prepare.persons.prepare_persons",
}
# What a run reads the files with.
READERS = {"flow": "FlowFolder", "segmentation": "Masks", "keypoints": "HeatMaps"}
# What makes a view where nothing is said.
PROVIDERS = {"flow": "DISFlow", "segmentation": "BlazePoseMask", "keypoints": "BlazePoseKeypoints"}
# Of those, which cannot do without a file that the user has to get.
WITH_WEIGHTS = ("segmentation", "keypoints", "persons")


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints."""
    words = take_apart(argv, POSITIONAL)
    if "help" in words.flags and not words.positional:
        print(f"usage: {USAGE}\n\npraxino prepare flow --help lists the options.")
        return
    name = required(words, POSITIONAL)[0]
    if name not in VIEWS:
        raise UserError(f"there is no view '{name}' to prepare.{nearest(name, VIEWS)}")
    from praxino.cli.line.help import print_class_help, print_help
    from praxino.configuration.classes import imported

    prepare = imported(VIEWS[name])
    own_classes_importable()
    if help_of(words.options):
        print_class_help(prepare, words.options)
    elif "help" in words.flags:
        filled = {"provider": f"(default: {PROVIDERS[name]})"} if name in PROVIDERS else {}
        print_help(USAGE, prepare, without=NOT_TYPED, filled=filled)
    else:
        _prepare(name, prepare, words.options)


def _prepare(name: str, prepare: Any, options: Mapping[str, str]) -> None:
    from praxino.bars import bar_shown
    from praxino.configuration.complete import instantiate
    from praxino.evaluations.measured import measured_line, parts_asked

    if name in WITH_WEIGHTS and not any(option.partition(".")[0] in ("provider", "weights") for option in options):
        raise UserError(_weights_missing(name))
    base = {"provider": {"class_path": PROVIDERS[name], "init_args": {}}} if name in PROVIDERS else None
    config = configured(prepare, options, base=base, without=NOT_TYPED)
    arguments = instantiate(prepare, config)
    print("videos:", printable(measured_line(arguments["catalog"], parts_asked(prepare, config))), flush=True)
    begun = time.monotonic()
    try:
        with bar_shown(f"making {name}") as bar:
            prepared = prepare(**arguments, progress=bar)
    except KeyboardInterrupt:
        print("praxino: the same line goes on from here", file=sys.stderr)
        raise
    seconds = time.monotonic() - begun
    for one in prepared if isinstance(prepared, list) else [prepared]:
        for line in _said(one.folder.name, one, config, seconds):
            print(printable(line))


def _weights_missing(name: str) -> str:
    from praxino.streams.blazepose_weights import DOWNLOAD

    if name == "persons":
        return f"persons needs the file with BlazePose's weights, --weights FILE, got with: {DOWNLOAD}"
    without = "what moves is found without (--provider Foreground), " if name == "segmentation" else ""
    return (
        f"{PROVIDERS[name]} needs the file with its weights, --provider.weights FILE, got with: {DOWNLOAD} ({without}"
        "a network of your own by a class: --provider my_file.MyClass)"
    )


def _said(name: str, prepared: Prepared, config: Mapping[str, Any], seconds: float) -> list[str]:
    made = prepared.made
    frames, size = sum(one.frames - one.missing for one in made), sum(one.bytes for one in made)
    missing, found = sum(one.missing for one in made), sum(one.found for one in made)
    lines = [f"note: {note}" for note in prepared.notes]
    lines += [f"failed: {one.id}: {one.reason}" for one in prepared.failed]
    if missing:
        lines.append(f"without files, since they do not come out of their videos: {counted(missing, 'frame')}")
    if found < frames:
        lines.append(f"{found} of {frames} frames show what was looked for")
    before = f", {prepared.before} of them made before" if prepared.before else ""
    before += f", {prepared.anew} made anew since their files have changed or were gone" if prepared.anew else ""
    failed = f"; {len(prepared.failed)} failed: the same line tries them again" if prepared.failed else ""
    lines.append(
        f"{prepared.folder}: {counted(len(made), 'video')}{before}, {frames} frames, {size / 2**20:.1f} MiB, "
        f"{seconds:.0f} s{failed}"
    )
    words = [f"--streams.{name}", READERS[name], f"--streams.{name}.root", str(prepared.folder)]
    if config.get("layout", "two_stream") != "two_stream":
        words += [f"--streams.{name}.layout", config["layout"]]
    return [*lines, f"to read them: {shlex.join(words)}"]
