"""The report of runs, made anew at each load; while a run goes on the page follows it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from praxino.browse.app import application, as_json
from praxino.encoders.files import all_written
from praxino.printable import odd_bytes_shown
from praxino.report import page, side_by_side
from praxino.report.document import POLICY_TAG
from praxino.report.markup import text
from praxino.report.read import KNOWN, read_run

# As that of a report, and the one script that looks whether the run has gone on.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SCRIPT = "reload.js"


def is_run(folder: str | Path) -> bool:
    """Whether a folder holds what a run leaves."""
    return any(Path(folder, name).exists() for name in KNOWN)


class Runs:
    """The answers about runs: of one its report, several side by side.

    Args:
        folders: of the runs.

    Raises:
        UserError: if one holds no run, or is named twice.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = folders
        side_by_side.refuse_twice(folders)
        for folder in folders:
            read_run(folder)
        self.script = resources.files("praxino.browse").joinpath(SCRIPT).read_bytes()
        routes = [Route("/", self._page), Route("/state.json", self._state), Route(f"/{SCRIPT}", self._script)]
        self.app: Starlette = application(routes)

    def page(self) -> str:
        """The page as it is now, with the script that follows the runs."""
        state = self.state()["state"]  # first, so that what comes meanwhile is seen as new
        records = [read_run(folder) for folder in self.folders]
        made = page.page(records[0]) if len(records) == 1 else side_by_side.page(records)
        follows = f'<script src="{SCRIPT}" data-state="{text(state)}" defer></script>'
        return odd_bytes_shown(made).replace(POLICY_TAG, follows, 1)

    def state(self) -> dict[str, object]:
        """What changes when a page would be another one, and whether all runs have left their encoders."""
        looked = hashlib.blake2b(digest_size=16)
        for folder in self.folders:
            for place, folders, files in os.walk(folder):
                folders.sort()
                for name in sorted(files):
                    with suppress(OSError):
                        status = os.stat(os.path.join(place, name))
                        looked.update(os.fsencode(f"{place}/{name} {status.st_size} {status.st_mtime_ns}\n"))
        finished = all(all_written(Path(folder)) for folder in self.folders)
        return {"state": looked.hexdigest(), "finished": finished}

    async def _page(self, request: Request) -> Response:
        return Response((await run_in_threadpool(self.page)).encode(), media_type="text/html; charset=utf-8")

    async def _state(self, request: Request) -> Response:
        return as_json(await run_in_threadpool(self.state))

    async def _script(self, request: Request) -> Response:
        return Response(self.script, media_type="text/javascript; charset=utf-8")
