"""What is answered, address by address: the page, its data, frames, videos, previews, queries."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from praxino.browse import previews
from praxino.browse.kept import Frames, kept_moment
from praxino.browse.queries import GONE_AWAY, Queries
from praxino.catalogs.base import Video
from praxino.errors import UserError
from praxino.printable import printable

if TYPE_CHECKING:
    from praxino.browse.collection import Collection

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
ARRAYS = ("points", "seconds", "owners", "groups")
DECODING = max(2, (os.cpu_count() or 2) // 2)  # frames at once

Answer = TypeVar("Answer")


def assets(folder: str = "page") -> dict[str, bytes]:
    """The files of the page by their names, those that a browser asks for."""
    files = resources.files("praxino.browse").joinpath(folder).iterdir()
    return {file.name: file.read_bytes() for file in files if os.path.splitext(file.name)[1] in KINDS}


def as_json(said: Any, status: int = 200) -> Response:
    """An answer in JSON. Names that are no UTF-8 are escapes in it."""
    return Response(json.dumps(said, allow_nan=False), status, media_type="application/json")


def of_asset(name: str, files: dict[str, bytes]) -> Response:
    """A file of the page.

    Raises:
        HTTPException: if there is none of this name.
    """
    if name not in files:
        raise HTTPException(404, "there is nothing at this address")
    return Response(files[name], media_type=KINDS[os.path.splitext(name)[1]])


def application(routes: list[Route]) -> Starlette:
    """An application whose mistakes are JSON of one line."""
    handlers = {HTTPException: _refused, UserError: _mistaken, Exception: _broken}
    made = Starlette(routes=routes, exception_handlers=handlers)
    made.router.redirect_slashes = False  # to an address without the token
    return made


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return as_json({"error": printable(error.detail)}, error.status_code)


async def _mistaken(request: Request, error: Exception) -> Response:
    return as_json({"error": printable(" ".join(str(error).split()))}, 400)


async def _broken(request: Request, error: Exception) -> Response:
    return as_json({"error": "this went wrong: the terminal of 'praxino browse' says more"}, 500)


class Pages:
    """The answers about one index.

    Args:
        collection: that is shown.
        queries: embeds files that are dropped; None where the encoder is not known.
        aside: a folder for previews while they are made, which the caller removes; None: one of the system's.
    """

    def __init__(self, collection: Collection, queries: Queries | None = None, aside: Path | None = None) -> None:
        self.collection = collection
        self.queries = queries
        self.aside = aside
        self.files = assets()
        self.about = {**collection.about(), "server": True, "query": queries is not None}
        self.arrays = collection.arrays()
        self.frames = Frames()
        self.playable: dict[int, previews.Playable] = {}
        self.decoding = asyncio.Semaphore(DECODING)
        self.encoding = asyncio.Lock()
        routes = [
            Route("/", self._asset),
            Route("/about.json", self._about),
            Route("/neighbours/{row}.json", self._neighbours),
            Route("/frame/{row}.jpg", self._frame),
            Route("/clip/{row}.json", self._clip),
            Route("/video/{number}", self._video),
            Route("/moment/{row}.mp4", self._moment),
            Route("/query", self._query, methods=["POST"]),
            Route("/{name}.bin", self._array),
            Route("/{name}", self._asset),
        ]
        self.app = application(routes)

    async def _asset(self, request: Request) -> Response:
        return of_asset(request.path_params.get("name", "index.html"), self.files)

    async def _about(self, request: Request) -> Response:
        return as_json(self.about)

    async def _array(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ARRAYS:
            raise HTTPException(404, "there is nothing at this address")
        return Response(self.arrays[name], media_type="application/octet-stream")

    async def _neighbours(self, request: Request) -> Response:
        row = _number(request, "row", len(self.collection))
        return as_json({"hits": await self._apart(self.collection.neighbours, row)})

    async def _frame(self, request: Request) -> Response:
        row = _number(request, "row", len(self.collection))
        made = await self._apart(self.frames.of, row, partial(self._of_clip, previews.frame, row))
        if isinstance(made, str):
            raise HTTPException(404, made)
        return Response(made, media_type="image/jpeg")

    async def _clip(self, request: Request) -> Response:
        row = _number(request, "row", len(self.collection))
        number, start, end = self.collection.moment(row)
        found = await self._apart(self._played, number)
        note = "" if found else await self._apart(previews.unreadable_because, self.collection.video(number))
        source = f"moment/{row}.mp4"
        if found:
            source = f"video/{number}#t={start + found.ahead:.3f},{max(end, start + 0.05) + found.ahead:.3f}"
        return as_json(
            {"row": row, "video": number, "start": start, "end": end, "source": source, "note": printable(note)}
        )

    async def _video(self, request: Request) -> Response:
        number = _number(request, "number", len(self.about["videos"]))
        found = await self._apart(self._played, number)
        if found is None:
            raise HTTPException(404, "a browser cannot play this file, or it is not there")
        return await _file(found.path, found.kind)

    async def _moment(self, request: Request) -> Response:
        row = _number(request, "row", len(self.collection))
        async with self.encoding:  # one takes all cores
            if await request.is_disconnected():
                raise HTTPException(GONE_AWAY, "nobody waits for it any more")
            made = await self._apart(self._of_clip, partial(kept_moment, aside=self.aside), row)
        if isinstance(made, str):
            raise HTTPException(404, made)
        return await _file(made, "video/mp4")

    async def _query(self, request: Request) -> Response:
        if self.queries is None:
            raise UserError("the index does not say where its encoder is: start with --encoder RUN")
        hits = await self.queries.asked(request, self.collection.index)
        return as_json({"hits": self.collection.hits(hits), "clips": len(self.collection)})

    def _played(self, number: int) -> previews.Playable | None:
        """The file of a video that a browser plays, as long as it is there."""
        found = self.playable.get(number)
        if found is None or not os.path.isfile(found.path):
            found = previews.playable(self.collection.video(number))
            if found is not None:
                self.playable[number] = found
        return found

    def _of_clip(self, make: Callable[[Video, float, float], Answer], row: int) -> Answer:
        number, start, end = self.collection.moment(row)
        return make(self.collection.video(number), start, end)

    async def _apart(self, function: Callable[..., Answer], *given: Any) -> Answer:
        """Runs in another thread, since whoever else asks shall not wait for it."""
        async with self.decoding:
            return await run_in_threadpool(function, *given)


async def _file(path: str | Path, kind: str) -> Response:
    """A file, or the part of it that is asked for."""
    try:
        return FileResponse(path, media_type=kind, stat_result=await run_in_threadpool(os.stat, path))
    except OSError as error:
        raise HTTPException(404, f"the file cannot be read: {error.strerror}") from None


def _number(request: Request, name: str, count: int) -> int:
    """A number of the address that is below a count.

    Raises:
        HTTPException: if it is none.
    """
    said = request.path_params[name]
    if not (said.isascii() and said.isdecimal() and len(said) < 16 and int(said) < count):
        raise HTTPException(404, f"there is no {name} {said[:20]}: they are numbers from 0 to {count - 1}")
    return int(said)
