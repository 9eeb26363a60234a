"""How well a frozen representation follows an object: praxino evaluate tracking (docs/evaluations/tracking.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from praxino.catalogs.base import Catalog, Part
from praxino.catalogs.got10k import GOT10k
from praxino.catalogs.sequences import Sequences
from praxino.described import describe
from praxino.encoders.encoder import Encoder
from praxino.errors import UnreadableVideo, UserError, check_within
from praxino.evaluations.features import refuse_unreadable
from praxino.evaluations.figures import Picture
from praxino.evaluations.result import Result
from praxino.evaluations.tracking.baselines import MIL, NANO, STILL, Follows, StillBox, mil, nano
from praxino.evaluations.tracking.following import Followed, follow
from praxino.evaluations.tracking.strips import strip
from praxino.evaluations.tracking.tables import Table, table_of
from praxino.evaluations.tracking.toolkit_files import Form, ToolkitFiles, as_written
from praxino.evaluations.tracking.tracker import Tracker, TrackerMaker
from praxino.evaluations.untrained import untrained
from praxino.folders import folder_aside
from praxino.printable import counted
from praxino.ranks import Device, pick_device

WITH_HEAD = "trained, with its head"
FRAMES_SHOWN = 6
DECIMALS = 1


def track_sequences(
    encoder: Encoder | Tracker,
    catalog: Catalog,
    part: Part = "test",
    scores: Form | None = None,
    tracker: TrackerMaker | None = None,
    baselines: bool = True,
    with_mil: bool = True,
    nano_backbone: str | None = None,
    nano_head: str | None = None,
    results: str | Path | None = None,
    shown: int = 10,
    seed: int = 0,
    device: Device = "auto",
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Follows the object of each sequence from its first box on, by what the encoder sees, and counts how well.

    Args:
        encoder: what looks; nothing of it is trained here. A tracker with a head is a row of its own, before its
            encoder's without one.
        catalog: sequences with boxes: `OTB`, `GOT10k`, `VOT`.
        part: of the catalog.
        scores: "otb" counts AUC, precision and success rate, "got10k" average overlap and success rates; None: those
            of the data set.
        tracker: what the encoder and the head are followed by, with numbers of its own; None: the tracker that is
            given, or of an encoder `Tracker`.
        baselines: whether the same network without a head, and untrained, the box that never moves and MIL are
            measured, too.
        with_mil: whether MIL is one of them, which needs OpenCV and takes longest.
        nano_backbone, nano_head: the two ONNX files of OpenCV's TrackerNano, which then is a further row.
        results: a folder for all boxes in the files of the field's toolkits; it must not hold anything.
        shown: how many sequences are drawn, the worst first.
        seed: of the untrained network.
        device: auto takes a GPU where there is one.
        max_left_out: largest share of sequences that cannot be followed, 0 to 1.
        progress: called with (sequences done, sequences).

    Raises:
        UserError: if the catalog has no boxes, OpenCV is needed and missing, `results` holds something, or too many
            sequences cannot be followed.
    """
    _refuse_other_catalogs(catalog)
    follower = encoder if isinstance(encoder, Tracker) else Tracker(encoder)
    if tracker is not None:
        follower = tracker(follower.encoder, follower.head)
    trackers = _trackers(follower.to(pick_device(device)), baselines, seed)
    if baselines and with_mil:
        trackers[MIL] = mil()
    if (nano_backbone is None) != (nano_head is None):
        raise UserError("TrackerNano is read from two files: pass both --nano_backbone and --nano_head")
    if nano_backbone and nano_head:
        trackers[NANO] = nano(nano_backbone, nano_head)
    result = compare_trackers(trackers, catalog, part, scores, results, shown, max_left_out, progress)
    told = {name: value for name, value in describe(follower.told).items() if value is not None}
    result.settings |= {"tracker": ", ".join(f"{name} {json.dumps(value)}" for name, value in told.items())}
    result.settings |= {"seed": seed, "device": str(follower.encoder.device)}
    return result


def _trackers(tracker: Tracker, baselines: bool, seed: int) -> dict[str, Follows]:
    """The rows of a tracker: with its head, if it has one that is trained, and what its encoder sees without."""
    rows: dict[str, Follows] = {}
    if tracker.head.channels is not None:
        rows[WITH_HEAD] = tracker
    if baselines or not rows:
        rows["trained"] = tracker if not rows else Tracker(tracker.encoder, **tracker.told)
    if baselines:
        rows["untrained"] = Tracker(untrained(tracker.encoder, seed), **tracker.told)
        rows[STILL] = StillBox()
    return rows


def compare_trackers(
    trackers: Mapping[str, Follows],
    catalog: Catalog,
    part: Part = "test",
    scores: Form | None = None,
    results: str | Path | None = None,
    shown: int = 10,
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Shows the same sequences to any trackers, yours as well, and counts how well each follows.

    Args:
        trackers: row of the table -> what has `init(frame, box)` and `update(frame)`, as of `Follows`. The sequences
            are sorted by the first one, and drawn with its boxes.
        catalog, part, scores, results, shown, max_left_out, progress: as of `track_sequences`.

    Raises:
        UserError: as of `track_sequences`.
    """
    _refuse_other_catalogs(catalog)
    check_within(0, shown=shown)
    if not trackers:
        raise UserError("there is no tracker to measure")
    sequences = catalog.part(part)
    assert isinstance(sequences, Sequences)  # a part is of its catalog's class
    form: Form = scores or ("got10k" if isinstance(catalog, GOT10k) else "otb")
    if results is None:
        return _compared(trackers, sequences, part, form, None, shown, max_left_out, progress)
    files = ToolkitFiles(Path(results), form)
    files.refuse_what_is_there()
    # Whole or not at all: what a stop leaves half done would be refused when the same is asked once more.
    with folder_aside(files.folder) as aside:
        own = ToolkitFiles(aside, form)
        result = _compared(trackers, sequences, part, form, own, shown, max_left_out, progress)
        files.refuse_what_is_there()  # following takes its time, and somebody may have come meanwhile
    result.settings["results"] = str(files.folder)
    return result


def _compared(
    trackers: Mapping[str, Follows],
    sequences: Sequences,
    part: Part,
    form: Form,
    files: ToolkitFiles | None,
    shown: int,
    max_left_out: float,
    progress: Callable[[int, int], None] | None,
) -> Result:
    """As `compare_trackers`, of the sequences of a part; boxes are written into a folder that is empty."""
    table = table_of(form, trackers)
    left_out: list[tuple[str, str]] = []
    drawn: list[tuple[float, Picture]] = []
    for row in range(len(sequences)):
        try:
            followed = follow(sequences, row, trackers, FRAMES_SHOWN if shown else 0)
        except UnreadableVideo as error:
            left_out.append((error.id, error.reason))
        else:
            _round(followed, files)
            score = table.add(followed)
            if score is None:
                left_out.append((followed.id, "no frame of it counts: there is no box behind the first"))
            elif shown:
                drawn = sorted([*drawn, (score, _picture(followed, table))], key=lambda one: one[0])[:shown]
        if progress:
            progress(row + 1, len(sequences))
    refuse_unreadable(left_out, len(sequences), max_left_out)
    if not table.sequences:
        raise UserError(
            f"no sequence of the part {part} could be followed: {': '.join((left_out or [('', 'none')])[-1])}"
        )
    settings: dict[str, Any] = {"part": part, "sequences": len(table.sequences), **table.settings()}
    return Result(
        "tracking",
        f"Following the objects of {counted(len(table.sequences), 'sequence')}",
        settings,
        table.columns,
        table.rows(),
        left_out=left_out,
        per_query=table.per_sequence(),
        pictures=[picture for _, picture in drawn],
        curves=table.curves(),
        below=table.lines(),
    )


def _refuse_other_catalogs(catalog: Catalog) -> None:
    if not isinstance(catalog, Sequences):
        raise UserError(
            f"{type(catalog).__name__} has no boxes to follow: pass --catalog OTB --catalog.root DIR, or GOT10k or VOT"
        )


def _round(followed: Followed, files: ToolkitFiles | None) -> None:
    """Boxes become those of a file, whether one is written or not: so a toolkit counts the same."""
    for name, track in followed.tracks.items():
        if files is not None:
            files.write(name, followed.id, track.boxes, track.seconds)
        track.boxes = as_written(track.boxes)


def _picture(followed: Followed, table: Table) -> Picture:
    name, track = next(iter(followed.tracks.items()))
    said = ", ".join(f"{column} {value:.{DECIMALS}f}" for column, value in table.last(name).items())
    caption = f"{name}: {said}. Green: the true box; red: {name}."
    return Picture(followed.id, strip(followed.shown, followed.truth, track.boxes), caption)
