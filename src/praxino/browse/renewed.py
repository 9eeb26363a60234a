"""An index that may be brought up to date while it is served: each page is about the one that it was loaded with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from praxino.browse.app import Pages
from praxino.browse.guard import Receive, Scope, Send, answer
from praxino.errors import UserError
from praxino.search.folder import DATA, read_header

REDIRECT, GONE = 307, 410


class Renewed:
    """Serves an index below the name of its data, and the new data when the page is loaded again.

    Rows of one index are other clips in the next one, so a page that shows the earlier is told to be loaded again.

    Args:
        folder: of the index.
        make: opens it, and makes what is answered.
        say: takes a line for the screen.

    Raises:
        UserError: as of `make`.
    """

    def __init__(self, folder: str | Path, make: Callable[[], Pages], say: Callable[[str], None]) -> None:
        self.folder = Path(folder)
        self.make = make
        self.say = say
        self.pages = make()
        self.one = asyncio.Lock()

    @property
    def name(self) -> str:
        """Of the data that are served."""
        return str(self.pages.collection.index.header.data)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first, slash, rest = scope["path"].removeprefix("/").partition("/")
        named = first.startswith(DATA) and bool(slash)
        loaded = not (rest if named else first + slash)
        if loaded:
            await self._renew()
        if loaded and not (named and first == self.name):
            place = f"../{self.name}/" if named else f"{self.name}/"
            await answer(send, REDIRECT, {}, [(b"location", place.encode())])
        elif named and first != self.name:
            await answer(send, GONE, {"error": "the index has been brought up to date: load the page again"})
        else:
            await self.pages.app({**scope, "path": f"/{rest}"} if named else scope, receive, send)

    async def _renew(self) -> None:
        """Takes the index as it is now; the earlier one stays where that is not possible."""
        async with self.one:
            try:
                now = (await run_in_threadpool(read_header, self.folder)).data
                if now is None or now == self.name:
                    return
                self.say(f"{self.folder} has been brought up to date, and is read anew")
                self.pages = await run_in_threadpool(self.make)
            except UserError as error:
                self.say(f"what is shown is the index as it was: {error}")
