"""How well a tracker follows at the end of its training; and the folder of boxes, which its run knows again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from praxino.catalogs.sequences import Sequences
from praxino.evaluations.result import Result
from praxino.evaluations.tracking.measure import track_sequences
from praxino.evaluations.tracking.toolkit_files import ToolkitFiles
from praxino.evaluations.tracking.tracker import Tracker
from praxino.files import append_text, read_text
from praxino.folders import folder_aside

NOTE = "results.txt"  # in the run's folder: fingerprints of the folders of boxes that it has written


def refuse_other_boxes(results: Path, run: Path | None) -> None:
    """Refuses a folder for boxes that holds anything but what the same run has written.

    Args:
        results: the folder.
        run: that of the run; None: it begins.

    Raises:
        UserError: as of `ToolkitFiles.refuse_what_is_there`.
    """
    written: list[str] = []
    if run is not None and (run / NOTE).is_file():
        written = read_text(run / NOTE).split()
    ToolkitFiles(results).refuse_what_is_there(written)


def followed(tracker: Tracker, catalog: Sequences, run: Path, results: Path | None, **asked: Any) -> Result:
    """How well a tracker follows, as `track_sequences` counts it.

    Args:
        tracker: whose head is put into evaluation mode.
        catalog: the sequences.
        run: the folder of its run, which notes what it writes.
        results: a folder for all boxes, replaced as a whole; None: they are not written.
        asked: other arguments of `track_sequences`.

    Raises:
        UserError: as of `track_sequences` and `refuse_other_boxes`.
    """
    tracker.head.eval()
    if results is None:
        return track_sequences(tracker, catalog, **asked)
    # Whole or not at all: what a stop leaves half done must not keep the run from going on.
    with folder_aside(results) as aside:
        result = track_sequences(tracker, catalog, results=aside, **asked)
        refuse_other_boxes(results, run)  # following takes its time, and somebody may have come meanwhile
        # Before the folder has its place: a run that ends between the two, or before its encoder is there, knows it.
        append_text(run / NOTE, f"{ToolkitFiles(aside).fingerprint()}\n")
    result.settings["results"] = str(results)
    return result
