"""The fixture of a run with invented numbers."""

from report_runs import run

__all__ = ["run"]
