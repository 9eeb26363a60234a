"""Follows a box through a video: praxino track VIDEO --box 120,80,60,90 --encoder RUN --out tracked.mp4"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from praxino.cli.line.arguments import refuse_options, required, take_apart
from praxino.errors import UserError, nearest
from praxino.printable import counted, printable

if TYPE_CHECKING:
    from praxino.evaluations.tracking.baselines import Follows
    from praxino.evaluations.tracking.video import Tracked

USAGE = """usage: praxino track VIDEO --box X,Y,W,H --encoder RUN --out tracked.mp4 [--from SECONDS] [--until SECONDS]

VIDEO is a file, or a folder of pictures. tracked.mp4 shows the box in each frame, and how sure the tracker is; beside
it, tracked.csv has frame, seconds, x, y, width, height, confidence. Without --box, first_frame.html is written: a box
is drawn in it, and its words are copied from there.

options:
  --box X,Y,W,H     around what is to be followed, in pixels of the frame as it is shown (turned as the file says), the
                    left upper corner counted from 0
  --encoder RUN     a run's folder, RUN:rgb of one with several encoders, an encoder file, or built-in; the folder of a
                    tracking run (praxino evaluate tracking --train) follows by the head that was trained there
  --out FILE        .mp4, .mkv (H.264) or .webm (VP9); files of an earlier 'praxino track' are replaced, others refused
  --from SECONDS    the frame of the box is the one that is shown then (default: 0)
  --until SECONDS   the last frame is the one that is shown then (default: the video's last)
  --device NAME     auto, cpu or cuda; auto takes a GPU where there is one (default: auto)
  --threads N       of the CPU (default: its cores); fewer where it does other work, too
  --trust my_file   for an encoder of your own classes

Ctrl-C ends it after the frame that it is at: both files hold what was done so far."""
POSITIONAL = ("VIDEO",)
OPTIONS = ("box", "encoder", "out", "from", "until", "device", "threads", "trust")
STOPPING = b"\nstopping after this frame; Ctrl-C again ends at once, and leaves no files\n"


def run(argv: Sequence[str]) -> int:
    """Parses, calls, prints."""
    words = take_apart(argv, POSITIONAL)
    if "help" in words.flags:
        print(USAGE)
        return 0
    refuse_options(words, OPTIONS)
    video, options = required(words, POSITIONAL)[0], words.options
    begin = _seconds("from", options["from"]) if "from" in options else 0.0
    until = _seconds("until", options["until"]) if "until" in options else None
    if "out" in options:
        from praxino.evaluations.tracking.video import refuse_out

        refuse_out(Path(options["out"]), Path(video))
    if "box" not in options:
        _first_frame(video, options, begin)
        return 0
    box = _box(options["box"])
    for name in ("encoder", "out"):
        if name not in options:
            raise UserError(f"--{name} is missing")
    return _track(video, options, box, begin, until)


def tracker_of(place: str, trust: tuple[str, ...], device: str) -> Follows:
    """The tracker of an encoder.

    Args:
        place: as of `--encoder`.
        trust: packages, beside praxino, whose classes may be built.
        device: auto, cpu or cuda.

    Raises:
        UserError: if there is none, or it cannot follow anything.
    """
    from praxino.cli.line.encoders import loaded_encoder
    from praxino.evaluations.tracking.tracker import Tracker
    from praxino.ranks import Device, pick_device

    if device not in get_args(Device):
        raise UserError(f"--device: there is no '{device}'.{nearest(device, get_args(Device))}")
    return Tracker.of(loaded_encoder(place, trust), place, trust).to(pick_device(cast(Device, device)))


def _first_frame(video: str, options: Mapping[str, str], begin: float) -> None:
    from praxino.evaluations.tracking.first_frame import write_first_frame

    out = options.get("out", "tracked.mp4")
    page = write_first_frame(video, Path(out).parent, begin)
    given = {"encoder": "RUN", "out": out, **options}
    rest = [word for name in OPTIONS if name in given for word in (f"--{name}", given[name])]
    print(printable(f"{page}: open it in a browser, draw a box, and put its words in the place of --box X,Y,W,H in"))
    print(printable(f"praxino track {shlex.quote(video)} --box X,Y,W,H {shlex.join(rest)}"))


def _track(video: str, options: Mapping[str, str], box: Sequence[float], begin: float, until: float | None) -> int:
    import torch

    from praxino.bars import bar_shown
    from praxino.cli.line.encoders import trusted
    from praxino.cli.line.terminal import INTERRUPTED
    from praxino.cli.line.threads import use_threads
    from praxino.evaluations.tracking.beginning import stream_for
    from praxino.evaluations.tracking.video import track_video
    from praxino.training.interrupts import Interrupts

    use_threads(options.get("threads"))
    stream, source = stream_for(video)
    probed = stream.probe(source)
    print(printable(f"{video}: {counted(probed.frames, 'frame')}{probed.note and f' ({probed.note})'}"), flush=True)
    tracker = tracker_of(options["encoder"], trusted(options.get("trust")), options.get("device", "auto"))
    started = time.monotonic()
    with Interrupts(torch.device("cpu"), STOPPING) as interrupts, bar_shown("following the box") as bar:
        stopped = interrupts.agreed
        done = track_video(video, tracker, box, options["out"], begin, until, stopped=stopped, progress=bar)
    for line in _said(done, time.monotonic() - started):
        print(printable(line), flush=True)
    left = f"{done.out} and {done.table} hold the first {done.frames} of {counted(done.wanted, 'frame')}"
    if done.ended and not interrupts.asked:
        raise UserError(f"{video}: {done.ended}; {left}")
    if done.ended:
        print("praxino:", printable(f"interrupted: {left}"), file=sys.stderr)
    return INTERRUPTED if done.ended else 0


def _said(done: Tracked, seconds: float) -> list[str]:
    lines = []
    if done.missing:
        lines.append(f"frames that do not come out of the video, and have the box of the one before: {done.missing}")
    last = done.first + done.frames - 1
    return [
        *lines,
        f"{done.out}: frames {done.first} to {last}, {seconds:.1f} s, {done.frames / seconds:.1f} frames a second",
        f"{done.table}: {counted(done.frames, 'box')}",
    ]


def _box(text: str) -> list[float]:
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4:
        raise UserError(f"--box {text}: it takes four numbers with commas between them, X,Y,W,H: --box 120,80,60,90")
    return numbers


def _seconds(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError(f"--{name} takes seconds, such as 3.2, not '{text}'") from None
