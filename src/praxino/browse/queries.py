"""Files that are dropped on the page: kept aside for as long as they are read, embedded, and searched."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from praxino.catalogs.names import is_picture
from praxino.errors import UserError
from praxino.search.hits import Hits
from praxino.search.index import Index

if TYPE_CHECKING:
    from praxino.encoders.encoder import Encoder

MOST_BYTES = 2 << 30
AT_ONCE = 1 << 20  # bytes that are written
NEAREST = 12
ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}")
LONGEST_NAME = 200  # characters, in a line about a file
TOO_LARGE, GONE_AWAY = 413, 499


class Queries:
    """Embeds files by the encoder of an index, one after the other.

    Args:
        load: gives the encoder; called when the first file has come, and no earlier.
        trust: packages, beside praxino, whose samplers may be built.
        folder: for files for as long as they are read; only the user may see into it.
        most: bytes of a file.
    """

    def __init__(
        self, load: Callable[[], Encoder], trust: tuple[str, ...], folder: Path, most: int = MOST_BYTES
    ) -> None:
        self.load = load
        self.trust = trust
        self.folder = folder
        self.most = most
        self.encoder: Encoder | None = None
        self.one = asyncio.Lock()  # one takes all cores

    async def asked(self, request: Request, index: Index) -> Hits:
        """What is most like the file in a request's body.

        Args:
            request: the header X-Name has the file's name, percent-encoded.
            index: that is searched.

        Raises:
            UserError: if it is no video or picture that the encoder can embed.
            HTTPException: if it is too large, or nobody waits for it any more.
        """
        name = unquote(request.headers.get("x-name", ""))[-LONGEST_NAME:] or "the file"
        ending = ENDING.fullmatch(Path(name).suffix)
        with self._room():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # systems clear away what lies there for days
            number, path = tempfile.mkstemp(ending[0] if ending else "", "query-", self.folder)
        try:
            with self._room(), open(number, "wb") as file:
                await self._receive(request, file)
            async with self.one:
                if await request.is_disconnected():
                    raise HTTPException(GONE_AWAY, "nobody waits for it any more")
                vectors = await run_in_threadpool(self._vectors, index, path)
            return await run_in_threadpool(index.search, vectors, NEAREST)
        except UserError as error:
            raise UserError(str(error).replace(path, name)) from None
        finally:
            Path(path).unlink(missing_ok=True)

    async def _receive(self, request: Request, file: Any) -> None:
        """Writes the body as it comes. What is too large is read to its end, or a browser would not hear why."""
        said = request.headers.get("content-length", "")
        come, held = 0, bytearray()
        too_large = said.isdecimal() and int(said) > self.most
        try:
            async for chunk in request.stream():
                come += len(chunk)
                too_large = too_large or come > self.most
                if come > 2 * self.most:
                    break
                held += b"" if too_large else chunk
                if len(held) >= AT_ONCE:
                    await run_in_threadpool(file.write, held)
                    held = bytearray()
        except ClientDisconnect:
            raise HTTPException(GONE_AWAY, "nobody waits for it any more") from None
        if too_large:
            raise HTTPException(
                TOO_LARGE, f"the file is larger than {self.most / (1 << 30):.3g} GiB: cut the part out that asks"
            )
        if not come:
            raise UserError("the file is empty")
        await run_in_threadpool(file.write, held)

    @contextmanager
    def _room(self) -> Iterator[None]:
        """What the system refuses within it is one line."""
        try:
            yield
        except OSError as error:
            raise UserError(f"there is no room for the file in {self.folder}: {error.strerror}") from None

    def _vectors(self, index: Index, path: str) -> Any:
        """The vectors of a file."""
        from praxino.search.queries import query_of_file, query_of_image

        self.encoder = self.encoder or self.load()
        if is_picture(path):
            return query_of_image(index, self.encoder, path)
        return query_of_file(index, self.encoder, path, trust=self.trust)
