"""The runs inside a run's folder that began with its encoders: fine-tunings, linear evaluations, trackers."""

from __future__ import annotations

from praxino.errors import UserError
from praxino.report.markup import note, table
from praxino.report.opening import gathered
from praxino.report.read import Record, read_run


def draw(record: Record) -> str:
    """A table of them with their first number; "" where there are none.

    Args:
        record: of the run.
    """
    rows = []
    for recipe in sorted(record.folder.glob("*/recipe.yaml")):
        try:
            own = read_run(recipe.parent)
        except UserError:
            continue
        facts = gathered(own)
        said = f"{facts[0][0]}: {facts[0][1]} ({facts[0][2]})" if own.evaluations and facts else "no test yet"
        rows.append((own.folder.name, str(own.recipe.get("kind") or "pretrain"), said))
    if not rows:
        return ""
    return (
        "<h3>Runs that began with this one</h3>"
        + note("Each has a folder of its own in this one, and its own report: praxino report FOLDER.")
        + table(("folder", "kind", "result"), rows)
    )
